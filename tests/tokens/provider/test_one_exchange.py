"""One exchange, however many callers there are and whatever becomes of the one that does it."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING

import httpx
import pytest

from memoram_async import APITimeoutError, AuthenticationError
from memoram_async.core import defaults
from tests.tokens.provider.crowd import THREADS, Crowd, TokenService, errors, first, results, until

if TYPE_CHECKING:
    from tests.worlds import World


def closed() -> threading.Event:
    return threading.Event()


def refusal() -> httpx.Response:
    return httpx.Response(401)


@pytest.mark.endurance
def test_a_thousand_callers_of_a_cold_client_take_one_exchange(world: World) -> None:
    service = TokenService(gate=closed())
    with Crowd(world, service) as crowd:
        calls = crowd.calls(1000)
        crowd.until_waiting(THREADS - 1 if world.is_sync else 999)
        service.gate.set()
        results(calls)
    assert (len(service.exchanges), len(service.served)) == (1, 1000)


def test_nobody_but_the_leader_waits_while_the_old_token_serves(world: World) -> None:
    service = TokenService()
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        service.time.pass_by(service.lifetime - 30)
        service.gate.clear()
        calls = crowd.calls(THREADS)
        served = first(THREADS - 1, calls)
        results(served)
        assert service.served == ["token-1"] * THREADS
        service.gate.set()
        results(calls)
        assert service.served[-1] == "token-2"
    assert len(service.exchanges) == 2


def test_an_expiry_under_load_takes_one_exchange(world: World) -> None:
    service = TokenService()
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        service.time.pass_by(service.lifetime)
        service.gate.clear()
        calls = crowd.calls(THREADS)
        crowd.until_waiting(THREADS - 1)
        service.gate.set()
        results(calls)
    assert len(service.exchanges) == 2
    assert service.served[1:] == ["token-2"] * THREADS


def test_a_leader_that_fails_fails_each_waiter_once_with_an_error_of_its_own(world: World) -> None:
    service = TokenService(gate=closed(), answers={1: refusal})
    with Crowd(world, service) as crowd:
        calls = crowd.calls(THREADS + 1) if not world.is_sync else crowd.calls(THREADS)
        waiters = len(calls) - 1
        crowd.until_waiting(waiters)
        service.gate.set()
        failures = errors(calls)
    assert len(service.exchanges) == 1
    assert {type(error) for error in failures} == {AuthenticationError}
    assert len({id(error) for error in failures}) == len(calls)
    causes = [error.__cause__ for error in failures if error is not None]
    assert causes.count(None) == 1
    assert len(set(causes)) == 2
    assert not {id(cause) for cause in causes} & {id(error) for error in failures}


def test_those_who_share_a_failure_do_not_see_each_others_frames(world: World) -> None:
    service = TokenService(gate=closed(), answers={1: refusal})
    with Crowd(world, service) as crowd:
        calls = crowd.calls(20)
        crowd.until_waiting(19)
        service.gate.set()
        failures = errors(calls)
    shared = next(error.__cause__ for error in failures if error is not None and error.__cause__)
    frames = [frame.f_code.co_filename for frame, _ in traceback.walk_tb(shared.__traceback__)]
    assert frames
    assert all("memoram_async" in name or "memoram_sync" in name for name in frames)


def test_a_call_after_a_failed_exchange_tries_anew(world: World) -> None:
    service = TokenService(answers={1: refusal})
    with Crowd(world, service) as crowd:
        assert isinstance(errors(crowd.calls(1))[0], AuthenticationError)
        results(crowd.calls(1))
    assert len(service.exchanges) == 2


def test_a_leader_that_goes_away_hands_over_to_one_who_waits(world: World) -> None:
    service = TokenService(gate=closed())

    def key_press() -> httpx.Response:
        raise KeyboardInterrupt

    if world.is_sync:
        service.answers[1] = key_press
    with Crowd(world, service) as crowd:
        leader = crowd.call()
        until(service.asked)
        waiters = crowd.calls(THREADS - 1)
        crowd.until_waiting(THREADS - 1)
        if not world.is_sync:
            assert leader.cancel()
            until(service.asked)
        service.gate.set()
        results(waiters)
        if world.is_sync:
            assert isinstance(leader.exception(), KeyboardInterrupt)
    assert len(service.exchanges) == 2


def test_a_leader_whose_time_is_up_hands_over_to_one_who_waits(world: World) -> None:
    service = TokenService(gate=closed())
    with Crowd(world, service) as crowd:
        hurried = crowd.call(crowd.client.with_options(timeout=0.5))
        until(service.asked)
        waiters = crowd.calls(THREADS - 1)
        crowd.until_waiting(THREADS - 1)
        assert isinstance(hurried.exception(), APITimeoutError)
        until(service.asked)
        service.gate.set()
        results(waiters)
    assert len(service.exchanges) == 2


def test_a_waiter_whose_time_is_up_says_what_it_waited_for_and_disturbs_nobody(world: World) -> None:
    service = TokenService(gate=closed())
    with Crowd(world, service) as crowd:
        leader = crowd.call()
        until(service.asked)
        hurried = crowd.call(crowd.client.with_options(timeout=0.05))
        crowd.until_waiting(1)
        service.time.pass_by(1)
        error = hurried.exception(10)
        service.gate.set()
        results([leader])
    assert isinstance(error, APITimeoutError)
    assert error.sent is False
    assert len(service.exchanges) == 1


@pytest.mark.parametrize("number", [1, THREADS])
def test_stale_refusals_take_one_exchange_and_are_no_more_than_have_a_turn(world: World, number: int) -> None:
    at_once = min(number, defaults.MAX_CONNECTIONS)
    service = TokenService()
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        service.revoked = 1
        service.door.clear()
        calls = crowd.calls(number)
        until(crowd.sending, 1 + at_once)
        service.door.set()
        results(calls)
    assert len(service.exchanges) == 2
    assert service.refused == ["token-1"] * at_once
    assert service.served == ["token-1"] + ["token-2"] * number


def test_refusals_that_come_in_late_leave_the_new_token_alone(world: World) -> None:
    service = TokenService()
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        service.revoked = 1
        results(crowd.calls(THREADS))
    assert len(service.exchanges) == 2
    assert set(service.refused) == {"token-1"}


def test_a_second_refusal_is_raised(world: World) -> None:
    service = TokenService(revoked=9)
    with Crowd(world, service) as crowd:
        failures = errors(crowd.calls(1))
    assert isinstance(failures[0], AuthenticationError)
    assert service.refused == ["token-1", "token-2"]
    assert len(service.exchanges) == 2


def test_a_refusal_of_the_token_endpoint_is_not_replayed(world: World) -> None:
    service = TokenService(answers={1: refusal})
    with Crowd(world, service) as crowd:
        assert isinstance(errors(crowd.calls(1))[0], AuthenticationError)
    assert len(service.exchanges) == 1
    assert "authorization" not in service.exchanges[0].headers
