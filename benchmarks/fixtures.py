"""What the pytest fixtures of `memoram_local` cost, from set-up to tear-down.

Each fixture is made and unmade again and again by pytest itself; the figures are milliseconds of wall time on
the machine that printed them, pytest's own work for a test included. The first of each, which loads
libraries, is left out.

    python benchmarks/fixtures.py [--rounds 40] [--limit 15]
    python benchmarks/fixtures.py --against TREE [--rounds 40] [--turns 5]

With `--limit` the exit status is 1 when a median is above it. With `--against` another checkout of this
project takes turns with this one, each turn a process of its own, and what is compared is CPU time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
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
        self.cpu_milliseconds: dict[str, list[float]] = {name: [] for name in FIXTURES}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, bool, bool]:
        """Time one test, which does nothing but ask for one fixture."""
        fixture = item.callspec.params["fixture"]
        began, began_cpu = time.perf_counter(), time.process_time()
        handled = yield
        self.milliseconds[fixture].append((time.perf_counter() - began) * 1e3)
        self.cpu_milliseconds[fixture].append((time.process_time() - began_cpu) * 1e3)
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
    parser.add_argument("--against", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print the medians of CPU time alone")
    arguments = parser.parse_args()
    if arguments.against is not None:
        compare(arguments.against.resolve(), rounds=arguments.rounds, turns=arguments.turns)
        return 0
    stopwatch = Stopwatch()
    status = run_tests(stopwatch, arguments.rounds)
    if status:
        return status
    if arguments.json:
        medians = {name: statistics.median(each[1:]) for name, each in stopwatch.cpu_milliseconds.items()}
        print(json.dumps(medians))
        return 0
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


def compare(other: Path, *, rounds: int, turns: int) -> None:
    """Print what each fixture costs here and in another checkout, taking turns."""
    trees = {"here": Path(__file__).parent.parent, "there": other}
    medians: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in range(turns):
        for name in sorted(trees, reverse=turn % 2 == 1):
            for fixture, median in measured(trees[name], rounds).items():
                medians[name, fixture].append(median)
    print(f"{'CPU ms, median':22} {'here':>7} {'there':>7} {'ratio of each turn':>20}")
    for fixture in FIXTURES:
        here, there = medians["here", fixture], medians["there", fixture]
        ratios = sorted(ours / theirs for ours, theirs in zip(here, there, strict=True))
        print(
            f"{fixture:22} {statistics.median(here):7.2f} {statistics.median(there):7.2f} "
            f"{statistics.median(ratios):7.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
        )


def measured(tree: Path, rounds: int) -> dict[str, float]:
    """The median CPU milliseconds of each fixture of a checkout, seen by this very script."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(  # noqa: S603 - this script itself
            [sys.executable, __file__, "--json", "--rounds", str(rounds)],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(tree)},
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


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
