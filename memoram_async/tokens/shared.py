"""One token for many processes: the shell between a token's leader and a `TokenStore`."""

from __future__ import annotations

import hashlib
import inspect
import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import attrs

from memoram_async.core.deadline import Deadline
from memoram_async.core.secret import Secret
from memoram_async.core.shared_token import (
    STORE_LEASE_SECONDS,
    STORE_PAUSE_SECONDS,
    STORE_SECONDS,
    SharedToken,
    look_delay,
    patience,
)
from memoram_async.runtime.protocol import Runtime
from memoram_async.tokens.store import TokenStore

if TYPE_CHECKING:
    from memoram_async.crypto.token_seal import TokenSeal  # whoever shares no token needs no cryptography

T = TypeVar("T")

_LOG: Final = logging.getLogger("memoram")
_REMEMBERED: Final = 8


class Turn(Enum):
    """What a leader that found no token in the store should do."""

    EXCHANGE = "exchange"
    """Exchange the API key."""
    LATER = "later"
    """Go on with the old token: another process is exchanging."""


@attrs.define(eq=False)
class Claim:
    """One leader's dealings with the store.

    Attributes:
        owner: Who it is there.
        leased: Whether it may hold the lease.
    """

    owner: str = attrs.field(factory=lambda: uuid.uuid4().hex)
    leased: bool = False


class _StoreDown(Exception):  # noqa: N818 - never leaves this module
    pass


@attrs.define(eq=False)
class _Answer(Generic[T]):
    """What a store answered to one operation.

    Attributes:
        values: The answer, if it is of use.
        trouble: What was wrong; empty if nothing was.
    """

    values: list[T] = attrs.field(factory=list[T], repr=False)
    trouble: str = ""

    def take(self, operation: Callable[[], T], kinds: tuple[type, ...]) -> None:
        """Ask the store, in whatever thread this runs."""
        try:
            value = operation()
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:  # noqa: BLE001 - an event loop would take its CancelledError for its own
            self.trouble = type(error).__name__
            return
        if inspect.iscoroutine(value):
            value.close()  # nobody will await it, and Python need not warn of that
        elif not kinds or isinstance(value, kinds):
            self.values.append(value)
            return
        self.trouble = f"it answered {type(value).__name__}"


