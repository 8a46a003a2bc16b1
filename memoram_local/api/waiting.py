"""`Prefer: wait`: an answer that comes once there is news (RFC 7240)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import anyio

from memoram_local.api.answers import ApiError
from memoram_local.behaviour import behaviour
from memoram_local.controls.decisions import SETTLE
from memoram_local.process.event_loops import caller_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from memoram_local.services.services import Services

LONGEST_SECONDS = 60

_SECOND = 1_000_000
# While something decides in place of people nobody tells when that is due.
_SECONDS_BETWEEN_LOOKS = 0.1
_WAIT = re.compile(r'wait\s*=\s*("?)([0-9]{1,9})\1', re.IGNORECASE)


@behaviour(
    "waiting.bounds",
    "invented",
    "`Prefer: wait=N` waits up to N seconds and at most 60; `Preference-Applied: wait=N` says for how "
    "long at most. A wait that is no whole number is ignored (RFC 7240 section 2).",
)
def wished_seconds(request: Request) -> int | None:
    """How long the caller would wait; None when it would not."""
    for header in request.headers.getlist("prefer"):
        for preference in header.split(","):
            found = _WAIT.fullmatch(preference.partition(";")[0].strip())
            if found is not None:
                return min(int(found[2]), LONGEST_SECONDS)
    return None


def applied(seconds: int) -> dict[str, str]:
    """Says that the wish was granted."""
    return {"preference-applied": f"wait={seconds}"}


@behaviour(
    "waiting.clock",
    "invented",
    "The seconds are those of the platform's clock; where it is slower than real time, that ends the wait.",
)
@behaviour("waiting.shutdown", "invented", "A server that stops answers those who wait at once.")
async def wait_until(
    is_news: Callable[[], Awaitable[bool]],
    *,
    request: Request,
    services: Services,
    topic: str,
    seconds: int,
) -> None:
    """Wait for news, the end of the time, the caller's leaving, or the end of the server.

    No thread is held meanwhile, and nothing is read but after a change.

    Args:
        is_news: Reads whether there is any.
        request: The caller.
        services: The platform.
        topic: What the news is about.
        seconds: How long to wait at most.

    Raises:
        ApiError: Reading was refused.
    """
    # Read before listening for the caller's leaving: what is wrong with a body is refused as always.
    await request.body()
    clock = services.clock
    ends_at = clock.micros() + seconds * _SECOND
    really_ends_at = anyio.current_time() + seconds
    settle: Callable[[], Awaitable[None]] | None = request.scope.get(SETTLE)
    alarm = _Alarm()
    refusal: ApiError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_ring_when_left, request, alarm)
        try:
            with services.changes.watching(topic, alarm.ring) as watch, clock.watched(alarm.ring):
                while not (alarm.is_over or watch.released):
                    if settle is not None:
                        await settle()
                    if await is_news():
                        break
                    left = clock.real_seconds((ends_at - clock.micros()) / _SECOND)
                    left = min(left, really_ends_at - anyio.current_time())
                    if left <= 0:
                        break
                    with anyio.move_on_after(left if settle is None else min(left, _SECONDS_BETWEEN_LOOKS)):
                        await alarm.rung()
        except ApiError as error:
            # Raised below: a task group would wrap it.
            refusal = error
        tasks.cancel_scope.cancel()
    if refusal is not None:
        raise refusal


class _Alarm:
    """An event that any thread may set, again and again."""

    def __init__(self) -> None:
        self._call_in_loop = caller_of()
        self._event = anyio.Event()
        self.is_over = False

    def ring(self) -> None:
        self._call_in_loop(self._set)

    def _set(self) -> None:
        self._event.set()

    async def rung(self) -> None:
        await self._event.wait()
        self._event = anyio.Event()


async def _ring_when_left(request: Request, alarm: _Alarm) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    alarm.is_over = True
    alarm.ring()
