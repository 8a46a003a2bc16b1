"""One application, for the developer who registered it: keys, redirect URIs, and what it called lately."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.http.forms import read_form
from memoram_local.http.origins import origin_of
from memoram_local.http.routing import resource
from memoram_local.store.request_log import CALLS_KEPT
from memoram_local.web import marks
from memoram_local.web.pages import see_other
from memoram_local.web.portal import PORTAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.api_keys import ApiKey
    from memoram_local.store.apps import App
    from memoram_local.store.request_log import Call
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

_CALLS_ON_APP: Final = 10
_CALLS_A_PAGE: Final = 50

_Result = TypeVar("_Result")


class AppPages:
    """What developers see of one application."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=PORTAL)
        app = f"{PORTAL}/apps/{{app_id}}"
        return [
            resource(app, get=only(self.show)),
            resource(f"{app}/keys", post=only(self.issue_key)),
            resource(f"{app}/keys/{{key_id}}/revoke", post=only(self.revoke_key)),
            resource(f"{app}/client-secret", post=only(self.replace_client_secret)),
            resource(f"{app}/redirect-uris", post=only(self.set_redirect_uris)),
            resource(f"{app}/calls", get=only(self.calls)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """The application."""
        return await self._show(request, account)

    async def issue_key(self, request: Request, account: Account) -> Response:
        """Give the application one more API key, and show it, once."""
        services = self._services

        def issue(connection: Connection, app: App) -> tuple[App, str]:
            return app, services.api_keys.issue(connection, app_id=app.id)

        try:
            app, api_key = await self._write(request, account, issue)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render(
            "key_issued.html",
            account=account,
            app=app,
            api_key=api_key,
            origin=origin_of(request, services),
        )

    async def revoke_key(self, request: Request, account: Account) -> Response:
        """Let one of the application's keys get no more tokens."""
        key_id: str = request.path_params["key_id"]

        def revoke(connection: Connection, app: App) -> None:
            self._services.api_keys.revoke(connection, app_id=app.id, key_id=key_id)

        return await self._changed(request, account, revoke)

    async def replace_client_secret(self, request: Request, account: Account) -> Response:
        """Give the application another client secret, and show it, once."""
        apps = self._services.apps

        def replace(connection: Connection, app: App) -> tuple[App, str]:
            return app, apps.replace_client_secret(connection, app_id=app.id)

        try:
            app, secret = await self._write(request, account, replace)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render("client_secret.html", account=account, app=app, client_secret=secret)

    async def set_redirect_uris(self, request: Request, account: Account) -> Response:
        """Replace the application's redirect URIs."""
        lines = (await read_form(request)).text("redirect_uris")

        def store(connection: Connection, app: App) -> None:
            self._services.apps.set_redirect_uris(connection, app_id=app.id, redirect_uris=lines.split())

        try:
            return await self._changed(request, account, store)
        except RegistrationError as error:
            return await self._show(request, account, redirect_uris=lines, problem=str(error))

    async def calls(self, request: Request, account: Account) -> Response:
        """A page of what the application called, newest first."""
        services = self._services
        before = marks.number(request)
        await services.activity.written()

        def find(connection: Connection) -> tuple[App, tuple[list[Call], int | None]]:
            app = self._its_own(connection, request, account)
            return app, services.request_log.newest(connection, app.id, limit=_CALLS_A_PAGE, before=before)

        try:
            app, (calls, more) = await services.database.read(find)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render(
            "calls.html",
            account=account,
            app=app,
            calls=calls,
            kept=CALLS_KEPT,
            is_first=before is None,
            more=more,
        )

    async def _show(
        self, request: Request, account: Account, *, redirect_uris: str | None = None, problem: str = ""
    ) -> Response:
        services = self._services
        await services.activity.written()

        def find(connection: Connection) -> tuple[App, list[ApiKey], list[Call]]:
            app = self._its_own(connection, request, account)
            calls, _ = services.request_log.newest(connection, app.id, limit=_CALLS_ON_APP)
            return app, services.api_keys.of_app(connection, app.id), calls

        try:
            app, keys, calls = await services.database.read(find)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render(
            "app.html",
            account=account,
            status=400 if problem else 200,
            app=app,
            keys=keys,
            working_keys=sum(key.revoked_at is None for key in keys),
            calls=calls,
            redirect_uris="\n".join(app.redirect_uris) if redirect_uris is None else redirect_uris,
            problem=problem,
        )

    async def _changed(
        self, request: Request, account: Account, change: Callable[[Connection, App], None]
    ) -> Response:
        try:
            await self._write(request, account, change)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return see_other(f"{PORTAL}/apps/{request.path_params['app_id']}")

    async def _write(
        self, request: Request, account: Account, change: Callable[[Connection, App], _Result]
    ) -> _Result:
        def work(connection: Connection) -> _Result:
            return change(connection, self._its_own(connection, request, account))

        return await self._services.database.write(work)

    def _its_own(self, connection: Connection, request: Request, account: Account) -> App:
        """The application of this address, if it is the account's; for everyone else there is none."""
        app = self._services.apps.by_id(connection, request.path_params["app_id"])
        if app is None or app.owner_id != account.id:
            raise NotFoundError("There is no such application.")
        return app
