"""The developer portal: the applications of an account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from memoram_local.errors import RegistrationError
from memoram_local.http.forms import read_form
from memoram_local.http.origins import origin_of
from memoram_local.http.routing import resource

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.apps import RegisteredApp
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

PORTAL: Final = "/portal"


class PortalPages:
    """What developers see first."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=PORTAL)
        return [
            resource(PORTAL, get=only(self.show)),
            resource(f"{PORTAL}/apps", post=only(self.register)),
        ]

    async def show(self, _request: Request, account: Account) -> Response:
        """The developer's applications and a form for a new one."""
        return await self._show(account)

    async def register(self, request: Request, account: Account) -> Response:
        """Register an application and show its secrets, once."""
        fields = await read_form(request)
        name, lines = fields.text("name"), fields.text("redirect_uris")
        services = self._services

        def store(connection: Connection) -> RegisteredApp:
            return services.apps.register(
                connection, name=name, redirect_uris=lines.split(), owner_id=account.id
            )

        try:
            app = await services.database.write(store)
        except RegistrationError as error:
            return await self._show(account, name=name, redirect_uris=lines, problem=str(error))
        return self._pages.render(
            "app_registered.html", account=account, app=app, origin=origin_of(request, services)
        )

    async def _show(
        self, account: Account, *, name: str = "", redirect_uris: str = "", problem: str = ""
    ) -> Response:
        find = partial(self._services.apps.of_owner, owner_id=account.id)
        return self._pages.render(
            "portal.html",
            account=account,
            status=400 if problem else 200,
            apps=await self._services.database.read(find),
            name=name,
            redirect_uris=redirect_uris,
            problem=problem,
        )
