"""200 threads share one client, whose connections are far fewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from memoram_async.httpx_adapter import CONNECTIONS
from tests.sync.calls import CALLS, CODES_FOR_ALL
from tests.sync.threads import together

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sync.conftest import Platform
    from tests.sync.scenes import Facts, Scene

THREADS: Final = 200
CALLS_EACH: Final = 5


@pytest.fixture
def busy_scene(platform: Platform, scene: Scene) -> Scene:
    """A cold client, with OAuth codes for everybody."""
    scene.codes.extend(platform.codes(scene.facts, THREADS * CODES_FOR_ALL))
    return scene


def test_there_are_more_threads_than_connections() -> None:
    assert THREADS > 4 * CONNECTIONS


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)
def test_the_same_call_in_all_of_them(busy_scene: Scene, call: Callable[[Scene], None]) -> None:
    together(lambda _: call(busy_scene), size=THREADS)


def test_a_cold_client_exchanges_its_key_once(platform: Platform, facts: Facts) -> None:
    before = platform.counter.exchanges
    with facts.client() as client:
        together(lambda _: client.tags.get(facts.tag_id, user_id=facts.user_id), size=THREADS)
    assert platform.counter.exchanges == before + 1


def test_different_calls_in_each_of_them_and_nothing_is_lost(busy_scene: Scene) -> None:
    rows = list(CALLS)
    store = busy_scene.store

    def work(number: int) -> None:
        store.create(f"memory of thread {number}", tags=["kept"])
        for step in range(CALLS_EACH):
            rows[(number + step * 7) % len(rows)](busy_scene)

    together(work, size=THREADS)
    kept = [memory.content for memory in store.list(tags=["kept"], page_size=100)]
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
        def approve(status: str) -> None:
            if number == THREADS - 1 and status == "pending":
                platform.local.approve(waiting.id)

        decided = scene.client.access_requests.wait_until_approved(waiting.id, on_status=approve)
        assert decided.status == "approved"

    together(work, size=THREADS)
