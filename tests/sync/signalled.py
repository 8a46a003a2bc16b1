"""A process that signals reach at moments of their own choosing; run by test_signals.py.

python -m tests.sync.signalled SCENARIO URL SEED
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import itertools
import random
import signal
import sys
import threading
import time
import warnings
from typing import TYPE_CHECKING, Final

from memoram_sync import ClientClosedError, Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime

if TYPE_CHECKING:
    from types import FrameType

CLOSES: Final = 60
INTERRUPTS: Final = 300
THREADS: Final = 100
CONNECTIONS: Final = 8
LONGEST: Final = 50.0
PAUSE: Final = 0.004


def tag(client: Memoram, name: str) -> None:
    """One call, whose answer must be its own."""
    found = client.tags.get(name, user_id="u").id
    if found != name:
        wrong.append(f"{name} was answered with {found}")


wrong: Final[list[str]] = []


def closing_in_a_handler(url: str, seed: int) -> None:
    """Close a client in a signal handler again and again, from its first call on, while others use it."""
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    client = Memoram("mem_x", base_url=url)

    def close(_: int, __: FrameType | None) -> None:
        client.close()

    signal.signal(signal.SIGALRM, close)
    for _ in range(CLOSES):
        client = Memoram("mem_x", base_url=url)
        crew = [threading.Thread(target=until_closed, args=(client,), daemon=True) for _ in range(2)]
        for each in crew:
            each.start()
        signal.setitimer(signal.ITIMER_REAL, 0.0001 + chance.random() * 2 * PAUSE)
        until_closed(client)
        finish(crew)


def until_closed(client: Memoram) -> None:
    """Call until the client was closed."""
    with contextlib.suppress(ClientClosedError):
        for number in itertools.count():
            tag(client, f"tag_{number}")


class Storm:
    """Calls in many threads, and interrupts: of the main one by signals, of others as debuggers do."""

    def __init__(self, url: str, seed: int) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - moments, not secrets
        self.client = Memoram(
            "mem_x", base_url=url, max_retries=0, runtime=BlockingRuntime(max_connections=CONNECTIONS)
        )
        self._inside: set[int] = set()
        self._over = False
        self.crew = [
            threading.Thread(target=self.call_on, args=(f"thread{number}",), daemon=True)
            for number in range(THREADS)
        ]

    def interrupt(self, _: int, __: FrameType | None) -> None:
        """The signal's handler."""
        if threading.get_ident() in self._inside:
            raise KeyboardInterrupt

    def call_on(self, name: str) -> None:
        """Make calls until the storm is over, whatever interrupts them."""
        numbers = itertools.count()
        while not self._over:
            # An interrupt may also come late, when the call that it was meant for has ended.
            with contextlib.suppress(KeyboardInterrupt):
                self._call(f"{name}_{next(numbers)}")

    def _call(self, name: str) -> None:
        me = threading.get_ident()
        self._inside.add(me)
        try:
            tag(self.client, name)
        finally:
            self._inside.discard(me)

    def rage(self) -> None:
        """Send all interrupts."""
        main = threading.main_thread().ident or 0
        for _ in range(INTERRUPTS):
            time.sleep(self._chance.random() * PAUSE)
            if self._chance.random() < 0.5:
                signal.pthread_kill(main, signal.SIGUSR1)
            elif (ident := self._chance.choice(self.crew).ident) in self._inside:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(ident), ctypes.py_object(KeyboardInterrupt)
                )
        self._over = True


def interrupts(url: str, seed: int) -> None:
    """A storm, after which the client is as good as before."""
    storm = Storm(url, seed)
    tag(storm.client, "first")
    signal.signal(signal.SIGUSR1, storm.interrupt)
    sender = threading.Thread(target=storm.rage, daemon=True)
    for each in [*storm.crew, sender]:
        each.start()
    while sender.is_alive():
        with contextlib.suppress(KeyboardInterrupt):
            storm.call_on("main")
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    finish(storm.crew)
    after = [
        threading.Thread(target=tag, args=(storm.client, f"after_{number}"), daemon=True)
        for number in range(5 * CONNECTIONS)
    ]
    for each in after:
        each.start()
    finish(after)
    storm.client.close()


def finish(threads: list[threading.Thread]) -> None:
    """Wait for all of them."""
    for each in threads:
        each.join(LONGEST)
        if each.is_alive():
            wrong.append(f"{each.name} hangs")


def main() -> None:
    # What was interrupted before anybody had a name for it ends when it is collected, and is told of.
    warnings.simplefilter("ignore")
    faulthandler.dump_traceback_later(2 * LONGEST, exit=True)
    scenario = {"close": closing_in_a_handler, "interrupts": interrupts}[sys.argv[1]]
    scenario(sys.argv[2], int(sys.argv[3]))
    print("\n".join(wrong) or "whole")  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
