"""Who is calling the API (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError
from memoram_local.behaviour import behaviour
from memoram_local.http.calls import note_app
from memoram_local.services.developer_tokens import TokenError

if TYPE_CHECKING:
    from starlette.requests import Request

    from memoram_local.services.developer_tokens import DeveloperTokens


@behaviour("errors.token", "documented", "A token that is missing, wrong or expired is met with 401.")
def calling_app(request: Request, tokens: DeveloperTokens) -> str:
    """The id of the application that a request's token proves.

    Raises:
        ApiError: The token is missing, wrong or expired.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise ApiError(
            401,
            "A bearer token is needed: exchange the API key for one.",
            headers={"www-authenticate": "Bearer"},
        )
    try:
        app_id = tokens.app_id(token.strip())
    except TokenError as error:
        raise ApiError(
            401,
            str(error),
            code="invalid_token",
            headers={"www-authenticate": 'Bearer error="invalid_token"'},
        ) from error
    note_app(request, app_id)
    return app_id
