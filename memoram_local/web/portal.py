"""The developer portal: the applications of an account."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from memoram_local.errors import RegistrationError
from memoram_local.http.forms import read_form
from memoram_local.http.routing import resource
from memoram_local.web.issued_secrets import PORTAL, IssuedSecrets, secrets_path
from memoram_local.web.pages import see_other

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.apps import App, RegisteredApp
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors


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

    async def show(self, request: Request, account: Account) -> Response:
        """The developer's applications and a form for a new one."""
        return await self._show(request, account)

    async def register(self, request: Request, account: Account) -> Response:
        """Register an application, and go on to its secrets."""
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
            return await self._show(request, account, name=name, redirect_uris=lines, problem=str(error))
        issued = IssuedSecrets("registered", api_key=app.api_key, client_secret=app.client_secret)
        return see_other(secrets_path(self._pages.handover, issued, app_id=app.id, account_id=account.id))

    async def _show(
        self,
        request: Request,
        account: Account,
        *,
        name: str = "",
        redirect_uris: str = "",
        problem: str = "",
    ) -> Response:
        services = self._services

        def find(connection: Connection) -> tuple[list[App], frozenset[str]]:
            return services.apps.of_owner(connection, account.id), services.apps.namesakes(connection)

        apps, namesakes = await services.database.read(find)
        return self._pages.render(
            "portal.html",
            request=request,
            account=account,
            status=400 if problem else 200,
            apps=apps,
            namesakes=namesakes,
            name=name,
            redirect_uris=redirect_uris,
            problem=problem,
        )
