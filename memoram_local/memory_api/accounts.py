"""Answers for organizations and their keys."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.http.routing import resource
from memoram_local.memory_api.envelope import Good, Refusal, invalid
from memoram_local.memory_api.fields import read_body
from memoram_local.store.memory_api.keys import ENVIRONMENTS, SCOPES
from memoram_local.store.memory_api.organizations import PLAN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import Route

    from memoram_local.memory_api.door import Door
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Environment, IssuedKey, Key, Scope

FIRST_KEY: Final = "Default Key"

_LONGEST_NAME: Final = 200
_MOST_DAYS: Final = 3650
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+")


class AccountsApi:
    """Answers for accounts."""

    def __init__(self, services: Services, door: Door) -> None:
        self._database = services.database
        self._organizations = services.memory_api.organizations
        self._keys = services.memory_api.keys
        self._door = door

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        door = self._door
        keys = "/v1/account/api-keys"
        return [
            resource("/v1/health", get=door.open(self.health)),
            resource("/v1/signup", post=door.open(self.sign_up)),
            resource("/v1/account", get=door.needing(None, "getAccount", self.account)),
            resource(
                keys,
                get=door.needing("admin", "listApiKeys", self.list_keys),
                post=door.needing("admin", "createApiKey", self.create_key),
            ),
            resource(f"{keys}/{{key_id}}", delete=door.needing("admin", "revokeApiKey", self.revoke_key)),
        ]

    @behaviour("health.body", "invented", 'The answer is {"status": "ok"}, in the envelope.')
    async def health(self, _request: Request) -> Good:
        """Contract operation health."""
        return Good({"status": "ok"})

    @behaviour("signup.key", "inferred", "The first key is live and has every scope; it is shown this once.")
    async def sign_up(self, request: Request) -> Good:
        """Contract operation signup."""
        body = await read_body(request)
        name = body.text("name", longest=_LONGEST_NAME)
        email = body.text("email", longest=_LONGEST_NAME)
        plan_id = body.text("plan_id", longest=_LONGEST_NAME) if "plan_id" in body else PLAN
        body.check()
        if _ADDRESS.fullmatch(email) is None:
            raise invalid([("email", "must be an email address")])

        def store(connection: Connection) -> IssuedKey:
            organization = self._organizations.create(connection, name=name, email=email, plan_id=plan_id)
            return self._keys.issue(
                connection, org_id=organization.id, name=FIRST_KEY, environment="live", scopes=SCOPES
            )

        made = await self._database.write(store)
        return Good({"id": made.key.id, "key": made.secret, "name": made.key.name}, status=201)

    @behaviour("account.scope", "inferred", "Any key that works may read the account.")
    async def account(self, _request: Request, key: Key) -> Good:
        """Contract operation getAccount."""
        organization = await self._database.look_up(partial(self._organizations.get, org_id=key.org_id))
        if organization is None:
            raise Refusal(404, "ORGANIZATION_NOT_FOUND", "There is no such organization any more.")
        return Good(
            {
                "org_id": organization.id,
                "name": organization.name,
                "email": organization.email,
                "plan": {
                    "id": organization.plan_id,
                    "name": organization.plan_id.title(),
                    "base_price_cents": 0,
                },
                "is_active": organization.is_active,
                "created_at": iso(organization.created_at),
            }
        )

    async def list_keys(self, _request: Request, key: Key) -> Good:
        """Contract operation listApiKeys."""
        found = await self._database.read(partial(self._keys.of_organization, org_id=key.org_id))
        return Good([_on_the_wire(each) for each in found])

    @behaviour("create-key.defaults", "documented", "Without scopes a key gets read and write; it is live.")
    @behaviour("create-key.expiry", "invented", "A key may expire in 1 to 3650 days, or never.")
    async def create_key(self, request: Request, key: Key) -> Good:
        """Contract operation createApiKey."""
        body = await read_body(request)
        name = body.text("name", longest=_LONGEST_NAME) if "name" in body else FIRST_KEY
        environment = cast("Environment", body.one_of("environment", ENVIRONMENTS, default="live"))
        scopes = cast("Sequence[Scope]", body.some_of("scopes", SCOPES, default=("read", "write")))
        days = (
            None
            if body.is_null("expires_in_days")
            else body.count("expires_in_days", default=1, most=_MOST_DAYS)
        )
        body.check()

        def store(connection: Connection) -> IssuedKey:
            return self._keys.issue(
                connection,
                org_id=key.org_id,
                name=name,
                environment=environment,
                scopes=scopes,
                expires_in_days=days,
            )

        made = await self._database.write(store)
        return Good(
            {
                "id": made.key.id,
                "name": made.key.name,
                "key": made.secret,
                "scopes": list(made.key.scopes),
                "expires_at": None if made.key.expires_at is None else iso(made.key.expires_at),
            },
            status=201,
        )

    async def revoke_key(self, request: Request, key: Key) -> Good:
        """Contract operation revokeApiKey."""
        key_id: str = request.path_params["key_id"]
        revoke = partial(self._keys.revoke, org_id=key.org_id, key_id=key_id)
        if not await self._database.write(revoke):
            raise Refusal(404, "API_KEY_NOT_FOUND", "There is no such key.")
        return Good({"id": key_id, "revoked": True})


def _on_the_wire(key: Key) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "key_prefix": key.prefix,
        "environment": key.environment,
        "scopes": list(key.scopes),
        "is_active": key.is_active,
        "created_at": iso(key.created_at),
        "last_used_at": None if key.last_used_at is None else iso(key.last_used_at),
    }
