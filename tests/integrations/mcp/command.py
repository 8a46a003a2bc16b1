"""The command `memoram-mcp` as a process, and the browser of a user who is sent to its pages."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
import attrs
import httpx2

from tests.integrations.mcp.conftest import DASHBOARD

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from memoram_local import User
    from tests.integrations.mcp.conftest import Stage

ROOT: Final = Path(__file__).parents[3]
PROGRAM: Final = (
    *("-W", "error", "-c"),
    "import sys; from memoram_async.integrations.mcp_command import main; sys.exit(main())",
)
SECRET: Final = "a-secret-of-the-applications-own-of-32-bytes"


def environment(stage: Stage | None = None, **more: str) -> dict[str, str]:
    """What the command finds around it."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("MEMORAM_")}
    known["PYTHONPATH"] = str(ROOT)
    if stage is not None:
        known |= {
            "MEMORAM_API_KEY": stage.app.api_key,
            "MEMORAM_BASE_URL": f"{stage.url}/api/v1",
            "MEMORAM_AUTH_URL": stage.url,
            "MEMORAM_DASHBOARD_URL": DASHBOARD,
            "MEMORAM_CLIENT_ID": stage.app.client_id,
            "MEMORAM_CLIENT_SECRET": stage.app.client_secret,
            "MEMORAM_SECRET": SECRET,
        }
    return {**known, **more}


def with_callback(stage: Stage, url: str) -> Stage:
    """The same with an application whose users come back to another address."""
    return attrs.evolve(stage, app=stage.local.register_app(name="Command", redirect_uris=[url]))


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def over_http(
    known: dict[str, str], *arguments: str, port: int, host: str = "127.0.0.1"
) -> AsyncGenerator[subprocess.Popen[str]]:
    """A process that serves HTTP, once it does."""
    with subprocess.Popen(  # noqa: S603, ASYNC220 - our own words
        (sys.executable, *PROGRAM, "--http", "--port", str(port), *arguments),
        env=known,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        try:
            with anyio.fail_after(30):
                while not await accepts(host, port):
                    assert process.poll() is None, process.stderr and process.stderr.read()
                    await anyio.sleep(0.05)
            yield process
        finally:
            process.terminate()


async def accepts(host: str, port: int) -> bool:
    """Whether somebody listens."""
    try:
        await (await anyio.connect_tcp(host, port)).aclose()
    except OSError:
        return False
    return True


async def link(url: str, stage: Stage, user: User, *, http: httpx2.AsyncClient) -> httpx2.Response:
    """A browser opens the page that links an account, goes where it is sent, and its user consents."""
    while not url.startswith(stage.url):
        answer = await http.get(url)
        assert answer.status_code in {303, 307}, answer.text
        url = str(answer.url.join(answer.headers["location"]))
    query = httpx2.URL(url).params
    code = stage.local.authorize(
        user_id=user.id,
        client_id=query["client_id"],
        redirect_uri=query["redirect_uri"],
        code_challenge=query["code_challenge"],
    )
    return await http.get(query["redirect_uri"], params={"code": code, "state": query["state"]})


def url_in(text: str) -> str:
    """The URL that a refused call names."""
    found = re.search(r"at this URL: (\S+)", text)
    assert found is not None, text
    return found[1]
