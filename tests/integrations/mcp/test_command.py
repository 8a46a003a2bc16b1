"""The command `memoram-mcp`, as clients start it: on stdio, and over HTTP."""

from __future__ import annotations

import json
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread
import httpx2
import pytest
import uvicorn
from anyio.streams.text import TextReceiveStream
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.integrations.mcp.command import (
    PROGRAM,
    ROOT,
    SECRET,
    environment,
    free_port,
    link,
    over_http,
    url_in,
    with_callback,
)
from tests.integrations.mcp.conftest import DASHBOARD, ERAS, Person, text_of
from tests.integrations.mcp.id_provider import CLIENT_ID, id_provider

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from tests.integrations.mcp.conftest import Stage

FOR_MANY: Final = (
    *("--http", "--issuer", "https://id.test", "--audience", "memories"),
    *("--grants", "sqlite://"),
)
EVERYTHING: Final = {
    **{f"MEMORAM_{name}": "x" for name in ("CLIENT_ID", "CLIENT_SECRET", "API_KEY")},
    **{f"MEMORAM_SIGN_IN_{name}": "x" for name in ("CLIENT_ID", "CLIENT_SECRET")},
    "MEMORAM_SECRET": SECRET,
    "MEMORAM_BASE_URL": "http://127.0.0.1:9/api/v1",
    "MEMORAM_AUTH_URL": "http://127.0.0.1:9",
}
NOTE: Final = {"content": "Prefers window seats"}


@pytest.fixture
def anyio_backend() -> str:
    """The command runs on asyncio; which loop its clients run on says nothing about it."""
    return "asyncio"


@asynccontextmanager
async def on_stdio(known: dict[str, str], errors: Path, **options: Any) -> AsyncGenerator[Client]:
    """The client of a process of its own, whose stderr goes to a file."""
    parameters = StdioServerParameters(command=sys.executable, args=list(PROGRAM), env=known)
    with errors.open("w") as log:
        async with Client(stdio_client(parameters, errlog=log), **options) as client:
            yield client


@pytest.mark.anyio
@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_a_process_on_stdio_serves_one_user(stage: Stage, tmp_path: Path, era: Any) -> None:
    known = environment(stage, MEMORAM_MEMORY_KEY=stage.user.memory_key)
    person = Person(does=stage.approve)
    errors = tmp_path / "stderr"
    async with on_stdio(known, errors, mode=era, elicitation_callback=person) as client:
        assert client.protocol_version == ("2025-11-25" if era == "legacy" else "2026-07-28")
        assert not (await client.call_tool("remember", NOTE)).is_error
        assert "Prefers window seats" in text_of(await client.call_tool("recall", {"query": "seats"}))
        await client.call_tool("get", {"id": "nothing"})
    assert person.shown == [DASHBOARD]
    assert errors.read_text() == ""


@pytest.mark.anyio
async def test_a_client_that_leaves_while_a_call_waits_ends_the_process(stage: Stage) -> None:
    known = environment(stage, MEMORAM_MEMORY_KEY=stage.user.memory_key)
    async with await anyio.open_process([sys.executable, *PROGRAM], env=known) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        answers = TextReceiveStream(process.stdout)

        async def send(**message: Any) -> None:
            assert process.stdin is not None
            await process.stdin.send(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

        who = {"name": "tests", "version": "1"}
        can: dict[str, Any] = {"elicitation": {"url": {}}}
        await send(
            id=1,
            method="initialize",
            params={"protocolVersion": "2025-11-25", "capabilities": can, "clientInfo": who},
        )
        assert "serverInfo" in await answers.receive()
        await send(method="notifications/initialized")
        progress = {"progressToken": "waits"}
        await send(id=2, method="tools/call", params={"name": "tags", "arguments": {}, "_meta": progress})
        asked = json.loads(await answers.receive())
        assert asked["params"]["url"] == DASHBOARD
        await send(id=asked["id"], result={"action": "accept"})
        assert "Waiting for the user" in await answers.receive()
        await process.stdin.aclose()
        with anyio.fail_after(20):  # it would wait for 45 seconds
            assert await process.wait() == 0


def begun(stage: Stage) -> subprocess.Popen[str]:
    """A process that has shaken hands and waits for more."""
    process = subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, *PROGRAM),
        env=environment(stage, MEMORAM_MEMORY_KEY=stage.user.memory_key),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    assert process.stdin is not None
    assert process.stdout is not None
    who = {"name": "tests", "version": "1"}
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": who}
    for message in (
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
    ):
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()
    assert "serverInfo" in process.stdout.readline()
    return process


