from __future__ import annotations

import math

from memoram_async.core.deadline import Deadline


def test_it_comes_that_many_seconds_from_now() -> None:
    assert Deadline.after(5, now=10).at == 15


def test_without_a_limit_it_never_comes() -> None:
    never = Deadline.after(None, now=10)
    assert never.at == math.inf
    assert never.remaining(1e300) == math.inf
    assert not never.expired(1e300)


def test_what_is_left_shrinks_to_nothing_and_not_below() -> None:
    deadline = Deadline(15)
    assert [deadline.remaining(now) for now in (10, 15, 20)] == [5, 0, 0]


def test_it_has_come_at_its_very_moment() -> None:
    deadline = Deadline(15)
    assert [deadline.expired(now) for now in (14.9, 15, 20)] == [False, True, True]


def test_a_wait_is_cut_to_what_is_left() -> None:
    deadline = Deadline(15)
    assert [deadline.cap(3, now=now) for now in (10, 13, 20)] == [3, 2, 0]


def test_a_wait_without_a_deadline_is_not_cut() -> None:
    assert Deadline().cap(3, now=10) == 3


def test_of_two_the_earlier_counts() -> None:
    early, late = Deadline(10), Deadline(20)
    assert early.earlier(late) is early
    assert late.earlier(early) is early
