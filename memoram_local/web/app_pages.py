"""One application, for the developer who registered it: keys, redirect URIs, and what it called lately."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from markupsafe import Markup

from memoram_local.errors import NotFoundError, RegistrationError
from memoram_local.http.forms import read_form
from memoram_local.http.origins import origin_of
from memoram_local.http.routing import resource
from memoram_local.store.request_log import CALLS_KEPT
from memoram_local.web import marks
from memoram_local.web.confirmation import CONFIRMED_SECONDS, NotConfirmedError
from memoram_local.web.issued_secrets import PORTAL, IssuedSecrets, secrets_path
from memoram_local.web.pages import name, see_other
from memoram_local.web.visitors import address_of

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
    from memoram_local.web.confirmation import Confirmations
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

_CALLS_ON_APP: Final = 10
_CALLS_A_PAGE: Final = 50

_NO_LONGER_SHOWN: Final = (
    "These secrets are no longer shown. If nobody copied them, create a new key or replace the client secret."
)

_Result = TypeVar("_Result")


class AppPages:
    """What developers see of one application."""

    def __init__(
        self, services: Services, pages: Pages, visitors: Visitors, confirmations: Confirmations
    ) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors
        self._confirmations = confirmations

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
            resource(f"{app}/secrets/{{slip}}", get=only(self.secrets)),
            resource(f"{app}/calls", get=only(self.calls)),
            resource(f"{app}/delete", post=only(self.delete)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """The application."""
        return await self._show(request, account)

    async def issue_key(self, request: Request, account: Account) -> Response:
        """Give the application one more API key, and go on to it."""
        keys = self._services.api_keys

        def issue(connection: Connection, app: App) -> IssuedSecrets:
            return IssuedSecrets("key", api_key=keys.issue(connection, app_id=app.id))

        return await self._issued(request, account, issue)

    async def revoke_key(self, request: Request, account: Account) -> Response:
        """Let one of the application's keys get no more tokens."""
        key_id: str = request.path_params["key_id"]

        def revoke(connection: Connection, app: App) -> None:
            self._services.api_keys.revoke(connection, app_id=app.id, key_id=key_id)

        return await self._changed(request, account, revoke, word="The key is revoked.")

    async def replace_client_secret(self, request: Request, account: Account) -> Response:
        """Give the application another client secret, and go on to it."""
        apps = self._services.apps

        def replace(connection: Connection, app: App) -> IssuedSecrets:
            secret = apps.replace_client_secret(connection, app_id=app.id)
            return IssuedSecrets("client secret", client_secret=secret)

        return await self._issued(request, account, replace)

    async def secrets(self, request: Request, account: Account) -> Response:
        """What was issued a moment ago."""
        app_id: str = request.path_params["app_id"]
        slip: str = request.path_params["slip"]
        issued = self._pages.handover.get(slip, IssuedSecrets, account_id=account.id)
        if issued is None:
            way_on = (f"{PORTAL}/apps/{app_id}", "Back to the application")
            return self._pages.error(410, _NO_LONGER_SHOWN, account=account, way_on=way_on)

        def find(connection: Connection) -> App:
            return self._its_own(connection, request, account)

        try:
            app = await self._services.database.read(find)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render(
            "issued_secrets.html",
            request=request,
            account=account,
            app=app,
            issued=issued,
            origin=origin_of(request, self._services),
        )

    async def delete(self, request: Request, account: Account) -> Response:
        """Delete the application, for good."""
        fields = await read_form(request)
        apps = self._services.apps

        def remove(connection: Connection, app: App) -> str:
            apps.delete(connection, app.id)
            return app.name

        try:
            session = self._visitors.session(request)
            await self._confirmations.check(fields, account, session=session, address=address_of(request))
            deleted = await self._write(request, account, remove)
        except NotConfirmedError as error:
            return await self._show(request, account, unconfirmed=str(error))
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        word = Markup("{} is deleted, with its keys and all the access that it had.").format(name(deleted))
        return self._pages.done(request, PORTAL, word, confirmed_seconds=CONFIRMED_SECONDS)

    async def set_redirect_uris(self, request: Request, account: Account) -> Response:
        """Replace the application's redirect URIs."""
        lines = (await read_form(request)).text("redirect_uris")

        def store(connection: Connection, app: App) -> None:
            self._services.apps.set_redirect_uris(connection, app_id=app.id, redirect_uris=lines.split())

        try:
            return await self._changed(request, account, store, word="The redirect URIs are saved.")
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
            request=request,
            account=account,
            app=app,
            calls=calls,
            kept=CALLS_KEPT,
            is_first=before is None,
            more=more,
        )

    async def _show(
        self,
        request: Request,
        account: Account,
        *,
        redirect_uris: str | None = None,
        problem: str = "",
        unconfirmed: str = "",
    ) -> Response:
        services = self._services
        await services.activity.written()

        def find(connection: Connection) -> tuple[App, list[ApiKey], list[Call], bool]:
            app = self._its_own(connection, request, account)
            calls, _ = services.request_log.newest(connection, app.id, limit=_CALLS_ON_APP)
            is_namesake = app.id in services.apps.namesakes(connection)
            return app, services.api_keys.of_app(connection, app.id), calls, is_namesake

        try:
            app, keys, calls, is_namesake = await services.database.read(find)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.render(
            "app.html",
            request=request,
            account=account,
            status=400 if problem else 403 if unconfirmed else 200,
            app=app,
            is_namesake=is_namesake,
            keys=keys,
            working_keys=sum(key.revoked_at is None for key in keys),
            calls=calls,
            redirect_uris="\n".join(app.redirect_uris) if redirect_uris is None else redirect_uris,
            problem=problem,
            unconfirmed=unconfirmed,
        )

    async def _issued(
        self, request: Request, account: Account, issue: Callable[[Connection, App], IssuedSecrets]
    ) -> Response:
        try:
            issued = await self._write(request, account, issue)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        app_id: str = request.path_params["app_id"]
        return see_other(secrets_path(self._pages.handover, issued, app_id=app_id, account_id=account.id))

    async def _changed(
        self, request: Request, account: Account, change: Callable[[Connection, App], None], *, word: str
    ) -> Response:
        try:
            await self._write(request, account, change)
        except NotFoundError as error:
            return self._pages.error(404, str(error), account=account)
        return self._pages.done(request, f"{PORTAL}/apps/{request.path_params['app_id']}", word)

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
