"""How long a token is used, whatever the clocks of the service and of this machine do."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_async import APIResponseError, ServerError
from memoram_async.core.token import BACK_OFF_SECONDS, DEFAULT_LIFETIME, EARLY_SECONDS, JITTER
from tests.tokens.provider.crowd import Crowd, TokenService, errors, issued, results

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import Time, World

HOUR = 3600.0
EARLY = EARLY_SECONDS * (1 - JITTER * 0.5)  # the clocked runtimes' random number is always a half


def used_tokens(world: World, service: TokenService, *steps: Callable[[], object]) -> list[str]:
    """The token of one call at first and of one after each of the steps."""
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        for step in steps:
            step()
            results(crowd.calls(1))
    return service.served


def passing(time: Time, seconds: float) -> Callable[[], None]:
    return lambda: time.pass_by(seconds)


def setting(time: Time, seconds: float) -> Callable[[], None]:
    """The wall clock is set, or the machine is suspended while the other clock stands still."""

    def jump() -> None:
        time.epoch += seconds

    return jump


@pytest.mark.parametrize(("lifetime", "early"), [(HOUR, EARLY), (60.0, 27.0), (2.0, 0.9)])
def test_a_token_is_refreshed_a_minute_ahead_or_at_half_its_life(
    world: World, lifetime: float, early: float
) -> None:
    service = TokenService(lifetime=lifetime)
    before, after = (
        passing(service.time, lifetime - early - 0.001),
        passing(service.time, 0.002),
    )
    assert used_tokens(world, service, before, after) == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize("off", [-HOUR, HOUR])
def test_a_server_whose_clock_is_an_hour_off_issues_tokens_like_any_other(world: World, off: float) -> None:
    service = TokenService()
    service.answers[1] = lambda: issued(
        "token-1", date=service.time.epoch + off, expires=service.time.epoch + off + 600
    )
    steps = passing(service.time, 600 - EARLY - 1), passing(service.time, 2)
    assert used_tokens(world, service, *steps) == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize("expires", [None, "soon", "", "2001-01-01T00:00:00Z", "9" * 400])
def test_an_end_that_says_nothing_is_taken_for_a_modest_lifetime(world: World, expires: str | None) -> None:
    service = TokenService()
    service.answers[1] = lambda: issued("token-1", expires=expires)
    steps = passing(service.time, DEFAULT_LIFETIME - EARLY - 1), passing(service.time, 2)
    assert used_tokens(world, service, *steps) == ["token-1", "token-1", "token-2"]


def test_a_machine_that_was_suspended_past_the_end_exchanges_before_it_sends(world: World) -> None:
    service = TokenService()
    assert used_tokens(world, service, setting(service.time, HOUR + 1)) == ["token-1", "token-2"]
    assert service.refused == []


def test_a_clock_that_is_set_forward_costs_one_exchange_and_no_more(world: World) -> None:
    service = TokenService()
    steps = [setting(service.time, 30 * 24 * HOUR), passing(service.time, 10), passing(service.time, 10)]
    assert used_tokens(world, service, *steps) == ["token-1"] + ["token-2"] * 3


def test_a_clock_that_is_set_back_keeps_no_token_alive(world: World) -> None:
    service = TokenService()
    steps = [setting(service.time, -30 * 24 * HOUR), passing(service.time, HOUR)]
    assert used_tokens(world, service, *steps) == ["token-1", "token-1", "token-2"]


def test_a_lifetime_counts_from_when_the_token_was_asked_for(world: World) -> None:
    service = TokenService()

    def slowly() -> httpx.Response:
        answer = issued("token-1", date=service.time.epoch, expires=service.time.epoch + 100)
        service.time.pass_by(20)  # it has come a long way
        return answer

    service.answers[1] = slowly
    steps = passing(service.time, 100 - 20 - 45 - 1), passing(service.time, 2)
    assert used_tokens(world, service, *steps) == ["token-1", "token-1", "token-2"]


def test_while_the_old_token_serves_a_failed_refresh_is_tried_again_after_a_while(world: World) -> None:
    service = TokenService(answers=dict.fromkeys(range(2, 5), lambda: httpx.Response(500)))
    tries: list[int] = []

    def noting(step: Callable[[], object]) -> Callable[[], object]:
        def act() -> None:
            step()
            tries.append(len(service.exchanges))

        return act

    steps = [
        passing(service.time, HOUR - 50),
        passing(service.time, BACK_OFF_SECONDS - 1),
        passing(service.time, 2),
        passing(service.time, 1),
    ]
    tokens = used_tokens(world, service, *map(noting, steps))
    assert tokens == ["token-1"] * 3 + ["token-5"] * 2
    assert tries == [1, 4, 4, 5]  # one failed refresh is three requests


def test_a_refresh_that_hangs_leaves_its_call_the_time_to_go_on_with_the_old_token(world: World) -> None:
    service = TokenService()
    with Crowd(world, service, timeout=1.0) as crowd:
        results(crowd.calls(1))
        service.time.pass_by(HOUR - 30)
        service.gate.clear()
        results(crowd.calls(1))
        service.gate.set()
    assert service.served == ["token-1", "token-1"]


def test_once_the_old_token_has_ended_a_failed_refresh_is_an_error(world: World) -> None:
    service = TokenService(answers=dict.fromkeys(range(2, 5), lambda: httpx.Response(500)))
    with Crowd(world, service) as crowd:
        results(crowd.calls(1))
        service.time.pass_by(HOUR)
        assert isinstance(errors(crowd.calls(1))[0], ServerError)
        results(crowd.calls(1))


@pytest.mark.parametrize(("options", "body"), [({}, None), ({"token_lifetime": 900}, 900)])
def test_a_lifetime_can_be_asked_for(world: World, options: dict[str, Any], body: int | None) -> None:
    service = TokenService()
    with Crowd(world, service, **options) as crowd:
        results(crowd.calls(1))
    assert json.loads(service.exchanges[0].content).get("expires_in") == body


@pytest.mark.parametrize("fault", ["\n", "\r\nX-Evil: 1", "\x00", "\x7f", " ", "\u00e9", "\u2028"])
def test_a_token_that_no_header_can_carry_gets_no_further_than_the_exchange(world: World, fault: str) -> None:
    service = TokenService()
    service.answers[1] = lambda: issued(f"CANARY{fault}CANARY")
    with Crowd(world, service) as crowd:
        error = errors(crowd.calls(1))[0]
    assert isinstance(error, APIResponseError)
    assert service.served == service.refused == []
    assert "CANARY" not in f"{error!s}{error!r}{error.args}{error.__cause__!r}{error.__context__!r}"
