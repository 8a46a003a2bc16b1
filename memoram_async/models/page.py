"""One page of a list."""

from __future__ import annotations

from typing import Generic, TypeVar

import attrs

from memoram_async.models.answered import Answered

T = TypeVar("T")


@attrs.frozen(kw_only=True, eq=False)
class Page(Answered, Generic[T]):
    """One page of a list.

    Attributes:
        items: What is on it.
        next_cursor: Where the next page begins; None on the last one.
        total: How many items the whole list has, if the service said.
        skipped: How many items of this page were left out, because they could not be read and the options of
            the store say `skip`.
    """

    items: tuple[T, ...]
    next_cursor: str | None = attrs.field(default=None, repr=False)
    total: int | None = None
    skipped: int = 0
