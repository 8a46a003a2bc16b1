"""Real signals at moments of their own choosing: nothing hangs, and no call has another's answer."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from memoram_sync import ClientClosedError, Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket

ROOT: Final = Path(__file__).resolve().parents[2]
TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
LONGEST: Final = 120

pytestmark = pytest.mark.skipif(os.name == "nt", reason="this system has no such signals")


def tags(connection: socket.socket) -> None:
    """Answers each request for a tag with that tag."""
    while request := read_request(connection):
        name = request.split(b" ")[1].split(b"?")[0].rpartition(b"/")[2]
        connection.sendall(TOKEN if name == b"token" else answer(b'{"id": "%b"}' % name))


def play(scenario: str, seed: int) -> None:
    with serving(tags) as url:
        done = subprocess.run(  # noqa: S603 - our own words
            (sys.executable, "-m", "tests.sync.signalled", scenario, url, str(seed)),
            capture_output=True,
            encoding="utf-8",
            check=False,
            cwd=ROOT,
            timeout=LONGEST,
        )
    assert (done.returncode, done.stdout) == (0, "whole\n"), done.stderr


SEEDS: Final = [1, *(pytest.param(seed, marks=pytest.mark.endurance) for seed in range(2, 5))]


@pytest.mark.parametrize("seed", SEEDS)
def test_closing_in_a_signal_handler(seed: int) -> None:
    play("close", seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_interrupts_among_a_hundred_threads(seed: int) -> None:
    play("interrupts", seed)


class Closes:
    """Closes a client when nobody has it any more."""

    def __init__(self, client: Memoram) -> None:
        self._client = client

    def __del__(self) -> None:
        self._client.close()


def test_closing_in_a_finalizer() -> None:
    with serving(tags) as url:
        client = Memoram("mem_x", base_url=url)
        last = [Closes(client)]
        assert client.tags.get("tag_1", user_id="u").id == "tag_1"
        last.clear()
        with pytest.raises(ClientClosedError):
            client.tags.get("tag_1", user_id="u")


def test_closing_ends_a_wait_for_a_turn_at_once() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def hold(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" not in request:
                asked.set()
                go_on.wait(LONGEST)
            connection.sendall(TOKEN if b"/auth/token" in request else answer(b'{"id": "tag_1"}'))

    ends: list[str] = []

    def call(name: str) -> None:
        try:
            client.tags.get("tag_1", user_id="u")
        except ClientClosedError:
            ends.append(f"{name} was told")
        else:
            ends.append(f"{name} was answered")

    with serving(hold) as url:
        client = Memoram("mem_x", base_url=url, runtime=BlockingRuntime(max_connections=1))
        first = threading.Thread(target=call, args=("the first",))
        first.start()
        assert asked.wait(LONGEST)
        second = threading.Thread(target=call, args=("the second",))
        second.start()
        while second.is_alive():
            client.close()  # it may just not wait yet
            second.join(0.05)
        go_on.set()
        first.join()
    assert ends == ["the second was told", "the first was answered"]
