"""Asks for the password again before something is revealed or destroyed.

A session can be stolen: browsers send its cookie to every program that listens on the same host name. So a
session alone is not enough here. A confirmation is remembered for the one tab that gave it, by a value that
the tab keeps in its storage and sends along: storage, unlike cookies, is kept apart by port. Signing in
confirms nothing, because what follows it may be a redirect to another program of this machine.
"""

from __future__ import annotations

import re
import threading
from functools import partial
from typing import TYPE_CHECKING, Final

from anyio import to_thread

from memoram_local.errors import TooManyAttemptsError
from memoram_local.hashing import digest
from memoram_local.services.registration import check_password

if TYPE_CHECKING:
    from memoram_local.http.forms import Fields
    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account

CONFIRMED_SECONDS: Final = 300

_TYPE_IT: Final = "Type your password to go on."
_MOST: Final = 1_000
_SECOND: Final = 1_000_000
_TAB: Final = re.compile(r"[0-9a-f]{64}")


class NotConfirmedError(Exception):
    """The password was not typed, or is another one; the text is for the user."""


class Confirmations:
    """Remembers for five minutes which tabs have confirmed, in memory alone."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lock = threading.Lock()
        self._until: dict[str, int] = {}

    async def check(self, fields: Fields, account: Account, *, session: str, address: str) -> None:
        """Let a form pass whose user has just typed the password, in it or in the same tab before.

        Args:
            fields: The form's. `password` is what was typed, `tab` names the tab; scripts fill it in.
            account: Whose password it must be.
            session: The secret of the session.
            address: The client's network address, from which passwords are guessed so often and no more.

        Raises:
            NotConfirmedError: They have not.
        """
        tab = fields.text("tab")
        place = digest(f"{session} {tab}") if _TAB.fullmatch(tab) else None
        password = fields.text("password")
        if not password:
            if place is None or not self._is_remembered(place):
                raise NotConfirmedError(_TYPE_IT)
            return
        await self.check_password(password, account, address=address)
        if place is not None:
            self._remember(place)

    async def check_password(self, password: str, account: Account, *, address: str) -> None:
        """Let a password pass that is the account's, whatever was confirmed before.

        Raises:
            NotConfirmedError: It is not.
        """
        if not password:
            raise NotConfirmedError(_TYPE_IT)
        work = partial(
            check_password, self._services, email=account.email, password=password, address=address
        )
        try:
            proven = await to_thread.run_sync(work)
        except TooManyAttemptsError as error:
            # Whoever guesses here gets no further than at the sign-in.
            raise NotConfirmedError(str(error)) from error
        if proven is None or proven.id != account.id:
            raise NotConfirmedError("That is not your password.")

    def _is_remembered(self, place: str) -> bool:
        with self._lock:
            return self._until.get(place, 0) > self._services.clock.micros()

    def _remember(self, place: str) -> None:
        with self._lock:
            self._until.pop(place, None)
            if len(self._until) >= _MOST:
                del self._until[next(iter(self._until))]
            self._until[place] = self._services.clock.micros() + CONFIRMED_SECONDS * _SECOND
