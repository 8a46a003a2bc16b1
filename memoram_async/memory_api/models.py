"""What Memory API answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs

from memoram_async.core.secret import Secret
from memoram_async.models.answered import Answered
from memoram_async.models.guard import Unpicklable
from memoram_async.models.plain_data import PlainData


class Scope(StrEnum):
    """What an API key is good for; a scope that this version does not know stays plain text."""

    READ = "read"
    WRITE = "write"
    DELETE = "delete"
    ADMIN = "admin"


class Environment(StrEnum):
    """Where an API key works: in production or in the sandbox; an unknown one stays plain text."""

    LIVE = "live"
    TEST = "test"


def _no_scopes() -> tuple[Scope | str, ...]:
    return ()


@attrs.frozen(kw_only=True, eq=False)
class Memory(Unpicklable, Answered):
    """One memory (contract `Memory`).

    Attributes:
        id: The memory.
        text: The memory itself.
        metadata: What the application keeps with it, any JSON object; None if it has none.
        created_at: When it was made.
        updated_at: When it last changed.
    """

    id: str
    text: str = attrs.field(repr=False)
    metadata: dict[str, Any] | None = attrs.field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False)
class Match(Unpicklable, Answered):
    """A memory that a question found.

    Attributes:
        id: The memory.
        text: The memory itself.
        relevance_score: How well it matches, from 0 to 1; None if the service did not say.
        relevance_reasoning: Why, in the service's words.
        metadata: What the application keeps with it; None if it has none or `include_metadata` was false.
    """

    id: str
    text: str = attrs.field(repr=False)
    relevance_score: float | None = None
    relevance_reasoning: str | None = attrs.field(default=None, repr=False)
    metadata: dict[str, Any] | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True, eq=False)
class QueryResult(Unpicklable, Answered):
    """What a question found (contract `query`).

    Attributes:
        memories: The matches, the best first.
        query_context: The question.
        total_memories_searched: How many memories there were to search.
    """

    memories: tuple[Match, ...] = attrs.field(repr=False)
    query_context: str | None = attrs.field(default=None, repr=False)
    total_memories_searched: int | None = None


@attrs.frozen(kw_only=True, eq=False)
class Answer(Unpicklable, Answered):
    """An answer in words (contract `queryAnswer`).

    Attributes:
        answer: The answer.
        memories_used: How many memories it rests on.
        model: What wrote it, such as `local-extractive`.
    """

    answer: str = attrs.field(repr=False)
    memories_used: int | None = None
    model: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Extraction(Answered):
    """What was extracted from a text and stored (contract `extractMemories`).

    Attributes:
        extracted_count: How many memories were made.
        memory_ids: Their ids.
        model: What extracted them, if the service says.
    """

    extracted_count: int
    memory_ids: tuple[str, ...] = ()
    model: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Plan(PlainData):
    """What an organization pays for.

    Attributes:
        id: The plan.
        name: Its name.
        base_price_cents: Its price a month, in cents.
    """

    id: str
    name: str | None = None
    base_price_cents: int | None = None


@attrs.frozen(kw_only=True, eq=False)
class Organization(Answered):
    """The organization that a key belongs to (contract `getAccount`).

    Attributes:
        org_id: The organization.
        name: Its name.
        email: Its address.
        plan: What it pays for.
        is_active: Whether its keys work.
        created_at: When it signed up.
    """

    org_id: str
    name: str | None = None
    email: str | None = attrs.field(default=None, repr=False)
    plan: Plan | None = None
    is_active: bool | None = None
    created_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False)
class APIKey(Answered):
    """An API key as the list shows it: without the key itself, and without its expiry.

    Attributes:
        id: The key's id, for `revoke` and `rotate`.
        name: What people call it.
        key_prefix: How the key begins.
        environment: Where it works.
        scopes: What it is good for.
        is_active: Whether it works.
        created_at: When it was made.
        last_used_at: When it was last used; None if never.
    """

    id: str
    name: str | None = None
    key_prefix: str | None = None
    environment: Environment | str | None = None
    scopes: tuple[Scope | str, ...] = attrs.field(factory=_no_scopes)
    is_active: bool | None = None
    created_at: datetime | None = None
    last_used_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False)
class NewAPIKey(Unpicklable, Answered):
    """An API key that was just made (contract `createApiKey`).

    Attributes:
        id: The key's id, for `revoke` and `rotate`.
        key: The key itself, which the service shows this once: store `key.reveal()` where it is safe.
        name: What people call it.
        scopes: What it is good for.
        expires_at: Until when it works; None for ever.
    """

    id: str
    key: Secret
    name: str | None = None
    scopes: tuple[Scope | str, ...] = attrs.field(factory=_no_scopes)
    expires_at: datetime | None = None


@attrs.frozen(kw_only=True, eq=False)
class Signup(Unpicklable, Answered):
    """The first key of an organization (contract `signup`).

    Attributes:
        id: The key's id.
        key: The key itself, which the service shows this once: store `key.reveal()` where it is safe.
        name: What people call it.
    """

    id: str
    key: Secret
    name: str | None = None


@attrs.frozen(kw_only=True, eq=False)
class Report(Unpicklable, Answered):
    """An answer whose members the contract leaves open, as the service gave it.

    Attributes:
        data: What the envelope held, as parsed JSON; None if there was none.
    """

    data: Any = attrs.field(default=None, repr=False)
