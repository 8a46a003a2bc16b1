"""One request for each version of a key, however many callers."""

from __future__ import annotations

from memoram_async.core.key_requests import UNAVAILABLE_SECONDS, KeyRequests


def test_the_first_caller_leads_and_the_others_wait() -> None:
    requests, leader, follower = KeyRequests(), object(), object()
    request = requests.join(leader, 2, "leader's waiter")
    assert request.leader is leader
    assert requests.join(follower, 2, "a waiter") is request
    assert requests.join(object(), 3, "another") is not request
    assert requests.leave(leader, 2) == ["a waiter"]


def test_a_leader_that_asks_again_does_not_wait_for_itself() -> None:
    requests, leader = KeyRequests(), object()
    request = requests.join(leader, 2, "waiter")
    assert requests.join(leader, 2, "waiter") is request
    assert request.waiters == []


def test_only_the_leader_ends_a_request_and_only_once() -> None:
    requests, leader, follower = KeyRequests(), object(), object()
    request = requests.join(leader, 2, "leader's waiter")
    requests.join(follower, 2, "a waiter")
    assert requests.leave(follower, 2) == []
    assert requests.leave(leader, 2) == ["a waiter"]
    assert requests.leave(leader, 2) == []
    assert requests.join(follower, 2, "a waiter") is not request


def test_a_leader_that_is_not_heard_of_is_replaced() -> None:
    requests, lost, follower = KeyRequests(), object(), object()
    request = requests.join(lost, 2, "lost")
    requests.join(follower, 2, "a waiter")
    requests.take_over(2, request)
    fresh = requests.join(follower, 2, "a waiter")
    assert fresh.leader is follower
    requests.take_over(2, request)  # the next follower comes too late
    assert requests.leave(lost, 2) == []
    assert requests.join(object(), 2, "another") is fresh


def test_what_the_service_lacks_is_remembered_for_a_minute() -> None:
    requests = KeyRequests()
    assert not requests.is_unavailable(2, now=100.0)
    requests.mark_unavailable(2, now=100.0)
    assert requests.is_unavailable(2, now=100.0 + UNAVAILABLE_SECONDS - 1)
    assert not requests.is_unavailable(3, now=100.0)
    assert not requests.is_unavailable(2, now=100.0 + UNAVAILABLE_SECONDS)
