"""One route for each path, whatever its methods: so an answer of 405 can name all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Awaitable[Response]]

API_PATH: Final = "/api/v1"
"""Where the contract has the API."""

MEMORY_API_PATH: Final = "/v1"
"""Where the second contract has its API."""


def resource(path: str, **handlers: Handler) -> Route:
    """The route of a path.

    Args:
        path: With parameters in braces.
        **handlers: What answers each method, by its name in lower case. GET answers HEAD too.
    """
    by_method = {name.upper(): handler for name, handler in handlers.items()}

    async def dispatch(request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        return await by_method[method](request)

    return Route(path, dispatch, methods=list(by_method))
