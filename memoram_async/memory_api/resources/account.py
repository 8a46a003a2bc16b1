"""`client.account`: the organization that the key belongs to."""

from __future__ import annotations

from memoram_async._lazy import resource
from memoram_async.core.secret import Unshareable
from memoram_async.memory_api.credentials import KeyCredentials
from memoram_async.memory_api.envelope import unwrap
from memoram_async.memory_api.models import Organization
from memoram_async.memory_api.resources.api_keys import AsyncAPIKeys
from memoram_async.transport.requester import Requester


class AsyncAccount(Unshareable):
    """The organization and its keys."""

    def __init__(self, requester: Requester, credentials: KeyCredentials) -> None:
        self._requester = requester
        self._credentials = credentials

    @resource
    def api_keys(self) -> AsyncAPIKeys:
        """The organization's keys."""
        return AsyncAPIKeys(self._requester, self._credentials)

    async def get(self) -> Organization:
        """The organization (contract `getAccount`); any key that works may read it.

        Raises:
            AuthenticationError: The key does not work; the subclass tells why.
            OrganizationDisabledError: The organization is disabled.
        """
        response = await self._requester.send("getAccount", "GET", "/account")
        return unwrap(response, Organization, operation="getAccount")
