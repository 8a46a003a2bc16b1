"""The authorization code flow with PKCE (RFC 6749 4.1, RFC 7636, RFC 9207), as far as it needs no network."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from memoram_async.core.answers import oauth_refusal
from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.secret import Secret, reveal
from memoram_async.core.urls import with_query

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM_BYTES: Final = 32


@attrs.frozen(kw_only=True, eq=False)
class Authorization:
    """One user's way through the authorization server and back.

    Keep it in the user's server-side session while the user is away; its secrets refuse pickling, so
    store `state.reveal()` and `code_verifier.reveal()`, and rebuild it from them.

    Attributes:
        url: Where to send the user's browser.
        state: The value that ties the user's return to this session.
        code_verifier: The PKCE verifier, for `oauth.exchange_code`.
        redirect_uri: Where the user comes back to.
    """

    url: str = attrs.field(repr=False)
    state: Secret
    code_verifier: Secret
    redirect_uri: str

    def code_from(self, callback_url: str) -> Secret:
        """The authorization code in the URL that the user came back to.

        Args:
            callback_url: The full URL, or its query string.

        Raises:
            InvalidArgumentError: The state is not this flow's, or no code is there: the answer belongs to
                another session or was forged.
            OAuthError: The authorization server or the user refused.
        """
        parameters = _parameters(callback_url)
        del callback_url
        state = parameters.get("state", "")
        code = parameters.pop("code", "")
        refusal = parameters.get("error")
        del parameters
        genuine = hmac.compare_digest(state.encode(errors="replace"), self.state.reveal().encode())
        del state
        wrapped = Secret(code)
        is_code = is_visible_ascii(code)
        del code
        if not genuine:
            raise InvalidArgumentError(
                "the callback's state is not the one of this authorization: begin again without its code"
            )
        if refusal is not None:
            raise oauth_refusal(refusal)
        if not is_code:
            raise InvalidArgumentError("the callback carries neither a usable code nor an error: begin again")
        return wrapped


def _parameters(url: str) -> dict[str, str]:
    query = urlsplit(url).query if "?" in url else url
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        pairs = []
    parameters = dict(pairs)
    # RFC 6749 3.1: no parameter more than once; a doubled one is a sign of tampering.
    return parameters if len(parameters) == len(pairs) else {}


def code_challenge(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize(
    auth_url: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str | None,
    state: str | Secret | None,
    random: Callable[[int], str],
) -> Authorization:
    """The beginning of a flow.

    Args:
        auth_url: The authorization server's address.
        client_id: The application's id.
        redirect_uri: Where the user comes back to, exactly as registered.
        scope: Scopes joined by spaces, if any.
        state: A state of the caller's own; by default a random one.
        random: URL-safe text of that many random bytes.
    """
    own_state = random(RANDOM_BYTES) if state is None else reveal(state)
    verifier = random(RANDOM_BYTES)
    url = with_query(
        f"{auth_url}/oauth/authorize",
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "state": own_state,
            "scope": scope,
            "code_challenge": code_challenge(verifier),
            "code_challenge_method": "S256",
        },
    )
    return Authorization(
        url=url, state=Secret(own_state), code_verifier=Secret(verifier), redirect_uri=redirect_uri
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
