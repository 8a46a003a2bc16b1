"""Ctrl-C ends the call that it meets, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket

ROOT: Final = Path(__file__).resolve().parents[2]
TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
LONGEST: Final = 60
SECOND_THOUGHTS: Final = 1


class Service:
    """Answers whatever is quick, and interrupts the process that asked for what is held."""

    def __init__(self, *, hold_first_exchange: bool = False, patience: float = 0) -> None:
        self._hold_exchange = hold_first_exchange
        self._patience = patience
        self._pid = 0
        self.done = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" in request:
                self._exchange(connection, request)
            elif b"/tags/held" in request:
                self._interrupt(connection)
                return
            else:
                name = re.search(rb"/(\w+)(?:\?\S*)? HTTP", request)
                assert name is not None
                body = b'{"id": "%b", "status": "%b"}' % (name[1], name[1])
                connection.sendall(answer(body))

    def _interrupt(self, connection: socket.socket) -> None:
        """Interrupt the process until it lets go of the connection.

        Once is not always enough: the interpreter overlooks a signal that comes when it has given up its lock
        to wait for an answer, and does not wait yet. It sees it as soon as anything wakes it.
        """
        connection.settimeout(SECOND_THOUGHTS)
        is_open = True
        while is_open:
            os.kill(self._pid, signal.SIGINT)
            with contextlib.suppress(TimeoutError):
                is_open = bool(connection.recv(1))

    def _exchange(self, connection: socket.socket, request: bytes) -> None:
        found = re.search(rb'"mem_(\d+)"', request)
        assert found is not None
        self._pid = int(found[1])
        if not self._hold_exchange:
            connection.sendall(TOKEN)
            return
        self._hold_exchange = False
        self.done.wait(self._patience)
        os.kill(self._pid, signal.SIGINT)


def start(scenario: str, url: str) -> subprocess.Popen[str]:
    """A process that plays a scenario of interrupting.py."""
    return subprocess.Popen(  # noqa: S603 - our own words
        (sys.executable, "-W", "error", "-m", "tests.sync.interrupting", scenario, url),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
    )


def finish(process: subprocess.Popen[str]) -> list[str]:
    """What it said until its end."""
    try:
        output, errors = process.communicate(timeout=LONGEST)
    finally:
        process.kill()
    assert (process.returncode, errors) == (0, "")
    return output.splitlines()


@pytest.mark.parametrize("scenario", ["requests", "beside"])
def test_interrupted_requests_give_everything_back(scenario: str) -> None:
    with serving(Service()) as url:
        assert finish(start(scenario, url)) == ["usable to the end"]


def test_an_interrupted_exchange_is_taken_over(tmp_path: Path) -> None:
    with serving(Service(hold_first_exchange=True, patience=1)) as url:
        assert finish(start("leader", url)) == ["usable to the end"]


def test_an_interrupted_wait_for_approval_can_be_taken_up_again() -> None:
    with serving(Service()) as url, start("approval", url) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "pending\n"
        process.send_signal(signal.SIGINT)
        said = finish(process)
    assert said == ["interrupted", "usable to the end"]
