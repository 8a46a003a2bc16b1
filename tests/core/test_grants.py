"""What is known of a user's access, as it is written and read, and who may ask."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import attrs
import pytest

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.grants import (
    LEASE_SECONDS,
    Grant,
    check_user,
    read_grant,
    row_name,
)
from memoram_async.core.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = Secret("mk_1")
UNTIL = datetime(2030, 1, 2, tzinfo=UTC)


def told(grant: Grant) -> dict[str, object]:
    """All that a grant holds, in the clear."""
    held = {field.name: getattr(grant, field.name) for field in attrs.fields(Grant)}
    lease = held["lease"]
    held["lease"] = None if lease is None else (lease.owner, lease.ends)
    return {name: each.reveal() if isinstance(each, Secret) else each for name, each in held.items()}


@pytest.mark.parametrize(
    "grant",
    [
        Grant(),
        Grant().linked(KEY),
        Grant().linked(KEY, access_token=Secret("at"), refresh_token=Secret("rt")),
        Grant().linked(KEY).asked("req-1", approved=False),
        Grant().linked(KEY).asked("req-1", approved=True),
        Grant().linked(KEY).not_asked(UNTIL),
        Grant().linked(KEY).not_asked(None),
        Grant().linked(KEY).leased("me", wall=1000.5),
    ],
)
def test_what_is_written_is_read(grant: Grant) -> None:
    assert told(read_grant(Secret(grant.written().decode()))) == told(grant)


def test_what_was_not_written_is_not_there() -> None:
    grant = read_grant(Secret(Grant().written().decode()))
    assert (grant.memory_key, grant.access_token, grant.refresh_token) == (None, None, None)


def test_linking_anew_forgets_what_was_asked_and_refused() -> None:
    asked = Grant().linked(KEY).asked("req-1", approved=True)
    refused = Grant().linked(KEY).not_asked(UNTIL)
    for before in (asked, refused):
        assert told(before.linked(KEY)) == told(Grant().linked(KEY))


STEPS: Final[list[tuple[Callable[[Grant], Grant], dict[str, object]]]] = [
    (
        lambda grant: grant.linked(KEY, access_token=Secret("at"), refresh_token=Secret("rt")),
        {"memory_key": "mk_1", "access_token": "at", "refresh_token": "rt"},
    ),
    (
        lambda grant: grant.not_asked(UNTIL).asked("req", approved=True),
        {"request_id": "req", "approved": True},
    ),
    (lambda grant: grant.asked("req", approved=True).asked("new", approved=False), {"request_id": "new"}),
    (lambda grant: grant.asked("req", approved=True).not_asked(UNTIL), {"refused": True, "until": UNTIL}),
    (lambda grant: grant.leased("me", wall=1000), {"lease": ("me", 1000 + LEASE_SECONDS)}),
    (lambda grant: grant.leased("me", wall=1000).released(), {}),
]


@pytest.mark.parametrize(
    ("step", "held"),
    STEPS,
    ids=["linked", "asked", "asked anew", "not asked", "leased", "released"],
)
def test_each_step_leaves_what_it_says_and_nothing_else(
    step: Callable[[Grant], Grant], held: dict[str, object]
) -> None:
    assert told(step(Grant())) == told(Grant()) | held


def test_who_was_asked_or_cannot_be_is_settled() -> None:
    assert not Grant().is_settled
    assert not Grant().linked(KEY).is_settled
    assert Grant().linked(KEY).asked("req-1", approved=False).is_settled
    assert Grant().linked(KEY).not_asked(None).is_settled


def test_one_asks_at_a_time() -> None:
    grant = Grant().linked(KEY).leased("me", wall=1000)
    assert grant.is_being_asked(wall=1000)
    assert grant.is_being_asked(wall=1000 + LEASE_SECONDS - 0.1)
    assert not grant.is_being_asked(wall=1000 + LEASE_SECONDS)
    assert not grant.released().is_being_asked(wall=1000)


def test_a_clock_that_is_a_little_ahead_is_no_reason_to_ask_too_and_one_far_ahead_blocks_nobody() -> None:
    grant = Grant().leased("me", wall=1000)
    assert grant.is_being_asked(wall=990)
    assert grant.is_being_asked(wall=1000 - LEASE_SECONDS)
    assert not grant.is_being_asked(wall=1000 - LEASE_SECONDS - 1)


def test_a_refusal_says_when_asking_is_possible_again() -> None:
    assert Grant().refusal() is None
    until, never = Grant().not_asked(UNTIL).refusal(), Grant().not_asked(None).refusal()
    assert until is not None
    assert until.until == UNTIL
    assert "from 2030-01-02T00:00:00+00:00 on" in until.message
    assert never is not None
    assert "when the user wishes so" in never.message


def test_a_grant_knows_its_memory_key() -> None:
    assert not Grant().is_of(KEY)
    assert Grant().linked(KEY).is_of(Secret("mk_1"))
    assert not Grant().linked(KEY).is_of(Secret("mk_2"))


def test_a_grant_shows_no_secret_and_stays_in_its_process() -> None:
    grant = Grant().linked(Secret("canary"), access_token=Secret("canary"))
    assert "canary" not in repr(grant)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(grant)


def test_rows_of_different_kinds_and_users_have_different_names() -> None:
    names = {row_name(kind, user) for kind in ("grant", "flow") for user in ("ada", "bob", "bob ", "grant")}
    assert len(names) == 8
    assert all(len(name) <= 80 and name.replace("-", "").isalnum() for name in names)


@pytest.mark.parametrize("user", ["a", "https://id.test/\n 7", "é", "💡", "a" * 1024])
def test_any_text_is_a_user_id(user: str) -> None:
    assert check_user(user) == user


@pytest.mark.parametrize(
    ("user", "said"),
    [
        (None, "not NoneType"),
        (7, "write str"),
        (b"a", "not bytes"),
        ("", "is empty"),
        ("a" * 1025, "1025 characters"),
        ("a\ud800", "lone surrogate"),
        ("\udfff", "lone surrogate"),
    ],
)
def test_what_is_no_user_id_is_refused(user: object, said: str) -> None:
    with pytest.raises(InvalidArgumentError, match=said):
        check_user(user)
