"""An async client goes on working on both sides of a fork, be it between two event loops or within one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = """
import asyncio, os, sys
from memoram_async import AsyncMemoram

client = AsyncMemoram(sys.argv[1], base_url=sys.argv[2], auth_url=sys.argv[2])

async def calls():
    pages = [client.access_requests.list().first_page() for _ in range(5)]
    return [len(page.items) for page in await asyncio.gather(*pages)]

def in_a_child():
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(calls())
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    return child

def ended_well(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

async def within():
    await calls()
    child = in_a_child()
    await calls()
    assert ended_well(child)

def between():
    asyncio.run(calls())
    child = in_a_child()
    asyncio.run(calls())
    assert ended_well(child)

asyncio.run(within()) if sys.argv[3] == "within" else between()
"""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


@pytest.fixture
def address() -> Iterator[tuple[str, str]]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        yield local.register_app(name="Planner").api_key, f"{server.url}/api/v1"


@pytest.mark.parametrize("place", ["within", "between"])
def test_parent_and_child_go_on(address: tuple[str, str], place: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", PROGRAM, *address, place),
        capture_output=True,
        encoding="utf-8",
        check=False,
        cwd=ROOT,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
