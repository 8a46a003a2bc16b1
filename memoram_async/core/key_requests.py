"""Which versions of a key are being fetched, and which are known to be unavailable."""

from __future__ import annotations

import threading
from typing import Final

import attrs

from memoram_async.core.errors import MemoramError

UNAVAILABLE_SECONDS: Final = 60.0
"""How long a version that the service does not have is not asked for again."""

LEASE_SECONDS: Final = 60.0
"""How long followers wait for a leader before one of them takes over: it may have been interrupted."""


@attrs.define(eq=False)
class KeyRequest:
    """One request for a version, and those who wait for it.

    Attributes:
        leader: The ticket of the caller that fetches.
        waiters: What the others wait on.
        error: Why it failed, for those who waited; None if it did not, or was broken off.
    """

    leader: object
    waiters: list[object] = attrs.field(factory=list[object])
    error: MemoramError | None = None


class KeyRequests:
    """One request for each version, however many callers; see `memoram_async.keys.user_keys`."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[int, KeyRequest] = {}
        self._unavailable: dict[int, float] = {}

    def is_unavailable(self, version: int, *, now: float) -> bool:
        """Whether the service said lately that it does not have this version."""
        return now < self._unavailable.get(version, now)

    def join(self, ticket: object, version: int, waiter: object) -> KeyRequest:
        """The request for a version: a new one that the ticket leads, or another's that the waiter joins."""
        with self._lock:
            request = self._requests.get(version)
            if request is None:
                request = self._requests[version] = KeyRequest(ticket)
            elif request.leader is not ticket:
                request.waiters.append(waiter)
            return request

    def mark_unavailable(self, version: int, *, now: float) -> None:
        """Note that the service does not have a version."""
        self._unavailable[version] = now + UNAVAILABLE_SECONDS

    def take_over(self, version: int, request: KeyRequest) -> None:
        """Give up on a leader that was not heard of for too long."""
        with self._lock:
            if self._requests.get(version) is request:
                del self._requests[version]

    def leave(self, ticket: object, version: int) -> list[object]:
        """End the ticket's request, if it leads one; those to wake. A second time does nothing."""
        with self._lock:
            request = self._requests.get(version)
            if request is None or request.leader is not ticket:
                return []
            del self._requests[version]
            return request.waiters