class SharedTokens:
    """The store as the leader of one process sees it: nothing that goes wrong in it fails a call."""

    def __init__(self, runtime: Runtime, store: TokenStore, seal: TokenSeal) -> None:
        self._runtime = runtime
        self._store = store
        self._seal = seal
        self._ask_not_before = 0.0
        self._down = False
        self._refused: tuple[bytes, ...] = ()
        self._latest = b""

    async def turn(
        self, claim: Claim, deadline: Deadline, *, serves: Callable[[], bool]
    ) -> SharedToken | Turn:
        """A token from the store, or what to do instead; it may wait for another process.

        Whatever comes of it, the leader ends with `release`, best in a `finally`.

        Args:
            claim: The leader's, a fresh one.
            deadline: The leader's own, half of which is left for an exchange.
            serves: Whether there is an old token that still serves.
        """
        if self._paused():
            return Turn.EXCHANGE
        try:
            turn = await self._turn(claim, deadline, serves)
        except _StoreDown:
            return Turn.EXCHANGE
        if not isinstance(turn, Turn):
            self._latest = _digest(turn.token)
        return turn

    async def _turn(self, claim: Claim, deadline: Deadline, serves: Callable[[], bool]) -> SharedToken | Turn:
        runtime = self._runtime
        began = runtime.now()
        ends = began + patience(deadline.remaining(began), jitter=runtime.random())
        looks = 0
        while True:
            found = await self._look()
            if found is not None and found.is_fresh(runtime.wall()):
                return found
            if claim.leased:
                return Turn.EXCHANGE
            if await self._lease(claim):
                continue  # and look once more: another process may have put a token just before
            if serves():
                return Turn.LATER
            if found is not None:
                return found
            if runtime.now() >= ends:
                return Turn.EXCHANGE
            looks += 1
            await runtime.sleep(look_delay(looks, jitter=runtime.random()))

    async def _look(self) -> SharedToken | None:
        """The token in the store, unless it has ended, was refused, or is the one that wants refreshing."""
        store, name = self._store, self._seal.name
        value = await self._ask(lambda: store.get(name), bytes, type(None))
        found = None if value is None else self._seal.open(value)
        if value is None or found is None or found.remaining(self._runtime.wall()) <= 0:
            return None
        digest = _digest(found.token)
        if digest in self._refused:
            await self._ask(lambda: store.discard(name, value))
            return None
        return None if digest == self._latest else found

    async def _lease(self, claim: Claim) -> bool:
        store, name, owner = self._store, self._seal.name, claim.owner
        claim.leased = True  # first, so that a cancellation in between gives back what may have been got
        claim.leased = await self._ask(lambda: store.lease(name, owner, STORE_LEASE_SECONDS), bool)
        return claim.leased

    def issued(self, token: Secret, *, at: float, lifetime: float) -> SharedToken:
        """A token that was asked for at that time of day, as it is shared."""
        return SharedToken(token=token, issued=at, lifetime=lifetime)

    async def put(self, issued: SharedToken) -> None:
        """Share a token that was just issued."""
        self._latest = _digest(issued.token)
        if self._paused():
            return
        store, name, value = self._store, self._seal.name, self._seal.seal(issued)
        ttl = issued.remaining(self._runtime.wall())
        with suppress(_StoreDown):  # it was logged, and the token serves this process
            await self._ask(lambda: store.put(name, value, ttl))

    async def release(self, claim: Claim) -> None:
        """Give the lease back, even if the leader was cancelled; what fails ends with the lease's time."""
        if claim.leased:
            claim.leased = False
            await self._runtime.shielded(self._release(claim.owner), seconds=STORE_SECONDS)

    async def _release(self, owner: str) -> None:
        store, name = self._store, self._seal.name
        with suppress(_StoreDown):  # it was logged, and the lease runs out
            await self._ask(lambda: store.release(name, owner))

    def refuse(self, token: Secret) -> None:
        """Never take this token from the store again: the service refused it."""
        self._refused = (*self._refused[1 - _REMEMBERED :], _digest(token))

    def _paused(self) -> bool:
        return self._runtime.now() < self._ask_not_before

    async def _ask(self, operation: Callable[[], T], *kinds: type) -> T:
        """One operation of the store.

        Args:
            operation: What to ask.
            *kinds: What the answer may be; anything by default.

        Raises:
            _StoreDown: It failed, took too long, or answered something else.
        """
        runtime = self._runtime
        began = runtime.now()
        answer: _Answer[T] = _Answer()
        try:
            await runtime.within(
                Deadline.after(STORE_SECONDS, now=began),
                runtime.run_blocking(lambda: answer.take(operation, kinds)),
                doing="token store",
            )
        except Exception as error:  # noqa: BLE001 - whatever a user's store raises
            answer.trouble = type(error).__name__
        else:
            # A thread cannot be stopped, so in the blocking world slowness shows only afterwards.
            if not answer.trouble and runtime.now() - began > STORE_SECONDS:
                answer.trouble = "slow"
        self._note(answer.trouble)
        if not answer.values:
            raise _StoreDown
        return answer.values[0]

    def _note(self, trouble: str) -> None:
        if trouble:
            self._ask_not_before = self._runtime.now() + STORE_PAUSE_SECONDS
            if not self._down:
                _LOG.warning(
                    "the token store is down (%s): until it answers, this process exchanges the API key "
                    "by itself",
                    trouble,
                )
        elif self._down:
            _LOG.info("the token store answers again")
        self._down = bool(trouble)


def _digest(token: Secret) -> bytes:
    return hashlib.sha256(token.reveal().encode()).digest()
