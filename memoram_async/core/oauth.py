"""The authorization code flow with PKCE (RFC 6749 4.1, RFC 7636, RFC 9207), as far as it needs no network."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

import attrs

from memoram_async.core.answers import oauth_refusal
from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.errors import InvalidArgumentError, MemoramError
from memoram_async.core.secret import Secret, hidden
from memoram_async.core.urls import origin, with_query

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RANDOM_BYTES: Final = 32

_URL_START: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")


@attrs.frozen(kw_only=True, eq=False)
class Authorization:
    """One user's way through the authorization server and back.

    Keep it in the user's server-side session while the user is away. Its secrets refuse pickling: store
    `url`, `redirect_uri`, `state.reveal()` and `code_verifier.reveal()`, and rebuild it from the four.

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
            InvalidArgumentError: The state or the issuer (RFC 9207) is not this flow's, or no code is
                there: the answer belongs to another session or was forged.
            OAuthError: The authorization server or the user refused.
        """
        outcome = self._outcome(_parameters(callback_url))
        del callback_url
        if isinstance(outcome, MemoramError):
            raise outcome
        return outcome

    def _outcome(self, parameters: Mapping[str, str]) -> Secret | MemoramError:
        """The code, or the error to raise where neither the code nor the state is in sight."""
        state, code = parameters.get("state", ""), parameters.get("code", "")
        issuer, refusal = parameters.get("iss"), parameters.get("error")
        # An empty state, such as a session that was lost would yield, ties nothing to anything.
        if not state or not hmac.compare_digest(_bytes(state), _bytes(self.state.reveal())):
            return InvalidArgumentError(
                "the callback's state is not the one of this authorization: begin again without its code"
            )
        if issuer is not None and origin(issuer) != origin(self.url):
            return InvalidArgumentError(
                "the callback comes from another authorization server than the one the user was sent to: "
                "begin again without its code"
            )
        if refusal is not None:
            return oauth_refusal(refusal)
        if not is_visible_ascii(code):
            return InvalidArgumentError(
                "the callback carries neither a usable code nor an error: begin again"
            )
        return Secret(code)


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _parameters(callback_url: object) -> dict[str, str]:
    """The query parameters of a URL or query string; none if it is no such thing."""
    if not isinstance(callback_url, str):
        return {}
    before, mark, after = callback_url.partition("?")
    # A query may itself hold question marks; only a URL has one before the first parameter.
    is_url = mark and ("=" not in before or _URL_START.match(before))
    query = (after if is_url else callback_url).partition("#")[0]
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

    Raises:
        InvalidArgumentError: An argument holds a lone surrogate.
    """
    own_state = hidden(state) or Secret(random(RANDOM_BYTES))
    del state
    verifier = Secret(random(RANDOM_BYTES))
    url = with_query(
        f"{auth_url}/oauth/authorize",
        {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "state": own_state.reveal(),
            "scope": scope,
            "code_challenge": code_challenge(verifier.reveal()),
            "code_challenge_method": "S256",
        },
    )
    return Authorization(url=url, state=own_state, code_verifier=verifier, redirect_uri=redirect_uri)


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
