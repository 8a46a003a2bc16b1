"""The application's own token."""

from __future__ import annotations

import attrs

from memoram_async.core.secret import Secret, conceal
from memoram_async.models.guard import Unpicklable


@attrs.frozen(kw_only=True, eq=False)
class DeveloperToken(Unpicklable):
    """The short-lived JWT that an API key is exchanged for (contract `DeveloperToken`).

    Attributes:
        token: The bearer token, opaque to the SDK.
        expires_at: When it ends, as the service wrote it; None if it did not say.
        token_type: Always a bearer token in practice.
    """

    token: Secret = attrs.field(converter=conceal)
    expires_at: str | None = None
    token_type: str | None = None
