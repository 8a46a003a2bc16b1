"""One route for each path, whatever its methods: so an answer of 405 can name all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.responses import Response
    from starlette.types import Receive, Scope, Send

    Handler = Callable[[Request], Awaitable[Response]]

API_PATH: Final = "/api/v1"
"""Where the contract has the API."""

MEMORY_API_PATH: Final = "/v1"
"""Where the second contract has its API."""


class _Resource:
    """What answers at one path, by method: an ASGI application, of which a route is made at less cost."""

    def __init__(self, handlers: dict[str, Handler]) -> None:
        self._handlers = handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whose method the route has checked."""
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        response = await self._handlers[method](Request(scope, receive, send))
        await response(scope, receive, send)


def resource(path: str, **handlers: Handler) -> Route:
    """The route of a path.

    Args:
        path: With parameters in braces.
        **handlers: What answers each method, by its name in lower case. GET answers HEAD too.
    """
    by_method = {name.upper(): handler for name, handler in handlers.items()}
    return Route(path, _Resource(by_method), methods=list(by_method))
