"""The applications that know a user, and what each of them may do."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from memoram_local.errors import NotFoundError
from memoram_local.http.routing import resource
from memoram_local.services.applications import applications_of
from memoram_local.web.dashboard import HOME, words_of_ended_access
from memoram_local.web.pages import name

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.applications import Application
    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import EndedAccess
    from memoram_local.store.accounts import Account
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

APPLICATIONS: Final = f"{HOME}/applications"


class ApplicationPages:
    """What users see of the applications, and how they end what those may do."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=APPLICATIONS)
        return [
            resource(APPLICATIONS, get=only(self.show)),
            resource(f"{APPLICATIONS}/{{app_id}}/revoke", post=only(self.revoke)),
            resource(f"{APPLICATIONS}/{{app_id}}/undo-sign-in", post=only(self.undo_sign_in)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """All applications that the user was signed in to, or that asked, have access or had it."""
        services = self._services

        def find(connection: Connection) -> tuple[list[Application], frozenset[str]]:
            applications = applications_of(services, connection, account.id)
            return applications, services.apps.namesakes(connection)

        applications, namesakes = await services.database.read(find)
        return self._pages.render(
            "applications.html",
            request=request,
            account=account,
            applications=applications,
            namesakes=namesakes,
        )

    async def revoke(self, request: Request, account: Account) -> Response:
        """End all that an application may do."""
        services = self._services
        app_id: str = request.path_params["app_id"]

        def end(connection: Connection) -> tuple[str, EndedAccess]:
            app_name = self._name(connection, app_id, account)
            ended = services.access_requests.end_access(connection, app_id=app_id, account_id=account.id)
            return app_name, ended

        try:
            app_name, ended = await services.database.write(end)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.done(request, APPLICATIONS, words_of_ended_access(app_name, ended))

    async def undo_sign_in(self, request: Request, account: Account) -> Response:
        """Undo the consents to an application, with the tokens that it got for them."""
        services = self._services
        app_id: str = request.path_params["app_id"]

        def end(connection: Connection) -> str:
            app_name = self._name(connection, app_id, account)
            services.consents.end(connection, app_id=app_id, account_id=account.id)
            return app_name

        try:
            app_name = await services.database.write(end)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        word = Markup("Your sign-in to {} is undone, and its tokens have ended.").format(name(app_name))
        return self._pages.done(request, APPLICATIONS, word)

    def _name(self, connection: Connection, app_id: str, account: Account) -> str:
        """The name of an application that has to do with this user; for everyone else there is none."""
        for application in applications_of(self._services, connection, account.id):
            if application.id == app_id:
                return application.name
        raise NotFoundError("There is no such application.")
