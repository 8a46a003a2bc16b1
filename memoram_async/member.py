"""One member of a client family, a client or a clone with other options, in its parts."""

from __future__ import annotations

from typing import Self

import attrs

from memoram_async.access.connecting import Connecting
from memoram_async.access.opened import AccessOpener
from memoram_async.core.config import Options
from memoram_async.family import Family
from memoram_async.resources.access_requests import AsyncAccessRequests
from memoram_async.tokens.user_tokens import UserTokens
from memoram_async.transport.requester import Requester
from memoram_async.transport.transport import Transport


@attrs.frozen(kw_only=True, eq=False)
class Member:
    """One member of a client family.

    Attributes:
        transport: Carries its calls, as its options say.
        api: Sends to the API.
        requests: Access requests.
        connecting: Finds or makes access requests, and fetches credentials.
        opener: Opens users' access.
        tokens: The token endpoint.
        dashboard_url: Where users decide, if that is known.
    """

    transport: Transport
    api: Requester
    requests: AsyncAccessRequests
    connecting: Connecting
    opener: AccessOpener
    tokens: UserTokens
    dashboard_url: str | None

    @classmethod
    def of(cls, family: Family, options: Options) -> Self:
        """A member of a family."""
        transport = Transport(family.runtime, options, family.hooks)
        api, dashboard = family.requester(transport), family.config.dashboard_url
        requests = AsyncAccessRequests(api, family.hub)
        return cls(
            transport=transport,
            api=api,
            requests=requests,
            connecting=Connecting(access=family.access, api=api, requests=requests, dashboard_url=dashboard),
            opener=AccessOpener(runtime=family.runtime, requests=requests, key_store=family.key_store),
            tokens=UserTokens(family.oauth_requester(transport), family.config, family.refreshes),
            dashboard_url=dashboard,
        )
