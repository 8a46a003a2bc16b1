"""What a seed says of Memory API: organizations with their keys and memories, and how they are added."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from memoram_local.controls.memory_api import IssuedApiKey
from memoram_local.controls.seed_members import SeedError
from memoram_local.store.memory_api.keys import ENVIRONMENTS, SCOPES, Keys
from memoram_local.store.memory_api.memories import IdTakenError, Memories
from memoram_local.store.memory_api.organizations import Organizations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection

    from memoram_local.clock import Clock
    from memoram_local.controls.seed_members import Members
    from memoram_local.randomness import Randomness
    from memoram_local.store.accounts import Account
    from memoram_local.store.memory_api.keys import Environment, Scope
    from memoram_local.store.memory_api.memories import StoredMemory

_FIRST_KEY: Final = "Default Key"
_LONGEST_TEXT: Final = 50_000
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._~:-]{1,128}")


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """A key to add."""

    place: str
    name: str
    environment: Environment
    scopes: tuple[Scope, ...]
    expires_in_days: int | None
    is_active: bool


@dataclass(frozen=True, slots=True)
class OwnedMemoryPlan:
    """A memory of an organization to add."""

    place: str
    text: str = field(repr=False)
    metadata: Mapping[str, Any] | None = field(repr=False)
    id: str | None
    environment: Environment


@dataclass(frozen=True, slots=True)
class OrganizationPlan:
    """An organization to add."""

    place: str
    name: str
    email: str
    owner: str | None
    keys: tuple[KeyPlan, ...]
    memories: tuple[OwnedMemoryPlan, ...]


@dataclass(frozen=True, slots=True)
class SeededOrganization:
    """An organization that a seed names.

    Attributes:
        id: The organization.
        keys: Its keys by name, with their secrets.
        memories: As they are stored, in the seed's order.
    """

    id: str
    keys: Mapping[str, IssuedApiKey]
    memories: tuple[StoredMemory, ...]


def planned(whole: Members) -> tuple[OrganizationPlan, ...]:
    """The organizations of a seed.

    Raises:
        SeedError: One of them cannot be.
    """
    named = whole.mappings("organizations", "name", "email", "owner", "keys", "memories")
    return tuple(_organization(members) for members in named)


def _organization(members: Members) -> OrganizationPlan:
    keys = members.mappings("keys", "name", "environment", "scopes", "expires_in_days", "active")
    memories = members.mappings("memories", "text", "metadata", "memory_id", "environment")
    first = KeyPlan(members.place, _FIRST_KEY, "live", SCOPES, None, is_active=True)
    return OrganizationPlan(
        members.place,
        members.text("name"),
        members.text("email", "developer@example.com"),
        members.optional_text("owner"),
        tuple(_key(key) for key in keys) or (first,),
        tuple(_memory(memory) for memory in memories),
    )


def _key(members: Members) -> KeyPlan:
    scopes = members.texts("scopes")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise SeedError(f"{members.place}: scopes must be some of {', '.join(SCOPES)}")
    days = members.optional_number("expires_in_days")
    if days is not None and not (days.is_integer() and 1 <= days <= 36_500):
        raise SeedError(f"{members.place}: expires_in_days must be a whole number of at least 1")
    return KeyPlan(
        members.place,
        members.text("name", _FIRST_KEY),
        _environment(members),
        tuple(scope for scope in SCOPES if scope in scopes),
        None if days is None else int(days),
        is_active=members.flag("active", otherwise=True),
    )


def _memory(members: Members) -> OwnedMemoryPlan:
    text, memory_id = members.text("text"), members.optional_text("memory_id")
    if not text.strip() or len(text) > _LONGEST_TEXT:
        raise SeedError(f"{members.place}: text must have 1 to {_LONGEST_TEXT:,} characters")
    if memory_id is not None and (memory_id in {".", ".."} or not _IDENTIFIER.fullmatch(memory_id)):
        raise SeedError(f"{members.place}: memory_id must have 1 to 128 letters, digits or any of . _ ~ : -")
    return OwnedMemoryPlan(
        members.place, text, members.optional_object("metadata"), memory_id, _environment(members)
    )


def _environment(members: Members) -> Environment:
    environment = members.text("environment", "live")
    if environment not in ENVIRONMENTS:
        raise SeedError(f"{members.place}: environment must be one of {', '.join(ENVIRONMENTS)}")
    return environment


def add_organization(
    connection: Connection,
    plan: OrganizationPlan,
    *,
    clock: Clock,
    source: Callable[[str, str], Randomness],
    owner: Account | None,
) -> SeededOrganization:
    """Add an organization with its keys and memories.

    Args:
        connection: In a unit of work that writes.
        plan: What the seed says.
        clock: The platform's.
        source: The source that things of a kind and name are drawn from.
        owner: Whose pages show it.

    Raises:
        SeedError: It cannot be added.
    """
    organizations = Organizations(clock=clock, randomness=source("organization", plan.name))
    made = organizations.create(
        connection, name=plan.name, email=plan.email, owner_id=None if owner is None else owner.id
    )
    keys: dict[str, IssuedApiKey] = {}
    for key in plan.keys:
        if key.name in keys:
            raise SeedError(f"{key.place}: another key is called {key.name!r} already")
        issuing = Keys(clock=clock, randomness=source("organization key", f"{plan.name}:{key.name}"))
        issued = issuing.issue(
            connection,
            org_id=made.id,
            name=key.name,
            environment=key.environment,
            scopes=key.scopes,
            expires_in_days=key.expires_in_days,
        )
        if not key.is_active:
            issuing.set_active(connection, issued.key.id, active=False)
        keys[key.name] = IssuedApiKey(issued.key.id, made.id, issued.secret)
    memories = tuple(
        _added(connection, memory, made.id, clock=clock, source=source, org_name=plan.name)
        for memory in plan.memories
    )
    return SeededOrganization(made.id, keys, memories)


def _added(
    connection: Connection,
    plan: OwnedMemoryPlan,
    org_id: str,
    *,
    clock: Clock,
    source: Callable[[str, str], Randomness],
    org_name: str,
) -> StoredMemory:
    stores = Memories(clock=clock, randomness=source("organization memory", org_name))
    try:
        return stores.create(
            connection,
            (org_id, plan.environment),
            text=plan.text,
            metadata=plan.metadata,
            memory_id=plan.id,
        )
    except IdTakenError:
        raise SeedError(f"{plan.place}: another memory has the memory_id {plan.id!r} already") from None
