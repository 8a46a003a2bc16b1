"""What all tests share: both event loops, hypothesis without a clock, and no thread left behind."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest_plugins = ["tests.services"]

# A shell has whatever it starts in the background ignore Ctrl-C, which some tests press in child processes.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("memoram", deadline=None, print_blob=True)
settings.register_profile("core", settings.get_profile("memoram"), max_examples=25)
settings.load_profile("memoram")


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Leave pytest-asyncio out where it is installed: in auto mode it would run trio's tests on asyncio.

    It is turned away only here, so that its own options, which may stand on the command line, are known.
    """
    if pluginmanager.has_plugin("asyncio"):
        pluginmanager.unregister(name="asyncio")


@pytest.fixture(scope="module", params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The event loops that a test marked `anyio` runs on."""
    return str(request.param)


def our_threads() -> set[threading.Thread]:
    """The threads that run now and bear our name."""
    return {thread for thread in threading.enumerate() if thread.name.lower().startswith("memoram")}


def names(threads: set[threading.Thread]) -> str:
    """What a failed guard shows."""
    return ", ".join(sorted(thread.name for thread in threads))


@pytest.fixture(scope="session", autouse=True)
def settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Master keys of data directories go to a folder of the tests, in child processes too."""
    with pytest.MonkeyPatch.context() as environment:
        folder = str(tmp_path_factory.mktemp("settings"))
        environment.setenv("XDG_CONFIG_HOME", folder)
        environment.setenv("APPDATA", folder)
        environment.delenv("MEMORAM_LOCAL_MASTER_KEY", raising=False)
        yield


@pytest.fixture(scope="session", autouse=True)
def no_thread_left_at_the_end() -> Iterator[None]:
    """Fails the run if a thread of ours outlives every fixture."""
    yield
    left = our_threads()
    assert not left, f"at the end these threads still run: {names(left)}"


@pytest.fixture(autouse=True)
def no_thread_left_behind(no_thread_left_at_the_end: None) -> Iterator[None]:
    """Fails a test after which a thread of ours still runs.

    Where a platform of a wider scope is at work already, it starts and keeps threads as it needs them, so
    only the guard at the end can tell.
    """
    before = our_threads()
    yield
    left = our_threads() - before
    assert before or not left, f"after this test these threads still run: {names(left)}"
