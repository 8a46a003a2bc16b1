"""`/auth/token`: an API key for a short-lived bearer token."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError, json_answer
from memoram_local.api.members import read_body
from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.hashing import digest
from memoram_local.http.calls import note_app
from memoram_local.http.routing import API_PATH, resource
from memoram_local.services.developer_tokens import DEFAULT_SECONDS, Caller

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services


class TokensApi:
    """Answers for developer tokens."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        return [resource(API_PATH + "/auth/token", post=self.create)]

    @behaviour("create-token.wrong-key", "documented", "A key that nobody has is answered with 401.")
    async def create(self, request: Request) -> Response:
        """Contract operation createToken."""
        body = await read_body(request)
        api_key = body.text("api_key")
        expires_in = body.optional_count("expires_in") or DEFAULT_SECONDS
        services = self._services
        proven = await services.database.look_up(partial(services.api_keys.proven_by, api_key=api_key))
        if proven is None:
            raise ApiError(401, "The API key is not valid.", code="invalid_api_key")
        caller = Caller(*proven)
        note_app(request, caller.app_id)
        services.activity.key_used(digest(api_key))
        token, expires_at = services.tokens.issue(caller, expires_in=expires_in)
        return json_answer({"token": token, "expires_at": iso(expires_at), "token_type": "Bearer"})
