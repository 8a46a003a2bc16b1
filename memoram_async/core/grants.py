"""What an application knows of its users' access, as it lies in a grant store, and who may ask for more.

No I/O and no clock: callers say what time it is. What is written here is sealed before it is stored.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final, Self, cast

import attrs

from memoram_async.core.errors import AccessRejected, InvalidArgumentError
from memoram_async.core.secret import Confidential, Secret

GRANT_PURPOSE: Final = "grant"
"""What secrets are derived for; see `SecretSeal`."""

LEASE_SECONDS: Final = 40.0
"""How long a process may be alone in asking one user for access."""

ASKING_SECONDS: Final = 35.0
"""How long it may take for it, so that it has surely ended before another process begins."""

_LONGEST_USER: Final = 1024


@attrs.frozen(kw_only=True, eq=False)
class Lease:
    """The right to ask one user for access.

    Attributes:
        owner: Who holds it.
        ends: When it ends, in seconds since the epoch.
    """

    owner: str
    ends: float


@attrs.frozen(kw_only=True, eq=False)
class Grant(Confidential):
    """What is known of one user's access; it never holds the encryption key.

    Attributes:
        memory_key: Whose memories; None if the user has not linked an account.
        access_token: The user's OAuth access token, if the account was linked by OAuth.
        refresh_token: The refresh token that came with it.
        request_id: The access request; None if the user was not asked yet.
        approved: Whether the user was seen to have approved it.
        refused: Whether the service refused to ask, because the user said no before.
        until: When the service lets the application ask again; None if it did not say.
        lease: Who is asking right now.
    """

    memory_key: Secret | None = None
    access_token: Secret | None = None
    refresh_token: Secret | None = None
    request_id: str | None = None
    approved: bool = False
    refused: bool = False
    until: datetime | None = None
    lease: Lease | None = None

    def linked(
        self, memory_key: Secret, *, access_token: Secret | None = None, refresh_token: Secret | None = None
    ) -> Self:
        """The grant of a user who has just linked an account, and is to be asked again."""
        return attrs.evolve(
            self,
            memory_key=memory_key,
            access_token=access_token,
            refresh_token=refresh_token,
            request_id=None,
            approved=False,
            refused=False,
            until=None,
        )

    def asked(self, request_id: str, *, approved: bool) -> Self:
        """The grant of a user who was asked."""
        return attrs.evolve(self, request_id=request_id, approved=approved, refused=False, until=None)

    def not_asked(self, until: datetime | None) -> Self:
        """The grant of a user whom the service did not let the application ask."""
        return attrs.evolve(self, request_id=None, approved=False, refused=True, until=until)

    def leased(self, owner: str, *, wall: float) -> Self:
        """The grant while somebody asks."""
        return attrs.evolve(self, lease=Lease(owner=owner, ends=wall + LEASE_SECONDS))

    def released(self) -> Self:
        """The grant while nobody asks."""
        return attrs.evolve(self, lease=None)

    def is_being_asked(self, *, wall: float) -> bool:
        """Whether another process is asking; one that died is not waited for beyond its lease."""
        # A lease that ends much later than any can was written by a clock that is far ahead.
        return self.lease is not None and wall < self.lease.ends <= wall + 2 * LEASE_SECONDS

    @property
    def is_settled(self) -> bool:
        """Whether the user was asked, or cannot be."""
        return self.request_id is not None or self.refused

    def refusal(self) -> AccessRejected | None:
        """The error for a user who must not be asked again; None if there is no such obstacle."""
        if not self.refused:
            return None
        again = "when the user wishes so" if self.until is None else f"from {self.until.isoformat()} on"
        return AccessRejected(
            f"the user said no before: ask again {again}, by linking the account once more", until=self.until
        )

    def is_of(self, memory_key: Secret) -> bool:
        """Whether the user is linked with this memory key."""
        return self.memory_key is not None and self.memory_key.reveal() == memory_key.reveal()

    def written(self) -> bytes:
        """The grant as it is sealed."""
        lease = self.lease
        members: dict[str, object] = {
            "k": _text(self.memory_key),
            "a": _text(self.access_token),
            "r": _text(self.refresh_token),
            "q": self.request_id,
            "y": self.approved,
            "n": self.refused,
            "u": None if self.until is None else self.until.isoformat(),
            "l": None if lease is None else [lease.owner, lease.ends],
        }
        return json.dumps({name: value for name, value in members.items() if value}).encode()


def read_grant(data: Secret) -> Grant:
    """The grant that `written` wrote; only holders of the secret can have written it."""
    members = cast("dict[str, Any]", json.loads(data.reveal()))
    lease, until = members.get("l"), members.get("u")
    return Grant(
        memory_key=_secret(members.get("k")),
        access_token=_secret(members.get("a")),
        refresh_token=_secret(members.get("r")),
        request_id=members.get("q"),
        approved=members.get("y", False),
        refused=members.get("n", False),
        until=None if until is None else datetime.fromisoformat(until),
        lease=None if lease is None else Lease(owner=lease[0], ends=lease[1]),
    )


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)


def row_name(kind: str, key: str) -> str:
    """The name of a row in a grant store, which tells neither the user nor the state.

    Args:
        kind: What the row is, such as `grant`.
        key: A user id, or the state of a flow.
    """
    return f"{kind}-{hashlib.sha256(f'memoram {kind} v1 {key}'.encode()).hexdigest()}"


def check_user(value: object) -> str:
    """An application's own id of a user: any text, compared octet by octet.

    Raises:
        InvalidArgumentError: It is no text, empty, too long, or cannot be written as UTF-8.
    """
    if not isinstance(value, str):
        fault = f"must be a string, not {type(value).__name__}: write str(id)"
    elif not value:
        fault = "is empty: every user needs an id of their own"
    elif len(value) > _LONGEST_USER:
        fault = f"has {len(value)} characters, and may have at most {_LONGEST_USER}"
    elif not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
        fault = "holds a lone surrogate, which no storage keeps"
    else:
        return value
    raise InvalidArgumentError(f"user {fault}")
