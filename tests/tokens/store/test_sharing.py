"""Clients that share a store: one exchange for all, in each world."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async.core.shared_token import POSTPONE_SECONDS, STORE_LEASE_SECONDS
from memoram_async.tokens.provider import EXCHANGE_SECONDS
from tests.tokens.store.issuer import LIFETIME, SEAL
from tests.worlds import API, API_KEY

if TYPE_CHECKING:
    from tests.tokens.store.issuer import Scene

pytestmark = pytest.mark.anyio


async def test_a_cold_client_takes_the_token_from_the_store(scene: Scene) -> None:
    scene.put("theirs")
    assert await scene.call(scene.client()) == "theirs"
    assert scene.issuer.exchanges == 0


async def test_one_exchange_serves_two_clients(scene: Scene) -> None:
    assert await scene.call(scene.client()) == "token-1"
    assert await scene.call(scene.client()) == "token-1"
    assert scene.issuer.exchanges == 1
    assert not scene.is_leased()


async def test_a_token_in_use_costs_no_look_into_the_store(scene: Scene) -> None:
    client = scene.client()
    await scene.call(client)
    scene.store.asked.clear()
    await scene.call(client)
    assert scene.store.asked == []


async def test_an_exchange_asks_the_store_five_times(scene: Scene) -> None:
    await scene.call(scene.client())
    assert scene.store.asked == ["get", "lease", "get", "put", "release"]


@pytest.mark.parametrize(
    "other", [{"api_key": API_KEY[:-1] + "0"}, {"base_url": API + "/other"}], ids=["key", "service"]
)
async def test_another_application_or_service_shares_nothing(scene: Scene, other: dict[str, Any]) -> None:
    await scene.call(scene.client())
    assert await scene.call(scene.client(**other)) == "token-2"


async def test_what_is_stored_lives_as_long_as_the_token(scene: Scene) -> None:
    await scene.call(scene.client())
    stored = scene.stored()
    assert stored is not None
    assert (stored.token.reveal(), stored.issued, stored.lifetime) == ("token-1", scene.time.epoch, LIFETIME)
    scene.time.pass_by(LIFETIME)
    assert scene.store.store.get(SEAL.name) is None


async def test_a_clone_shares_as_its_original_does(scene: Scene) -> None:
    scene.put("theirs")
    assert await scene.call(scene.client().with_options(max_retries=0)) == "theirs"


# --- refreshing --------------------------------------------------------------------------------


async def test_one_refresh_serves_two_clients(scene: Scene) -> None:
    first, second = scene.client(), scene.client()
    await scene.call(first)
    await scene.call(second)
    scene.time.pass_by(LIFETIME - 10)
    assert await scene.call(first) == "token-2"
    assert await scene.call(second) == "token-2"
    assert scene.issuer.exchanges == 2


async def test_one_expiry_costs_one_exchange(scene: Scene) -> None:
    first, second = scene.client(), scene.client()
    await scene.call(first)
    await scene.call(second)
    scene.time.pass_by(LIFETIME)
    assert await scene.call(first) == "token-2"
    assert await scene.call(second) == "token-2"
    assert scene.issuer.exchanges == 2


async def test_a_token_that_was_taken_over_is_refreshed_when_its_own_time_comes(scene: Scene) -> None:
    """An old token is not taken for a new one by those who come late."""
    scene.put("theirs", age=LIFETIME - 100)
    client = scene.client()
    assert await scene.call(client) == "theirs"
    scene.time.pass_by(41)
    assert await scene.call(client) == "theirs"
    scene.time.pass_by(9)
    assert await scene.call(client) == "token-1"


async def test_while_another_process_refreshes_the_old_token_serves_without_waiting(scene: Scene) -> None:
    client = scene.client()
    await scene.call(client)
    scene.time.pass_by(LIFETIME - 10)
    scene.lease_elsewhere()
    assert await scene.call(client) == "token-1"
    assert scene.time.slept == []
    scene.store.asked.clear()
    assert await scene.call(client) == "token-1"
    assert scene.store.asked == []  # it does not ask with every call
    scene.put("theirs")
    scene.time.pass_by(POSTPONE_SECONDS)
    assert await scene.call(client) == "theirs"
    assert scene.issuer.exchanges == 1


async def test_a_cold_client_uses_an_old_token_while_another_process_refreshes_it(scene: Scene) -> None:
    scene.put("theirs", age=LIFETIME - 10)
    scene.lease_elsewhere()
    assert await scene.call(scene.client()) == "theirs"
    assert scene.time.slept == []


async def test_a_cold_client_refreshes_an_old_token_that_nobody_refreshes(scene: Scene) -> None:
    scene.put("theirs", age=LIFETIME - 10)
    assert await scene.call(scene.client()) == "token-1"


async def test_a_refresh_that_fails_gives_the_lease_back(scene: Scene) -> None:
    client = scene.client(max_retries=0)
    await scene.call(client)
    scene.time.pass_by(LIFETIME - 10)
    scene.issuer.fault = httpx.Response(400, json={})
    assert await scene.call(client) == "token-1"
    assert not scene.is_leased()


# --- waiting for another process ---------------------------------------------------------------


async def test_a_cold_client_waits_for_the_exchange_of_another_process(scene: Scene) -> None:
    scene.lease_elsewhere()
    looks = itertools.count(1)
    scene.store.before["get"] = lambda: scene.put("theirs") if next(looks) == 3 else None
    assert await scene.call(scene.client()) == "theirs"
    assert scene.issuer.exchanges == 0
    assert scene.time.slept == [0.05, pytest.approx(0.075)]


async def test_a_token_that_was_put_just_before_the_lease_was_got_is_used(scene: Scene) -> None:
    scene.store.before["lease"] = lambda: scene.put("theirs")
    assert await scene.call(scene.client()) == "theirs"
    assert scene.issuer.exchanges == 0
    assert not scene.is_leased()


async def test_the_lease_of_a_process_that_died_is_taken_over(scene: Scene) -> None:
    scene.lease_elsewhere(2)
    assert await scene.call(scene.client()) == "token-1"
    assert 2 <= sum(scene.time.slept) < 2.5
    assert scene.store.asked[-3:] == ["get", "put", "release"]


async def test_patience_with_a_dead_process_ends_before_its_lease(scene: Scene) -> None:
    scene.lease_elsewhere()
    assert await scene.call(scene.client()) == "token-1"
    assert 7.5 <= sum(scene.time.slept) < 8
    assert scene.store.asked[-1] == "put"  # for those who still wait
    assert scene.is_leased()


async def test_a_call_keeps_half_of_its_time_for_an_exchange(scene: Scene) -> None:
    scene.lease_elsewhere()
    assert await scene.call(scene.client(timeout=4)) == "token-1"
    assert 1.5 <= sum(scene.time.slept) < 2


# --- refused tokens ----------------------------------------------------------------------------


async def test_a_refused_token_is_discarded_and_replaced(scene: Scene) -> None:
    scene.put("revoked")
    scene.issuer.refused = {"revoked"}
    assert await scene.call(scene.client()) == "token-1"
    assert scene.issuer.came_with == ["revoked", "token-1"]
    assert scene.store.asked == ["get", "get", "discard", "lease", "get", "put", "release"]
    stored = scene.stored()
    assert stored is not None
    assert stored.token.reveal() == "token-1"


async def test_the_replacement_of_a_refused_token_serves_the_others(scene: Scene) -> None:
    first, second = scene.client(), scene.client()
    await scene.call(first)
    await scene.call(second)
    scene.issuer.refused = {"token-1"}
    assert await scene.call(first) == "token-2"
    assert await scene.call(second) == "token-2"
    assert scene.issuer.exchanges == 2


async def test_a_refused_token_that_comes_back_is_not_taken_again(scene: Scene) -> None:
    scene.put("revoked")
    scene.issuer.refused = {"revoked"}
    client = scene.client()
    await scene.call(client)
    scene.time.pass_by(LIFETIME)
    scene.put("revoked")
    scene.issuer.came_with.clear()
    assert await scene.call(client) == "token-2"
    assert scene.issuer.came_with == ["token-2"]


async def test_a_token_that_replaced_a_refused_one_meanwhile_is_not_discarded(scene: Scene) -> None:
    scene.put("revoked")
    scene.issuer.refused = {"revoked"}
    scene.store.before["discard"] = lambda: scene.put("theirs")
    assert await scene.call(scene.client()) == "theirs"
    assert scene.issuer.exchanges == 0


# --- clocks that differ ------------------------------------------------------------------------


async def test_a_machine_whose_clock_is_ahead_exchanges_for_itself_and_goes_on(scene: Scene) -> None:
    scene.put("theirs", age=2 * LIFETIME)
    scene.store.store.put(SEAL.name, scene.store.store.get(SEAL.name) or b"", 100)
    assert await scene.call(scene.client()) == "token-1"


async def test_a_machine_whose_clock_is_behind_trusts_no_token_for_longer_than_it_lives(
    scene: Scene,
) -> None:
    scene.put("theirs", age=-5000)
    client = scene.client()
    assert await scene.call(client) == "theirs"
    scene.time.pass_by(LIFETIME - 1)
    assert await scene.call(client) == "token-1"


# --- what is no token --------------------------------------------------------------------------


@pytest.mark.parametrize("value", [b"", b"v1.", b"rubbish", b"\xff\x00"])
async def test_a_value_that_cannot_be_opened_is_replaced(scene: Scene, value: bytes) -> None:
    scene.store.store.put(SEAL.name, value, 100)
    assert await scene.call(scene.client()) == "token-1"
    assert scene.stored() is not None


def test_a_lease_outlives_an_exchange() -> None:
    assert STORE_LEASE_SECONDS > EXCHANGE_SECONDS
