"""Fetching the developer JWT: the shell around `core.token.TokenState`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    ConfigurationError,
    MemoramError,
    OAuthError,
)
from memoram_async.core.http import HTTPResponse
from memoram_async.core.token import Failed, Lead, Ticket, TokenState, Use, lifetime_of
from memoram_async.models.converter import structure
from memoram_async.models.developer_token import DeveloperToken
from memoram_async.runtime.protocol import Runtime

if TYPE_CHECKING:  # imported for those who share tokens
    from memoram_async.core.shared_token import SharedToken
    from memoram_async.tokens.shared import SharedTokens

EXCHANGE_SECONDS: Final = 30.0
GLANCE_SECONDS: Final = 1.0
"""After which a waiting call looks by itself: whoever should wake it may have been interrupted twice."""


class TokenProvider:
    """The token of a client family: one exchange, however many callers."""

    def __init__(
        self,
        runtime: Runtime,
        exchange: Callable[[Deadline], Awaitable[HTTPResponse]],
        shared: SharedTokens | None = None,
    ) -> None:
        self._runtime = runtime
        self._exchange = exchange
        self._shared = shared
        self.state = TokenState()

    def peek(self) -> Use | None:
        """The token, if it serves and need not be refreshed yet."""
        runtime = self._runtime
        return self.state.peek(now=runtime.now(), wall=runtime.wall())

    def latest(self) -> Use | None:
        """The token for a request that waited since it was given one; None if that was refused meanwhile."""
        return self.state.latest()

    async def get(self, deadline: Deadline) -> Use:
        """A token that serves now.

        Raises:
            MemoramError: The exchange failed, here or for the call that led.
            APITimeoutError: Another call's exchange did not end before the deadline.
        """
        runtime = self._runtime
        use = self.peek()
        if use is not None:
            return use
        self.state.settle(runtime.home())
        ticket = Ticket()
        try:
            while True:
                ticket.waiter = runtime.waiter()
                now = runtime.now()
                decision = self.state.decide(ticket, now=now, wall=runtime.wall())
                match decision:
                    case Use():
                        return decision
                    case Lead():
                        # Only a leader asks a store, which may hang; waiters keep to their deadlines anyway.
                        return await runtime.within(
                            deadline, self._lead(ticket, deadline), doing="token exchange"
                        )
                    case Failed(error):
                        raise error.again() from error
                    case _:
                        if deadline.expired(now):
                            raise APITimeoutError(
                                "no token came in time: another call is still exchanging the API key",
                                sent=False,
                            )
                        patience = deadline.cap(min(decision.seconds, GLANCE_SECONDS), now=now)
                        await runtime.wait(ticket.waiter, patience)
        finally:
            try:
                self._leave(ticket)
            finally:
                self._leave(ticket)  # a key press may have interrupted the first one

    def _leave(self, ticket: Ticket) -> None:
        self._wake(self.state.leave(ticket))

    async def _lead(self, ticket: Ticket, deadline: Deadline) -> Use:
        """Take a token from the store that other processes share, or fetch one."""
        shared = self._shared
        if shared is None:
            return (await self._fetch(ticket, deadline))[0]
        from memoram_async.core.shared_token import SharedToken
        from memoram_async.tokens.shared import Claim, Turn

        claim = Claim()
        try:
            match await shared.turn(claim, deadline, serves=self._serves):
                case SharedToken() as found:
                    return self._adopt(ticket, found)
                case Turn.LATER if (old := self._postpone(ticket)) is not None:
                    return old
                case _:
                    use, issued = await self._fetch(ticket, deadline)
                    if issued is not None:
                        await shared.put(issued)
                    return use
        except GeneratorExit:
            claim.leased = False  # nothing can be awaited any more: the lease runs out
            raise
        finally:
            await shared.release(claim)

    def _serves(self) -> bool:
        return self.state.serves(now=self._runtime.now(), wall=self._runtime.wall())

    def _adopt(self, ticket: Ticket, found: SharedToken) -> Use:
        """Keep a token that another process fetched, as if this one had asked for it then."""
        now, wall = self._runtime.now(), self._runtime.wall()
        age = found.age(wall)
        use, waiters = self.state.succeed(
            ticket,
            found.token,
            lifetime=found.lifetime,
            asked_at=now - age,
            asked_wall=wall - age,
            jitter=self._runtime.random(),
        )
        self._wake(waiters)
        return use

    def _postpone(self, ticket: Ticket) -> Use | None:
        from memoram_async.core.shared_token import POSTPONE_SECONDS

        now, wall = self._runtime.now(), self._runtime.wall()
        use, waiters = self.state.postpone(ticket, now=now, wall=wall, seconds=POSTPONE_SECONDS)
        self._wake(waiters)
        return use

    async def _fetch(self, ticket: Ticket, deadline: Deadline) -> tuple[Use, SharedToken | None]:
        """Exchange, and tell those who wait what comes of it; answers what is to be shared too, if anything.

        A leader whose own time is up says nothing: it hands over to one that has more. While the old
        token serves, it keeps half of its time for the call itself.
        """
        runtime = self._runtime
        asked_at, asked_wall = runtime.now(), runtime.wall()
        own_time = deadline.remaining(asked_at)
        serves = self._serves()
        if serves:
            own_time /= 2
        try:
            response = await self._exchange(Deadline.after(min(own_time, EXCHANGE_SECONDS), now=asked_at))
            token = _read(response)
        except MemoramError as error:
            if isinstance(error, APITimeoutError) and own_time < EXCHANGE_SECONDS and not serves:
                raise
            # A copy whose traceback ends here: callers' frames, which may show anything, are not shared.
            shared = error.again().with_traceback(error.__traceback__)
            shared.__cause__ = error.__cause__
            use, waiters = self.state.fail(ticket, shared, now=runtime.now(), wall=runtime.wall())
            self._wake(waiters)
            if use is None:
                raise
            return use, None
        lifetime = lifetime_of(
            expires_at=token.expires_at, date=response.headers.get("date"), wall=asked_wall
        )
        use, waiters = self.state.succeed(
            ticket,
            token.token,
            lifetime=lifetime,
            asked_at=asked_at,
            asked_wall=asked_wall,
            jitter=runtime.random(),
        )
        self._wake(waiters)
        if self._shared is None:
            return use, None
        return use, self._shared.issued(token.token, at=asked_wall, lifetime=lifetime)

    def invalidate(self, use: Use) -> bool:
        """Drop a token that was refused, unless a newer one has taken its place; another can be had."""
        if self._shared is not None:
            self._shared.refuse(use.token)
        self.state.invalidate(use.generation)
        return True

    def _wake(self, waiters: list[object]) -> None:
        for waiter in waiters:
            self._runtime.wake(waiter)


def _read(response: HTTPResponse) -> DeveloperToken:
    token = structure(response, response.json(), DeveloperToken, operation="createToken")
    # The HTTP library quotes a header value that it refuses, so it must not get to see a bad one.
    if is_visible_ascii(token.token.reveal()):
        return token
    raise APIResponseError(
        "createToken: the service issued a token that cannot be sent in a header: check base_url",
        status=response.status,
        request_id=response.request_id,
    )


def refused_key(error: BadRequestError) -> AuthenticationError:
    """The token exchange may answer 400 for a wrong key: it means the same as 401."""
    return AuthenticationError(
        "createToken: the service refused the API key; check that it is complete, active and of this service "
        f"(HTTP {error.status})",
        status=error.status,
        code=error.code,
        request_id=error.request_id,
        server_message=error.server_message,
    )


def wrong_address(error: APIStatusError, *, operation: str, setting: str) -> ConfigurationError | None:
    """What it means that a token endpoint is not there; None for the refusals of one that is.

    Nothing may be there (404), or pages that take no such method (405) or body (415).
    """
    if isinstance(error, OAuthError) or error.status not in {404, 405, 415}:
        return None
    hint = ", which ends in a version path such as /api/v1" if setting == "base_url" else ""
    wrong = ConfigurationError(
        f"{operation}: there is no token endpoint at this address (HTTP {error.status}): check "
        f"{setting}{hint}"
    )
    wrong.info = error.info
    return wrong
