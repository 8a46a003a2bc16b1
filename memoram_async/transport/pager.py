"""Lists that come in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

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
    """Walks through the pages of a list. A page that failed is asked for again by the next step."""

    __slots__ = ("_cursor", "_done", "_fetch", "_guard")

    def __init__(self, fetch: Callable[[str | None], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch
        self._guard = CursorGuard()
        self._cursor: str | None = None
        self._done = False

    def __aiter__(self) -> AsyncPageIterator[T]:
        return self

    async def __anext__(self) -> Page[T]:
        """The next page.

        Raises:
            PaginationError: The service gave a cursor a second time.
        """
        if self._done:
            raise StopAsyncIteration
        page = await self._fetch(self._cursor)
        if page.next_cursor is None:
            self._done = True
        else:
            self._guard.check(page.next_cursor)
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
