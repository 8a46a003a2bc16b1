"""What waiting costs the service and how soon decisions are known, on the virtual clock of the benchmark."""

from __future__ import annotations

import pytest

from benchmarks.approval_simulation import Simulation, Situation


@pytest.mark.parametrize(
    ("situation", "most"),
    [
        (Situation(waiters=1), 65),
        (Situation(waiters=100), 75),
        (Situation(waiters=1, long_polls=True), 25),
        (Situation(waiters=100, long_polls=True), 25),
    ],
    ids=["1", "100", "1 with long polls", "100 with long polls"],
)
def test_ten_minutes_without_a_decision_cost_few_calls(situation: Situation, most: int) -> None:
    assert Simulation(situation).run().calls <= most


def test_a_list_of_many_pages_is_read_no_faster_than_is_fair() -> None:
    result = Simulation(Situation(waiters=2000, page=50)).run()
    assert result.calls <= 3000
    assert result.peak <= 6


def test_a_whole_list_serves_everybody() -> None:
    result = Simulation(Situation(waiters=2000, deciding=0.8)).run()
    assert result.calls <= 75
    assert len(result.latencies) > 1500
    assert result.latency(0.5) <= 4.5
    assert result.latency(0.99) <= 15


def test_one_decision_is_known_soon() -> None:
    runs = [Simulation(Situation(waiters=1, deciding=1.0), seed=seed).run() for seed in range(400)]
    latencies = sorted(latency for run in runs for latency in run.latencies)
    assert latencies[len(latencies) // 2] <= 2.5
    assert latencies[int(len(latencies) * 0.99)] <= 15.5


def test_a_few_among_very_many_others_are_looked_at_one_by_one() -> None:
    result = Simulation(Situation(waiters=20, others=5000, page=100, deciding=0.8)).run()
    assert result.latency(0.99) <= 17.5
    assert result.peak <= 30


def test_a_long_poll_tells_at_once() -> None:
    result = Simulation(Situation(waiters=100, long_polls=True, deciding=0.8)).run()
    assert result.latency(0.5) <= 0.1
