"""Asking users for access: once for each, however many processes want to, by a lease in the user's grant."""

from __future__ import annotations

import uuid
from typing import Final, cast

import attrs

from memoram_async.access.connecting import Wish
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    AccessRejected,
    AccessRevoked,
    APITimeoutError,
    ApprovalRequired,
    PermissionDeniedError,
)
from memoram_async.core.grants import ASKING_SECONDS, Grant
from memoram_async.core.secret import Secret
from memoram_async.core.shared_token import look_delay
from memoram_async.grants.rows import GrantRows, Row
from memoram_async.member import Member
from memoram_async.models.access import AccessCredentials

_STORE_SECONDS: Final = 5.0


@attrs.frozen(kw_only=True, eq=False)
class Link:
    """An account that a user has just linked.

    Attributes:
        memory_key: Whose memories.
        access_token: From OAuth, if it was linked so.
        refresh_token: The same.
        is_certain: Whether the key is surely the user's: it is kept even if asking fails.
    """

    memory_key: Secret
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    is_certain: bool


@attrs.frozen(eq=False)
class Asked:
    """A user who was asked.

    Attributes:
        grant: What is known now.
        credentials: What the user's memories take, where asking has brought it.
    """

    grant: Grant
    credentials: AccessCredentials | None = attrs.field(default=None, repr=False)


class Asking:
    """Asks the users of one application."""

    def __init__(self, member: Member, rows: GrantRows, *, reason: Secret) -> None:
        self._member = member
        self._rows = rows
        self._reason = reason
        self._runtime = member.api.runtime

    async def settled(self, user: str) -> Asked:
        """What is known of a user; one who has linked an account and was not asked is asked now.

        Raises:
            MemoramError: Asking failed.
        """
        row = await self._read(user)
        if row.grant.memory_key is None or row.grant.is_settled:
            return Asked(row.grant)
        return await self._under_lease(user, None)

    async def link(self, user: str, link: Link) -> Asked:
        """Link an account and ask for access to it.

        Raises:
            NotFoundError: No user has this memory key.
            MemoramError: Asking failed.
        """
        return await self._under_lease(user, link)

    async def _read(self, user: str) -> Row:
        return await self._runtime.run_blocking(lambda: self._rows.read(user))

    async def _under_lease(self, user: str, link: Link | None) -> Asked:
        """Ask, or wait for another process that is asking.

        Raises:
            APITimeoutError: The other process was at it until the total timeout expired.
        """
        runtime = self._runtime
        owner = uuid.uuid4().hex
        deadline = self._member.api.transport.deadline()
        looks = 0
        while True:
            row = await self._read(user)
            grant = row.grant
            if grant.is_being_asked(wall=runtime.wall()):
                now = runtime.now()
                if deadline.expired(now):
                    raise APITimeoutError(
                        "another process is still asking this user for access, and the total timeout expired",
                        sent=False,
                    )
                looks += 1
                await runtime.sleep(deadline.cap(look_delay(looks, jitter=runtime.random()), now=now))
                continue
            if self._is_done(grant, link, waited=looks > 0):
                return Asked(grant)
            held: list[Row] = []
            # A lease that was taken must be known, or nobody could give it back.
            await runtime.shielded(self._lease(user, row, link, owner, held), seconds=_STORE_SECONDS)
            if held:
                return await self._ask(user, held[0], link)

    def _is_done(self, grant: Grant, link: Link | None, *, waited: bool) -> bool:
        """Whether another process has done it meanwhile."""
        if link is None:
            return grant.memory_key is None or grant.is_settled
        return waited and not link.is_certain and grant.is_settled and grant.is_of(link.memory_key)

    async def _lease(self, user: str, row: Row, link: Link | None, owner: str, held: list[Row]) -> None:
        """Put the row with a lease in it into `held`, unless somebody was quicker."""
        grant = _linked(row.grant, link) if link is not None and link.is_certain else row.grant
        leased = grant.leased(owner, wall=self._runtime.wall())
        swapped = await self._runtime.run_blocking(lambda: self._rows.swap(user, row, leased))
        if swapped is not None:
            held.append(swapped)

    async def _ask(self, user: str, held: Row, link: Link | None) -> Asked:
        """Ask, write down what came of it, and give the lease back whatever came of it."""
        runtime = self._runtime
        before = held.grant.released()
        wanted = before if link is None else _linked(before, link)
        outcome = [Asked(before)]
        try:
            deadline = Deadline.after(ASKING_SECONDS, now=runtime.now())
            outcome.append(await runtime.within(deadline, self._find_or_ask(wanted), doing="connections"))
        finally:
            await runtime.shielded(self._release(user, held, outcome), seconds=_STORE_SECONDS)
        return outcome[-1]

    async def _release(self, user: str, held: Row, outcome: list[Asked]) -> None:
        grant = outcome[-1].grant
        if await self._runtime.run_blocking(lambda: self._rows.swap(user, held, grant)) is None:
            # Forgotten meanwhile, or taken over: what lies there now is what counts.
            outcome.append(Asked((await self._read(user)).grant))

    async def _find_or_ask(self, grant: Grant) -> Asked:
        try:
            credentials = await self._connect(grant, request_id=None)
        except ApprovalRequired as required:
            return Asked(grant.asked(cast("str", required.request_id), approved=False))
        except AccessRejected as rejected:
            if rejected.request_id is None:
                return Asked(grant.not_asked(rejected.until))
            return Asked(grant.asked(rejected.request_id, approved=False))
        return Asked(grant.asked(cast("str", credentials.request_id), approved=True), credentials)

    async def _connect(self, grant: Grant, *, request_id: str | None) -> AccessCredentials:
        """The credentials of a linked user who has approved."""
        return await self._member.connecting.connect(
            Wish(
                memory_key=cast("Secret", grant.memory_key),
                reason=self._reason,
                timeout=ASKING_SECONDS,
                wait=False,
                request_id=request_id,
                on_status=None,
            )
        )

    # --- the credentials of a user who was asked -------------------------------------------------

    async def credentials(self, user: str, grant: Grant) -> AccessCredentials:
        """The credentials of a user who was asked: one request, if the user was seen to approve.

        Raises:
            ApprovalRequired: The user has not decided yet.
            AccessRejected: The user said no.
            AccessRevoked: The user took the approval back.
            MemoramError: They could not be fetched.
        """
        request_id = cast("str", grant.request_id)
        if grant.approved:
            try:
                return await self._member.requests.credentials(request_id)
            except PermissionDeniedError:
                pass  # why, the access request tells
        try:
            credentials = await self._connect(grant, request_id=request_id)
        except (AccessRejected, AccessRevoked):
            await self._note(user, grant, approved=False)
            raise
        await self._note(user, grant, approved=True)
        return credentials

    async def _note(self, user: str, grant: Grant, *, approved: bool) -> None:
        """Remember whether the user was seen to approve; if the grant has changed meanwhile, nothing."""
        row = await self._read(user)
        if row.grant.request_id == grant.request_id and row.grant.approved is not approved:
            noted = attrs.evolve(row.grant, approved=approved)
            await self._runtime.run_blocking(lambda: self._rows.swap(user, row, noted))


def _linked(grant: Grant, link: Link) -> Grant:
    return grant.linked(link.memory_key, access_token=link.access_token, refresh_token=link.refresh_token)
