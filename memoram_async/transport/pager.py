"""Lists that come in pages."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from memoram_async.core.errors import ConfigurationError, PaginationError
from memoram_async.core.paging import CursorGuard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from memoram_async.models.page import Page

T = TypeVar("T")


class AsyncPager(Generic[T]):
    """A list, read page by page as it is iterated.

    Iterate over it for the items, over `pages()` for whole pages, or await `first_page()` for the
    beginning alone. Nothing is sent before that, and each iteration starts anew.
    """

    __slots__ = ("_fetch",)

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    async def first_page(self) -> Page[T]:
        """The first page.

        Raises:
            MemoramError: The page could not be read.
        """
        return await self._fetch(None)

    async def page(self, cursor: str | None) -> Page[T]:
        """The page at a cursor that an earlier page gave, perhaps in another process; None for the first.

        Raises:
            MemoramError: The page could not be read.
        """
        return await self._fetch(cursor)

    def pages(self) -> AsyncPageIterator[T]:
        """The pages, one request each; an empty page with a cursor is followed like any other."""
        return AsyncPageIterator(self._fetch)

    def __aiter__(self) -> AsyncItemIterator[T]:
        return AsyncItemIterator(self.pages())


class AsyncPageIterator(Generic[T]):
    """Walks through the pages of a list. A page that failed is asked for again by the next step.

    It makes one step at a time: whoever shares a list needs an iterator of their own.
    """

    __slots__ = ("_cursor", "_done", "_end", "_fetch", "_guard", "_turn")

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch
        self._guard = CursorGuard()
        self._cursor: str | None = None
        self._done = False
        self._end: PaginationError | None = None
        self._turn = [True]  # taken by whoever makes a step; no thread can come between

    def __aiter__(self) -> AsyncPageIterator[T]:
        return self

    async def __anext__(self) -> Page[T]:
        """The next page.

        Raises:
            PaginationError: The service gave a cursor a second time, or one that cannot be sent.
            ConfigurationError: Somebody else is making a step.
        """
        taken: list[bool] = []
        try:
            with suppress(IndexError):
                taken.append(self._turn.pop())
            if not taken:
                raise ConfigurationError(
                    "several tasks or threads share one iterator of a list: give each an iterator of its "
                    "own, or let one of them read and hand the items out"
                )
            return await self._step()
        finally:
            self._turn += taken

    async def _step(self) -> Page[T]:
        if self._done:
            raise StopAsyncIteration
        if self._end is not None:
            raise self._end.again()
        page = await self._fetch(self._cursor)
        if page.next_cursor is None:
            self._done = True
            return page
        try:
            self._guard.check(page.next_cursor)
        except PaginationError as error:
            self._end = error.with_traceback(None)  # the page that came is good: the next step raises
        else:
            self._cursor = page.next_cursor
        return page


class AsyncItemIterator(Generic[T]):
    """Walks through the items of a list, across its pages."""

    __slots__ = ("_items", "_pages", "_position")

    def __init__(self, pages: AsyncPageIterator[T]) -> None:
        self._pages = pages
        self._items: tuple[T, ...] = ()
        self._position = 0

    def __aiter__(self) -> AsyncItemIterator[T]:
        return self

    async def __anext__(self) -> T:
        """The next item.

        Raises:
            PaginationError: The service gave a cursor a second time.
        """
        while self._position >= len(self._items):
            page = await self._pages.__anext__()
            self._items, self._position = page.items, 0
        item = self._items[self._position]
        self._position += 1
        return item
