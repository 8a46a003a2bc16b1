"""`python -m memoram_local`, as a process."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

import memoram_local
from memoram_local.cli import main
from memoram_local.process.server import listen

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT = Path(memoram_local.__file__).parents[1]
COMMAND = (sys.executable, "-m", "memoram_local")


@contextlib.contextmanager
def running(*arguments: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    """A serving process and what it has printed when it is ready."""
    command = [*COMMAND, "serve", "--port", "0", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as process:
        try:
            yield process, "".join(read_greeting(process))
        finally:
            process.kill()


def read_greeting(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if "Ctrl-C" in line:
            return


def patient() -> httpx.Client:
    """A client for a process that hashes passwords at full strength, on a machine that may be busy."""
    return httpx.Client(timeout=60, trust_env=False)


def address(greeting: str, name: str) -> str:
    found = re.search(rf"{re.escape(name)}(?: +|=)(http://\S+)", greeting)
    assert found is not None, greeting
    return found[1]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_where_everything_is_and_stops_when_told(tmp_path: Path, how: signal.Signals) -> None:
    with running("--data", str(tmp_path / "data")) as (process, greeting):
        origin = address(greeting, "Authorization server")
        assert origin.startswith("http://127.0.0.1:")
        assert address(greeting, "API base URL") == f"{origin}/api/v1"
        assert address(greeting, "export MEMORAM_BASE_URL") == f"{origin}/api/v1"
        assert address(greeting, "export MEMORAM_AUTH_URL") == origin
        assert address(greeting, "export MEMORAM_DASHBOARD_URL") == f"{origin}/dashboard"
        assert address(greeting, "Developer portal") == f"{origin}/portal"
        with patient() as http:
            assert http.get(address(greeting, "Dashboard")).status_code == 303

            told = time.monotonic()
            process.send_signal(how)
            assert process.wait(timeout=5) == 0
            assert time.monotonic() - told < 1


INTERRUPTED_WHILE_LOADING = """
import os, runpy, signal, sys

class PressingCtrlC:
    def find_spec(self, name, path, target=None):
        if name == "sqlalchemy":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, PressingCtrlC())
runpy.run_module("memoram_local", run_name="__main__")
"""


def test_ctrl_c_while_it_loads_ends_it_without_a_traceback() -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [sys.executable, "-c", INTERRUPTED_WHILE_LOADING], capture_output=True, check=False, cwd=ROOT
    )
    assert done.returncode == 130
    assert done.stderr == b""


def test_it_tells_how_to_get_an_api_key_until_there_is_one(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with running("--data", data) as (_, greeting), patient() as http:
        portal = address(greeting, "Developer portal")
        assert f"MEMORAM_API_KEY: open {portal} and register an application" in greeting
        form = {"email": "dev@example.test", "password": "correct horse"}
        http.post(f"{address(greeting, 'Authorization server')}/signup", data=form)
        assert http.post(f"{portal}/apps", data={"name": "App"}).status_code == 303

    with running("--data", data) as (_, greeting):
        assert "MEMORAM_API_KEY: was shown when the application was registered" in greeting


def test_a_taken_port_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listen("127.0.0.1", 0) as taken:
        status = main(["serve", "--port", str(taken.getsockname()[1]), "--data", str(tmp_path)])

    output = capsys.readouterr()
    assert status == 1
    assert output.out == ""
    assert output.err.count("\n") == 1
    assert "choose another port" in output.err


def test_data_that_cannot_be_used_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()

    assert main(["serve", "--port", "0", "--data", str(tmp_path / "file")]) == 1
    error = capsys.readouterr().err
    assert error == f"memoram-local: the data directory {tmp_path / 'file'} cannot be used: it is a file\n"


def test_another_host_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--host", "0.0.0.0", "--data", str(tmp_path)]) == 1  # noqa: S104 - refused
    assert capsys.readouterr().err.startswith("memoram-local: 0.0.0.0 is refused")


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"memoram-local {version('memoram')}\n"


def test_a_second_platform_on_the_same_data_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(tmp_path / "data")
    with running("--data", data) as (process, _):
        assert main(["serve", "--port", "0", "--data", data]) == 1

        error = capsys.readouterr().err
        assert error.startswith(f"memoram-local: the data directory {data} is in use by another platform")
        assert f"process {process.pid}" in error
        assert error.count("\n") == 1


@pytest.mark.parametrize("start", ["on a taken port", "with a seed that cannot be read", "on another host"])
def test_a_start_that_fails_leaves_nothing_behind(
    start: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    with listen("127.0.0.1", 0) as taken:
        options = {
            "on a taken port": ["--port", str(taken.getsockname()[1])],
            "with a seed that cannot be read": ["--port", "0", "--seed", str(tmp_path / "none.yaml")],
            "on another host": ["--host", "192.0.2.1"],
        }
        assert main(["serve", "--data", str(tmp_path / "data"), *options[start]]) == 1

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["serve", "--data", ""], ["rotate-master-key", "--data", ""], ["serve", "--data", " "]]
)
def test_data_without_a_name_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "--data: it is empty" in capsys.readouterr().err


def test_a_closed_output_keeps_nobody_from_being_served(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as found:
        port = found.getsockname()[1]
    command = [*COMMAND, "serve", "--port", str(port), "--data", str(tmp_path / "data")]
    reading, writing = os.pipe()
    with subprocess.Popen(  # noqa: S603 - our own command
        command, stdout=writing, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        try:
            os.close(reading)
            os.close(writing)
            assert answers(f"http://127.0.0.1:{port}/dashboard", within=60)
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=10)
        finally:
            process.kill()

    assert errors == ""
    assert process.returncode == 0


def test_it_runs_where_no_package_is_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("memoram_local.cli.version", missing)
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == "memoram-local of unknown version\n"


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["demo", "--help"]])
def test_what_is_printed_for_nobody_is_no_traceback(arguments: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments], stdout=writing, stderr=subprocess.PIPE, check=False, cwd=ROOT
    )
    os.close(writing)

    assert done.stderr == b""


def answers(url: str, *, within: float) -> bool:
    until = time.monotonic() + within
    with patient() as http:
        while time.monotonic() < until:
            try:
                return http.get(url).status_code == 303
            except httpx.ConnectError:
                time.sleep(0.05)
    return False


@pytest.mark.parametrize("arguments", [[], ["fly"], ["serve", "--port", "x"], ["serve", "--port", "65536"]])
def test_arguments_that_make_no_sense_end_with_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert "usage: memoram-local" in capsys.readouterr().err
