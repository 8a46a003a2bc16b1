"""OAuth flows under way, as they lie in a grant store between a user's departure and return.

No I/O and no clock, like `core.grants`. Each flow is a row of its own, under a hash of its state, and a row
of each user names the newest few, so that nobody can fill the store by beginning flows.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, Final, Self, cast

import attrs

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.oauth import FLOW_SECONDS, Flow, read_flow
from memoram_async.core.secret import Confidential, Secret
from memoram_async.core.urls import origin

MOST_FLOWS: Final = 8
"""How many flows of one user may be open: as many tabs. Beginning another ends the oldest."""

_LONGEST_RETURN: Final = 2048


@attrs.frozen(kw_only=True, eq=False)
class PendingFlow(Confidential):
    """A flow that waits for its user.

    Attributes:
        user: Who began it, by the application's own id.
        return_to: Where the application wants to go on.
        flow: The flow itself.
    """

    user: str
    return_to: str | None
    flow: Flow

    def is_of(self, user: str) -> bool:
        """Whether this user began it."""
        return hmac.compare_digest(self.user.encode(), user.encode())

    def ends(self) -> float:
        """When it ends, in seconds since the epoch."""
        return self.flow.began + FLOW_SECONDS

    def written(self) -> bytes:
        """The flow as it is sealed, without the endpoint, which is the seal's context."""
        members = {"u": self.user, "b": self.return_to, "f": self.flow.written().decode()}
        return json.dumps(members).encode()


def read_pending(data: Secret, *, endpoint: str) -> PendingFlow:
    """The flow that `written` wrote; only holders of the secret can have written it."""
    members = cast("dict[str, Any]", json.loads(data.reveal()))
    flow = read_flow(Secret(members["f"]), endpoint=endpoint)
    return PendingFlow(user=members["u"], return_to=members["b"], flow=flow)


@attrs.frozen
class OpenFlows:
    """The newest flows of one user.

    Attributes:
        flows: Their rows' names and when they end, in seconds since the epoch; the oldest first.
    """

    flows: tuple[tuple[str, float], ...] = ()

    def with_flow(self, name: str, *, ends: float, wall: float) -> tuple[Self, list[str]]:
        """The flows with one more, and the names of those that have to make room for it."""
        current = [each for each in self.flows if each[1] > wall]
        room = MOST_FLOWS - 1
        dropped, kept = current[:-room], current[-room:]
        return type(self)((*kept, (name, ends))), [each[0] for each in dropped]

    def written(self) -> bytes:
        """The list as it is sealed."""
        return json.dumps(self.flows).encode()


def read_open_flows(data: Secret) -> OpenFlows:
    """The list that `written` wrote; only holders of the secret can have written it."""
    pairs = cast("list[tuple[str, float]]", json.loads(data.reveal()))
    return OpenFlows(tuple((name, ends) for name, ends in pairs))


def check_return_to(value: object, *, redirect_uri: str) -> str | None:
    """Where an application wants to go on: a path of its own, or an address of the same origin.

    Such a value often comes from a query, and must not send the user to anybody else's site.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if value is None or (isinstance(value, str) and _is_own(value, redirect_uri)):
        return value
    raise InvalidArgumentError(
        f"return_to must be a path such as /notes, or a URL of {origin(redirect_uri)}, of at most "
        f"{_LONGEST_RETURN} printable ASCII characters: anything else could send the user to another site"
    )


def _is_own(text: str, redirect_uri: str) -> bool:
    # Browsers take a backslash for a slash, and leave out tabs and newlines.
    if not (text.isascii() and text.isprintable()) or " " in text or "\\" in text:
        return False
    if len(text) > _LONGEST_RETURN:
        return False
    if text.startswith("/"):
        return not text.startswith("//")
    own = origin(redirect_uri)
    return own.startswith("http") and "@" not in text.partition("?")[0] and origin(text) == own
