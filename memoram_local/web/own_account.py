"""A user's own account: signing out everywhere else, and deleting it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from memoram_local.http.forms import read_form
from memoram_local.http.routing import resource
from memoram_local.web.confirmation import NotConfirmedError
from memoram_local.web.dashboard import HOME
from memoram_local.web.visitors import address_of

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.web.confirmation import Confirmations
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

OWN_ACCOUNT: Final = f"{HOME}/account"


class OwnAccountPages:
    """What users do with their account."""

    def __init__(
        self, services: Services, pages: Pages, visitors: Visitors, confirmations: Confirmations
    ) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors
        self._confirmations = confirmations

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=OWN_ACCOUNT)
        return [
            resource(OWN_ACCOUNT, get=only(self.show)),
            resource(f"{OWN_ACCOUNT}/sign-out-others", post=only(self.sign_out_others)),
            resource(f"{OWN_ACCOUNT}/delete", post=only(self.delete)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """The account."""
        return await self._show(request, account)

    async def sign_out_others(self, request: Request, account: Account) -> Response:
        """End all sessions but this one, as when one may have been stolen."""
        services = self._services
        session = self._visitors.session(request)

        def end(connection: Connection) -> int:
            services.changes.tell_when_committed(connection, account.id)
            return services.sessions.end_others(connection, account.id, kept=session)

        ended = await services.database.write(end)
        return self._pages.done(
            request, OWN_ACCOUNT, _WORDS_OF_SIGNING_OUT.get(ended, _SIGNED_OUT.format(ended))
        )

    async def delete(self, request: Request, account: Account) -> Response:
        """Delete the account, for good."""
        password = (await read_form(request)).text("password")
        try:
            # Asked for each time: nothing that it ends can be had again.
            await self._confirmations.check_password(password, account, address=address_of(request))
        except NotConfirmedError as error:
            return await self._show(request, account, unconfirmed=str(error))
        services = self._services

        def remove(connection: Connection) -> None:
            services.accounts.delete(connection, account.id)

        await services.database.write(remove)
        answer = self._pages.done(request, "/", "Your account is deleted, with everything that was in it.")
        await self._visitors.sign_out(answer, request)
        return answer

    async def _show(self, request: Request, account: Account, *, unconfirmed: str = "") -> Response:
        services = self._services

        def find(connection: Connection) -> tuple[int, int]:
            apps = services.apps.of_owner(connection, account.id)
            return len(apps), services.sessions.count(connection, account.id)

        apps, sessions = await services.database.read(find)
        return self._pages.render(
            "own_account.html",
            request=request,
            account=account,
            status=403 if unconfirmed else 200,
            unconfirmed=unconfirmed,
            apps=apps,
            sessions=sessions,
        )


_SIGNED_OUT: Final = "{} other browsers are signed out."
_WORDS_OF_SIGNING_OUT: Final = {0: "No other browser was signed in.", 1: "The other browser is signed out."}
