"""Gathers what happened, and writes it down in batches, so that no request waits for a log."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict, deque
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

from memoram_local.clock import steady
from memoram_local.store.access_log import AccessLog, Action, Deed, Tally
from memoram_local.store.changes import after_commit
from memoram_local.store.request_log import CALLS_KEPT, Call, RequestLog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from concurrent.futures import Future

    from sqlalchemy import Connection

    from memoram_local.clock import Clock
    from memoram_local.store.api_keys import ApiKeys
    from memoram_local.store.database import Database

_SECONDS_BETWEEN_WRITES: Final = 1.0
# A second of a busy platform takes long enough to write that others would notice: they come in between.
_LINES_AT_ONCE: Final = 100
# While the writer is busy the log of deeds may grow this far, then new ones go unrecorded.
_MOST_DEEDS: Final = 20_000

_log = logging.getLogger("memoram_local")

_Line = TypeVar("_Line")

_Piece: TypeAlias = "Callable[[Connection], bool]"
"""A part of what is to be written, as a unit of work that says whether it must run once more."""


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


def _some_of(lines: Iterable[_Line]) -> Iterator[list[_Line]]:
    rest = iter(lines)
    while some := list(islice(rest, _LINES_AT_ONCE)):
        yield some


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
        # Gathered before, and on its way into the store.
        self._pieces: deque[_Piece] = deque()
        self._next_write = steady() + _SECONDS_BETWEEN_WRITES
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
        await self._database.write(self._write_all)

    def write_now(self) -> None:
        """`written` for blocking code."""
        self._database.write_now(self._write_all)

    def forget(self) -> None:
        """Drop what is not written yet, as when another state is put in place of the store's."""
        with self._lock:
            self._batch = _Batch()
            self._pieces.clear()

    def _write_when_due(self) -> None:
        if steady() < self._next_write:
            return
        self._next_write = steady() + _SECONDS_BETWEEN_WRITES
        with self._lock:
            self._cut_up_batch()
        self._go_on()

    def _go_on(self) -> None:
        try:
            writing = self._database.write_later(self._write_piece)
        except RuntimeError:
            # The store is closed; its answers are refusals, and nobody will read a log.
            return
        writing.add_done_callback(self._written_piece)

    def _written_piece(self, written: Future[bool]) -> None:
        if written.cancelled() or written.exception() is not None:
            # Else they would pile up for as long as the store takes nothing.
            with self._lock:
                self._pieces.clear()
            # Not the error itself: it can quote what was to be written.
            _log.warning("part of the request and access logs could not be written")
        elif written.result():
            self._go_on()

    def _write_piece(self, connection: Connection) -> bool:
        """A unit of work that writes the next piece, and says whether there are more."""
        with self._lock:
            piece = self._pieces.popleft() if self._pieces else None
        if piece is not None and piece(connection):
            with self._lock:
                self._pieces.append(piece)
        return bool(self._pieces)

    def _write_all(self, connection: Connection) -> None:
        """A unit of work that writes what there is by the time it runs."""
        with self._lock:
            self._cut_up_batch()
            pieces = [*self._pieces]
            self._pieces.clear()
        for piece in pieces:
            while piece(connection):
                pass

    def _cut_up_batch(self) -> None:
        batch, self._batch = self._batch, _Batch()
        if batch.key_uses:
            self._pieces.append(partial(self._write_key_uses, batch.key_uses))
        for app_id, calls in batch.calls.items():
            self._pieces.extend(partial(self._write_calls, app_id, some) for some in _some_of(calls))
        self._pieces.extend(partial(self._write_deeds, dict(some)) for some in _some_of(batch.deeds.items()))
        # What is too old goes last: whoever looks in between sees more, not less.
        self._pieces.extend(partial(self._forget_calls, app_id) for app_id in batch.calls)
        account_ids = dict.fromkeys(deed.account_id for deed in batch.deeds)
        self._pieces.extend(partial(self._forget_deeds, account_id) for account_id in account_ids)

    def _write_key_uses(self, uses: Mapping[str, int], connection: Connection) -> bool:
        self._api_keys.used(connection, uses)
        return False

    def _write_calls(self, app_id: str, calls: Sequence[Call], connection: Connection) -> bool:
        self._request_log.add(connection, app_id, calls)
        return False

    def _write_deeds(self, deeds: Mapping[Deed, Tally], connection: Connection) -> bool:
        self._access_log.add(connection, deeds)
        return False

    def _forget_calls(self, app_id: str, connection: Connection) -> bool:
        forgotten = self._request_log.forget_old(connection, app_id, most=_LINES_AT_ONCE)
        return forgotten == _LINES_AT_ONCE

    def _forget_deeds(self, account_id: str, connection: Connection) -> bool:
        forgotten = self._access_log.forget_old(connection, account_id, most=_LINES_AT_ONCE)
        return forgotten == _LINES_AT_ONCE
