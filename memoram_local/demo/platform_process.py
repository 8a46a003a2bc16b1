"""The platform in a process of its own, so that it and the SDK each have a core."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from typing import TYPE_CHECKING, Final

from memoram_local.platform import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.connection import Connection
    from typing import Self

_PATIENCE: Final = 60.0


class PlatformError(Exception):
    """The platform did not start."""


class PlatformProcess:
    """A platform on a free port of this machine, with its data in memory, for as long as the `with` runs.

    Should this process be killed, the other one notices and ends by itself.
    """

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, self._other_end = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(self._other_end,), name="memoram-demo-platform", daemon=True
        )

    def __enter__(self) -> Self:
        with _interrupts_held():
            self._process.start()
        self._other_end.close()
        return self

    def __exit__(self, *_exception: object) -> None:
        # Its data is in memory: there is nothing that it would have to save.
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def url(self) -> str:
        """Its origin, once it answers.

        Raises:
            PlatformError: It does not.
        """
        with contextlib.suppress(EOFError, OSError):
            if self._pipe.poll(_PATIENCE):
                return str(self._pipe.recv())
        raise PlatformError("the platform did not start")


@contextlib.contextmanager
def no_proxy() -> Generator[None]:
    """Reach this machine directly, whatever proxy the environment names for the rest of the world."""
    names = ("NO_PROXY", "no_proxy")
    before = {name: os.environ.get(name) for name in names}
    given = next((value for value in before.values() if value), None)
    for name in names:
        os.environ[name] = "127.0.0.1" if given is None else f"{given},127.0.0.1"
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _interrupts_held() -> Generator[None]:
    """Hold Ctrl-C back for a moment: a process started meanwhile never gets it, this one gets it afterwards.

    A terminal sends Ctrl-C to both, and the other one would die with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(pipe: Connection) -> None:
    """What the other process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Its accounts live as long as the demo, under passwords drawn for it: a slow hash would protect nobody.
    with MemoramLocal(password_profile="fast") as platform, platform.serve() as server:  # noqa: S106
        pipe.send(server.url)
        # Nothing is ever sent: the wait ends when the demo does.
        with contextlib.suppress(EOFError, OSError):
            pipe.recv()
