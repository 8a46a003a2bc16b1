"""Rotating a key: a successor is made and proven to work before the old key is revoked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import attrs

from memoram_async.core.errors import (
    AuthenticationError,
    MemoramError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
)
from memoram_async.memory_api.credentials import KeyCredentials
from memoram_async.memory_api.errors import RotationError
from memoram_async.memory_api.models import APIKey, NewAPIKey
from memoram_async.transport.requester import Requester

_CLEANING_SECONDS: Final = 5.0


class Rotation:
    """One rotation under way.

    Args:
        requester: Of the client, whose key may be the one that is rotated.
        credentials: Of the client.
        keys: All keys of the organization.
        create_like: Makes a key with the name, environment and scopes of another, and that many days to
            live.
        revoke: Lets a key be good for nothing.
    """

    def __init__(
        self,
        requester: Requester,
        credentials: KeyCredentials,
        keys: Sequence[APIKey],
        *,
        create_like: Callable[[APIKey, int | None], Awaitable[NewAPIKey]],
        revoke: Callable[[str], Awaitable[None]],
    ) -> None:
        self._requester = requester
        self._credentials = credentials
        self._keys = keys
        self._create_like = create_like
        self._revoke_key = revoke

    async def carry_out(self, key_id: str, *, expires_in_days: int | None) -> NewAPIKey:
        """Make the successor, prove it, let the client use it where it used the old key, revoke the old key.

        Raises:
            RotationError: It stopped; `alive` names the keys that are, or may be, alive.
        """
        old = self._old(key_id)
        new = await self._successor(old, expires_in_days)
        try:
            await self._prove(old, new)
        except MemoramError:
            raise
        except GeneratorExit:
            raise  # nothing can be awaited any more
        except BaseException:
            # Nobody is left to take the new secret, so that the key must not stay.
            await self._requester.runtime.shielded(self._discard(new), seconds=_CLEANING_SECONDS)
            raise
        is_own = self._is_own(old)
        if is_own:
            # First, so that no call of this client is refused in between.
            self._credentials.replace(new.key)
        await self._revoke(old, new)
        if is_own is None and not await self._works_still(new):
            self._credentials.replace(new.key)
        return new

    def _old(self, key_id: str) -> APIKey:
        alive = tuple(key.id for key in self._keys if key.is_active is not False)
        old = next((key for key in self._keys if key.id == key_id), None)
        if old is None or old.id not in alive:
            raise RotationError(
                "rotate: the organization has no active key of this id; nothing was changed", alive=alive
            )
        if not old.scopes or old.environment is None:
            raise RotationError(
                "rotate: the service does not say what the key is good for, so no successor can be made like "
                "it; nothing was changed",
                alive=(old.id,),
            )
        return old

    async def _successor(self, old: APIKey, expires_in_days: int | None) -> NewAPIKey:
        try:
            return await self._create_like(old, expires_in_days)
        except OutcomeUnknownError as error:
            raise RotationError(
                "rotate: the answer with the successor was lost: the old key is alive, and if list() shows a "
                "new one, revoke that, as nobody knows its secret",
                alive=(old.id,),
            ) from error
        except MemoramError as error:
            raise RotationError(
                "rotate: the successor could not be made; the old key is alive", alive=(old.id,)
            ) from error

    async def _prove(self, old: APIKey, new: NewAPIKey) -> None:
        try:
            works = await self._works(KeyCredentials(new.key, header=self._credentials.header))
        except MemoramError as error:
            raise RotationError(
                "rotate: the successor could not be tried out, so the old one was kept: both are alive; "
                "new_key holds the secret of the new one",
                alive=(old.id, new.id),
                new_key=new,
            ) from error
        if not works:
            raise RotationError(
                "rotate: the service refuses the successor that it made, so the old key was not revoked",
                alive=(old.id,),
                new_key=new,
            )

    async def _works(self, credentials: KeyCredentials) -> bool:
        """Whether the service takes a key; one that may not read the account is taken all the same."""
        trying = attrs.evolve(self._requester, credentials=credentials)
        try:
            await trying.send("getAccount", "GET", "/account")
        except PermissionDeniedError:
            return True
        except AuthenticationError:
            return False
        return True

    async def _works_still(self, new: NewAPIKey) -> bool:
        """Whether the client's own key works now that the old one is revoked: it may have been the same."""
        try:
            return await self._works(self._credentials)
        except MemoramError as error:
            raise RotationError(
                "rotate: the old key is revoked and its successor works, but whether this client used the "
                "old one could not be found out: make a client with new_key, which holds the new secret",
                alive=(new.id,),
                new_key=new,
            ) from error

    def _is_own(self, old: APIKey) -> bool | None:
        """Whether the client itself uses the key; None where the prefixes of several keys leave that open."""
        alike = [key.id for key in self._keys if self._credentials.begins_with(key.key_prefix)]
        if old.id not in alike:
            return False
        return True if alike == [old.id] else None

    async def _revoke(self, old: APIKey, new: NewAPIKey) -> None:
        try:
            await self._revoke_key(old.id)
        except NotFoundError:
            pass  # somebody else has revoked it meanwhile
        except MemoramError as error:
            raise RotationError(
                "rotate: the successor works, but the old key could not be revoked: both are, or may be, "
                "alive; new_key holds the secret of the new one, and revoke() takes the old one back",
                alive=(old.id, new.id),
                new_key=new,
            ) from error

    async def _discard(self, new: NewAPIKey) -> None:
        with suppress(MemoramError):
            await self._revoke_key(new.id)
