"""Checks a request for a user's consent (RFC 6749 section 4.1.1) before anyone is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from memoram_local.behaviour import behaviour
from memoram_local.redirect_uris import leads_to

if TYPE_CHECKING:
    from memoram_local.http.forms import Fields
    from memoram_local.store.apps import App

FIELDS = (
    "response_type",
    "client_id",
    "redirect_uri",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
)

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


class UntrustedRequestError(Exception):
    """Nobody may be redirected: the application or its address is not known (RFC 6749 section 4.1.2.1)."""


class AuthorizationError(Exception):
    """The application is told by redirect.

    Attributes:
        code: The `error` parameter.
        description: The `error_description` parameter.
    """

    def __init__(self, code: str, description: str) -> None:
        super().__init__(description)
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the answer goes.

    Attributes:
        redirect_uri: A registered one.
        state: Returned as it came.
        issuer: Says who answers (RFC 9207).
    """

    redirect_uri: str
    state: str | None
    issuer: str

    def with_code(self, code: str) -> str:
        """The address that brings the application its code."""
        return self._with({"code": code})

    def with_error(self, code: str, description: str) -> str:
        """The address that tells the application why there is no code."""
        return self._with({"error": code, "error_description": description})

    @behaviour("authorize.iss", "inferred", "The redirect names the issuer (RFC 9207).")
    def _with(self, parameters: dict[str, str]) -> str:
        if self.state is not None:
            parameters["state"] = self.state
        parameters["iss"] = self.issuer
        separator = "&" if "?" in self.redirect_uri else "?"
        return f"{self.redirect_uri}{separator}{urlencode(parameters)}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a valid request asks for.

    Attributes:
        scope: As the application wrote it.
        code_challenge: Of S256 (RFC 7636), when the application uses it.
    """

    scope: str | None
    code_challenge: str | None


@behaviour(
    "authorize.redirect-uri",
    "inferred",
    "redirect_uri is needed and must be registered exactly, but for the port of http on this machine (RFC "
    "8252 7.3).",
)
def destination(fields: Fields, app: App | None, *, issuer: str) -> Destination:
    """Where to send the answer.

    Raises:
        UntrustedRequestError: The application is not known, or the address is not one of its own.
    """
    if app is None or "client_id" in fields.repeated:
        raise UntrustedRequestError("No application has this client_id.")
    redirect_uri = fields.get("redirect_uri")
    if redirect_uri is None or "redirect_uri" in fields.repeated:
        raise UntrustedRequestError("The request needs one redirect_uri.")
    if not any(leads_to(registered, redirect_uri) for registered in app.redirect_uris):
        raise UntrustedRequestError("This redirect_uri is not registered for the application.")
    state = None if "state" in fields.repeated else fields.get("state")
    return Destination(redirect_uri, state, issuer)


@behaviour("authorize.scope", "invented", "Any scope is taken and returned; it changes nothing.")
@behaviour("authorize.pkce", "inferred", "PKCE is optional; if used it must be S256 (RFC 7636).")
def wish(fields: Fields) -> Wish:
    """What the request asks for.

    Raises:
        AuthorizationError: It is not valid.
    """
    # Unknown parameters too: none may be there more than once (RFC 6749 section 3.1).
    repeated = sorted(fields.repeated)
    if repeated:
        raise AuthorizationError("invalid_request", f"{repeated[0]} is there more than once.")
    response_type = fields.get("response_type")
    if response_type is None:
        raise AuthorizationError("invalid_request", "response_type is missing.")
    if response_type != "code":
        raise AuthorizationError("unsupported_response_type", "response_type must be code.")
    challenge, method = fields.get("code_challenge"), fields.get("code_challenge_method")
    if challenge is None and method is not None:
        raise AuthorizationError("invalid_request", "code_challenge is missing.")
    if challenge is not None and method != "S256":
        # Left out, the method would be plain (RFC 7636 section 4.3), which protects nothing.
        raise AuthorizationError("invalid_request", "code_challenge_method must be S256.")
    if challenge is not None and _CHALLENGE.fullmatch(challenge) is None:
        raise AuthorizationError("invalid_request", "code_challenge is not one of S256.")
    return Wish(fields.get("scope"), challenge)
