"""What clients may look for at an authorization server and will not find at this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from memoram_local.behaviour import behaviour
from memoram_local.http.routing import resource

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

_PATHS = ("/oauth/revoke", "/oauth/introspect", "/oauth/device_authorization", "/oauth/register")


def unimplemented_routes() -> list[Route]:
    """The usual paths of what is not implemented."""
    return [resource(path, get=_refuse, post=_refuse) for path in _PATHS]


@behaviour(
    "oauth.unimplemented",
    "invented",
    "Token revocation (RFC 7009), introspection (RFC 7662), device authorization (RFC 8628) and client "
    "registration (RFC 7591) are not implemented: their usual paths answer 501.",
)
async def _refuse(request: Request) -> Response:
    said = f"{request.url.path} is not implemented by this platform."
    return JSONResponse({"error": "not_implemented", "error_description": said}, 501)
