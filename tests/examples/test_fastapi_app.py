"""The FastAPI example, by two workers: many users, each of whom is asked once and reads their own notes."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from memoram_async import Secret, SQLGrantStore
from memoram_async.core.grants import GRANT_PURPOSE, Grant
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from tests.examples.served_app import SECRET, Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

USERS: Final = [f"user{number}" for number in range(20)]
TYPES: Final = "urn:memoram:problem:"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("example")


@pytest.fixture(scope="module")
def example(folder: Path) -> Iterator[Served]:
    with served(folder) as example:
        yield example


def test_two_users_at_once_read_their_own_notes(example: Served) -> None:
    with ExitStack() as stack:
        browsers = {name: stack.enter_context(example.browser(name)) for name in ("ada", "bob")}
        for name, http in browsers.items():
            account = example.account(name)
            example.link(http, account)
            (request,) = example.local.access_requests(user_id=account.id)
            example.local.approve(request.id)

        def write(number: int) -> None:
            name = ("ada", "bob")[number % 2]
            answer = browsers[name].post("/notes", json={"text": f"{name}'s note {number}"})
            assert answer.status_code == 201, answer.text

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(write, range(40)))
        for odd, (name, http) in enumerate(browsers.items()):
            notes = [note["content"] for note in http.get("/notes").json()]
            assert sorted(notes) == sorted(f"{name}'s note {number}" for number in range(odd, 40, 2))


def test_what_the_user_decided_is_the_answers_status(example: Served) -> None:
    with example.browser("cy") as http:

        def status() -> tuple[int, str]:
            answer = http.get("/notes")
            told = answer.json()
            return answer.status_code, "" if isinstance(told, list) else told["type"].removeprefix(TYPES)

        account = example.account("cy")
        assert status() == (409, "not-linked")
        example.link(http, account)
        assert status() == (409, "approval-required")
        (request,) = example.local.access_requests(user_id=account.id)
        example.local.approve(request.id)
        assert status() == (200, "")
        example.local.revoke(request.id)
        assert status() == (403, "access-revoked")
    assert httpx.get(f"{example.url}/notes", trust_env=False).status_code == 401


def test_two_hundred_requests_of_twenty_users_are_all_answered_and_ask_twenty_times(
    example: Served, folder: Path
) -> None:
    accounts = {name: example.account(name) for name in USERS}
    with SQLGrantStore(f"sqlite:///{folder}/memoram-grants.db") as grants:
        rows = GrantRows(grants, SecretSeal([Secret(SECRET)], purpose=GRANT_PURPOSE), endpoint="")
        for name, account in accounts.items():  # linked, and not asked yet
            assert rows.swap(name, rows.read(name), Grant().linked(Secret(account.memory_key)))
    before = len(example.local.journal.entries("createAccessRequest"))
    with ExitStack() as stack:
        browsers = {name: stack.enter_context(example.browser(name)) for name in USERS}

        def read(number: int) -> int:
            return browsers[USERS[number % 20]].get("/notes").status_code

        with ThreadPoolExecutor(200) as pool:
            assert Counter(pool.map(read, range(200))) == {409: 200}
            assert len(example.local.journal.entries("createAccessRequest")) == before + 20
            for request in example.local.access_requests():
                if request.user_id in {account.id for account in accounts.values()}:
                    example.local.approve(request.id)
            assert Counter(pool.map(read, range(200))) == {200: 200}


def test_a_flow_goes_on_when_the_application_was_restarted_meanwhile(example: Served) -> None:
    account = example.account("dora")
    with example.browser("dora") as http:
        came_back = example.consent(http.get("/memoram/connect"), account)
        example.restart()
        answer = http.get("/memoram/callback", params=came_back)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/"), answer.text
        (request,) = example.local.access_requests(user_id=account.id)
        example.local.approve(request.id)
        example.restart()
        assert http.get("/notes").json() == []