@pytest.mark.skipif(sys.platform == "win32", reason="a process is told nothing there: it is ended")
@pytest.mark.parametrize("told", [signal.SIGINT, signal.SIGTERM])
def test_a_process_on_stdio_ends_at_once_when_it_is_told_to(stage: Stage, told: signal.Signals) -> None:
    with begun(stage) as process:
        process.send_signal(told)
        assert process.wait(timeout=20) == -told
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_a_client_that_leaves_without_its_answer_is_no_fault(stage: Stage) -> None:
    with begun(stage) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 2, "method": "ping"}) + "\n")
        process.stdin.close()
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == ""


@pytest.mark.anyio
async def test_without_a_memory_key_a_page_on_this_machine_links_the_account_once(
    stage: Stage, tmp_path: Path
) -> None:
    stage = with_callback(stage, "http://127.0.0.1/memoram/callback")
    known = environment(stage, XDG_DATA_HOME=str(tmp_path))
    async with on_stdio(known, tmp_path / "stderr") as client, httpx2.AsyncClient() as browser:
        page = url_in(text_of(await client.call_tool("remember", NOTE)))
        assert page.startswith("http://127.0.0.1:")
        async with httpx2.AsyncClient() as nobody:
            assert (await nobody.get(page.replace("for=", "for=x"))).status_code == 400
            assert (await nobody.get(page.replace("/link", "/callback"))).status_code == 403
            assert (await nobody.get(page, headers={"Host": "evil.test"})).status_code == 400
        answer = await link(page, stage, stage.user, http=browser)
        assert (answer.status_code, answer.headers["location"]) == (303, DASHBOARD)
        assert url_in(text_of(await client.call_tool("remember", NOTE))) == DASHBOARD
        stage.approve()
        assert not (await client.call_tool("remember", NOTE)).is_error
    assert (tmp_path / "stderr").read_text() == ""
    assert (tmp_path / "memoram" / "mcp-grants.db").stat().st_mode & 0o077 == 0

    async with on_stdio(known, tmp_path / "stderr") as client:
        assert "window" in text_of(await client.call_tool("recall", {"query": "window"}))


@pytest.mark.anyio
async def test_over_http_it_serves_the_users_of_an_issuer(stage: Stage, tmp_path: Path) -> None:
    bob = stage.local.create_user(email="bob@example.com", password="correct horse battery")
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    stage = with_callback(stage, f"http://127.0.0.1:{port}/memoram/callback")
    known = environment(
        stage,
        MEMORAM_SIGN_IN_CLIENT_ID=CLIENT_ID,
        MEMORAM_SIGN_IN_CLIENT_SECRET="known to both",
    )
    grants = f"sqlite:///{tmp_path / 'grants.db'}"
    with id_provider() as provider:
        arguments = ("--issuer", provider.url, "--audience", "memories", "--grants", grants)
        async with over_http(known, *arguments, port=port) as process:

            @asynccontextmanager
            async def agent(subject: str, era: Any, *, audience: str = "memories") -> AsyncGenerator[Client]:
                token = provider.token(subject, audience=audience)
                headers = {"Authorization": f"Bearer {token}"}
                async with (
                    httpx2.AsyncClient(headers=headers, timeout=30) as http,
                    Client(streamable_http_client(url, http_client=http), mode=era) as client,
                ):
                    yield client

            users = {"ada": stage.user, "bob": bob}
            for (subject, user), era in zip(users.items(), ERAS, strict=True):
                async with agent(subject, era) as client:
                    page = url_in(text_of(await client.call_tool("remember", NOTE)))
                    # The address is sent to somebody else, who signs in and would link their own account.
                    provider.signed_in = "eve"
                    async with httpx2.AsyncClient(follow_redirects=True) as browser:
                        sent = await browser.get(page)
                    assert sent.status_code == 403
                    assert "made for somebody else" in sent.text
                    provider.signed_in = subject
                    async with httpx2.AsyncClient() as browser:
                        answer = await link(page, stage, user, http=browser)
                    assert (answer.status_code, answer.headers["location"]) == (303, DASHBOARD)
                    stage.approve()
                    assert not (await client.call_tool("remember", {"content": f"of {subject}"})).is_error
            for subject, era in zip(users, reversed(ERAS), strict=True):
                async with agent(subject, era) as client:
                    listed = (await client.call_tool("list", {})).structured_content
                    assert listed is not None
                    (memory,) = listed["memories"]
                    assert f"of {subject}" in memory["memory"]

            foreign = provider.token("ada", audience="something else")
            async with httpx2.AsyncClient() as http:
                for token in (foreign, foreign[:-4], "nonsense"):
                    answer = await http.post(url, json={}, headers={"Authorization": f"Bearer {token}"})
                    assert answer.status_code == 401
        output, errors = await anyio.to_thread.run_sync(process.communicate)
    assert (output, errors) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "known", "told"),
    [
        ((), {}, "set MEMORAM_API_KEY, MEMORAM_CLIENT_ID"),
        ((), {"MEMORAM_MEMORY_KEY": "mk_1"}, "set MEMORAM_API_KEY; --help"),
        (("--token-budget", "3"), {}, "--token-budget must be at least 500"),
        (("--nonsense",), {}, "unrecognized arguments: --nonsense"),
        ((*FOR_MANY, "--port", "99999"), EVERYTHING, "--port must be from 1 to 65535"),
        ((*FOR_MANY, "--host", ""), EVERYTHING, "--host must be an address of this machine"),
        ((*FOR_MANY, "--url", "http:///mcp"), EVERYTHING, "--url must be an http or https URL"),
        ((*FOR_MANY, "--url", "http://host:x/mcp"), EVERYTHING, "--url must be an http or https URL"),
    ],
)
def test_what_is_missing_is_said_in_one_line(
    arguments: tuple[str, ...], known: dict[str, str], told: str
) -> None:
    done = run(*arguments, **known)
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr.splitlines()[-1]


