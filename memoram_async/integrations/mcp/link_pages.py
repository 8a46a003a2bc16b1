"""The pages where users link their accounts, each one for the user whom its address was made for.

Whoever forwards such an address must not come by somebody else's memories. So the address says, sealed, for
whom it was made, and the page compares that with the user of the browser before it goes on to OAuth.
"""

from __future__ import annotations

import html
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from memoram_async.core.errors import MemoramError
from memoram_async.core.secret import Secret, Unshareable
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.connections import AsyncConnections

LINK_SECONDS: Final = 3600.0
"""For how long an address leads anywhere, and a browser is known."""

_COOKIE: Final = "memoram-link"
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Sealed:
    """Values in other hands: addresses and cookies."""

    def __init__(
        self, secrets: Sequence[Secret], *, purpose: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._seal = SecretSeal(secrets, purpose=purpose)
        self._clock = clock

    def write(self, value: Any) -> str:
        """A value, good for an hour."""
        return self._seal.seal(json.dumps([value, self._clock() + LINK_SECONDS]).encode())

    def read(self, text: str | None) -> Any:
        """The value; None if it is not ours or its hour is over."""
        opened = None if text is None or not text.isascii() else self._seal.open(text)
        if opened is None:
            return None
        value, ends = json.loads(opened)
        return value if self._clock() < ends else None


SignInPage: TypeAlias = Callable[[str], Awaitable[Response]]
"""Sends a browser to sign in, and back to a path of ours afterwards."""


class LinkPages(Unshareable):
    """Two pages: one begins to link the account of a browser's user, the other one completes it."""

    def __init__(
        self,
        connections: AsyncConnections,
        *,
        link_url: str,
        callback_url: str,
        secrets: Sequence[Secret],
        sign_in: SignInPage | None,
    ) -> None:
        """Pages over some connections.

        Args:
            connections: Whose users link accounts.
            link_url: The address of the first page.
            callback_url: The address of the second one, which is the connections' redirect URI.
            secrets: What addresses and cookies are sealed with.
            sign_in: Sends browsers whose user is not known to sign in. None if whoever has the address is the
                user: on a port of the user's own machine, where nobody else is told it.
        """
        self._connections = connections
        self._link_url, self._callback_url = link_url, callback_url
        self._addresses = Sealed(secrets, purpose="mcp link address")
        self._visitors = Sealed(secrets, purpose="mcp link visitor")
        self._sign_in = sign_in

    def url_for(self, user: str) -> str:
        """The address where one user links an account; it tells nothing about the user."""
        return f"{self._link_url}?{urlencode({'for': self._addresses.write(user)})}"

    def routes(self) -> list[Route]:
        """The pages."""
        return [
            Route(urlsplit(self._link_url).path, self.link, methods=["GET"]),
            Route(urlsplit(self._callback_url).path, self.callback, methods=["GET"]),
        ]

    def know(self, response: Response, user: str) -> None:
        """Have a browser remember for an hour who signed in with it."""
        response.set_cookie(
            _COOKIE,
            self._visitors.write(user),
            max_age=int(LINK_SECONDS),
            httponly=True,
            samesite="lax",
            secure=self._link_url.startswith("https:"),
        )

    async def link(self, request: Request) -> Response:
        """Begin to link the account of the browser's user, if it is the one whom the address was made for."""
        meant = self._addresses.read(request.query_params.get("for"))
        if meant is None:
            return page(
                400, "This address is over", "Have your agent make the call again: it gives a new one."
            )
        visitor = self._visitors.read(request.cookies.get(_COOKIE))
        if visitor is None and self._sign_in is not None:
            return await self._sign_in(f"{request.url.path}?{request.url.query}")
        if visitor is not None and visitor != meant:
            return page(
                403,
                "This address was made for somebody else",
                "You are signed in as somebody else than the user whose agent asked. If somebody sent it to "
                "you: it would have given their agent your memories.",
            )
        try:
            url = await self._connections.begin(meant)
        except MemoramError as error:
            return page(503, "No account can be linked now", error.message)
        response = RedirectResponse(url, status_code=303, headers=_HEADERS)
        self.know(response, meant)
        return response

    async def callback(self, request: Request) -> Response:
        """Complete what the browser's user has begun."""
        visitor = self._visitors.read(request.cookies.get(_COOKIE))
        if visitor is None:
            return page(403, "Nobody is known here", "Begin again at the address that your agent gave you.")
        try:
            status = await self._connections.complete(visitor, str(request.url))
        except MemoramError as error:
            return page(400, "The account was not linked", error.message)
        if status.url is not None:
            return RedirectResponse(status.url, status_code=303, headers=_HEADERS)
        decided = status.state == "approved"
        rest = "Your agent may use your memories." if decided else "Now decide in the Memoram dashboard."
        return page(200, "The account is linked", f"{rest} You may close this page.")


def page(status: int, title: str, text: str) -> HTMLResponse:
    """A page of a few words."""
    title, text = html.escape(title), html.escape(text)
    return HTMLResponse(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<h1>{title}</h1><p>{text}</p></html>",
        status_code=status,
        headers=_HEADERS,
    )
