"""A walk through a list ends, whatever cursors the service gives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memoram_async.core.errors import PaginationError
from memoram_async.core.paging import CursorGuard


@given(st.lists(st.text(), unique=True))
def test_cursors_that_differ_are_followed(cursors: list[str]) -> None:
    guard = CursorGuard()
    for cursor in cursors:
        guard.check(cursor)


@given(st.lists(st.text(), unique=True, min_size=1), st.data())
def test_a_cursor_is_never_followed_twice(cursors: list[str], data: st.DataObject) -> None:
    guard = CursorGuard()
    for cursor in cursors:
        guard.check(cursor)
    with pytest.raises(PaginationError, match=rf"after {len(cursors)} pages"):
        guard.check(data.draw(st.sampled_from(cursors)))


def test_a_refused_cursor_stays_refused() -> None:
    guard = CursorGuard()
    guard.check("a")
    for _ in range(2):
        with pytest.raises(PaginationError):
            guard.check("a")


@pytest.mark.parametrize("cursor", ["\ud800", "a\udfff"])
def test_a_cursor_that_cannot_be_sent_is_the_services_fault(cursor: str) -> None:
    guard = CursorGuard()
    guard.check("a")
    with pytest.raises(PaginationError, match="a cursor that cannot be sent back, after 2 pages"):
        guard.check(cursor)


def test_each_walk_remembers_for_itself() -> None:
    CursorGuard().check("a")
    CursorGuard().check("a")


def test_a_long_cursor_costs_no_more_to_remember_than_a_short_one() -> None:
    guard = CursorGuard()
    guard.check("long" * 100_000)
    assert {len(digest) for digest in guard._seen} == {16}  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
