"""The developer portal: registering applications."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.errors import RegistrationError
from memoram_local.forms import read_form
from memoram_local.origins import origin_of
from memoram_local.routing import resource
from memoram_local.web.visitors import ask_to_sign_in

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.apps import App, RegisteredApp
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors


class PortalPages:
    """What developers see."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        return [resource("/portal", get=self.show), resource("/portal/apps", post=self.register)]

    async def show(self, request: Request) -> Response:
        """The developer's applications and a form for a new one."""
        account = await self._visitors.account(request)
        if account is None:
            return ask_to_sign_in("/portal")
        return await self._show(account)

    async def register(self, request: Request) -> Response:
        """Register an application and show its secrets, once."""
        account = await self._visitors.account(request)
        if account is None:
            return ask_to_sign_in("/portal")
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
        origin = origin_of(request, services)
        return self._pages.render("app_registered.html", account=account, app=app, origin=origin)

    async def _show(
        self, account: Account, *, name: str = "", redirect_uris: str = "", problem: str = ""
    ) -> Response:
        apps = self._services.apps

        def find(connection: Connection) -> list[App]:
            return apps.of_owner(connection, account.id)

        return self._pages.render(
            "portal.html",
            account=account,
            status=400 if problem else 200,
            apps=await self._services.database.read(find),
            name=name,
            redirect_uris=redirect_uris,
            problem=problem,
        )
