"""Hands what a form did on to the page that comes after the redirect: a word of success, or secrets."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from markupsafe import Markup

    from memoram_local.clock import Clock

HANDOVER_SECONDS: Final = 600

_MOST: Final = 1_000
_SECOND: Final = 1_000_000

_Content = TypeVar("_Content")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of success.

    Attributes:
        text: What was done.
        confirmed_seconds: For how long the tab need not ask for the password again, when it was just typed.
    """

    text: str | Markup
    confirmed_seconds: int = 0


class _Kept(NamedTuple):
    content: object
    account_id: str
    until: int


class Handover:
    """Keeps contents in memory for ten minutes, each under a name that nobody can guess.

    A page can be loaded again in that time. All its methods may be called from any thread.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def put(self, content: object, *, account_id: str = "") -> str:
        """Keep a content for an account, or for whoever has its name.

        Returns:
            Its name.
        """
        name = secrets.token_urlsafe(16)
        now = self._clock.micros()
        with self._lock:
            # In the order in which they end, unless the clock was moved.
            while self._kept and (len(self._kept) >= _MOST or self._first_until() <= now):
                del self._kept[next(iter(self._kept))]
            self._kept[name] = _Kept(content, account_id, now + HANDOVER_SECONDS * _SECOND)
        return name

    def get(self, name: str, kind: type[_Content], *, account_id: str = "") -> _Content | None:
        """A content of this kind; None when there is none for this account, or it is over."""
        with self._lock:
            kept = self._kept.get(name)
        if kept is None or kept.account_id != account_id or kept.until <= self._clock.micros():
            return None
        return kept.content if isinstance(kept.content, kind) else None

    def _first_until(self) -> int:
        return next(iter(self._kept.values())).until