def python(*arguments: str, known: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A Python program in that environment, until it ends by itself."""
    return subprocess.run(  # noqa: S603 - our own words
        (sys.executable, *arguments),
        env=known,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )


def run(*arguments: str, **known: str) -> subprocess.CompletedProcess[str]:
    """The command, until it ends by itself."""
    return python(*PROGRAM, *arguments, known={**environment(), **known})


def test_help_does_not_load_the_official_package() -> None:
    watched = (
        "import sys; from memoram_async.integrations import mcp_command\ntry: mcp_command.main(['--help'])"
    )
    code = f"{watched}\nexcept SystemExit: print(sorted({{'mcp', 'pydantic', 'httpx'}} & set(sys.modules)))"
    done = subprocess.run(  # noqa: S603 - our own words
        (sys.executable, "-c", code), cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert "MEMORAM_MEMORY_KEY" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


def test_http_without_an_issuer_is_refused() -> None:
    assert "--http needs --issuer and --audience" in run("--http", **EVERYTHING).stderr


def test_what_this_machine_cannot_give_is_said_in_one_line(tmp_path: Path) -> None:
    key = {"MEMORAM_API_KEY": "mem_" + "0" * 48}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(*FOR_MANY, "--port", str(port), **{**EVERYTHING, **key})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"memoram-mcp: cannot listen on 127.0.0.1, port {port}: ")
    assert done.stderr.count("\n") == 1

    for host, told in {"nohost.invalid": "cannot listen on", "256.1.1.1": "addresses that clients"}.items():
        done = run(*FOR_MANY, "--host", host, **{**EVERYTHING, **key, "XDG_DATA_HOME": str(tmp_path)})
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert told in done.stderr

    (tmp_path / "file").touch()
    done = run(**{**EVERYTHING, **key, "XDG_DATA_HOME": str(tmp_path / "file")})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"memoram-mcp: no grants can be kept in {tmp_path / 'file' / 'memoram'}: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="only there do users without a home directory exist")
def test_a_user_without_a_home_is_told_in_one_line() -> None:
    code = "import os, pwd, sys; os.environ.pop('HOME', None); pwd.getpwuid = {}.__getitem__"
    code = f"{code}; from memoram_async.integrations.mcp_command import main; sys.exit(main([]))"
    known = {**environment(), **EVERYTHING, "MEMORAM_API_KEY": "mem_" + "0" * 48}
    known.pop("XDG_DATA_HOME", None)
    done = python("-c", code, known=known)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "memoram-mcp: there is no home directory to keep grants in: --grants names another place\n"
    )


@pytest.mark.parametrize("arguments", [(), FOR_MANY])
@pytest.mark.parametrize("place", ["missing/grants.db", "", "no database"])
def test_grants_that_cannot_be_kept_are_said_at_start(
    tmp_path: Path, arguments: tuple[str, ...], place: str
) -> None:
    (tmp_path / "no database").write_bytes(bytes(8192))
    known = {**EVERYTHING, "MEMORAM_API_KEY": "mem_" + "0" * 48}
    done = run(*arguments, "--grants", f"sqlite:///{tmp_path / place}", **known)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("memoram-mcp: ")
    assert ("there is no folder" if "/" in place else "database") in done.stderr
    assert done.stderr.count("\n") == 1


def in_the_readme() -> list[dict[str, Any]]:
    """The servers of the README's configurations: one for Claude Code and Cursor, one for VS Code."""
    blocks = re.findall(
        r"^```json\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    found = [json.loads(block) for block in blocks if "memoram-mcp" in block]
    return [(each.get("mcpServers") or each["servers"])["memoram"] for each in found]


def test_the_readmes_configurations_name_the_command_and_its_settings() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    known = set(re.findall(r"MEMORAM_\w+", run("--help").stdout))
    servers = in_the_readme()
    assert len(servers) == 2
    for server in servers:
        assert project["scripts"][server["command"]] == "memoram_async.integrations.mcp_command:main"
        assert set(server["env"]) <= known


@pytest.mark.anyio
@pytest.mark.parametrize("client", [0, 1], ids=["Claude Code and Cursor", "VS Code"])
async def test_the_readmes_configurations_start_a_server(stage: Stage, client: int) -> None:
    server = in_the_readme()[client]
    command = shutil.which(str(server["command"]), path=str(Path(sys.executable).parent))
    assert command is not None, "the package is not installed"
    around = {
        name: environment(stage)[name] for name in ("PYTHONPATH", "MEMORAM_BASE_URL", "MEMORAM_AUTH_URL")
    }
    keys = {"MEMORAM_API_KEY": stage.app.api_key, "MEMORAM_MEMORY_KEY": stage.user.memory_key}
    parameters = StdioServerParameters(
        command=command, args=server.get("args", []), env={**around, **server["env"], **keys}
    )
    person = Person(does=stage.approve)
    async with Client(stdio_client(parameters), elicitation_callback=person) as agent:
        assert not (await agent.call_tool("remember", NOTE)).is_error
        assert "window" in text_of(await agent.call_tool("recall", {"query": "window"}))
    assert person.shown == [server["env"]["MEMORAM_DASHBOARD_URL"]]


@pytest.mark.anyio
async def test_the_example_in_fastapi_walks_with_a_user(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with id_provider() as provider, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        site = f"http://127.0.0.1:{listener.getsockname()[1]}"
        stage = with_callback(stage, f"{site}/callback")
        for name, value in {**environment(stage), "SITE": site, "ISSUER": provider.url}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        app = runpy.run_path(str(ROOT / "examples" / "mcp_server.py"))["app"]
        server = uvicorn.Server(uvicorn.Config(app, log_config=None))
        token = provider.token("ada", audience=f"{site}/mcp")
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            async with (
                httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=30) as http,
                httpx2.AsyncClient(headers={"X-Subject": "ada"}) as browser,
                Client(streamable_http_client(f"{site}/mcp", http_client=http)) as client,
            ):
                page = url_in(text_of(await client.call_tool("remember", NOTE)))
                assert page == f"{site}/connect"
                answer = await link(page, stage, stage.user, http=browser)
                assert answer.headers["location"] == DASHBOARD
                stage.approve()
                assert not (await client.call_tool("remember", NOTE)).is_error
            server.should_exit = True


@pytest.mark.anyio
async def test_it_listens_on_either_version_of_ip(stage: Stage, tmp_path: Path) -> None:
    port = free_port()
    known = environment(stage, MEMORAM_SIGN_IN_CLIENT_ID="x", MEMORAM_SIGN_IN_CLIENT_SECRET="y")
    arguments = ("--host", "::1", "--issuer", "https://id.test", "--audience", "memories")
    grants = ("--grants", f"sqlite:///{tmp_path / 'grants.db'}")
    async with over_http(known, *arguments, *grants, port=port, host="::1"), httpx2.AsyncClient() as http:
        answer = await http.post(f"http://[::1]:{port}/mcp", json={})
        assert answer.status_code == 401
        assert f'resource_metadata="http://[::1]:{port}/' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("package", "command", "extras"),
    [("mcp", (), "mcp"), ("sqlalchemy", (), "mcp,sql"), ("sqlalchemy", FOR_MANY, "mcp,sql")],
)
def test_without_a_package_the_extra_is_named(package: str, command: tuple[str, ...], extras: str) -> None:
    missing = f"import sys; sys.modules[{package!r}] = None"
    code = f"{missing}; from memoram_async.integrations.mcp_command import main"
    known = {**environment(), **EVERYTHING, "MEMORAM_API_KEY": "mem_" + "0" * 48}
    if package == "mcp":
        known["MEMORAM_MEMORY_KEY"] = "mk_1"
    done = python("-c", f"{code}; sys.exit(main({list(command)!r}))", known=known)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert f"pip install 'memoram[{extras}]'" in done.stderr
