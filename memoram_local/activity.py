"""Gathers what happened, and writes it down in batches, so that no request waits for a log."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from memoram_local.changes import after_commit
from memoram_local.store.access_log import AccessLog, Action, Deed, Tally
from memoram_local.store.request_log import CALLS_KEPT, Call, RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from memoram_local.clock import Clock
    from memoram_local.store.api_keys import ApiKeys
    from memoram_local.store.database import Database

_SECONDS_BETWEEN_WRITES: Final = 1.0
# While the writer is busy the log of deeds may grow this far, then new ones go unrecorded.
_MOST_DEEDS: Final = 20_000

_log = logging.getLogger("memoram_local")


def _newest_calls() -> deque[Call]:
    # More would be forgotten as soon as they are written, so however busy, a batch stays small.
    return deque(maxlen=CALLS_KEPT)


@dataclass(slots=True)
class _Batch:
    calls: defaultdict[str, deque[Call]] = field(
        default_factory=lambda: defaultdict[str, deque[Call]](_newest_calls)
    )
    deeds: dict[Deed, Tally] = field(default_factory=dict[Deed, Tally])
    key_uses: dict[str, int] = field(default_factory=dict[str, int])


class Activity:
    """The logs of one platform.

    What is told to it is kept in memory and written with the first news after a second, when somebody asks
    for it, and when the store closes. All its methods may be called from any thread.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        database: Database,
        request_log: RequestLog,
        access_log: AccessLog,
        api_keys: ApiKeys,
    ) -> None:
        self._clock = clock
        self._database = database
        self._request_log = request_log
        self._access_log = access_log
        self._api_keys = api_keys
        self._lock = threading.Lock()
        self._batch = _Batch()
        self._next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES
        database.before_close(self.write_now)

    def called(self, app_id: str, call: Call) -> None:
        """An application called the platform."""
        with self._lock:
            self._batch.calls[app_id].append(call)
        self._write_when_due()

    def done(self, action: Action, *, account_id: str, app_id: str = "", blob_id: str = "") -> None:
        """An application, or without one the user, did something to the user's memories."""
        deed = Deed(account_id, app_id, action, blob_id)
        now = self._clock.micros()
        with self._lock:
            tally = self._batch.deeds.get(deed)
            if tally is not None:
                tally.calls += 1
                tally.last_at = now
            elif len(self._batch.deeds) < _MOST_DEEDS:
                self._batch.deeds[deed] = Tally(1, now, now)
        self._write_when_due()

    def will_be_done(
        self, connection: Connection, action: Action, *, account_id: str, app_id: str = "", blob_id: str = ""
    ) -> None:
        """`done`, once this unit of work is committed, and never if it is not."""
        after_commit(
            connection, lambda: self.done(action, account_id=account_id, app_id=app_id, blob_id=blob_id)
        )

    def key_used(self, key_digest: str) -> None:
        """An API key, named by its digest, was exchanged for a token."""
        with self._lock:
            self._batch.key_uses[key_digest] = self._clock.micros()

    async def written(self) -> None:
        """Return when all that was told so far can be read from the store."""
        await self._database.write(self._writing())

    def write_now(self) -> None:
        """`written` for blocking code."""
        self._database.write_now(self._writing())

    def forget(self) -> None:
        """Drop what is not written yet, as when another state is put in place of the store's."""
        with self._lock:
            self._batch = _Batch()

    def _write_when_due(self) -> None:
        if time.monotonic() < self._next_write:
            return
        self._next_write = time.monotonic() + _SECONDS_BETWEEN_WRITES
        try:
            writing = self._database.write_later(self._writing())
        except RuntimeError:
            # The store is closed; its answers are refusals, and nobody will read a log.
            return
        writing.add_done_callback(_report)

    def _writing(self) -> Callable[[Connection], None]:
        """A unit of work that writes what there is by the time it runs."""

        def write(connection: Connection) -> None:
            with self._lock:
                batch, self._batch = self._batch, _Batch()
            for app_id, calls in batch.calls.items():
                self._request_log.add(connection, app_id, calls)
            if batch.deeds:
                self._access_log.add(connection, batch.deeds)
            self._api_keys.used(connection, batch.key_uses)

        return write


def _report(written: Future[None]) -> None:
    if not written.cancelled() and written.exception() is not None:
        # Not the error itself: it can quote what was to be written.
        _log.warning("part of the request and access logs could not be written")
