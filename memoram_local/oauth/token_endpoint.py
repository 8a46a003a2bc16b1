"""`/oauth/token` and the server's metadata (RFC 6749 section 3.2, RFC 8414)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from starlette.responses import JSONResponse

from memoram_local.behaviour import behaviour
from memoram_local.http.calls import note_app
from memoram_local.http.forms import Fields, read_form
from memoram_local.http.origins import origin_of
from memoram_local.http.routing import resource
from memoram_local.oauth.unimplemented import unimplemented_routes

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.oauth_grants import IssuedTokens

_NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}
_FORM = "application/x-www-form-urlencoded"


class OAuthError(Exception):
    """A refusal by the token endpoint (RFC 6749 section 5.2)."""

    def __init__(self, code: str, description: str, *, status: int = 400) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status


class TokenEndpoint:
    """Answers for OAuth clients."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """The routes that programs call."""
        return [
            resource("/oauth/token", post=self.token),
            resource("/.well-known/oauth-authorization-server", get=self.metadata),
            *unimplemented_routes(),
        ]

    @behaviour("exchange-code.answer", "documented", "The user's memory key comes with the tokens.")
    async def token(self, request: Request) -> Response:
        """Contract operation exchangeCode."""
        try:
            issued = await self._issued(request)
        except OAuthError as error:
            return refusal(error.code, error.description, status=error.status)
        answer: dict[str, object] = {
            "access_token": issued.access_token,
            "token_type": "bearer",
            "expires_in": issued.expires_in,
            "refresh_token": issued.refresh_token,
            "memory_key": issued.memory_key,
        }
        if issued.scope is not None:
            answer["scope"] = issued.scope
        return JSONResponse(answer, headers=_NO_STORE)

    @behaviour("metadata", "inferred", "The authorization server describes itself (RFC 8414).")
    async def metadata(self, request: Request) -> Response:
        """What this authorization server can do (RFC 8414 section 2)."""
        issuer = origin_of(request, self._services)
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/oauth/authorize",
                "token_endpoint": f"{issuer}/oauth/token",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    async def _issued(self, request: Request) -> IssuedTokens:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise OAuthError("invalid_request", f"The body must be {_FORM}.", status=415)
        fields = await read_form(request)
        if fields.repeated:
            raise OAuthError("invalid_request", f"{min(fields.repeated)} is there more than once.")
        client_id, client_secret = _client_credentials(request, fields)
        grant_type = _checked_grant_type(fields)
        services = self._services

        def issue(connection: Connection) -> IssuedTokens | str | None:
            app = services.apps.by_client_credentials(
                connection, client_id=client_id, client_secret=client_secret
            )
            if app is None:
                return None
            note_app(request, app.id)
            if grant_type == "refresh_token":
                return services.grants.refresh(
                    connection, app_id=app.id, refresh_token=fields.text("refresh_token")
                )
            return services.grants.exchange_code(
                connection,
                app_id=app.id,
                code=fields.text("code"),
                redirect_uri=fields.text("redirect_uri"),
                code_verifier=fields.get("code_verifier"),
            )

        outcome = await services.database.write(issue)
        if outcome is None:
            raise OAuthError("invalid_client", "The client is not known or its secret is wrong.")
        if isinstance(outcome, str):
            raise OAuthError("invalid_grant", outcome)
        return outcome


def refusal(code: str, description: str, *, status: int = 400) -> Response:
    """A refusal as JSON."""
    if code == "invalid_client":
        headers = {**_NO_STORE, "www-authenticate": 'Basic realm="memoram"'}
        return JSONResponse({"error": code, "error_description": description}, 401, headers=headers)
    return JSONResponse({"error": code, "error_description": description}, status, headers=_NO_STORE)


def _checked_grant_type(fields: Fields) -> str:
    grant_type = _needed(fields, "grant_type")
    if grant_type == "authorization_code":
        _needed(fields, "code")
        _needed(fields, "redirect_uri")
    elif grant_type == "refresh_token":
        _needed(fields, "refresh_token")
    else:
        raise OAuthError("unsupported_grant_type", "grant_type must be authorization_code or refresh_token.")
    return grant_type


def _needed(fields: Fields, name: str) -> str:
    value = fields.get(name)
    if value is None:
        raise OAuthError("invalid_request", f"{name} is missing.")
    return value


@behaviour("exchange-code.client", "inferred", "Clients prove themselves by form fields or by Basic.")
def _client_credentials(request: Request, fields: Fields) -> tuple[str, str]:
    header = request.headers.get("authorization")
    in_form = fields.get("client_id"), fields.get("client_secret")
    if header is None:
        if in_form[0] is None or in_form[1] is None:
            raise OAuthError("invalid_client", "client_id and client_secret are needed.")
        return in_form[0], in_form[1]
    if in_form[1] is not None:
        raise OAuthError("invalid_request", "The client proved itself in two ways.")
    scheme, _, encoded = header.partition(" ")
    try:
        decoded = b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        decoded = ""
    name, colon, secret = decoded.partition(":")
    if not colon:
        raise OAuthError("invalid_client", "The Authorization header must be of the scheme Basic.")
    # Both halves were form-encoded before they were joined (RFC 6749 section 2.3.1).
    client_id, client_secret = unquote_plus(name), unquote_plus(secret)
    if in_form[0] not in {None, client_id}:
        raise OAuthError("invalid_request", "client_id differs from the Authorization header.")
    return client_id, client_secret
