"""`/oauth/authorize`: asks the user whether an application may know their memory key."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from memoram_local.http.forms import Fields, read_form
from memoram_local.http.origins import origin_of
from memoram_local.http.routing import resource
from memoram_local.oauth.authorization import (
    FIELDS,
    AuthorizationError,
    UntrustedRequestError,
    destination,
    wish,
)
from memoram_local.redirect_uris import form_action_source
from memoram_local.web.pages import see_other
from memoram_local.web.visitors import ask_to_sign_in

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.oauth.authorization import Destination, Wish
    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.apps import App
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors


class ConsentPages:
    """The authorization endpoint (RFC 6749 section 3.1)."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The route of this endpoint."""
        return [resource("/oauth/authorize", get=self.ask, post=self.answer)]

    async def ask(self, request: Request) -> Response:
        """Show who asks for what."""
        return await self._checked(request, Fields(request.query_params.multi_items()))

    async def answer(self, request: Request) -> Response:
        """Take the user's answer. Everything is checked again: the form came from outside."""
        return await self._checked(request, await read_form(request))

    async def _checked(self, request: Request, fields: Fields) -> Response:
        app = await self._app(fields.text("client_id"))
        try:
            target = destination(fields, app, issuer=origin_of(request, self._services))
        except UntrustedRequestError as error:
            return self._pages.error(400, str(error))
        assert app is not None  # noqa: S101 - a destination belongs to an application
        try:
            wished = wish(fields)
        except AuthorizationError as error:
            status = 303 if request.method == "POST" else 302
            return see_other(target.with_error(error.code, error.description), status=status)
        account = await self._visitors.account(request)
        if account is None:
            return ask_to_sign_in(f"/oauth/authorize?{urlencode(_known(fields))}", request=request)
        decision = fields.get("decision") if request.method == "POST" else None
        if decision == "allow":
            return await self._allowed(app, account, target, wished)
        if decision == "deny":
            return see_other(target.with_error("access_denied", "The user said no."))
        return self._pages.render(
            "consent.html",
            request=request,
            account=account,
            form_targets=form_action_source(target.redirect_uri),
            app=app,
            is_namesake=app.id in await self._services.database.read(self._services.apps.namesakes),
            destination=_shown_host(target.redirect_uri),
            redirect_uri=target.redirect_uri,
            fields=_known(fields),
        )

    async def _allowed(self, app: App, account: Account, target: Destination, wished: Wish) -> Response:
        grants = self._services.grants

        def issue(connection: Connection) -> str:
            return grants.issue_code(
                connection,
                app_id=app.id,
                account_id=account.id,
                redirect_uri=target.redirect_uri,
                scope=wished.scope,
                code_challenge=wished.code_challenge,
            )

        return see_other(target.with_code(await self._services.database.write(issue)))

    async def _app(self, client_id: str) -> App | None:
        apps = self._services.apps

        def find(connection: Connection) -> App | None:
            return apps.by_client_id(connection, client_id)

        return await self._services.database.read(find)


def _known(fields: Fields) -> dict[str, str]:
    values = {name: fields.get(name) for name in FIELDS}
    return {name: value for name, value in values.items() if value is not None}


def _shown_host(redirect_uri: str) -> str:
    """Where the user will be, without a user name that could pass for a host."""
    return urlsplit(redirect_uri).netloc.rpartition("@")[2] or redirect_uri
