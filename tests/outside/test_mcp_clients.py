"""The official MCP clients for JavaScript remember and recall, and show their user where to decide."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from memoram_local import MemoramLocal

HERE: Final = Path(__file__).parent / "mcp"
ROOT: Final = Path(__file__).parents[2]
PROGRAM: Final = (
    "-c",
    "import sys; from memoram_async.integrations.mcp_command import main; sys.exit(main())",
)
DASHBOARD: Final = "https://dashboard.test/requests"


@pytest.mark.service("node", "tests/outside/mcp/node_modules")
@pytest.mark.parametrize("client", ["client auto", "client legacy", "sdk"])
def test_a_client_from_npm_asks_its_user_in_the_middle_of_a_call(client: str) -> None:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Agent")
        user = local.create_user(email="ada@example.com", password="correct horse battery")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MEMORAM_")},
            "PYTHONPATH": str(ROOT),
            "MEMORAM_API_KEY": app.api_key,
            "MEMORAM_BASE_URL": server.api_url,
            "MEMORAM_AUTH_URL": server.auth_url,
            "MEMORAM_DASHBOARD_URL": DASHBOARD,
            "MEMORAM_MEMORY_KEY": user.memory_key,
        }
        started = {"command": sys.executable, "args": list(PROGRAM), "env": environment}
        with subprocess.Popen(  # noqa: S603 - our own words
            ["node", "agent.mjs", client],  # noqa: S607 - found on the path, as the mark says
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(started))
            process.stdin.close()
            try:
                # Its user decides only now, while the call waits.
                assert process.stdout.readline().strip() == DASHBOARD
                (request,) = local.access_requests()
                local.approve(request.id)
                answers = json.loads(process.stdout.readline())
                assert process.wait(60) == 0
            finally:
                process.kill()
    assert set(answers["tools"]) == {"remember", "recall", "list", "get", "update", "forget", "tags"}
    assert not answers["remembered"]["isError"]
    assert answers["tags"]["structuredContent"]["count"] == 1
    for seen in (answers["recalled"]["text"], answers["prompt"], answers["resource"]):
        assert "Prefers window seats" in seen
