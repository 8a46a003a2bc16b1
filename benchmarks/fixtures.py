"""What the pytest fixtures of `memoram_local` cost, from set-up to tear-down.

Each fixture is made and unmade again and again by pytest itself; the figures are milliseconds of wall time on
the machine that printed them, pytest's own work for a test included. The first of each, which loads
libraries, is left out.

    python benchmarks/fixtures.py [--rounds 40] [--limit 15]

With `--limit` the exit status is 1 when a median is above it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from memoram_local import MemoramLocal
from memoram_local.testing import plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

FIXTURES = (
    "memoram_local",
    "memoram_server",
    "memoram_app",
    "memoram_user",
    "memoram_client",
    "memoram_sync_client",
)
TEST = """
import pytest

@pytest.mark.parametrize("fixture", {fixtures})
@pytest.mark.parametrize("round", range({rounds}))
def test(request, fixture, round):
    request.getfixturevalue(fixture)
"""


class Stopwatch:
    """A plugin that times set-up and tear-down of fixtures."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, list[float]] = {name: [] for name in FIXTURES}
        self._began = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, bool, bool]:
        """Time one test, which does nothing but ask for one fixture."""
        began = time.perf_counter()
        handled = yield
        self.milliseconds[item.callspec.params["fixture"]].append((time.perf_counter() - began) * 1e3)
        return handled


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median milliseconds of some work."""
    taken: list[float] = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1e3)
    return statistics.median(taken)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--limit", type=float)
    arguments = parser.parse_args()
    stopwatch = Stopwatch()
    status = run_tests(stopwatch, arguments.rounds)
    if status:
        return status
    worst = 0.0
    print("a test that asks for one fixture, from set-up to tear-down, median ms:")
    for name, taken in stopwatch.milliseconds.items():
        median = statistics.median(taken[1:])
        worst = max(worst, median)
        print(f"  {name:20} {median:7.2f}   (best {min(taken):.2f})")
    with MemoramLocal(password_profile="fast") as local:  # noqa: S106 - a name, not a password
        local.register_app(name="App")
        snapshot = local.snapshot()
        print("one call on a platform in memory, median ms:")
        print(f"  {'snapshot':20} {timed(local.snapshot, arguments.rounds):7.2f}")
        print(f"  {'restore':20} {timed(lambda: local.restore(snapshot), arguments.rounds):7.2f}")
        print(f"  {'reset':20} {timed(local.reset, arguments.rounds):7.2f}")
    return 1 if arguments.limit is not None and worst > arguments.limit else 0


def run_tests(stopwatch: Stopwatch, rounds: int) -> int:
    """Have pytest make and unmake every fixture."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test_fixtures.py"
        # A root of its own, away from this project's settings.
        (Path(folder) / "pytest.ini").write_text("[pytest]\n")
        file.write_text(TEST.format(fixtures=list(FIXTURES), rounds=rounds))
        plugins = [stopwatch] if entry_points(group="pytest11", name="memoram") else [stopwatch, plugin]
        return int(
            pytest.main(["-q", "-q", "--no-header", f"--rootdir={folder}", str(file)], plugins=plugins)
        )


if __name__ == "__main__":
    sys.exit(main())
