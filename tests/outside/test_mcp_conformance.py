"""The official conformance suite finds nothing in our MCP server but what its baselines explain."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import uvicorn

from memoram_async import AsyncMemoram
from memoram_async.integrations.mcp import KeyHolder, MemoryServer
from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Generator

HERE: Final = Path(__file__).parent / "mcp-conformance"


@contextmanager
def served() -> Generator[str]:
    """The address of a server for one user, over HTTP and without tokens, as the suite needs it."""
    with (
        MemoramLocal(password_profile="fast") as local,
        local.serve() as platform,
        socket.socket() as listener,
    ):
        app = local.register_app(name="Agent")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        memoram = AsyncMemoram(app.api_key, base_url=platform.api_url, auth_url=platform.auth_url)
        holder = KeyHolder(memoram, user.memory_key, reason="Remembers for an agent")
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        web = uvicorn.Server(uvicorn.Config(MemoryServer(holder).streamable_http_app(), log_config=None))
        thread = threading.Thread(target=web.run, args=([listener],))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp"
        finally:
            web.should_exit = True
            thread.join()


@pytest.mark.service("node", "tests/outside/mcp-conformance/node_modules")
def test_it_conforms_to_both_revisions() -> None:
    programs = HERE / "node_modules" / ".bin"
    with served() as url:
        for revision in ("2025-11-25", "2026-07-28"):
            done = subprocess.run(  # noqa: S603 - our own words
                (
                    *(str(programs / "conformance"), "server", "--url", url, "--requirements", revision),
                    *("--expected-failures", f"baseline-{revision}.yml"),
                ),
                cwd=HERE,
                env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
                capture_output=True,
                encoding="utf-8",
                check=False,
                timeout=240,
            )
            assert done.returncode == 0, f"{revision}: {done.stdout[-4000:]}{done.stderr[-1000:]}"
            passed = set(re.findall(r"^✓ ([\w-]+): [1-9]", done.stdout, re.MULTILINE))
            assert {"tools-list", "prompts-list", "resources-list", "tools-call-simple-text"} <= passed
            assert "dns-rebinding-protection" in passed
