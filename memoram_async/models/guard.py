"""Models that hold secrets or content stay in the process that fetched them."""

from __future__ import annotations

from typing import NoReturn, Self


class Unpicklable:
    """Refuses pickling, so that memory content and keys do not end up in caches, queues or dumps.

    Copying answers the object itself: it cannot change.
    """

    __slots__ = ()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds a user's data and cannot be pickled: pass its id and fetch it again"
        )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self
