"""Uses the SDK where it is installed from its wheel and nothing else is: not even the tests' tools.

python -I -W error tests/wheel/installed.py
"""

from __future__ import annotations

import asyncio
import importlib
import json
import operator
import re
import subprocess
import sys
import sysconfig
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from memoram_async import AsyncMemoram, MemoramError
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Generator

PACKAGES: Final = ("memoram_async", "memoram_sync", "memoram_local")
REQUIRED: Final = {"anyio", "attrs", "cryptography", "httpx", "sniffio"}
LOCAL: Final = "pip install 'memoram[local]'"


class Service(BaseHTTPRequestHandler):
    """Issues tokens and knows one tag."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer({"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"})

    def do_GET(self) -> None:
        assert self.headers["Authorization"] == "Bearer eyJ.e.s"
        self._answer({"id": "tag_1", "name": "travel"})

    def _answer(self, body: dict[str, str]) -> None:
        content = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def serving() -> Generator[str]:
    """The service's address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def check_packages() -> None:
    for name in PACKAGES:
        importlib.import_module(name)
        place = Path(str(files(name)))
        assert place.is_relative_to(sysconfig.get_path("purelib")), place
        assert (place / "py.typed").is_file(), name


def check_requirements() -> None:
    needed = cast("list[str]", metadata("memoram").get_all("Requires-Dist"))
    plain = {re.split(r"[<>= ]", line)[0] for line in needed if "extra ==" not in line}
    assert plain == REQUIRED, plain
    assert {line.split("extra ==")[1].strip(" '\"") for line in needed if "extra ==" in line} >= {"local"}


def check_blocking(url: str) -> None:
    with Memoram("mem_x", base_url=url) as client:
        assert client.tags.get("tag_1", user_id="u").name == "travel"


async def check_asynchronous(url: str) -> None:
    async with AsyncMemoram("mem_x", base_url=url) as client:
        assert (await client.tags.get("tag_1", user_id="u")).name == "travel"


def complaint(module: str, name: str, *arguments: str) -> str:
    """What using something says whose libraries are missing."""
    try:
        operator.attrgetter(name)(importlib.import_module(module))(*arguments)
    except (ImportError, MemoramError) as error:
        return str(error)
    raise AssertionError(f"{name} should need an extra")


def check_extras() -> None:
    assert LOCAL in complaint("memoram_local", "MemoramLocal")
    assert "pip install 'memoram[otel]'" in complaint(
        "memoram_async.transport.telemetry", "OpenTelemetryHooks"
    )
    assert "pip install 'memoram[redis]'" in complaint(
        "memoram_async", "RedisTokenStore.from_url", "redis://localhost"
    )


def check_command_line() -> None:
    program = Path(sysconfig.get_path("scripts"), "memoram-local")
    for command in ((sys.executable, "-I", "-m", "memoram_local"), (str(program),)):
        for what in ("serve", "demo"):
            done = subprocess.run((*command, what), capture_output=True, text=True, check=False)  # noqa: S603
            assert done.returncode in {1, 2}, done
            assert done.stdout == "", done
            assert done.stderr.count("\n") == 1, done
            assert LOCAL in done.stderr, done


def main() -> None:
    check_packages()
    check_requirements()
    with serving() as url:
        check_blocking(url)
        asyncio.run(check_asynchronous(url))
    check_extras()
    check_command_line()
    print(f"memoram {version('memoram')} works from its wheel, alone")  # noqa: T201 - a script


if __name__ == "__main__":
    main()
