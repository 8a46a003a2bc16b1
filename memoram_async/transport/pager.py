"""Lists that come in pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from memoram_async.core.errors import ConfigurationError, PaginationError
from memoram_async.core.paging import CursorGuard
from memoram_async.core.secret import Unshareable
from memoram_async.models.page import Page
from memoram_async.runtime.protocol import ReadAhead, Runtime

T = TypeVar("T")


class AsyncPager(Unshareable, Generic[T]):
    """A list, read page by page as it is iterated.

    Iterate over it for the items, over `pages()` for whole pages, or await `first_page()` for the
    beginning alone. Nothing is sent before that, and each iteration starts anew.
    """

    __slots__ = ("__weakref__", "_fetch", "_finish", "_runtime", "_skipped")

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[Any]]],
        world: Runtime,
        *,
        finish: Callable[[Page[Any]], Awaitable[Page[T]]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._finish = finish
        self._runtime = world
        self._skipped = 0

    @property
    def skipped(self) -> int:
        """How many items were left out of the pages read so far; see `StoreOptions.on_undecryptable`."""
        return self._skipped

    async def first_page(self) -> Page[T]:
        """The first page.

        Raises:
            MemoramError: The page could not be read.
        """
        return await self._read(None)

    async def page(self, cursor: str | None) -> Page[T]:
        """The page at a cursor that an earlier page gave, perhaps in another process; None for the first.

        Raises:
            MemoramError: The page could not be read.
        """
        return await self._read(cursor)

    def pages(self) -> AsyncPageIterator[T]:
        """The pages, one request each; an empty page with a cursor is followed like any other."""
        return AsyncPageIterator(self._read)

    def __aiter__(self) -> AsyncItemIterator[T]:
        return AsyncItemIterator(self.pages())

    def ahead(self) -> AsyncReadAhead[T]:
        """The items, read one page ahead: the next page is fetched while this one is worked on.

            async with store.list().ahead() as memories:
                async for memory in memories:
                    print(memory.content)

        What fetches belongs to the `async with`, and has ended when that is left.
        """
        return AsyncReadAhead(self._fetch, self._finished, self._runtime)

    async def _read(self, cursor: str | None) -> Page[T]:
        return await self._finished(await self._fetch(cursor))

    async def _finished(self, page: Page[Any]) -> Page[T]:
        if self._finish is not None:
            page = await self._finish(page)
        self._skipped += page.skipped
        return page


class AsyncPageIterator(Unshareable, Generic[T]):
    """Walks through the pages of a list. A page that failed is asked for again by the next step.

    It makes one step at a time: whoever shares a list needs an iterator of their own.
    """

    __slots__ = ("__weakref__", "_cursor", "_done", "_end", "_fetch", "_guard", "_turn")

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


class AsyncItemIterator(Unshareable, Generic[T]):
    """Walks through the items of a list, across its pages."""

    __slots__ = ("__weakref__", "_items", "_pages", "_position")

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


class AsyncReadAhead(Unshareable, Generic[T]):
    """Walks through the items of a list while the next page is fetched; see `AsyncPager.ahead`."""

    __slots__ = ("__weakref__", "_ahead", "_fetching", "_finish", "_items", "_position", "_runtime", "_spent")

    def __init__(
        self,
        fetch: Callable[[str | None], Awaitable[Page[Any]]],
        finish: Callable[[Page[Any]], Awaitable[Page[T]]],
        world: Runtime,
    ) -> None:
        self._fetching: AsyncPageIterator[Any] = AsyncPageIterator(fetch)
        self._finish = finish
        self._runtime = world
        self._ahead: ReadAhead[Page[Any]] | None = None
        self._spent = False
        self._items: tuple[T, ...] = ()
        self._position = 0

    async def __aenter__(self) -> Self:
        if self._spent:
            raise ConfigurationError("a list is read ahead once: call ahead() again for another walk")
        self._spent = True
        self._ahead = await self._runtime.read_ahead(self._produce)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._ahead is not None:
            try:
                await self._ahead.aclose()
            finally:
                self._ahead = None

    async def _produce(self) -> Page[Any] | None:
        """The next page as it was fetched: whoever takes it finishes it, while the next one is on its way."""
        try:
            return await self._fetching.__anext__()
        except StopAsyncIteration:
            return None

    def __aiter__(self) -> AsyncReadAhead[T]:
        return self

    async def __anext__(self) -> T:
        """The next item.

        Raises:
            ConfigurationError: It is not inside its `async with`.
            PaginationError: The service gave a cursor a second time.
        """
        while self._position >= len(self._items):
            if self._ahead is None:
                raise ConfigurationError("a list that is read ahead is read inside its `with` statement")
            page = await self._ahead.take()
            if page is None:
                raise StopAsyncIteration
            self._items, self._position = (await self._finish(page)).items, 0
        item = self._items[self._position]
        self._position += 1
        return item
