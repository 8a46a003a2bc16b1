"""`client.account.api_keys`: the organization's keys."""

from __future__ import annotations

from collections.abc import Iterable

from memoram_async.core.arguments import check_count, given
from memoram_async.core.errors import PaginationError
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Unshareable
from memoram_async.core.unset import UNSET
from memoram_async.core.urls import check_id
from memoram_async.memory_api.arguments import (
    EnvironmentName,
    ScopeName,
    check_environment,
    check_scopes,
    check_words,
)
from memoram_async.memory_api.credentials import KeyCredentials
from memoram_async.memory_api.envelope import unwrap, unwrap_page
from memoram_async.memory_api.models import APIKey, Environment, NewAPIKey, Scope
from memoram_async.memory_api.rotation import Rotation
from memoram_async.models.page import Page
from memoram_async.transport.pager import AsyncPager
from memoram_async.transport.requester import Requester


class AsyncAPIKeys(Unshareable):
    """Keys, each with scopes of its own: give every part of an application one that can do what it must.

    All of this needs a key with the scope `admin`.
    """

    def __init__(self, requester: Requester, credentials: KeyCredentials) -> None:
        self._requester = requester
        self._credentials = credentials

    def list(self) -> AsyncPager[APIKey]:
        """All keys, without the keys themselves (contract `listApiKeys`)."""
        return AsyncPager(self._page, self._requester.runtime)

    async def _page(self, cursor: str | None) -> Page[APIKey]:
        if cursor is not None:
            raise PaginationError("listApiKeys: this list comes whole, so it has no page but the first")
        response = await self._requester.send("listApiKeys", "GET", "/account/api-keys")
        return unwrap_page(response, tuple[APIKey, ...], operation="listApiKeys", number=None)

    async def create(
        self,
        *,
        scopes: Iterable[Scope | ScopeName],
        name: str | None = None,
        environment: Environment | EnvironmentName | None = None,
        expires_in_days: int | None = None,
    ) -> NewAPIKey:
        """Make one more key (contract `createApiKey`).

        Args:
            scopes: What it is good for: `read`, `write`, `delete`, `admin`. There is no default: say what is
                needed, and no more.
            name: What people call it; by default the service's choice.
            environment: `live` or `test`; by default `live`.
            expires_in_days: Days that it works; None for ever.

        Returns:
            The key with its secret, which cannot be got again.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            InsufficientScopeError: This client's key has not the scope `admin`.
            OutcomeUnknownError: The answer was lost: if `list` shows a new key, revoke it, as nobody knows
                its secret.
        """
        body = given(
            scopes=check_scopes(scopes),
            name=UNSET if name is None else check_words(name, name="name"),
            environment=UNSET if environment is None else check_environment(environment),
            expires_in_days=UNSET
            if expires_in_days is None
            else check_count(expires_in_days, name="expires_in_days"),
        )
        return await self._create(body)

    async def _create(self, body: dict[str, object]) -> NewAPIKey:
        response = await self._requester.send(
            "createApiKey", "POST", "/account/api-keys", json=body, safety=Safety.ONCE
        )
        return unwrap(response, NewAPIKey, operation="createApiKey")

    async def _create_like(self, key: APIKey, expires_in_days: int | None) -> NewAPIKey:
        return await self._create(
            given(
                scopes=[str(scope) for scope in key.scopes],
                name=UNSET if key.name is None else key.name,
                environment=UNSET if key.environment is None else str(key.environment),
                expires_in_days=UNSET if expires_in_days is None else expires_in_days,
            )
        )

    async def revoke(self, key_id: str) -> None:
        """Let a key be good for nothing, for good (contract `revokeApiKey`).

        Raises:
            InvalidArgumentError: `key_id` is not an identifier.
            InsufficientScopeError: This client's key has not the scope `admin`.
            APIKeyNotFoundError: The organization has no such key.
            OutcomeUnknownError: The answer was lost; `list` shows whether the key is alive.
        """
        await self._requester.send(
            "revokeApiKey",
            "DELETE",
            "/account/api-keys/{keyId}",
            ids={"keyId": check_id(key_id, name="key_id")},
            safety=Safety.ONCE,
        )

    async def rotate(self, key_id: str, *, expires_in_days: int | None = None) -> NewAPIKey:
        """Put a successor in a key's place: make it, prove that it works, revoke the old key.

        The successor has the name, environment and scopes of the old key. If this client uses the old key, it
        and its clones use the successor from then on, without a call that fails. Where others use the old key
        as well, `create` a successor, give it to them, and then `revoke` the old one.

        Args:
            key_id: The key.
            expires_in_days: Days that the successor works; None for ever. The service does not tell when the
                old key expires, so nothing is taken over.

        Returns:
            The successor with its secret, which cannot be got again.

        Raises:
            InvalidArgumentError: An argument cannot be sent; nothing was sent.
            RotationError: It stopped at what its cause tells. No key was lost: `alive` names those that are,
                or may be, alive, and `new_key` is the successor, if there is one.
            InsufficientScopeError: This client's key has not the scope `admin`; nothing was changed.
        """
        check_id(key_id, name="key_id")
        check_count(expires_in_days, name="expires_in_days")
        keys = [key async for key in self.list()]
        rotation = Rotation(
            self._requester, self._credentials, keys, create_like=self._create_like, revoke=self.revoke
        )
        return await rotation.carry_out(key_id, expires_in_days=expires_in_days)
