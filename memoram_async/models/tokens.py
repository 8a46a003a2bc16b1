"""The tokens of a user."""

from __future__ import annotations

import attrs
from attrs.converters import optional

from memoram_async.core.secret import Secret, conceal
from memoram_async.models.answered import Answered
from memoram_async.models.guard import Unpicklable


@attrs.frozen(kw_only=True, eq=False)
class OAuthTokens(Unpicklable, Answered):
    """What a user's consent brings (contract `OAuthTokens`).

    Attributes:
        access_token: The user's access token.
        token_type: Usually `bearer`.
        expires_in: Seconds that the access token lives.
        refresh_token: For `oauth.refresh`; save the new one before using it, the old one is spent.
        memory_key: What `connect` and `access_requests.create` are called with.
    """

    access_token: Secret = attrs.field(converter=conceal)
    token_type: str | None = None
    expires_in: int | None = None
    refresh_token: Secret | None = attrs.field(default=None, converter=optional(conceal))
    memory_key: Secret | None = attrs.field(default=None, converter=optional(conceal))
