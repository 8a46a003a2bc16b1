"""One member of a client family, a client or a clone with other options, in its parts.

What not every program needs is loaded and made when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_async._lazy import resource
from memoram_async.core.config import Options
from memoram_async.family import Family
from memoram_async.transport.transport import Transport

if TYPE_CHECKING:
    from memoram_async.access.connecting import Connecting
    from memoram_async.access.opened import AccessOpener
    from memoram_async.resources.access_requests import AsyncAccessRequests
    from memoram_async.tokens.user_tokens import UserTokens


class Member:
    """One member of a client family.

    Attributes:
        transport: Carries its calls, as its options say.
        api: Sends to the API.
        dashboard_url: Where users decide, if that is known.
    """

    def __init__(self, family: Family, options: Options) -> None:
        self._family = family
        self.transport = Transport(family.runtime, options, family.hooks)
        self.api = family.requester(self.transport)
        self.dashboard_url = family.config.dashboard_url

    @resource
    def requests(self) -> AsyncAccessRequests:
        """Access requests."""
        from memoram_async.resources.access_requests import AsyncAccessRequests

        return AsyncAccessRequests(self.api, self._family.hub)

    @resource
    def connecting(self) -> Connecting:
        """Finds or makes access requests, and fetches credentials."""
        from memoram_async.access.connecting import Connecting

        return Connecting(
            access=self._family.access,
            api=self.api,
            requests=self.requests,
            dashboard_url=self.dashboard_url,
        )

    @resource
    def opener(self) -> AccessOpener:
        """Opens users' access."""
        from memoram_async.access.opened import AccessOpener

        family = self._family
        return AccessOpener(runtime=family.runtime, requests=self.requests, key_store=family.key_store)

    @resource
    def tokens(self) -> UserTokens:
        """The token endpoint."""
        from memoram_async.tokens.user_tokens import UserTokens

        family = self._family
        return UserTokens(family.oauth_requester(self.transport), family.config, family.refreshes)
