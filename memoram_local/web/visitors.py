"""Who is looking at a page: sign-ins kept in a cookie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response

from memoram_local.store.accounts import SESSION_SECONDS
from memoram_local.web.pages import see_other

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy import Connection
    from starlette.requests import Request

    from memoram_local.http.routing import Handler
    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.web.cookies import Cookies

# A path on this site. Browsers read `//` and `/\` as the start of another host.
_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9._~:/?\[\]@!$&'()*+,;=%-]*")


class Visitors:
    """Signs people in and out."""

    def __init__(self, services: Services, cookies: Cookies) -> None:
        self._services = services
        self._cookies = cookies

    async def account(self, request: Request) -> Account | None:
        """Who is signed in."""
        secret = self.session(request)
        if not secret:
            return None
        sessions = self._services.sessions

        def find(connection: Connection) -> Account | None:
            return sessions.account(connection, secret)

        return await self._services.database.look_up(find)

    def session(self, request: Request) -> str:
        """The secret of the browser's session, which may be over; empty without one."""
        return self._cookies.get(request, "session")

    def only(self, handler: Callable[[Request, Account], Awaitable[Response]], *, home: str) -> Handler:
        """A handler for those who are signed in alone.

        Args:
            handler: Answers them.
            home: Where others go on once they have signed in, when what they sent cannot be repeated.
        """

        async def check(request: Request) -> Response:
            account = await self.account(request)
            if account is not None:
                return await handler(request, account)
            url = request.url
            asked = f"{url.path}?{url.query}" if url.query else url.path
            return ask_to_sign_in(asked if request.method == "GET" else home, request=request)

        return check

    async def sign_in(self, answer: Response, request: Request, account: Account) -> None:
        """Let an answer begin a session."""
        sessions = self._services.sessions

        def start(connection: Connection) -> str:
            return sessions.start(connection, account.id)

        secret = await self._services.database.write(start)
        self._cookies.put(answer, request, "session", secret, seconds=SESSION_SECONDS)

    async def sign_out(self, answer: Response, request: Request) -> None:
        """Let an answer end the session, whoever's it was, and all that the browser keeps for it."""
        secret = self.session(request)
        sessions, changes = self._services.sessions, self._services.changes

        def end(connection: Connection) -> None:
            account = sessions.account(connection, secret)
            sessions.end(connection, secret)
            if account is not None:
                # Streams of this account's pages look again whose they are.
                changes.tell_when_committed(connection, account.id)

        await self._services.database.write(end)
        self._cookies.remove(answer, request, "session")
        # A key that a tab was told to keep must not outlive the sign-in.
        answer.headers["clear-site-data"] = '"storage"'


def address_of(request: Request) -> str:
    """The network address of the client; empty where it has none, as in process."""
    return request.client.host if request.client is not None else ""


def local_path(then: str | None) -> str:
    """Where to go on: a path on this site, or the dashboard when it is anything else."""
    return then if then is not None and _LOCAL_PATH.fullmatch(then) else "/dashboard"


def ask_to_sign_in(then: str, *, request: Request) -> Response:
    """Go to the sign-in page, and from there on to `then`."""
    location = f"/signin?next={quote(then, safe='')}"
    if "hx-request" in request.headers:
        # A redirect would end up in a part of the page; this leads the whole page there.
        return Response(status_code=204, headers={"hx-redirect": location, "cache-control": "no-store"})
    return see_other(location)
