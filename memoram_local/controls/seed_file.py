"""Reads what a seed says, and refuses in one line that names the place.

seed: 7                             # any number or text; other ids and keys with another one
users:
  - email: ada@example.com
    password: correct horse battery
apps:
  - name: Planner
    redirect_uris: [http://localhost:8000/back]
access_requests:
  - app: Planner
    user: ada@example.com
    reason: Plans journeys
    status: approved                # or pending, rejected, revoked; pending when left out
memories:
  - user: ada@example.com
    content: Prefers window seats   # encrypted with the user's key, as an application would
    tags: [travel]
    importance: 0.8
  - user: ada@example.com
    stored: eyJhbGciOiJkaXIi...     # kept exactly as it is written here, encrypted or not
organizations:                      # of Memory API, the second service
  - name: Planner Inc
    owner: ada@example.com          # whose pages show it; nobody's when left out
    keys:                           # one live key with every scope when left out
      - name: CI
        environment: test           # or live; live when left out
        scopes: [read, write]
        expires_in_days: 30
    memories:
      - text: Prefers window seats
        environment: test
        memory_id: seat:1
        metadata: {source: chat}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from memoram_local.controls.seed_members import Members, SeedError
from memoram_local.controls.seed_organizations import planned

if TYPE_CHECKING:
    from memoram_local.controls.seed_organizations import OrganizationPlan
    from memoram_local.store.access_requests import Status
    from memoram_local.store.memory_blobs import BlobChanges


@dataclass(frozen=True, slots=True)
class UserPlan:
    """A user to add."""

    place: str
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AppPlan:
    """An application to add."""

    place: str
    name: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """An access request to add, and how far it went."""

    place: str
    app: str
    user: str
    reason: str
    status: Status


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """A memory to add: its words, or what is stored."""

    place: str
    user: str
    content: str | None = field(repr=False)
    stored: str | None = field(repr=False)
    values: BlobChanges = field(repr=False)
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a seed says.

    Attributes:
        source: What messages call it.
        seed: What ids and keys follow from.
        digest: Tells it from other seeds.
    """

    source: str
    seed: str
    digest: str
    users: tuple[UserPlan, ...]
    apps: tuple[AppPlan, ...]
    access_requests: tuple[RequestPlan, ...]
    memories: tuple[MemoryPlan, ...]
    organizations: tuple[OrganizationPlan, ...]


_SECTIONS: Final = ("seed", "users", "apps", "access_requests", "memories", "organizations")
_STATUSES: Final[Mapping[str, Status]] = {
    "pending": "pending",
    "approved": "approved",
    "rejected": "rejected",
    "revoked": "revoked",
}


def read_plan(seed: Mapping[str, object] | str | PathLike[str]) -> Plan:
    """Read a seed, or the file of one.

    Raises:
        SeedError: It cannot be used.
    """
    if isinstance(seed, Mapping):
        return _plan(seed, source="seed")
    path = Path(fspath(seed))
    return _plan(_loaded(path), source=path.name)


def _loaded(path: Path) -> object:
    try:
        import yaml  # noqa: PLC0415 - needed for files alone
    except ImportError:
        raise SeedError("reading a seed file needs PyYAML: install memoram[local]") from None
    try:
        content: object = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SeedError(f"the seed {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SeedError(f"{path.name}: is not text in UTF-8") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise SeedError(f"{path.name}{where}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise SeedError(f"{path.name}: is not YAML: {' '.join(str(error).split())}") from error
    return {} if content is None else content


def _plan(content: object, *, source: str) -> Plan:
    whole = Members(content, place=source, takes=_SECTIONS)
    number = cast("Mapping[str, object]", content).get("seed", 0)
    if isinstance(number, bool) or not isinstance(number, (int, str)):
        raise SeedError(f"{source}: seed must be a number or text")
    describing = ("title", "summary", "source", "importance", "confidence", "tags")
    users = whole.mappings("users", "email", "password")
    apps = whole.mappings("apps", "name", "redirect_uris")
    requests = whole.mappings("access_requests", "app", "user", "reason", "status")
    memories = whole.mappings("memories", "user", "content", "stored", *describing)
    canonical = json.dumps(content, sort_keys=True, default=str, ensure_ascii=True)
    return Plan(
        source=source,
        seed=str(number),
        digest=sha256(canonical.encode()).hexdigest(),
        users=tuple(UserPlan(user.place, user.text("email"), user.text("password")) for user in users),
        apps=tuple(AppPlan(app.place, app.text("name"), app.texts("redirect_uris")) for app in apps),
        access_requests=tuple(_request(request) for request in requests),
        memories=tuple(_memory(memory) for memory in memories),
        organizations=planned(whole),
    )


def _request(members: Members) -> RequestPlan:
    status = _STATUSES.get(members.text("status", "pending"))
    if status is None:
        raise SeedError(f"{members.place}: status must be one of {', '.join(_STATUSES)}")
    reason = members.text("reason", "From the seed")
    return RequestPlan(members.place, members.text("app"), members.text("user"), reason, status)


def _memory(members: Members) -> MemoryPlan:
    content, stored = members.optional_text("content"), members.optional_text("stored")
    if (content is None) == (stored is None):
        raise SeedError(
            f"{members.place}: needs content, which is encrypted, or stored, which is kept as it is"
        )
    values: BlobChanges = {
        "title": members.optional_text("title"),
        "summary": members.optional_text("summary"),
        "source": members.optional_text("source"),
        "importance": members.optional_number("importance"),
        "confidence": members.optional_number("confidence"),
    }
    tags = members.texts("tags")
    return MemoryPlan(members.place, members.text("user"), content, stored, values, tags)
