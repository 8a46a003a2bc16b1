"""Who is calling the API (RFC 6750)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError
from memoram_local.behaviour import behaviour
from memoram_local.http.calls import note_app
from memoram_local.services.developer_tokens import TokenError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from memoram_local.services.developer_tokens import Caller, DeveloperTokens
    from memoram_local.services.services import Services


@behaviour("errors.token", "documented", "A token that is missing, wrong or expired is met with 401.")
def calling_app(request: Request, tokens: DeveloperTokens) -> Caller:
    """The application that a request's token proves, and its key.

    The unit of work that answers then checks the key: by `require_working_key`, or with the grant.

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
        caller = tokens.caller(token.strip())
    except TokenError as error:
        raise _invalid_token(str(error)) from error
    note_app(request, caller.app_id)
    return caller


def require_working_key(services: Services, connection: Connection, caller: Caller) -> None:
    """Go on only if the API key that the token was made from is not revoked.

    Args:
        services: The platform.
        connection: In the unit of work that answers, so that nothing comes in between.
        caller: Whom the token proves.

    Raises:
        ApiError: The key was revoked, or deleted with its application.
    """
    if not services.api_keys.works(connection, app_id=caller.app_id, key_id=caller.key_id):
        raise _invalid_token("The API key that the token was made from is revoked.")


def _invalid_token(message: str) -> ApiError:
    return ApiError(
        401, message, code="invalid_token", headers={"www-authenticate": 'Bearer error="invalid_token"'}
    )
