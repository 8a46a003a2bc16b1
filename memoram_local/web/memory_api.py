"""Memory API on the pages: a developer's organizations, their keys, and the memories of each environment."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from memoram_local.http.forms import read_form
from memoram_local.http.routing import resource
from memoram_local.shown_text import hidden_character
from memoram_local.store.memory_api.keys import ENVIRONMENTS, SCOPES, IssuedKey, Scope
from memoram_local.web.issued_secrets import PORTAL
from memoram_local.web.pages import name, see_other

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.accounts import Account
    from memoram_local.store.memory_api.keys import Key
    from memoram_local.store.memory_api.memories import StoredMemory
    from memoram_local.store.memory_api.organizations import Organization
    from memoram_local.web.pages import Pages
    from memoram_local.web.visitors import Visitors

PATH: Final = f"{PORTAL}/memory-api"

_MEMORIES_A_PAGE: Final = 20
_LONGEST_NAME: Final = 200
_NO_LONGER_SHOWN: Final = "This key is no longer shown. If nobody copied it, create a new one and revoke it."


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the page of an organization shows."""

    organization: Organization
    keys: list[Key]
    memories: list[StoredMemory]
    total: int


class MemoryApiPages:
    """What developers see of Memory API. Each organization is seen by the account that it is linked to."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._parts = services.memory_api
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=PATH)
        organization = f"{PATH}/{{org_id}}"
        return [
            resource(PATH, get=only(self.show), post=only(self.open)),
            resource(f"{PATH}/link", post=only(self.link)),
            resource(organization, get=only(self.show_one)),
            resource(f"{organization}/secrets/{{slip}}", get=only(self.secret)),
            resource(f"{organization}/keys", post=only(self.issue)),
            resource(f"{organization}/keys/{{key_id}}/revoke", post=only(self.revoke)),
        ]

    async def show(self, request: Request, account: Account) -> Response:
        """The account's organizations."""
        return await self._show(request, account)

    async def open(self, request: Request, account: Account) -> Response:
        """Open an organization, and go on to its first key."""
        chosen = (await read_form(request)).text("name").strip()
        problem = _problem_of(chosen)
        if problem:
            return await self._show(request, account, problem=problem)

        def store(connection: Connection) -> IssuedKey:
            made = self._parts.organizations.create(
                connection, name=chosen, email=account.email, owner_id=account.id
            )
            return self._parts.keys.issue(
                connection, org_id=made.id, name="Default Key", environment="live", scopes=SCOPES
            )

        return self._issued(await self._services.database.write(store), account)

    async def link(self, request: Request, account: Account) -> Response:
        """Show an organization that was opened through the API to whoever holds an admin key of it."""
        secret = (await read_form(request)).text("key").strip()
        now = self._services.clock.micros()

        def store(connection: Connection) -> Organization | None:
            found = self._parts.keys.known(connection, secret)
            key = None if found is None else found[0]
            works = key is not None and key.is_active and (key.expires_at is None or key.expires_at > now)
            if key is None or not works or "admin" not in key.scopes:
                return None
            self._parts.organizations.link(connection, org_id=key.org_id, owner_id=account.id)
            return self._parts.organizations.get(connection, key.org_id)

        linked = await self._services.database.write(store)
        if linked is None:
            return await self._show(request, account, problem="That is no admin key that works.")
        word = Markup("{} is shown here from now on.").format(name(linked.name))
        return self._pages.done(request, f"{PATH}/{linked.id}", word)

    async def show_one(self, request: Request, account: Account) -> Response:
        """One organization: its keys, and the memories of one environment."""
        environment = request.query_params.get("environment")
        number = request.query_params.get("page", "1")
        chosen = environment if environment in ENVIRONMENTS else "live"
        page = max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else 1

        def find(connection: Connection) -> _Shown | None:
            organization = self._its_own(connection, request, account)
            if organization is None:
                return None
            memories, total = self._parts.memories.page(
                connection, (organization.id, chosen), number=page, size=_MEMORIES_A_PAGE
            )
            keys = self._parts.keys.of_organization(connection, organization.id)
            return _Shown(organization, keys, memories, total)

        shown = await self._services.database.read(find)
        if shown is None:
            return self._not_there(account)
        return self._pages.render(
            "memory_api_organization.html",
            request=request,
            account=account,
            shown=shown,
            environment=chosen,
            environments=ENVIRONMENTS,
            scopes=SCOPES,
            page=page,
            has_next=page * _MEMORIES_A_PAGE < shown.total,
        )

    async def issue(self, request: Request, account: Account) -> Response:
        """Give the organization one more key, and go on to it."""
        fields = await read_form(request)
        scopes: list[Scope] = [scope for scope in SCOPES if fields.get(f"scope-{scope}") is not None]
        environment = fields.text("environment")
        chosen = fields.text("name").strip() or "Default Key"
        problem = _problem_of(chosen)
        if problem or not scopes or environment not in ENVIRONMENTS:
            message = problem or "A key needs an environment and a scope."
            way_on = (f"{PATH}/{request.path_params['org_id']}", "Back to the organization")
            return self._pages.error(400, message, account=account, way_on=way_on)

        def store(connection: Connection) -> IssuedKey | None:
            organization = self._its_own(connection, request, account)
            if organization is None:
                return None
            return self._parts.keys.issue(
                connection,
                org_id=organization.id,
                name=chosen,
                environment=environment,
                scopes=scopes,
            )

        issued = await self._services.database.write(store)
        return self._not_there(account) if issued is None else self._issued(issued, account)

    async def revoke(self, request: Request, account: Account) -> Response:
        """Let one of the organization's keys be good for nothing."""
        key_id: str = request.path_params["key_id"]

        def store(connection: Connection) -> bool:
            organization = self._its_own(connection, request, account)
            return organization is not None and self._parts.keys.revoke(
                connection, org_id=organization.id, key_id=key_id
            )

        if not await self._services.database.write(store):
            return self._not_there(account)
        return self._pages.done(
            request,
            f"{PATH}/{request.path_params['org_id']}",
            "The key is revoked: it is good for nothing now.",
        )

    async def secret(self, request: Request, account: Account) -> Response:
        """The key that was made a moment ago."""
        org_id, slip = request.path_params["org_id"], request.path_params["slip"]
        issued = self._pages.handover.get(slip, IssuedKey, account_id=account.id)
        if issued is None or issued.key.org_id != org_id:
            way_on = (f"{PATH}/{org_id}", "Back to the organization")
            return self._pages.error(410, _NO_LONGER_SHOWN, account=account, way_on=way_on)
        return self._pages.render("memory_api_key.html", request=request, account=account, issued=issued)

    async def _show(self, request: Request, account: Account, *, problem: str = "") -> Response:
        find = partial(self._parts.organizations.owned, owner_id=account.id)
        return self._pages.render(
            "memory_api.html",
            request=request,
            account=account,
            status=400 if problem else 200,
            organizations=await self._services.database.read(find),
            problem=problem,
        )

    def _issued(self, issued: IssuedKey, account: Account) -> Response:
        slip = self._pages.handover.put(issued, account_id=account.id)
        return see_other(f"{PATH}/{issued.key.org_id}/secrets/{slip}")

    def _its_own(self, connection: Connection, request: Request, account: Account) -> Organization | None:
        owned = self._parts.organizations.owned(connection, owner_id=account.id)
        return next((each for each in owned if each.id == request.path_params["org_id"]), None)

    def _not_there(self, account: Account) -> Response:
        return self._pages.error(404, "There is no such organization or key.", account=account)


def _problem_of(chosen: str) -> str:
    """What is wrong with a name, for people; empty when nothing is."""
    if not 0 < len(chosen) <= _LONGEST_NAME:
        return "A name has 1 to 200 characters."
    hidden = hidden_character(chosen)
    return "" if hidden is None else f"The name holds a character that nobody can see: {hidden}."
