"""Ending a connection in the middle of an exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memoram_local.errors import LocalPlatformError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

EXTENSION: Final = "memoram_local.hang_up"
"""The ASGI extension by which a server offers to close the connection: a function without arguments."""


class ConnectionDropped(LocalPlatformError, ConnectionError):  # noqa: N818 - what happened, not a mistake
    """In process there is no connection to close, so this is raised where one would have been closed."""


async def hang_up(scope: Scope, receive: Receive, *, why: str) -> None:
    """Close the connection of this request after what was sent already.

    Raises:
        ConnectionDropped: There is none: the application was called in process.
    """
    close = scope.get("extensions", {}).get(EXTENSION)
    if close is None:
        raise ConnectionDropped(f"the connection was dropped on purpose: {why}")
    close()
    # Once the server knows that the client is gone, it neither complains nor answers in our place.
    while (await receive())["type"] != "http.disconnect":
        pass
