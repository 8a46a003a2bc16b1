"""The contract's operations by name: what tests call the routes of a platform."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memoram_local.errors import LocalPlatformError

if TYPE_CHECKING:
    from collections.abc import Mapping


class UnknownRouteError(LocalPlatformError, ValueError):
    """No operation of the contract has this name."""


_API: Final = "/api/v1"
_SECOND_API: Final = "/v1"
_TEMPLATES: Final = {
    "createToken": ("POST", f"{_API}/auth/token"),
    "exchangeCode": ("POST", "/oauth/token"),
    "createAccessRequest": ("POST", f"{_API}/access-requests"),
    "listAccessRequests": ("GET", f"{_API}/access-requests"),
    "getAccessRequest": ("GET", f"{_API}/access-requests/{{id}}"),
    "getAccessCredentials": ("GET", f"{_API}/access-requests/{{id}}/credentials"),
    "listMemoryBlobs": ("GET", f"{_API}/memory-blobs"),
    "createMemoryBlob": ("POST", f"{_API}/memory-blobs"),
    "getMemoryBlob": ("GET", f"{_API}/memory-blobs/{{id}}"),
    "updateMemoryBlob": ("PATCH", f"{_API}/memory-blobs/{{id}}"),
    "deleteMemoryBlob": ("DELETE", f"{_API}/memory-blobs/{{id}}"),
    "listTags": ("GET", f"{_API}/tags"),
    "getTag": ("GET", f"{_API}/tags/{{id}}"),
    "health": ("GET", f"{_SECOND_API}/health"),
    "signup": ("POST", f"{_SECOND_API}/signup"),
    "getAccount": ("GET", f"{_SECOND_API}/account"),
    "listApiKeys": ("GET", f"{_SECOND_API}/account/api-keys"),
    "createApiKey": ("POST", f"{_SECOND_API}/account/api-keys"),
    "revokeApiKey": ("DELETE", f"{_SECOND_API}/account/api-keys/{{id}}"),
    "listMemories": ("GET", f"{_SECOND_API}/memories"),
    "createMemory": ("POST", f"{_SECOND_API}/memories"),
    "deleteAllMemories": ("DELETE", f"{_SECOND_API}/memories"),
    "getMemory": ("GET", f"{_SECOND_API}/memories/{{id}}"),
    "updateMemory": ("PUT", f"{_SECOND_API}/memories/{{id}}"),
    "deleteMemory": ("DELETE", f"{_SECOND_API}/memories/{{id}}"),
    "query": ("POST", f"{_SECOND_API}/query"),
    "queryAnswer": ("POST", f"{_SECOND_API}/query/answer"),
    "extractMemories": ("POST", f"{_SECOND_API}/query/extract"),
    "getUsage": ("GET", f"{_SECOND_API}/usage"),
    "getUsageHistory": ("GET", f"{_SECOND_API}/usage/history"),
    "getUsageProjection": ("GET", f"{_SECOND_API}/usage/projection"),
}

OPERATIONS: Final = tuple(_TEMPLATES)


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request calls.

    Attributes:
        name: The contract's operationId.
        id: What the path names; None where it names nothing.
    """

    name: str
    id: str | None


def _by_method() -> Mapping[str, tuple[tuple[str, re.Pattern[str]], ...]]:
    found: dict[str, tuple[tuple[str, re.Pattern[str]], ...]] = {}
    for name, (method, template) in _TEMPLATES.items():
        pattern = re.compile(template.replace("{id}", "([^/]+)"))
        found[method] = (*found.get(method, ()), (name, pattern))
    return {**found, "HEAD": found["GET"]}


_PATTERNS: Final = _by_method()


def operation_of(method: str, path: str) -> Operation | None:
    """The operation that a request calls; None for pages and for what does not exist."""
    for name, pattern in _PATTERNS.get(method, ()):
        found = pattern.fullmatch(path)
        if found is not None:
            return Operation(name, found[1] if pattern.groups else None)
    return None


def checked(route: str) -> str:
    """The name itself, when an operation has it.

    Raises:
        UnknownRouteError: None has; the message lists those that there are.
    """
    if route not in _TEMPLATES:
        raise UnknownRouteError(f"there is no route {route!r}; the routes are {', '.join(OPERATIONS)}")
    return route
