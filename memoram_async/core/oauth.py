"""The authorization code flow with PKCE (RFC 6749 4.1, RFC 7636, RFC 9207), as far as it needs no network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

import attrs

from memoram_async.core.answers import oauth_refusal
from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.errors import InvalidArgumentError, MemoramError, OAuthFlowError
from memoram_async.core.oauth_callback import read_callback
from memoram_async.core.secret import Confidential, Secret, hidden
from memoram_async.core.urls import origin, with_query

RANDOM_BYTES: Final = 32
FLOW_SECONDS: Final = 3600.0
"""How long a user may take: enough to sign up; a tab that was forgotten for longer links no account."""
LONGEST_SEAL: Final = 1023
"""Less than a kilobyte: a cookie has to hold it beside others."""
FLOW_PURPOSE: Final = "oauth flow"

_RESERVED: Final = frozenset(
    {
        *("response_type", "client_id", "redirect_uri", "state", "scope"),
        *("code_challenge", "code_challenge_method", "client_secret", "request", "request_uri"),
        *("grant_type", "code", "code_verifier", "refresh_token"),
    }
)


@attrs.frozen(kw_only=True, eq=False)
class Flow(Confidential):
    """One user's way through the authorization server and back.

    Attributes:
        endpoint: The authorization server's address for users.
        client_id: The application's id.
        redirect_uri: Where the user comes back to.
        scope: Scopes joined by spaces, if any.
        params: Further parameters of the authorization request.
        state: The value that ties the user's return to this flow.
        code_verifier: The PKCE verifier.
        began: When, in seconds since the epoch.
    """

    endpoint: str
    client_id: str
    redirect_uri: str
    scope: str | None
    params: Mapping[str, str] = attrs.field(repr=False)
    state: Secret
    code_verifier: Secret
    began: float

    @property
    def url(self) -> str:
        """Where to send the user's browser."""
        return with_query(
            self.endpoint,
            {
                "response_type": "code",
                "client_id": self.client_id,
                "redirect_uri": self.redirect_uri,
                "state": self.state.reveal(),
                "scope": self.scope,
                "code_challenge": code_challenge(self.code_verifier.reveal()),
                "code_challenge_method": "S256",
                **self.params,
            },
        )

    def check(self) -> None:
        """Whether it can be written at all.

        Raises:
            InvalidArgumentError: The scope holds a lone surrogate.
        """
        _ = self.url

    def code_from(self, callback: object, *, wall: float) -> Secret:
        """The authorization code that the user came back with.

        Args:
            callback: What `read_callback` takes.
            wall: Seconds since the epoch.

        Raises:
            InvalidArgumentError: The callback is no such thing, or has an OAuth parameter twice.
            OAuthFlowError: It belongs to another flow, or comes too late.
            OAuthError: The authorization server or the user refused.
        """
        outcome = self._outcome(callback, wall)
        del callback
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    def _outcome(self, callback: object, wall: float) -> Secret | MemoramError:
        """The code, or the error to raise where neither the code nor the state is in sight."""
        parameters = read_callback(callback)
        if isinstance(parameters, str):
            return InvalidArgumentError(parameters)
        fault = self._fault(parameters)
        refusal = parameters.get("error")
        if fault is None and refusal is not None:
            return oauth_refusal(refusal)
        if fault is None and wall - self.began > FLOW_SECONDS:
            fault = f"the user came back after more than {FLOW_SECONDS / 60:.0f} minutes"
        code = parameters.get("code", "")
        if fault is None and not is_visible_ascii(code):
            fault = "the callback has neither a usable code nor an error"
        return Secret(code) if fault is None else OAuthFlowError(f"{fault}: begin a new flow")

    def _fault(self, parameters: Mapping[str, str]) -> str | None:
        """Why a callback does not belong to this flow; None if it does."""
        state, issuer = parameters.get("state"), parameters.get("iss")
        if not state:
            return "the callback has no state, so that nothing ties it to this flow"
        if not hmac.compare_digest(_bytes(state), _bytes(self.state.reveal())):
            return (
                "the callback's state is not the one of this flow, so it belongs to another session or was "
                "forged"
            )
        if issuer is not None and origin(issuer) != origin(self.endpoint):
            return (
                "the callback comes from another authorization server than the one the user was sent to (its "
                "iss differs, RFC 9207)"
            )
        return None

    def written(self) -> bytes:
        """All that another process needs to go on, except the endpoint, which is the seal's context."""
        members = {
            "c": self.client_id,
            "r": self.redirect_uri,
            "o": self.scope,
            "p": dict(self.params),
            "s": self.state.reveal(),
            "v": self.code_verifier.reveal(),
            "t": round(self.began),
        }
        return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def read_flow(data: Secret, *, endpoint: str) -> Flow:
    """The flow that `written` wrote; only holders of the secret can have written it."""
    members = cast("dict[str, Any]", json.loads(data.reveal()))
    return Flow(
        endpoint=endpoint,
        client_id=members["c"],
        redirect_uri=members["r"],
        scope=members["o"],
        params=members["p"],
        state=Secret(members["s"]),
        code_verifier=Secret(members["v"]),
        began=members["t"],
    )


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def begin_flow(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str | None,
    params: Mapping[str, str],
    wall: float,
    random: Callable[[int], str],
) -> Flow:
    """A flow that begins now.

    Args:
        endpoint: The authorization server's address for users.
        client_id: The application's id.
        redirect_uri: Where the user comes back to, exactly as registered.
        scope: Scopes joined by spaces, if any.
        params: Further parameters.
        wall: Seconds since the epoch.
        random: URL-safe text of that many random bytes.
    """
    return Flow(
        endpoint=endpoint,
        client_id=client_id,
        redirect_uri=redirect_uri,
        scope=scope,
        params=params,
        state=Secret(random(RANDOM_BYTES)),
        code_verifier=Secret(random(RANDOM_BYTES)),
        began=wall,
    )


def check_redirect_uri(value: object) -> str:
    """An absolute redirect URI without a fragment (RFC 6749 3.1.2).

    Raises:
        InvalidArgumentError: It is none.
    """
    if isinstance(value, str) and is_visible_ascii(value) and "#" not in value:
        try:
            parts = urlsplit(value)
        except ValueError:
            parts = None
        if parts is not None and parts.scheme and (parts.netloc or parts.path):
            return value
    raise InvalidArgumentError(
        "redirect_uri must be an absolute URI without a fragment, exactly as registered for the application"
    )


def check_oauth_params(value: object) -> dict[str, str]:
    """Further parameters of an OAuth request, plain or wrapped; none for None.

    Raises:
        InvalidArgumentError: They are no mapping of names to text, or one of them is the flow's own.
    """
    outcome = _params(hidden(value))
    del value
    if isinstance(outcome, MemoramError):
        raise outcome
    return outcome


def _params(wrapped: Secret | None) -> dict[str, str] | MemoramError:
    """The parameters, or the error to raise where their values are out of sight."""
    value: object = {} if wrapped is None else wrapped.reveal()
    if not isinstance(value, Mapping):
        return InvalidArgumentError("params must be a mapping of names to strings")
    params = dict(cast("Mapping[object, object]", value))
    for name, text in params.items():
        if not isinstance(name, str) or not isinstance(text, str):
            return InvalidArgumentError("params must be a mapping of names to strings")
        if name in _RESERVED:
            return InvalidArgumentError(f"params must not hold {name}: the flow sets it itself")
        if not (name + text).isprintable():
            return InvalidArgumentError("params must not hold control characters or lone surrogates")
    return cast("dict[str, str]", params)
