"""200 threads share one client, whose connections are far fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.sync.calls import CALLS, complete_connection, tokens
from tests.sync.scenes import CONNECTIONS, Scene
from tests.sync.threads import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_sync import ApprovalProgress
    from tests.sync.conftest import Platform

THREADS: Final = 200
ROWS: Final = tuple(CALLS)
HANDS: Final = [ROWS[first::6] for first in range(6)]
"""All calls, dealt out so that those on one thing are made beside those on others."""
MOST: Final = max(map(len, HANDS))
"""How many calls of a hand a thread makes if it makes every one."""


def test_for_each_call_alone_there_are_more_threads_than_connections() -> None:
    assert THREADS // MOST > CONNECTIONS


def test_no_call_is_left_out() -> None:
    assert sorted(sum(HANDS, ()), key=ROWS.index) == list(ROWS)


@pytest.mark.parametrize(
    "turns", [pytest.param(1, id="one"), pytest.param(MOST, id="all", marks=pytest.mark.endurance)]
)
@pytest.mark.parametrize("hand", HANDS, ids=lambda hand: ",".join(call.__name__ for call in hand))
def test_all_of_them_at_once_make_these_calls_and_the_key_is_exchanged_once(
    platform: Platform, hand: tuple[Callable[[Scene], None], ...], turns: int
) -> None:
    chosen = [
        [hand[(number + turn) % len(hand)] for turn in range(min(turns, len(hand)))]
        for number in range(THREADS)
    ]
    facts = platform.facts()  # of its own: some calls leave something to each thread
    scene = Scene(
        facts,
        platform.codes(
            facts, sum(calls.count(each) for calls in chosen for each in (tokens, complete_connection))
        ),
    )

    def work(number: int) -> None:
        for call in chosen[number]:
            call(scene)

    before = platform.counter.exchanges
    with scene.client:
        together(work, size=THREADS)
    assert platform.counter.exchanges == before + 1
    assert scene.codes == []


def test_nothing_is_lost(scene: Scene) -> None:
    together(lambda number: scene.store.create(f"memory of thread {number}", tags=["kept"]), size=THREADS)
    kept = [memory.content for memory in scene.store.list(tags=["kept"], page_size=100)]
    assert sorted(kept) == sorted(f"memory of thread {number}" for number in range(THREADS))


def test_a_token_that_was_refused_is_replaced_once(platform: Platform, scene: Scene) -> None:
    scene.client.request("GET", "/access-requests")
    platform.local.clock.advance(2 * 24 * 3600)
    before = platform.counter.exchanges
    together(lambda _: scene.store.get(scene.facts.memory_id), size=THREADS)
    assert platform.counter.exchanges == before + 1


def test_many_waits_for_one_approval_end_together(platform: Platform, scene: Scene) -> None:
    user = platform.local.create_user(email="late@example.com", password="correct horse battery")
    waiting = scene.client.access_requests.create(user.memory_key, reason="Plans journeys")

    def work(number: int) -> None:
        def approve(progress: ApprovalProgress) -> None:
            if number == THREADS - 1 and progress.status == "pending":
                platform.local.approve(waiting.id)

        decided = scene.client.access_requests.wait(waiting.id, on_status=approve)
        assert decided.status == "approved"

    together(work, size=THREADS)
