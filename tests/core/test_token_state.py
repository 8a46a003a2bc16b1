"""The life of a token: one exchange however many callers, and nobody is left waiting."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from memoram_async.core.errors import APITimeoutError, AuthenticationError
from memoram_async.core.secret import Secret
from memoram_async.core.token import (
    BACK_OFF_SECONDS,
    LEASE_SECONDS,
    Failed,
    Lead,
    Ticket,
    TokenState,
    Use,
    Wait,
)

LIFETIME = 3600.0
REFRESH_AT = LIFETIME - 60.0
REFUSED = AuthenticationError("refused", status=401)


def leading(state: TokenState, *, now: float = 0.0) -> Ticket:
    """A call that was told to fetch a token."""
    ticket = Ticket(waiter="leader")
    assert state.decide(ticket, now=now, wall=now) == Lead()
    return ticket


def waiting(state: TokenState, name: str, *, now: float = 0.0) -> Ticket:
    """A call that was told to wait."""
    ticket = Ticket(waiter=name)
    assert isinstance(state.decide(ticket, now=now, wall=now), Wait)
    return ticket


def fetched(
    state: TokenState, ticket: Ticket, token: str = "token", *, at: float = 0.0, lifetime: float = LIFETIME
) -> tuple[Use, list[object]]:
    """A fetch that brought a token."""
    return state.succeed(ticket, Secret(token), lifetime=lifetime, asked_at=at, asked_wall=at, jitter=0.0)


def holding(*, lifetime: float = LIFETIME) -> tuple[TokenState, Use]:
    """A state with a token that was asked for at 0."""
    state = TokenState()
    ticket = leading(state)
    use, _ = fetched(state, ticket, lifetime=lifetime)
    state.leave(ticket)
    return state, use


def ask(state: TokenState, *, now: float, wall: float | None = None) -> object:
    """What a new call is told."""
    return state.decide(Ticket(waiter="new"), now=now, wall=now if wall is None else wall)


# --- the first token ---------------------------------------------------------------------------


def test_without_a_token_there_is_none_to_peek_at() -> None:
    assert TokenState().peek(now=0, wall=0) is None


def test_the_first_call_leads() -> None:
    assert ask(TokenState(), now=0) == Lead()


def test_while_one_leads_the_others_wait_until_its_lease_ends() -> None:
    state = TokenState()
    leading(state, now=100)
    assert ask(state, now=110) == Wait(LEASE_SECONDS - 10)


def test_a_fetched_token_serves_its_leader() -> None:
    state = TokenState()
    use, _ = fetched(state, leading(state), "first")
    assert use.token.reveal() == "first"


def test_a_fetched_token_wakes_everyone_who_waits() -> None:
    state = TokenState()
    leader = leading(state)
    waiting(state, "a")
    waiting(state, "b")
    assert fetched(state, leader)[1] == ["a", "b"]


def test_a_woken_call_uses_the_fetched_token() -> None:
    state = TokenState()
    leader = leading(state)
    follower = waiting(state, "a")
    use, _ = fetched(state, leader)
    assert state.decide(follower, now=1, wall=1) == use


def test_of_those_who_wait_each_wakes_the_next_in_case_the_leader_did_not_come_to_it() -> None:
    state = TokenState()
    leader = leading(state)
    first, second = waiting(state, "a"), waiting(state, "b")
    fetched(state, leader)
    assert state.leave(leader) == ["a"]
    assert state.leave(first) == ["b"]
    assert state.leave(second) == []


# --- use and expiry ----------------------------------------------------------------------------


def test_a_fresh_token_is_used_without_a_ticket() -> None:
    state, use = holding()
    assert state.peek(now=10, wall=10) == use


def test_a_fresh_token_is_used() -> None:
    state, use = holding()
    assert ask(state, now=10) == use


def test_a_token_is_refreshed_a_minute_ahead() -> None:
    state, use = holding()
    assert ask(state, now=REFRESH_AT - 1) == use
    assert ask(state, now=REFRESH_AT) == Lead()


def test_a_short_token_is_refreshed_at_half_its_life() -> None:
    state, use = holding(lifetime=10)
    assert ask(state, now=4.9) == use
    assert ask(state, now=5.0) == Lead()


def test_a_machine_that_has_only_just_begun_refreshes_a_token_in_time() -> None:
    state, use = holding(lifetime=1.0)
    assert ask(state, now=0.4) == use
    assert ask(state, now=0.5) == Lead()


def test_jitter_spreads_refreshes_towards_the_end() -> None:
    state = TokenState()
    ticket = leading(state)
    state.succeed(ticket, Secret("t"), lifetime=LIFETIME, asked_at=0, asked_wall=0, jitter=0.5)
    assert state.peek(now=REFRESH_AT + 5, wall=0) is not None
    assert state.peek(now=REFRESH_AT + 6, wall=0) is None


def test_a_lifetime_counts_from_the_request() -> None:
    state = TokenState()
    fetched(state, leading(state), at=1000)
    assert state.peek(now=1000 + REFRESH_AT - 1, wall=1000) is not None
    assert state.peek(now=1000 + REFRESH_AT, wall=1000) is None


def test_a_token_that_wants_refreshing_is_not_to_peek_at() -> None:
    state, _ = holding()
    assert state.peek(now=REFRESH_AT, wall=0) is None


def test_an_expired_token_is_not_used() -> None:
    state, _ = holding()
    leading(state, now=LIFETIME)
    assert isinstance(ask(state, now=LIFETIME), Wait)


def test_a_token_that_expired_while_the_machine_slept_is_not_used() -> None:
    """The monotonic clock may stand still in suspension; the wall clock does not."""
    state, _ = holding()
    assert state.peek(now=1, wall=LIFETIME) is None
    assert ask(state, now=1, wall=LIFETIME) == Lead()


def test_a_wall_clock_that_is_set_back_keeps_nothing_alive() -> None:
    state, _ = holding()
    assert ask(state, now=LIFETIME, wall=-LIFETIME) == Lead()


def test_a_wall_clock_that_jumped_back_does_not_end_a_token() -> None:
    state, use = holding()
    assert ask(state, now=10, wall=-LIFETIME) == use


# --- refresh while the old token serves --------------------------------------------------------


def test_during_a_refresh_everyone_else_uses_the_old_token() -> None:
    state, use = holding()
    leading(state, now=REFRESH_AT)
    assert ask(state, now=REFRESH_AT + 1) == use


def test_a_failed_refresh_hands_its_leader_the_old_token() -> None:
    state, use = holding()
    leader = leading(state, now=REFRESH_AT)
    assert state.fail(leader, REFUSED, now=REFRESH_AT + 1, wall=0) == (use, [])


def test_after_a_failed_refresh_the_next_one_waits_a_while() -> None:
    state, use = holding()
    state.fail(leading(state, now=REFRESH_AT), REFUSED, now=REFRESH_AT, wall=0)
    assert ask(state, now=REFRESH_AT + BACK_OFF_SECONDS - 0.1) == use
    assert ask(state, now=REFRESH_AT + BACK_OFF_SECONDS) == Lead()


def test_a_failed_refresh_of_an_expired_token_is_an_error() -> None:
    state, _ = holding()
    leader = leading(state, now=REFRESH_AT)
    assert state.fail(leader, REFUSED, now=LIFETIME, wall=0) == (None, [])


def test_no_pause_holds_up_a_call_once_the_token_has_expired() -> None:
    state, _ = holding()
    state.fail(leading(state, now=LIFETIME - 1), REFUSED, now=LIFETIME - 1, wall=0)
    assert ask(state, now=LIFETIME) == Lead()


def test_a_refreshed_token_replaces_the_old_one() -> None:
    state, old = holding()
    new, _ = fetched(state, leading(state, now=REFRESH_AT), "second", at=REFRESH_AT)
    assert state.peek(now=REFRESH_AT, wall=REFRESH_AT) == new
    assert new.generation != old.generation


# --- refresh by another process ----------------------------------------------------------------


def test_a_token_serves_until_it_ends_even_if_it_wants_refreshing() -> None:
    state, _ = holding()
    assert state.serves(now=REFRESH_AT, wall=REFRESH_AT)
    assert not state.serves(now=LIFETIME, wall=0)
    assert not state.serves(now=0, wall=LIFETIME)


def test_without_a_token_nothing_serves() -> None:
    assert not TokenState().serves(now=0, wall=0)


def test_a_postponed_refresh_leaves_everyone_the_old_token_for_a_while() -> None:
    state, use = holding()
    leader = leading(state, now=REFRESH_AT)
    assert state.postpone(leader, now=REFRESH_AT, wall=0, seconds=7) == (use, [])
    assert ask(state, now=REFRESH_AT + 6) == use
    assert ask(state, now=REFRESH_AT + 7) == Lead()


def test_a_refresh_is_not_postponed_beyond_the_end_of_the_token() -> None:
    state, _ = holding()
    state.postpone(leading(state, now=REFRESH_AT), now=REFRESH_AT, wall=0, seconds=1000)
    assert ask(state, now=LIFETIME) == Lead()


def test_without_a_token_that_serves_nothing_is_postponed() -> None:
    state = TokenState()
    leader = leading(state)
    waiting(state, "a")
    assert state.postpone(leader, now=1, wall=1, seconds=7) == (None, [])
    assert isinstance(ask(state, now=1), Wait)


def test_a_postponed_refresh_wakes_who_waited_for_it() -> None:
    state = TokenState()
    stale = leading(state)
    leader = leading(state, now=LEASE_SECONDS)
    waiting(state, "a", now=LEASE_SECONDS)
    use, _ = fetched(state, stale)
    assert state.postpone(leader, now=LEASE_SECONDS, wall=0, seconds=7) == (use, ["a"])


def test_a_leader_that_lost_its_lease_postpones_nothing() -> None:
    state, use = holding()
    stale = leading(state, now=REFRESH_AT)
    state.move()
    assert state.postpone(stale, now=REFRESH_AT, wall=0, seconds=7) == (use, [])
    assert ask(state, now=REFRESH_AT) == Lead()


# --- failure -----------------------------------------------------------------------------------


def test_a_failure_wakes_everyone_who_waits() -> None:
    state = TokenState()
    leader = leading(state)
    waiting(state, "a")
    waiting(state, "b")
    assert state.fail(leader, REFUSED, now=1, wall=1) == (None, ["a", "b"])


def test_those_who_waited_share_the_one_failure() -> None:
    state = TokenState()
    leader = leading(state)
    followers = [waiting(state, name) for name in "abc"]
    state.fail(leader, REFUSED, now=1, wall=1)
    assert [state.decide(ticket, now=1, wall=1) for ticket in followers] == [Failed(REFUSED)] * 3


def test_a_later_call_tries_anew() -> None:
    state = TokenState()
    state.fail(leading(state), REFUSED, now=1, wall=1)
    assert ask(state, now=1) == Lead()


def test_a_call_that_waited_shares_the_failure_even_if_another_leads_by_now() -> None:
    state = TokenState()
    leader = leading(state)
    follower = waiting(state, "a")
    state.fail(leader, REFUSED, now=1, wall=1)
    leading(state, now=1)
    assert state.decide(follower, now=1, wall=1) == Failed(REFUSED)


def test_a_call_that_waited_prefers_a_token_that_came_since() -> None:
    state = TokenState()
    leader = leading(state)
    follower = waiting(state, "a")
    state.fail(leader, REFUSED, now=1, wall=1)
    use, _ = fetched(state, leading(state, now=1), at=1)
    assert state.decide(follower, now=2, wall=2) == use


def test_a_failure_of_before_does_not_keep_a_call_from_refreshing_the_token_that_came_since() -> None:
    state = TokenState()
    leader = leading(state)
    follower = waiting(state, "a")
    state.fail(leader, REFUSED, now=1, wall=1)
    fetched(state, leading(state, now=1), at=1)
    assert state.decide(follower, now=1 + REFRESH_AT, wall=1 + REFRESH_AT) == Lead()


# --- leaders and waiters that go away ----------------------------------------------------------


def test_a_cancelled_leader_hands_over_to_one_waiter() -> None:
    state = TokenState()
    leader = leading(state)
    heir = waiting(state, "a")
    waiting(state, "b")
    assert state.leave(leader) == ["a"]
    assert state.decide(heir, now=1, wall=1) == Lead()


def test_a_waiter_that_leads_waits_no_more() -> None:
    state = TokenState()
    leader = leading(state)
    heir = waiting(state, "a")
    waiting(state, "b")
    state.leave(leader)
    state.decide(heir, now=1, wall=1)
    assert state.fail(heir, REFUSED, now=2, wall=2) == (None, ["b"])
    assert heir.error is None


def test_a_woken_waiter_that_is_cancelled_hands_on() -> None:
    state = TokenState()
    leader = leading(state)
    woken = waiting(state, "a")
    heir = waiting(state, "b")
    state.leave(leader)
    assert state.leave(woken) == ["b"]
    assert state.decide(heir, now=1, wall=1) == Lead()


def test_the_last_one_to_leave_wakes_nobody() -> None:
    state = TokenState()
    assert state.leave(leading(state)) == []


def test_a_waiter_that_leaves_while_another_leads_wakes_nobody() -> None:
    state = TokenState()
    leading(state)
    waiting(state, "b")
    assert state.leave(waiting(state, "a")) == []


def test_a_waiter_that_left_is_not_woken() -> None:
    state = TokenState()
    leader = leading(state)
    state.leave(waiting(state, "a"))
    assert fetched(state, leader)[1] == []


def test_a_waiter_that_was_overtaken_waits_for_the_new_leader() -> None:
    state = TokenState()
    leader = leading(state)
    woken = waiting(state, "a")
    state.leave(leader)
    newcomer = leading(state, now=1)
    woken.waiter = "a again"
    assert isinstance(state.decide(woken, now=1, wall=1), Wait)
    assert fetched(state, newcomer, at=1)[1] == ["a again"]


def test_leaving_twice_does_no_harm() -> None:
    state = TokenState()
    first = leading(state)
    state.leave(first)
    second = leading(state)
    state.leave(first)
    assert first.lease is None
    assert second.lease is not None
    assert isinstance(ask(state, now=1), Wait)


# --- leases that grow too old ------------------------------------------------------------------


def test_a_leader_that_vanished_loses_its_lease_in_time() -> None:
    state = TokenState()
    leading(state)
    assert isinstance(ask(state, now=LEASE_SECONDS - 0.1), Wait)
    assert ask(state, now=LEASE_SECONDS) == Lead()


def test_a_waiter_takes_a_stale_lease_over() -> None:
    state = TokenState()
    leading(state)
    follower = waiting(state, "a")
    assert state.decide(follower, now=LEASE_SECONDS, wall=0) == Lead()


def test_a_leader_that_was_taken_over_cannot_end_the_new_lease() -> None:
    state = TokenState()
    stale = leading(state)
    leading(state, now=LEASE_SECONDS)
    state.leave(stale)
    assert isinstance(ask(state, now=LEASE_SECONDS), Wait)


def test_a_leader_that_was_taken_over_fails_alone() -> None:
    state = TokenState()
    stale = leading(state)
    leading(state, now=LEASE_SECONDS)
    follower = waiting(state, "a", now=LEASE_SECONDS)
    assert state.fail(stale, REFUSED, now=LEASE_SECONDS, wall=0) == (None, [])
    assert isinstance(state.decide(follower, now=LEASE_SECONDS, wall=0), Wait)


def test_a_leader_that_lost_its_lease_does_not_put_off_the_next_refresh() -> None:
    state, use = holding()
    stale = leading(state, now=REFRESH_AT)
    state.move()
    assert state.fail(stale, REFUSED, now=REFRESH_AT + 1, wall=0) == (use, [])
    assert ask(state, now=REFRESH_AT + 1) == Lead()


def test_a_token_that_a_late_leader_brings_serves_everyone() -> None:
    state = TokenState()
    stale = leading(state)
    leading(state, now=LEASE_SECONDS)
    waiting(state, "a", now=LEASE_SECONDS)
    use, woken = fetched(state, stale, at=0)
    assert woken == ["a"]
    assert ask(state, now=LEASE_SECONDS + 1) == use


# --- refused tokens ----------------------------------------------------------------------------


def test_a_refused_token_is_dropped() -> None:
    state, use = holding()
    state.invalidate(use.generation)
    assert state.peek(now=1, wall=1) is None
    assert ask(state, now=1) == Lead()


def test_a_refusal_of_an_older_token_does_not_touch_the_newer_one() -> None:
    state, old = holding()
    new, _ = fetched(state, leading(state, now=REFRESH_AT), "second", at=REFRESH_AT)
    state.invalidate(old.generation)
    assert ask(state, now=REFRESH_AT) == new


def test_a_refusal_without_a_token_does_nothing() -> None:
    state = TokenState()
    state.invalidate(1)
    assert ask(state, now=0) == Lead()


def test_a_token_fetched_after_a_refusal_has_another_generation() -> None:
    state, use = holding()
    state.invalidate(use.generation)
    again, _ = fetched(state, leading(state, now=1), at=1)
    assert again.generation > use.generation


def test_the_latest_token_is_told_until_it_is_refused() -> None:
    state, old = holding()
    assert state.latest() == old
    new, _ = fetched(state, leading(state, now=REFRESH_AT), "second", at=REFRESH_AT)
    assert state.latest() == new
    state.invalidate(new.generation)
    assert state.latest() is None


# --- another process or event loop -------------------------------------------------------------


def test_a_move_leaves_leaders_and_waiters_behind_and_keeps_the_token() -> None:
    state, use = holding()
    leading(state, now=REFRESH_AT)
    state.move()
    assert state.peek(now=1, wall=1) == use
    assert ask(state, now=REFRESH_AT) == Lead()


def test_a_leader_left_behind_ends_no_lease_of_the_new_place() -> None:
    state = TokenState()
    behind = leading(state)
    state.move()
    leading(state)
    state.leave(behind)
    assert isinstance(ask(state, now=1), Wait)


def test_settling_in_the_same_place_keeps_leaders() -> None:
    state = TokenState()
    state.settle("here")
    leading(state)
    state.settle("here")
    assert isinstance(ask(state, now=1), Wait)


def test_settling_elsewhere_begins_anew() -> None:
    state = TokenState()
    state.settle("here")
    leading(state)
    state.settle("there")
    assert ask(state, now=1) == Lead()


def test_a_fork_that_found_the_lock_taken_has_one_of_its_own() -> None:
    state, use = holding()
    leading(state, now=REFRESH_AT)
    held = state._lock  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
    with held:
        state.after_fork()
        assert state.peek(now=1, wall=1) == use
        assert ask(state, now=REFRESH_AT) == Lead()


# --- many threads ------------------------------------------------------------------------------


def test_of_many_threads_that_come_at_once_one_leads() -> None:
    threads = 16
    state = TokenState()
    together = threading.Barrier(threads)

    def call() -> object:
        together.wait()
        state.settle("home")
        return ask(state, now=0)

    with ThreadPoolExecutor(threads) as pool:
        decisions = [future.result() for future in [pool.submit(call) for _ in range(threads)]]
    assert decisions.count(Lead()) == 1


# --- any order of events -----------------------------------------------------------------------


class Calls(RuleBasedStateMachine):
    """Calls come, are told what to do, and end in every possible way, while clocks jump."""

    def __init__(self) -> None:
        super().__init__()
        self.state = TokenState()
        self.now = 0.0
        self.wall = 1_000_000.0
        self.leaders: list[Ticket] = []
        self.sleepers: dict[Ticket, object] = {}
        self.awake: list[Ticket] = []
        self.last_generation = 0
        self.names = 0

    def decide(self, ticket: Ticket) -> None:
        self.names += 1
        ticket.waiter = self.names
        match self.state.decide(ticket, now=self.now, wall=self.wall):
            case Lead():
                self.leaders.append(ticket)
            case Wait(seconds):
                assert 0 < seconds <= LEASE_SECONDS
                self.sleepers[ticket] = ticket.waiter
            case _:
                self.wake(self.state.leave(ticket))

    def wake(self, waiters: list[object]) -> None:
        for ticket, waiter in list(self.sleepers.items()):
            if waiter in waiters:
                del self.sleepers[ticket]
                self.awake.append(ticket)

    @rule()
    def a_call_comes(self) -> None:
        self.decide(Ticket())

    @precondition(lambda self: self.awake)
    @rule(data=st.data())
    def a_woken_call_asks_again(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.awake))
        self.awake.remove(ticket)
        self.decide(ticket)

    @precondition(lambda self: self.awake)
    @rule(data=st.data())
    def a_woken_call_is_cancelled(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.awake))
        self.awake.remove(ticket)
        self.wake(self.state.leave(ticket))

    @precondition(lambda self: self.sleepers)
    @rule(data=st.data())
    def a_sleeping_call_is_cancelled(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(list(self.sleepers)))
        del self.sleepers[ticket]
        self.wake(self.state.leave(ticket))

    @precondition(lambda self: self.leaders)
    @rule(data=st.data(), how=st.sampled_from(["succeed", "fail", "postpone", "cancelled"]))
    def a_leader_ends(self, data: st.DataObject, how: str) -> None:
        ticket = data.draw(st.sampled_from(self.leaders))
        self.leaders.remove(ticket)
        if how == "succeed":
            use, waiters = self.state.succeed(
                ticket, Secret("t"), lifetime=300, asked_at=self.now, asked_wall=self.wall, jitter=0.3
            )
            assert use.generation > self.last_generation
            self.last_generation = use.generation
            self.wake(waiters)
        elif how == "fail":
            timeout = APITimeoutError("late", sent=True)
            _, waiters = self.state.fail(ticket, timeout, now=self.now, wall=self.wall)
            self.wake(waiters)
        elif how == "postpone":
            _, waiters = self.state.postpone(ticket, now=self.now, wall=self.wall, seconds=2)
            self.wake(waiters)
        self.wake(self.state.leave(ticket))

    @rule(seconds=st.integers(0, 400))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds
        self.wall += seconds

    @rule(seconds=st.integers(-1_000_000, 1_000_000))
    def the_wall_clock_is_set(self, seconds: int) -> None:
        self.wall += seconds

    @precondition(lambda self: self.last_generation)
    @rule(back=st.integers(0, 2))
    def a_token_is_refused(self, back: int) -> None:
        self.state.invalidate(self.last_generation - back)

    @invariant()
    def nobody_sleeps_without_someone_to_wake_it(self) -> None:
        assert not self.sleepers or self.leaders or self.awake


TestAnyOrderOfEvents = Calls.TestCase
