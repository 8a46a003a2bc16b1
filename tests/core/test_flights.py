"""One call that many wait for."""

from __future__ import annotations

from memoram_async.core.errors import ServerError
from memoram_async.core.flights import LEASE_SECONDS, Flights, Landed, Lead, Seat, Wait


def seats(number: int) -> list[Seat[str]]:
    return [Seat(f"waiter {index}") for index in range(number)]


def test_the_first_leads_and_the_others_wait() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    assert flights.board("key", first, now=0) == Lead()
    assert flights.board("key", second, now=1) == Wait(LEASE_SECONDS - 1)


def test_another_key_is_another_flight() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    assert flights.board("a", first, now=0) == flights.board("b", second, now=0) == Lead()


def test_a_result_is_shared() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    flights.board("key", second, now=0)
    assert flights.land("key", first, Landed("value")) == ["waiter 1"]
    assert flights.board("key", second, now=0) == Landed("value")


def test_a_failure_is_shared() -> None:
    flights, (first, second), error = Flights[str](), seats(2), ServerError("no", status=500)
    flights.board("key", first, now=0)
    flights.board("key", second, now=0)
    flights.land("key", first, Landed(error=error))
    assert flights.board("key", second, now=0) == Landed(error=error)


def test_who_comes_after_the_landing_flies_anew() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    flights.land("key", first, Landed("value"))
    assert flights.board("key", second, now=0) == Lead()


def test_a_leader_that_leaves_hands_over() -> None:
    flights, (first, second, third) = Flights[str](), seats(3)
    for seat in (first, second, third):
        flights.board("key", seat, now=0)
    assert flights.leave("key", first) == ["waiter 1", "waiter 2"]
    assert flights.board("key", third, now=0) == Lead()
    assert flights.board("key", second, now=0) == Wait(LEASE_SECONDS)


def test_one_who_waits_leaves_nobody_behind() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    flights.board("key", second, now=0)
    assert flights.leave("key", second) == []
    assert flights.land("key", first, Landed("value")) == []


def test_leaving_twice_does_nothing() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    flights.board("key", second, now=0)
    assert flights.leave("key", second) == flights.leave("key", second) == []
    assert flights.leave("key", first) == flights.leave("key", first) == []


def test_a_leader_that_vanished_is_taken_over_and_has_nothing_more_to_say() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    assert flights.board("key", second, now=LEASE_SECONDS) == Lead()
    assert flights.land("key", first, Landed("late")) == []
    assert flights.land("key", second, Landed("value")) == ["waiter 0"]


def test_another_event_loop_or_process_begins_anew() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.settle("here")
    flights.board("key", first, now=0)
    flights.settle("here")
    assert isinstance(flights.board("key", second, now=0), Wait)
    flights.settle("there")
    assert flights.board("key", second, now=0) == Lead()


def test_a_forked_child_begins_anew() -> None:
    flights, (first, second) = Flights[str](), seats(2)
    flights.board("key", first, now=0)
    flights.after_fork()
    assert flights.board("key", second, now=0) == Lead()
