"""A user's encryption key. No page holds it: a script asks for it, with the password."""

from __future__ import annotations

import hmac
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from memoram_local.clock import iso
from memoram_local.http.forms import read_form
from memoram_local.http.routing import resource
from memoram_local.web.confirmation import CONFIRMED_SECONDS, NotConfirmedError
from memoram_local.web.dashboard import HOME
from memoram_local.web.pages import protected
from memoram_local.web.visitors import address_of

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account, EncryptionKey
    from memoram_local.web.confirmation import Confirmations
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

KEY: Final = f"{HOME}/key"

_PURPOSE_OF_SEAL: Final = b"memoram: seals what a tab keeps"
_MOST_REQUESTS: Final = 1_000


class KeyPages:
    """What users do with their encryption key."""

    def __init__(
        self, services: Services, pages: Pages, visitors: Visitors, confirmations: Confirmations
    ) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors
        self._confirmations = confirmations

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=KEY)
        return [
            resource(KEY, get=only(self.show)),
            resource(f"{KEY}/versions", post=self.versions),
            resource(f"{KEY}/seal", get=self.seal),
            resource(f"{KEY}/rotate", post=only(self.rotate)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """Where the key is shown, and who else has it."""
        return await self._show(request, account)

    async def versions(self, request: Request) -> Response:
        """Every version of the key, newest first, for the script of a page, once the password is typed."""
        account = await self._visitors.account(request)
        if account is None:
            return _for_script({"problem": "You are signed out."}, status=401)
        session = self._visitors.session(request)
        try:
            await self._confirmations.check(
                await read_form(request), account, session=session, address=address_of(request)
            )
        except NotConfirmedError as error:
            return _for_script({"problem": str(error)}, status=403)
        find = partial(self._services.accounts.encryption_keys, account_id=account.id)
        keys = await self._services.database.read(find)
        return _for_script(
            {
                "keys": [_on_the_wire(key) for key in keys],
                "confirmedSeconds": CONFIRMED_SECONDS,
                "seal": _seal_of(session),
            }
        )

    async def seal(self, request: Request) -> Response:
        """The secret with which a tab seals the key that it keeps; it ends with the session."""
        if await self._visitors.account(request) is None:
            return _for_script({"problem": "You are signed out."}, status=401)
        return _for_script({"seal": _seal_of(self._visitors.session(request))})

    async def rotate(self, request: Request, account: Account) -> Response:
        """Replace the key by a fresh one."""
        fields = await read_form(request)
        try:
            session = self._visitors.session(request)
            await self._confirmations.check(fields, account, session=session, address=address_of(request))
        except NotConfirmedError as error:
            return await self._show(request, account, unconfirmed=str(error))
        rotate = partial(self._services.accounts.rotate_key, account_id=account.id)
        version = await self._services.database.write(rotate)
        word = f"Your key is replaced. The new one is version {version}."
        return self._pages.done(request, KEY, word, confirmed_seconds=CONFIRMED_SECONDS)

    async def _show(self, request: Request, account: Account, *, unconfirmed: str = "") -> Response:
        services = self._services

        def find(connection: Connection) -> list[str]:
            approved = services.access_requests.of_account(
                connection, account.id, status="approved", limit=_MOST_REQUESTS
            )
            return sorted({request.app_name for request in approved})

        return self._pages.render(
            "key.html",
            request=request,
            account=account,
            status=403 if unconfirmed else 200,
            unconfirmed=unconfirmed,
            apps=await services.database.read(find),
        )


def _seal_of(session: str) -> str:
    return hmac.digest(session.encode(), _PURPOSE_OF_SEAL, sha256).hex()


def _on_the_wire(key: EncryptionKey) -> dict[str, object]:
    retired_at = None if key.retired_at is None else iso(key.retired_at)
    return {"version": key.version, "key": key.key, "retiredAt": retired_at}


def _for_script(content: dict[str, object], *, status: int = 200) -> Response:
    return JSONResponse(content, status, headers=protected())
