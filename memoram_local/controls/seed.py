"""Fills a platform from a seed: the same ids, keys and secrets every time."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from memoram_local.controls.seed_file import read_plan
from memoram_local.controls.seed_members import SeedError
from memoram_local.controls.seed_organizations import add_organization
from memoram_local.errors import DecisionError, NotFoundError, RegistrationError
from memoram_local.hashing import PasswordProfile, hash_password
from memoram_local.randomness import Randomness
from memoram_local.services.registration import check_new_password
from memoram_local.store.access_requests import AccessRequests
from memoram_local.store.accounts import Accounts, checked_email, folded_email
from memoram_local.store.api_keys import ApiKeys
from memoram_local.store.apps import Apps
from memoram_local.store.changes import Changes
from memoram_local.store.consents import Consents
from memoram_local.store.database import SEED_MARK, Database
from memoram_local.store.memory_blobs import MemoryBlobs
from memoram_local.store.schema import settings
from memoram_local.store.tags import Tags
from memoram_local.user import User

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from memoram_local.controls.seed_file import MemoryPlan, Plan, RequestPlan
    from memoram_local.controls.seed_organizations import OrganizationPlan, SeededOrganization
    from memoram_local.services.services import Services
    from memoram_local.store.access_requests import AccessRequest, Decision, Status
    from memoram_local.store.accounts import Account, EncryptionKey
    from memoram_local.store.apps import RegisteredApp
    from memoram_local.store.memory_blobs import MemoryBlob

__all__ = ["SeedError", "Seeded", "plant", "read_plan"]

_STEPS: Mapping[Status, tuple[Decision, ...]] = {
    "pending": (),
    "approved": ("approve",),
    "rejected": ("reject",),
    "revoked": ("approve", "revoke"),
}
_IV_OCTETS = 12
_TAG_OCTETS = 16


@dataclass(frozen=True, slots=True)
class Seeded:
    """What a seed names.

    Attributes:
        apps: By name, with their secrets.
        users: By email address as the seed writes it.
        access_requests: In the seed's order.
        memories: As they are stored, in the seed's order.
        organizations: Of Memory API, by name.
    """

    apps: Mapping[str, RegisteredApp]
    users: Mapping[str, User]
    access_requests: tuple[AccessRequest, ...]
    memories: tuple[MemoryBlob, ...]
    organizations: Mapping[str, SeededOrganization]


def plant(services: Services, plan: Plan) -> Seeded:
    """Add what a seed names; if it is there already, add nothing.

    Raises:
        SeedError: Something in it cannot be added; nothing was.
    """
    mark = f"{SEED_MARK}{plan.digest}"

    def is_there(connection: Connection) -> bool:
        return connection.scalar(select(settings.c.name).where(settings.c.name == mark)) is not None

    if not services.database.read_now(is_there):
        return _planted(services, plan, mark)
    # Secrets cannot be read back from the store, but they follow from the seed: it grows again elsewhere.
    elsewhere = Database(None)
    try:
        passwords = PasswordProfile.named("fast")
        return _planted(
            replace(services, database=elsewhere, changes=Changes(), passwords=passwords), plan, mark
        )
    finally:
        elsewhere.close()


def _planted(services: Services, plan: Plan, mark: str) -> Seeded:
    # Slow on purpose, so not in the transaction.
    hashes = [
        _hashed(services, plan, email=user.email, password=user.password, place=user.place)
        for user in plan.users
    ]

    def add(connection: Connection) -> Seeded:
        garden = _Garden(services, plan, connection)
        for user, password_hash in zip(plan.users, hashes, strict=True):
            garden.add_user(user.place, user.email, password_hash)
        for app in plan.apps:
            garden.add_app(app.place, app.name, app.redirect_uris)
        requests = tuple(garden.add_request(request) for request in plan.access_requests)
        memories = tuple(garden.add_memory(memory) for memory in plan.memories)
        for organization in plan.organizations:
            garden.add_organization(organization)
        connection.execute(settings.insert(), {"name": mark, "value": plan.source})
        return Seeded(garden.apps, garden.users, requests, memories, garden.organizations)

    return services.database.write_now(add)


def _hashed(services: Services, plan: Plan, *, email: str, password: str, place: str) -> str:
    try:
        check_new_password(password, email=checked_email(email))
    except RegistrationError as error:
        raise SeedError(f"{place}: {error}") from error
    randomness = Randomness(f"{plan.seed}:password:{folded_email(email)}")
    return hash_password(password, profile=services.passwords, randomness=randomness)


class _Garden:
    """Adds things, each drawn from a source of its own: what else a seed names does not change its ids."""

    def __init__(self, services: Services, plan: Plan, connection: Connection) -> None:
        self._clock = services.clock
        self._changes = services.changes
        self._seal = services.database.seal
        self._seed = plan.seed
        self._connection = connection
        self._counts: dict[str, int] = {}
        self._accounts: dict[str, Account] = {}
        self._keys: dict[str, EncryptionKey] = {}
        self.apps: dict[str, RegisteredApp] = {}
        self.users: dict[str, User] = {}
        self.organizations: dict[str, SeededOrganization] = {}

    def add_user(self, place: str, email: str, password_hash: str) -> None:
        randomness = self._source("user", folded_email(email))
        stores = Accounts(clock=self._clock, randomness=randomness, changes=self._changes, seal=self._seal)
        try:
            account = stores.create(self._connection, email=email, password_hash=password_hash)
        except RegistrationError as error:
            raise SeedError(f"{place}: {error}") from error
        self._accounts[account.email] = account
        key = stores.encryption_key(self._connection, account.id)
        assert key is not None  # noqa: S101 - it was made with the account
        self._keys[account.id] = key
        self.users[email] = User(account.id, account.email, account.memory_key, key.key)

    def add_app(self, place: str, name: str, redirect_uris: tuple[str, ...]) -> None:
        if name in self.apps:
            raise SeedError(f"{place}: another application is called {name!r} already")
        randomness = self._source("app", name)
        keys = ApiKeys(clock=self._clock, randomness=randomness, changes=self._changes)
        stores = Apps(clock=self._clock, randomness=randomness, keys=keys, changes=self._changes)
        try:
            app = stores.register(self._connection, name=name, redirect_uris=redirect_uris, owner_id=None)
        except RegistrationError as error:
            raise SeedError(f"{place}: {error}") from error
        self.apps[name] = app

    def add_request(self, plan: RequestPlan) -> AccessRequest:
        account = self._account(plan.place, plan.user)
        app = self.apps.get(plan.app)
        if app is None:
            raise SeedError(f"{plan.place}: app: the seed has no application {plan.app!r}")
        stores = AccessRequests(
            clock=self._clock,
            randomness=self._source("access request", f"{plan.app}:{account.email}"),
            changes=self._changes,
            consents=Consents(clock=self._clock),
        )
        request = stores.create(self._connection, app_id=app.id, account=account, reason=plan.reason)
        try:
            for decision in _STEPS[plan.status]:
                request = stores.decide(self._connection, request.id, decision)
        except (DecisionError, NotFoundError) as error:
            raise SeedError(f"{plan.place}: {error}") from error
        return request

    def add_memory(self, plan: MemoryPlan) -> MemoryBlob:
        account = self._account(plan.place, plan.user)
        randomness = self._source("memory", account.email)
        tags = Tags(clock=self._clock, randomness=randomness)
        stores = MemoryBlobs(clock=self._clock, randomness=randomness, tags=tags)
        stored = plan.stored
        if stored is None:
            words = plan.content or ""
            # Another text must have another initialization vector, even after the seed was edited.
            vectors = self._source("vector", f"{account.email}:{words}")
            stored = _encrypted(words, self._keys[account.id], iv=vectors.octets(_IV_OCTETS))
        return stores.create(
            self._connection, account_id=account.id, content=stored, values=plan.values, tags=plan.tags
        )

    def add_organization(self, plan: OrganizationPlan) -> None:
        if plan.name in self.organizations:
            raise SeedError(f"{plan.place}: another organization is called {plan.name!r} already")
        self.organizations[plan.name] = add_organization(
            self._connection,
            plan,
            clock=self._clock,
            source=self._source,
            owner=None if plan.owner is None else self._account(plan.place, plan.owner, member="owner"),
        )

    def _account(self, place: str, email: str, *, member: str = "user") -> Account:
        account = self._accounts.get(folded_email(email))
        if account is None:
            raise SeedError(f"{place}: {member}: the seed has no user {email!r}")
        return account

    def _source(self, kind: str, name: str) -> Randomness:
        """The source of the nth thing of this kind and name."""
        key = f"{kind}:{name}"
        count = self._counts[key] = self._counts.get(key, 0) + 1
        return Randomness(f"{self._seed}:{key}:{count}")


def _encrypted(content: str, key: EncryptionKey, *, iv: bytes) -> str:
    """Content as applications store it: JWE in compact form, `dir` with A256GCM (RFC 7516 section 7.1)."""
    members = {
        "alg": "dir",
        "enc": "A256GCM",
        "kid": str(key.version),
        "typ": "memoram-content+jwe",
    }
    header = _segment(json.dumps(members, separators=(",", ":")).encode())
    cipher = AESGCM(bytes.fromhex(key.key))
    sealed = cipher.encrypt(iv, content.encode(), header.encode())
    ciphertext, tag = sealed[:-_TAG_OCTETS], sealed[-_TAG_OCTETS:]
    return f"{header}..{_segment(iv)}.{_segment(ciphertext)}.{_segment(tag)}"


def _segment(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode("ascii")
