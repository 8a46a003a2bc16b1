"""What a platform was asked, with secrets and memories left out."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import anyio

from memoram_local.clock import from_micros, steady
from memoram_local.controls.operations import checked
from memoram_local.errors import LocalPlatformError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

ENTRIES_KEPT = 1000

# Real time between two looks of those who wait in an event loop.
_GLANCE_SECONDS = 0.005


class RequestNotSeenError(LocalPlatformError, TimeoutError):
    """The request that was waited for did not come in time."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One request. Its values show no secret, no memory and nothing that describes one but tags.

    Attributes:
        number: Counts the requests of the platform, from 1.
        at: When it arrived, by the platform's clock.
        operation: The contract's operationId; None for pages and for what does not exist.
        method: The HTTP method.
        path: The path, without the query.
        query: Names and values of the query; values that could be secret are `[redacted]`.
        authorization: The scheme of the Authorization header, or `X-API-Key`, and `[redacted]`; None without.
        body: The body of an API call that is JSON or a form; values that could be secret are `[redacted]`.
        status: The HTTP status; None while there is no answer, and when there never was one.
        request_id: The answer's X-Request-Id.
        faults: The names of the faults that struck it.
        is_over: Whether it was answered, or ended without an answer.
    """

    number: int
    at: datetime
    operation: str | None
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    authorization: str | None
    body: object = None
    status: int | None = None
    request_id: str | None = None
    faults: tuple[str, ...] = ()
    is_over: bool = False


@dataclass(slots=True)
class Noted:
    """What the journal keeps of one request; an entry is made of it when somebody looks.

    Attributes:
        number: As the entry's, like all that have the same name.
        at: Microseconds since 1970.
    """

    number: int
    at: int
    operation: str | None
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    authorization: str | None
    body: object = None
    status: int | None = None
    request_id: str | None = None
    faults: tuple[str, ...] = ()
    is_over: bool = False

    def entry(self) -> JournalEntry:
        """What is shown of it as it stands now."""
        return JournalEntry(
            self.number,
            from_micros(self.at),
            self.operation,
            self.method,
            self.path,
            self.query,
            self.authorization,
            self.body,
            self.status,
            self.request_id,
            self.faults,
            self.is_over,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    operation: str | None
    method: str | None
    path: str | None
    status: int | None
    over: bool

    def fits(self, noted: Noted) -> bool:
        pairs = (
            (self.operation, noted.operation),
            (self.method, noted.method),
            (self.path, noted.path),
            (self.status, noted.status),
        )
        return all(wish in {None, value} for wish, value in pairs) and (noted.is_over or not self.over)


class Journal:
    """The latest requests to one platform, oldest first. It may be read from any thread.

    Args:
        kept: How many requests it remembers.
    """

    def __init__(self, *, kept: int = ENTRIES_KEPT) -> None:
        self._count = 0
        self._noted: deque[Noted] = deque(maxlen=kept)
        self._news = threading.Condition()

    def __iter__(self) -> Iterator[JournalEntry]:
        with self._news:
            return iter([noted.entry() for noted in self._noted])

    def __len__(self) -> int:
        return len(self._noted)

    @overload
    def __getitem__(self, index: int) -> JournalEntry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[JournalEntry]: ...
    def __getitem__(self, index: int | slice) -> JournalEntry | Sequence[JournalEntry]:
        return list(self)[index]

    def entries(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
    ) -> list[JournalEntry]:
        """The requests that fit all that is given.

        Args:
            operation: The contract's operationId.
            method: The HTTP method.
            path: The path, without the query.
            status: The status of the answer.

        Raises:
            UnknownRouteError: No operation has this name.
        """
        wanted = _wanted(operation, method=method, path=path, status=status, over=False)
        with self._news:
            return [noted.entry() for noted in self._noted if wanted.fits(noted)]

    def wait_for(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        count: int = 1,
        timeout: float = 5,
        over: bool = True,
    ) -> JournalEntry:
        """Wait, blocking, until so many requests have come that fit all that is given.

        Requests that came before count too: nothing is missed, however late this is called.

        Args:
            operation: The contract's operationId.
            method: The HTTP method.
            path: The path, without the query.
            status: The status of the answer.
            count: How many.
            timeout: Real seconds to wait.
            over: Whether they must have been answered, or have ended without an answer.

        Returns:
            The last of them.

        Raises:
            RequestNotSeenError: They did not come in time; the message says what came instead.
            UnknownRouteError: No operation has this name.
        """
        wanted = _wanted(operation, method=method, path=path, status=status, over=over)
        with self._news:
            if not self._news.wait_for(lambda: self._nth(wanted, count) is not None, timeout):
                raise self._not_seen(wanted, count=count, timeout=timeout)
            found = self._nth(wanted, count)
        assert found is not None  # noqa: S101 - waited for above, under the same lock
        return found

    async def wait_for_async(
        self,
        operation: str | None = None,
        *,
        method: str | None = None,
        path: str | None = None,
        status: int | None = None,
        count: int = 1,
        timeout: float = 5,
        over: bool = True,
    ) -> JournalEntry:
        """`wait_for` in an event loop, asyncio's or trio's, which goes on meanwhile."""
        wanted = _wanted(operation, method=method, path=path, status=status, over=over)
        until = steady() + timeout
        while True:
            with self._news:
                found = self._nth(wanted, count)
                if found is None and steady() > until:
                    raise self._not_seen(wanted, count=count, timeout=timeout)
            if found is not None:
                return found
            await anyio.sleep(_GLANCE_SECONDS)

    def clear(self) -> None:
        """Forget all requests; the numbers go on."""
        with self._news:
            self._noted.clear()

    def arrived(
        self,
        *,
        at: int,
        operation: str | None,
        method: str,
        path: str,
        query: tuple[tuple[str, str], ...],
        authorization: str | None,
    ) -> Noted:
        """Note a request. What is passed must be redacted."""
        with self._news:
            self._count += 1
            noted = Noted(self._count, at, operation, method, path, query, authorization)
            self._noted.append(noted)
            self._news.notify_all()
        return noted

    def ended(
        self,
        noted: Noted,
        *,
        body: object,
        status: int | None,
        request_id: str | None,
        faults: tuple[str, ...],
    ) -> None:
        """Note how a request ended. What is passed must be redacted."""
        with self._news:
            noted.body, noted.status, noted.request_id, noted.faults = body, status, request_id, faults
            noted.is_over = True
            self._news.notify_all()

    def _nth(self, wanted: _Wanted, count: int) -> JournalEntry | None:
        fitting = [noted for noted in self._noted if wanted.fits(noted)]
        return fitting[count - 1].entry() if len(fitting) >= count else None

    def _not_seen(self, wanted: _Wanted, *, count: int, timeout: float) -> RequestNotSeenError:
        wishes = [wanted.method, wanted.operation or "request", wanted.path]
        shown = " ".join(wish for wish in wishes if wish is not None)
        if wanted.status is not None:
            shown += f" with status {wanted.status}"
        came = [f"{noted.operation or noted.path} {noted.status or ''}" for noted in self._noted]
        seen = ", ".join(text.strip() for text in came[-10:]) or "nothing"
        return RequestNotSeenError(f"no {shown} came {count} times within {timeout} s; what came: {seen}")


def _wanted(
    operation: str | None, *, method: str | None, path: str | None, status: int | None, over: bool
) -> _Wanted:
    name = None if operation is None else checked(operation)
    return _Wanted(operation=name, method=method, path=path, status=status, over=over or status is not None)
