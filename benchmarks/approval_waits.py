"""How often the service is asked while users make up their minds, and how soon their decisions are known.

    python benchmarks/approval_waits.py

The figures are counts on a virtual clock (see `approval_simulation`), the same on every machine; only the
last column is CPU time of this one.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import attrs

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # a script's own folder is on the path

from benchmarks.approval_simulation import TIMEOUT, Result, Simulation, Situation

SITUATIONS = {
    "1": Situation(waiters=1),
    "100 at once": Situation(waiters=100),
    "100 over ten minutes": Situation(waiters=100, spread=600.0),
    "100 among 5,000 others, 100 a page": Situation(waiters=100, others=5000, page=100),
    "10,000 at once, whole list": Situation(waiters=10_000),
    "10,000 at once, 100 a page": Situation(waiters=10_000, page=100),
    "1, long polls": Situation(waiters=1, long_polls=True),
    "100 at once, long polls": Situation(waiters=100, long_polls=True),
}
DECIDING = 0.8
RUNS_OF_ONE = 2000


def deciding(situation: Situation) -> Result:
    """The same, with users who decide: one user many times over, many users once."""
    if situation.waiters > 1:
        return Simulation(attrs.evolve(situation, deciding=DECIDING)).run()
    runs = [Simulation(attrs.evolve(situation, deciding=1.0), seed=seed).run() for seed in range(RUNS_OF_ONE)]
    return Result(
        calls=round(sum(run.calls for run in runs) / len(runs)),
        peak=max(run.peak for run in runs),
        latencies=sorted(latency for run in runs for latency in run.latencies),
    )


def main() -> None:
    """Print a line for each situation."""
    print(
        "waiters | calls, nobody decides | calls, 80 % decide | p50 | p99 | peak a second | CPU of one core"
    )
    for name, situation in SITUATIONS.items():
        began = time.process_time()
        idle = Simulation(situation).run()
        share = (time.process_time() - began) / TIMEOUT
        busy = deciding(situation)
        print(
            f"{name} | {idle.calls} | {busy.calls} | "
            f"{busy.latency(0.5):.1f} s | {busy.latency(0.99):.1f} s | "
            f"{max(idle.peak, busy.peak)} | {share:.2%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
