"""What came of the calls that waiting is made of, and whom it concerns."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from memoram_async.core.approval_board import ApprovalBoard
from memoram_async.core.approval_calls import Entry, Look, ReadPage, Waiter, rank
from memoram_async.core.approval_list import FEWEST_FOR_LIST, OWNERS_INTERVAL, Sweep
from memoram_async.core.approval_pace import (
    LONGEST_BACK_OFF,
    LOOKS_A_SECOND,
    MANY_FAILURES,
    SHORTEST_INTERVAL,
    back_off,
    interval,
)
from memoram_async.core.approval_page import ListPage
from memoram_async.core.approval_verdicts import Meaning, meaning_of
from memoram_async.core.errors import MemoramError, NotFoundError, RateLimitedError

YOUNG: Final = 10.0
"""A request that was made so few seconds ago may not be known everywhere yet."""


def look_failed(
    board: ApprovalBoard, look: Look, error: MemoramError, *, now: float, jitter: float
) -> list[Waiter]:
    """Take in a look that brought nothing; answers whom to wake."""
    entry = look.entry
    entry.under_way = False
    entry.looks += 1
    entry.looked_at = now
    entry.last_error = error.again()  # without its traceback, which would keep frames alive
    if look.wait is not None and board.waits is None:
        board.waits = False  # whoever cannot answer a long poll is not asked for one again
    meaning = meaning_of(error)
    if meaning is Meaning.FINAL or (meaning is Meaning.REFUSED and _is_refused_again(entry, error, now=now)):
        entry.failure = entry.last_error
        return [ticket.waiter for ticket in entry.tickets]
    if meaning is Meaning.REFUSED:
        board.push(entry, now + SHORTEST_INTERVAL)
        return []
    entry.refused_at = None
    if isinstance(error, RateLimitedError):
        board.push(entry, max(board.pace.not_before, now))
        return []
    entry.failures += 1
    board.push(entry, now + back_off(entry.failures, jitter=jitter))
    return [ticket.waiter for ticket in entry.tickets] if entry.failures == MANY_FAILURES else []


def _is_refused_again(entry: Entry, error: MemoramError, *, now: float) -> bool:
    """Whether this refusal is the second in a row, and not of a request that was only just made."""
    if entry.refused_at is None:
        entry.refused_at = now
        return False
    old_enough = now - entry.began > YOUNG or not isinstance(error, NotFoundError)
    return old_enough and now - entry.refused_at >= SHORTEST_INTERVAL


def page_failed(
    board: ApprovalBoard, page: ReadPage, error: MemoramError, *, now: float, jitter: float
) -> list[Waiter]:
    """Take in a page that could not be read; answers whom to wake."""
    state = board.list
    state.readings += 1
    if state.sweep is not None and state.sweep is not page.sweep:
        return []  # a long poll that others did not wait for: another reading is under way
    if page.wait is not None and state.waits is None:
        state.waits = False
    too_many = state.failed()
    for entry in board.entries.values():
        entry.last_error = error.again()
    passes = meaning_of(error) is Meaning.PASSING
    if not isinstance(error, RateLimitedError) and (too_many or not passes):
        # What passes may be over once everybody was looked at, which is much more to ask of the service.
        one_round = max(LONGEST_BACK_OFF, len(board.entries) / LOOKS_A_SECOND) if passes else math.inf
        state.postpone(now=now, interval=board.shortest_wish(now, jitter=jitter), at_most=one_round)
        board.sweep_at = state.not_before
        board.choose(now)
    else:
        board.sweep_at = now + back_off(state.failures, jitter=jitter)
    return []


def take_items(
    board: ApprovalBoard,
    sweep: Sweep,
    items: Iterable[tuple[str, str, Any]],
    *,
    read: Callable[[Any], Any],
    digest: Callable[[str], bytes],
    now: float,
) -> list[Waiter]:
    """Take in the items of a page; answers whom to wake."""
    waiters: list[Waiter] = []
    entries = board.entries
    for request_id, status, item in items:
        entry = entries.get(request_id)
        if entry is not None:
            sweep.seen.add(request_id)
            if status != entry.status:
                sweep.changed += entry.status is not None
                sweep.news += entry.status is None or rank(status) > rank(entry.status)
                waiters += _heard(board, entry, status, item, read=read, now=now)
            entry.looked_at = now
            entry.last_error = None
        if status == "approved" and board.owners:
            released = _release(board, item, read=read, digest=digest)
            sweep.news += bool(released)
            waiters += released
    return waiters


def _heard(
    board: ApprovalBoard, entry: Entry, status: str, item: Any, *, read: Callable[[Any], Any], now: float
) -> list[Waiter]:
    """What the list says of a request; a verdict against the application is confirmed by a look."""
    if rank(status) < rank(entry.status):
        return []  # an old copy of the list
    found = read(item)
    if found is None or rank(status) > 1:
        if not entry.under_way:
            entry.suspect = True
            board.push(entry, now)
        return []
    return note_status(entry, status, found)


def _release(
    board: ApprovalBoard, item: Any, *, read: Callable[[Any], Any], digest: Callable[[str], bytes]
) -> list[Waiter]:
    """An approved request may be what others wait for, whichever process made it."""
    memory_key, connector = item.get("memoryKey"), item.get("aiConnectorId")
    if not isinstance(memory_key, str) or not board.is_ours(connector):
        return []
    waiting = board.owners.get(digest(memory_key))
    if not waiting:
        return []
    found = read(item)
    if found is None:
        return []
    for ticket in waiting:
        ticket.released = found
    return [ticket.waiter for ticket in waiting]


def list_read(board: ApprovalBoard, sweep: Sweep, answer: ListPage, *, now: float, jitter: float) -> None:
    """What a reading to its end, or as far as was needed, tells of the list."""
    state = board.list
    if answer.next_cursor is None:
        state.is_whole = answer.total is None or sweep.items >= answer.total
        state.pages = max(1, sweep.pages)
    elif answer.total is None:
        state.pages = max(state.pages, sweep.pages)
    state.octets = sweep.octets
    state.is_busy = sweep.pages > 1 and sweep.changed * 100 >= len(board.entries)
    board.pace.pages.full_rate = state.rate()
    board.pace.pages.rate = state.rate() if board.pace.is_calm else min(board.pace.pages.rate, state.rate())
    state.etag, state.digest = (answer.etag, answer.digest) if sweep.pages == 1 else (None, None)
    sought = found = 0
    for entry in board.entries.values():
        entry.listed = entry.id in sweep.seen
        if entry.admitted <= sweep.began:
            sought += 1
            found += entry.listed
        if board.by_list and entry.listed and not entry.suspect:
            entry.due = math.inf  # looks that were due before the list was read are of no more use
    if board.by_list and found * 2 < sought:
        state.postpone(now=now, interval=board.shortest_wish(now, jitter=jitter))


def sweep_done(board: ApprovalBoard, sweep: Sweep, *, now: float, jitter: float, prompt: bool) -> None:
    """Decide when the list is read again.

    Args:
        board: Who waits for what.
        sweep: The reading that has come to its end.
        now: The monotonic clock.
        jitter: A random number in [0, 1).
        prompt: Whether a long poll is to listen from now on, as soon as the buckets allow it.
    """
    state = board.list
    board.choose(now)
    wish = board.shortest_wish(now, jitter=jitter)
    if not board.by_list:
        board.sweep_at = max(sweep.began + OWNERS_INTERVAL, now)
        return
    missed = False
    for entry in board.entries.values():
        if entry.listed or entry.due < math.inf or entry.under_way:
            continue
        if entry.admitted > sweep.began:
            missed = True  # a newcomer, whose page may have been read before
            continue
        # Absence from a list is never final: such a request is looked at by itself.
        at = now if entry.looked_at is None else entry.looked_at + interval(now - entry.began, jitter=jitter)
        board.push(entry, max(now, at))
    gap = state.gap(at_least=0.0) if prompt else max(state.gap(), wish)
    board.sweep_at = max(now, sweep.began + gap + board.pace.slow_down)
    if missed:
        board.hurry_sweep(now)
    elif board.listens():
        board.sweep_at = math.inf  # a long poll that newcomers did not wait for is under way still
    if len(board.entries) < FEWEST_FOR_LIST and not state.waits:
        # A list may be an old copy for longer than anybody waits; for few, every other call makes sure.
        for entry in board.entries.values():
            if entry.listed and not entry.under_way and not entry.suspect:
                board.push(entry, board.sweep_at)
        board.sweep_at += gap


def note_status(entry: Entry, status: str, found: object) -> list[Waiter]:
    """Take in a status; answers whom to wake."""
    if rank(status) < rank(entry.status):
        return []
    changed, entry.found, entry.status = status != entry.status, found, status
    return [ticket.waiter for ticket in entry.tickets] if changed else []


def is_to_listen(board: ApprovalBoard, page: ReadPage, sweep: Sweep, *, seconds: float) -> bool:
    """Whether a long poll on the list comes next, at once.

    Not after one that came early and had nothing that anybody waits for: others' news may never end.
    """
    state = board.list
    if not state.waits or state.etag is None or not board.all_listed():
        return False
    return page.wait is None or sweep.news > 0 or was_waited(page.wait, seconds)


def was_waited(wait: int, seconds: float) -> bool:
    """Whether a long poll without news took its time; one that does not is worse than asking now and then."""
    return seconds >= wait / 2
