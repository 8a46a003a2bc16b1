"""Importing the SDK runs nothing: no connection, no thread, no look at the environment, no loop."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.gates.source import ROOT

WATCH = """
import atexit, json, logging, os, signal, sys, threading, warnings

seen = {name: [] for name in ("events", "variables", "forks", "callbacks")}
HEARD = ("socket.", "subprocess.", "os.system", "os.exec", "os.fork", "os.spawn", "http.", "urllib.")


def caller():
    return sys._getframe(2).f_globals.get("__name__", "")


def hear(event, arguments):
    if event.startswith(HEARD):
        seen["events"].append(event)
    if event == "open" and (arguments[2] or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        seen["events"].append(f"open {arguments[0]} to write")


class Environment(type(os.environ)):
    def __getitem__(self, name):
        seen["variables"].append(os.fsdecode(name))
        return super().__getitem__(name)


os.environ.__class__ = Environment

register_at_fork, register = os.register_at_fork, atexit.register


def at_fork(**handlers):
    seen["forks"].append(caller())
    register_at_fork(**handlers)


def at_exit(function, *args, **options):
    seen["callbacks"].append(caller())
    return register(function, *args, **options)


os.register_at_fork, atexit.register = at_fork, at_exit


def state():
    return {
        "threads": [thread.name for thread in threading.enumerate()],
        "loggers": [len(logging.root.handlers), logging.root.level],
        "filters": len(warnings.filters),
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        "hooks": [str(sys.excepthook), str(threading.excepthook), str(sys.unraisablehook)],
    }


sys.dont_write_bytecode = True
before = state()
sys.addaudithook(hear)
"""

REPORT = """
after = state()
ours = {
    name: [entry for entry in seen[name] if entry.startswith(("memoram", "MEMORAM"))]
    for name in ("variables", "forks", "callbacks")
}
changed = [name for name in before if before[name] != after[name]]
print(json.dumps({"events": seen["events"], "changed": changed, **ours}))
"""

QUIET: dict[str, list[str]] = {"events": [], "changed": [], "variables": [], "forks": [], "callbacks": []}


def effects(code: str) -> dict[str, Any]:
    """What some code does to the process that runs it, warnings being errors."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and code
        [sys.executable, "-W", "error", "-c", f"{WATCH}\n{textwrap.dedent(code)}\n{REPORT}"],
        cwd=ROOT,
        env={**os.environ, "MEMORAM_API_KEY": "mem_1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


@pytest.mark.parametrize("package", ["memoram_async", "memoram_sync", "memoram_local"])
def test_importing_it_does_nothing(package: str) -> None:
    assert effects(f"import {package}") == QUIET


def test_making_clients_does_nothing_but_read_the_settings() -> None:
    code = """
    from memoram_async import AsyncMemoram
    from memoram_sync import Memoram
    AsyncMemoram(), Memoram()
    """
    done = effects(code)
    assert set(done.pop("variables")) == {
        "MEMORAM_API_KEY",
        "MEMORAM_ALLOW_INSECURE_HTTP",
        "MEMORAM_AUTHORIZATION_ENDPOINT",
        "MEMORAM_AUTH_URL",
        "MEMORAM_BASE_URL",
        "MEMORAM_CLIENT_ID",
        "MEMORAM_CLIENT_SECRET",
        "MEMORAM_DASHBOARD_URL",
        "MEMORAM_SECRET",
        "MEMORAM_TOKEN_ENDPOINT",
    }
    # A forked child has to find its own connections, and whoever makes a client is told so once.
    assert set(done.pop("forks")) == {"memoram_async.runtime.forking"}
    assert done == {"events": [], "changed": [], "callbacks": []}


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("import socket\nsocket.socket().close()", "events"),
        ("import asyncio\nasyncio.new_event_loop().close()", "events"),
        ("import subprocess\nsubprocess.run(['true'])", "events"),
        ("open('/dev/null', 'w').close()", "events"),
        ("threading.Thread(target=threading.Event().wait, daemon=True).start()", "changed"),
        ("logging.basicConfig()", "changed"),
        ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "changed"),
        ("warnings.simplefilter('ignore')", "changed"),
        ("os.environ.get('MEMORAM_API_KEY')", "variables"),
        ("os.getenv('MEMORAM_BASE_URL')", "variables"),
        ("exec('os.register_at_fork(before=print)', {'__name__': 'memoram_x', 'os': os})", "forks"),
        ("exec('atexit.register(int)', {'__name__': 'memoram_x', 'atexit': atexit})", "callbacks"),
    ],
)
def test_an_effect_is_seen(code: str, name: str) -> None:
    assert effects(code)[name]


def test_a_warning_is_seen() -> None:
    with pytest.raises(AssertionError, match="DeprecationWarning"):
        effects("warnings.warn('old', DeprecationWarning)")
