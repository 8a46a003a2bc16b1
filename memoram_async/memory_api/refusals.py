"""What the error codes of Memory API mean (contract `documented-error-codes`)."""

from __future__ import annotations

from typing import Any, Final, cast

from memoram_async.core.answers import Meaning, Refused
from memoram_async.core.errors import APIStatusError, AuthenticationError, PermissionDeniedError
from memoram_async.memory_api.errors import (
    APIKeyNotFoundError,
    ConcurrentLimitExceededError,
    ConfirmationRequiredError,
    DailyQuotaExceededError,
    DisabledAPIKeyError,
    ExpiredAPIKeyError,
    ExtractionFailedError,
    InsufficientScopeError,
    InvalidAPIKeyError,
    MalformedAPIKeyError,
    MemoryIDExistsError,
    MemoryNotFoundError,
    MissingAPIKeyError,
    OrganizationDisabledError,
    OrganizationNotFoundError,
    RateLimitExceededError,
    ValidationError,
)

SCOPES: Final = {
    "listApiKeys": "admin",
    "createApiKey": "admin",
    "revokeApiKey": "admin",
    "listMemories": "read",
    "getMemory": "read",
    "createMemory": "write",
    "updateMemory": "write",
    "deleteMemory": "delete",
    "deleteAllMemories": "delete",
    "query": "read",
    "queryAnswer": "read",
    "extractMemories": "write",
    "getUsage": "read",
    "getUsageHistory": "read",
    "getUsageProjection": "read",
}
"""The scope that each operation needs (contract `x-scope`)."""

_KNOWN_SCOPES: Final = frozenset({"read", "write", "delete", "admin"})

_FIELDS: Final = frozenset(
    {
        *("name", "email", "plan_id", "environment", "scopes", "expires_in_days", "page", "per_page"),
        *("text", "metadata", "memory_id", "confirm", "context", "max_memories", "relevance_threshold"),
        *("include_metadata", "prompt_template", "content", "content_type"),
    }
)
"""What a service may name without echoing what it was sent."""

_MEANINGS: Final[dict[str, tuple[type[APIStatusError], str]]] = {
    "CONFIRMATION_REQUIRED": (ConfirmationRequiredError, "nothing was deleted: pass confirm=True to mean it"),
    "MISSING_API_KEY": (
        MissingAPIKeyError,
        "no API key arrived: check whether a proxy drops the header, or use the other one (auth_header=)",
    ),
    "INVALID_API_KEY": (
        InvalidAPIKeyError,
        "nobody has this API key: check that it is complete and of this service and address",
    ),
    "INVALID_API_KEY_FORMAT": (
        MalformedAPIKeyError,
        "the service does not take this for an API key: copy it again, complete and without quotes",
    ),
    "API_KEY_EXPIRED": (ExpiredAPIKeyError, "the API key has expired: create another one with an admin key"),
    "API_KEY_DISABLED": (
        DisabledAPIKeyError,
        "the API key was revoked or disabled: use another one, or create one with an admin key",
    ),
    "ORGANIZATION_DISABLED": (
        OrganizationDisabledError,
        "the organization is disabled: its owner has to sort that out with the service",
    ),
    "MEMORY_NOT_FOUND": (
        MemoryNotFoundError,
        "there is no such memory, or it belongs to the other environment (live or test)",
    ),
    "API_KEY_NOT_FOUND": (APIKeyNotFoundError, "the organization has no such key; check the id"),
    "ORGANIZATION_NOT_FOUND": (OrganizationNotFoundError, "there is no such organization any more"),
    "MEMORY_ID_EXISTS": (
        MemoryIDExistsError,
        "another memory has this memory_id, and nothing was stored: update that one, or choose another id",
    ),
    "RATE_LIMIT_EXCEEDED": (RateLimitExceededError, "too many requests; wait and send fewer at a time"),
    "DAILY_QUOTA_EXCEEDED": (
        DailyQuotaExceededError,
        "the requests of this day are used up; wait, or change the plan",
    ),
    "CONCURRENT_LIMIT_EXCEEDED": (ConcurrentLimitExceededError, "too many requests at once; send fewer"),
    "EXTRACTION_FAILED": (
        ExtractionFailedError,
        "the service could not extract anything from the text; try again, or with less of it",
    ),
}

_BY_STATUS: Final[dict[int, tuple[type[APIStatusError], str]]] = {
    401: (AuthenticationError, "the service refused the API key; check it and that it is active"),
    403: (PermissionDeniedError, "the API key may not do that; check its scopes and its organization"),
}


def meaning_of(refused: Refused) -> Meaning | None:
    """What a refusal of Memory API means; None if it says no more than its status."""
    match refused.code:
        case "INSUFFICIENT_PERMISSIONS":
            return _missing_scope(refused)
        case "VALIDATION_ERROR":
            return _wrong_fields(refused)
        case code if code in _MEANINGS:
            return Meaning(*_MEANINGS[code])
        case _ if refused.status in _BY_STATUS:
            return Meaning(*_BY_STATUS[refused.status])
        case _:
            return None


def _missing_scope(refused: Refused) -> Meaning:
    said: object = refused.details.get("required_scope")
    scope = said if isinstance(said, str) and said in _KNOWN_SCOPES else SCOPES.get(refused.operation)
    remedy = (
        "the API key lacks a scope; use a key that has it"
        if scope is None
        else f"the API key lacks the scope '{scope}'; use a key that has it, or create one with an admin key"
    )
    return Meaning(InsufficientScopeError, remedy, {"scope": scope})


def _wrong_fields(refused: Refused) -> Meaning:
    errors: object = refused.details.get("errors")
    each_error = cast("list[object]", errors) if isinstance(errors, list) else []
    named: list[object] = [
        refused.details.get("field"),
        *(cast("dict[str, Any]", each).get("field") for each in each_error if isinstance(each, dict)),
    ]
    fields = tuple(dict.fromkeys(name for name in named if isinstance(name, str) and name in _FIELDS))
    remedy = "the service did not accept " + (
        ", ".join(fields) if fields else "a parameter; check the arguments of this call"
    )
    return Meaning(ValidationError, remedy, {"fields": fields})
