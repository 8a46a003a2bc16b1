"""Secrets on their way from the form that made them to the page that shows them, for a few minutes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from memoram_local.web.handover import Handover

PORTAL: Final = "/portal"


@dataclass(frozen=True, slots=True)
class IssuedSecrets:
    """What an application was given, of which the store keeps digests alone.

    Attributes:
        occasion: When it was given.
        api_key: The API key, if that is new.
        client_secret: The client secret, if that is new.
    """

    occasion: Literal["registered", "key", "client secret"]
    api_key: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)


def secrets_path(handover: Handover, issued: IssuedSecrets, *, app_id: str, account_id: str) -> str:
    """The path of the page that shows them, to this account alone."""
    return f"{PORTAL}/apps/{app_id}/secrets/{handover.put(issued, account_id=account_id)}"
