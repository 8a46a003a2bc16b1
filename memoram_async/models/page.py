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
    """

    items: tuple[T, ...]
    next_cursor: str | None = attrs.field(default=None, repr=False)
    total: int | None = None
