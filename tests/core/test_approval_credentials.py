"""When credentials are fetched, once users have approved."""

from __future__ import annotations

import pytest

from memoram_async.core.errors import RateLimitedError
from tests.core.test_approval_schedule import Scene


def test_when_many_users_approve_at_once_credentials_are_fetched_at_the_pace_of_looks() -> None:
    scene = Scene()
    tickets = [scene.join(f"n{each}") for each in range(50)]
    turns: list[float] = []
    for ticket in tickets:
        scene.leave(ticket)
        turns.append(scene.schedule.credentials_in(now=scene.now))
    assert turns[:8] == [0.0] * 8
    assert turns[8:-3] == pytest.approx([(each + 1) / 20 for each in range(39)])
    assert turns[-3:] == [0.0] * 3  # hardly anybody else waits


def test_those_who_connect_one_after_another_fetch_credentials_at_once() -> None:
    scene = Scene()
    for each in range(50):
        scene.leave(scene.join(f"n{each}"))
        assert scene.schedule.credentials_in(now=scene.now) == 0


def test_credentials_are_fetched_more_slowly_where_the_service_wants_to_be_asked_less() -> None:
    scene = Scene()
    tickets = [scene.join(f"n{each}") for each in range(9)]
    scene.failed(scene.call(tickets[0]), RateLimitedError("slow", status=429, retry_after=2))
    assert scene.schedule.credentials_in(now=scene.now) == pytest.approx(0.1)
    assert scene.schedule.credentials_in(now=scene.now) == pytest.approx(0.2)
