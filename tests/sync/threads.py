"""Many threads at once, of which none may fail or hang."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 60.0


class Crew:
    """Threads that do the same work, each with its number.

    They are daemons, so that one that hangs is reported rather than keeping the process alive.
    """

    def __init__(self, work: Callable[[int], object], *, size: int) -> None:
        self._work = work
        self._start = threading.Barrier(size)
        self._failures: list[str] = []
        self._threads = [
            threading.Thread(target=self._run, args=(number,), daemon=True) for number in range(size)
        ]

    def start(self) -> None:
        """Let all of them go at the same time."""
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait for all of them.

        Raises:
            AssertionError: One failed, or has not come back.
        """
        for thread in self._threads:
            thread.join(LONGEST)
            assert not thread.is_alive(), f"{thread.name} hangs"
        assert not self._failures, f"{len(self._failures)} threads failed, one with {self._failures[0]}"

    def _run(self, number: int) -> None:
        self._start.wait()
        try:
            self._work(number)
        except BaseException:  # noqa: BLE001 - told by `finish`
            self._failures.append(traceback.format_exc())


def together(work: Callable[[int], object], *, size: int) -> None:
    """Do the work in so many threads at once, and wait for them."""
    crew = Crew(work, size=size)
    crew.start()
    crew.finish()
