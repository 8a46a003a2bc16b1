"""The stream that tells open dashboards of changes."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import httpx

from memoram_local import MemoramLocal
from tests.local.web.conftest import PASSWORD, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

    from memoram_local import User
    from tests.local.conftest import Application

EVENTS = "/dashboard/events"


def event_of(lines: Iterator[str]) -> dict[str, str]:
    """The next event; comments are none."""
    event: dict[str, str] = {}
    for line in lines:
        if not line and event:
            return event
        name, _, value = line.partition(":")
        if name:
            event[name] = value.strip()
    return event


def test_a_change_is_told_to_its_user_at_once(
    browser: httpx.Client, application: Application, user: User, stranger: User
) -> None:
    with browser.stream("GET", EVENTS) as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert stream.headers["cache-control"] == "no-store"
        lines = stream.iter_lines()
        first = event_of(lines)
        application.ask(stranger.memory_key)
        application.ask(user.memory_key)
        second = event_of(lines)

    assert first["event"] == second["event"] == "requests"
    assert int(second["id"]) > int(first["id"])


def test_what_the_page_has_seen_is_not_told_again(
    browser: httpx.Client, application: Application, user: User
) -> None:
    application.ask(user.memory_key)
    with browser.stream("GET", EVENTS) as stream:
        seen = event_of(stream.iter_lines())["id"]
    assert f'{EVENTS}?seen={seen}"' in browser.get("/dashboard").text

    for headers, parameters in (({}, {"seen": seen}), ({"last-event-id": seen}, {"seen": "0"})):
        with browser.stream("GET", EVENTS, headers=headers, params=parameters) as stream:
            assert next(stream.iter_lines()) == ": still here"


def test_strangers_are_told_nothing(http: httpx.Client) -> None:
    answer = http.get(EVENTS)

    assert (answer.status_code, answer.content) == (204, b"")


def test_signing_out_ends_the_stream(browser: httpx.Client, application: Application, user: User) -> None:
    cookies = dict(browser.cookies)
    with browser.stream("GET", EVENTS) as stream:
        lines = stream.iter_lines()
        event_of(lines)
        with httpx.Client(base_url=browser.base_url, cookies=cookies, trust_env=False) as other_tab:
            other_tab.post("/signout")
        application.ask(user.memory_key)

        assert event_of(lines) == {}


def test_streams_end_by_themselves_when_the_server_stops(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, logger="uvicorn.error")
    with MemoramLocal(password_profile="fast") as local:
        user = local.create_user(email="ada@example.test", password=PASSWORD)
        with local.serve() as server, httpx.Client(base_url=server.url, trust_env=False) as http:
            sign_in(http, user)
            with http.stream("GET", EVENTS) as one, http.stream("GET", EVENTS) as other:
                heard = [event_of(each.iter_lines()) for each in (one, other)]
                stopping = time.monotonic()
        took = time.monotonic() - stopping

    assert all(heard)
    assert took < 1
    assert not [record for record in caplog.records if "Cancel" in record.getMessage()]


def test_ctrl_c_stops_the_server_while_somebody_listens(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "memoram_local", "serve", "--port", "0", "--data", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        try:
            assert process.stdout is not None
            greeting = "".join(iter(process.stdout.readline, "Ctrl-C stops it.\n"))
            found = re.search(r"http://[\d.]+:\d+", greeting)
            assert found is not None
            with httpx.Client(base_url=found[0], timeout=60, trust_env=False) as http:
                http.post("/signup", data={"email": "ada@example.test", "password": PASSWORD})
                with http.stream("GET", EVENTS) as stream:
                    lines = stream.iter_lines()
                    assert event_of(lines)["event"] == "requests"
                    told = time.monotonic()
                    process.send_signal(signal.SIGINT)
                    assert event_of(lines) == {}
                    assert process.wait(timeout=5) == 0
                    # Well under one on a quiet machine.
                    assert time.monotonic() - told < 2
        finally:
            process.kill()
