"""Where an application's users stand."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import attrs

from memoram_async.models.plain_data import PlainData


class ConnectionState(StrEnum):
    """Where one of an application's users stands."""

    NOT_LINKED = "not_linked"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    REVOKED = "revoked"


@attrs.frozen(kw_only=True)
class ConnectionStatus(PlainData):
    """Where one of an application's users stands, and what the user can do about it.

    Attributes:
        state: Not linked; pending, while the user has not decided; approved; rejected; or revoked. A state
            that the service has and this version does not know is plain text.
        url: Where the user goes next: to link an account, or to decide. None if there is nothing to do, or
            the application did not say where.
        request_id: The access request; None if the user was not asked.
        until: When the service lets the application ask again after a rejection; None if it did not say.
        return_to: What `begin` was given; from `complete` alone.
    """

    state: ConnectionState | str
    url: str | None = None
    request_id: str | None = None
    until: datetime | None = None
    return_to: str | None = None


@attrs.frozen(kw_only=True)
class Disconnected(PlainData):
    """What `disconnect` forgot, and what stays at the service.

    Attributes:
        was_linked: Whether there was anything to forget.
        request_id: The access request, which stays: only the user can take an approval back.
        url: Where the user can do so, if the application said where.
        message: The same in a sentence, for the application's page.
    """

    was_linked: bool
    request_id: str | None = None
    url: str | None = None
    message: str
