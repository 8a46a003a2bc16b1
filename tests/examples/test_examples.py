"""The examples, run as they stand, against a platform on a socket."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import pytest

from memoram_local import MemoramLocal, User
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT: Final = Path(__file__).resolve().parents[2]
EXAMPLES: Final = ROOT / "examples"
LONGEST: Final = 60
NUMBERS: Final = itertools.count()


@attrs.frozen
class Stage:
    """A platform with an application, and the environment that points the examples at it."""

    local: MemoramLocal
    environment: dict[str, str]

    def user(self) -> User:
        """A new user."""
        email = f"user{next(NUMBERS)}@example.com"
        return self.local.create_user(email=email, password="correct horse battery")

    def client(self) -> Memoram:
        """A client of the application."""
        names = ("MEMORAM_API_KEY", "MEMORAM_BASE_URL", "MEMORAM_AUTH_URL")
        api_key, base_url, auth_url = (self.environment[name] for name in names)
        return Memoram(api_key, base_url=base_url, auth_url=auth_url)

    @contextmanager
    def running(self, *command: str, **environment: str) -> Generator[subprocess.Popen[str]]:
        """A Python process in which every warning is an error."""
        with subprocess.Popen(  # noqa: S603 - our own words
            (sys.executable, "-u", "-W", "error", *command),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            cwd=ROOT,
            env={**os.environ, **self.environment, **environment},
        ) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with MemoramLocal(password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Example")
        environment = {
            "MEMORAM_API_KEY": app.api_key,
            "MEMORAM_BASE_URL": server.api_url,
            "MEMORAM_AUTH_URL": server.auth_url,
            "PYTHONPATH": str(ROOT),
        }
        yield Stage(local, environment)


def finish(process: subprocess.Popen[str]) -> str:
    """What it went on to print until it ended well."""
    output, errors = process.communicate(timeout=LONGEST)
    assert (process.returncode, errors) == (0, ""), errors
    return output


def test_each_is_short() -> None:
    sizes = {path.name: len(path.read_text("utf-8").splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(sizes) >= {"agent_tasks.py", "fastapi_app.py", "script.py"}
    assert {name: size for name, size in sizes.items() if size >= 60} == {}


SCRIPTS: Final = {
    "script.py": ("Seat: Prefers window seats", "now: Prefers aisle seats on long flights"),
    "agent_tasks.py": ("300 agents left a memory each", "and took it back"),
}
"""The scripts among them, and what they say."""


def test_scripts_wait_for_the_user_and_do_their_work(stage: Stage) -> None:
    users = {example: stage.user() for example in SCRIPTS}
    with ExitStack() as running:
        processes = {
            example: running.enter_context(
                stage.running(str(EXAMPLES / example), MEMORAM_MEMORY_KEY=user.memory_key)
            )
            for example, user in users.items()
        }
        for example, process in processes.items():
            assert process.stdout is not None
            assert process.stdout.readline() == "access: pending\n"
            (asked,) = stage.local.access_requests(user_id=users[example].id)
            stage.local.approve(asked.id)
        for example, process in processes.items():
            output = finish(process)
            assert output.startswith("access: approved\n")
            for line in SCRIPTS[example]:
                assert line in output
    with stage.client() as client:
        for user in users.values():
            assert list(client.memory_blobs.list(user_id=user.id)) == []


@pytest.mark.parametrize("example", SCRIPTS)
def test_a_script_says_in_one_line_what_is_missing(stage: Stage, example: str) -> None:
    with (
        stage.running(str(EXAMPLES / example), MEMORAM_MEMORY_KEY="mk_nobody") as with_wrong_key,
        stage.running(str(EXAMPLES / example)) as without_key,
    ):
        _, errors = with_wrong_key.communicate(timeout=LONGEST)
        assert with_wrong_key.returncode == 1
        assert errors.count("\n") == 1
        _, errors = without_key.communicate(timeout=LONGEST)
        assert without_key.returncode == 1
        assert errors.startswith("set MEMORAM_MEMORY_KEY")
