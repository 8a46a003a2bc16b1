"""The error codes of Memory API as types, below the errors of their statuses."""

from __future__ import annotations

import memoram_async.memory_api as service
from memoram_async import _std as std
from memoram_async.core.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    MemoramError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
)


class MissingAPIKeyError(AuthenticationError):
    """`MISSING_API_KEY`: no key arrived, as when a proxy drops the header."""


class InvalidAPIKeyError(AuthenticationError):
    """`INVALID_API_KEY`: nobody has this key."""


class MalformedAPIKeyError(AuthenticationError):
    """`INVALID_API_KEY_FORMAT`: the service does not take this for a key."""


class ExpiredAPIKeyError(AuthenticationError):
    """`API_KEY_EXPIRED`: the key's time is over."""


class DisabledAPIKeyError(AuthenticationError):
    """`API_KEY_DISABLED`: the key was revoked or disabled."""


class InsufficientScopeError(PermissionDeniedError):
    """`INSUFFICIENT_PERMISSIONS`: the key lacks a scope.

    Attributes:
        scope: The scope that is missing, such as `write`; None if it cannot be told.
    """

    scope: str | None

    def __init__(self, message: str, *, scope: str | None = None, **details: std.Any) -> None:
        super().__init__(message, **details)
        self.scope = scope


class OrganizationDisabledError(PermissionDeniedError):
    """`ORGANIZATION_DISABLED`: none of the organization's keys works."""


class ValidationError(BadRequestError):
    """`VALIDATION_ERROR`: the service did not accept a field.

    Attributes:
        fields: The names of the contract's fields that the service objects to.
    """

    fields: tuple[str, ...]

    def __init__(self, message: str, *, fields: tuple[str, ...] = (), **details: std.Any) -> None:
        super().__init__(message, **details)
        self.fields = fields


class ConfirmationRequiredError(BadRequestError):
    """`CONFIRMATION_REQUIRED`: deleting everything was not confirmed; nothing was deleted."""


class MemoryNotFoundError(NotFoundError):
    """`MEMORY_NOT_FOUND`: there is no such memory in this key's environment."""


class APIKeyNotFoundError(NotFoundError):
    """`API_KEY_NOT_FOUND`: the organization has no such key."""


class OrganizationNotFoundError(NotFoundError):
    """`ORGANIZATION_NOT_FOUND`: there is no such organization any more."""


class MemoryIDExistsError(ConflictError):
    """`MEMORY_ID_EXISTS`: another memory has this id; nothing was stored."""


class RateLimitExceededError(RateLimitedError):
    """`RATE_LIMIT_EXCEEDED`: too many requests in a short time; `retry_after` says how long to wait."""


class DailyQuotaExceededError(RateLimitedError):
    """`DAILY_QUOTA_EXCEEDED`: the day's requests are used up; `retry_after` says how long to wait."""


class ConcurrentLimitExceededError(RateLimitedError):
    """`CONCURRENT_LIMIT_EXCEEDED`: too many requests at once; `retry_after` says how long to wait."""


class ExtractionFailedError(ServerError):
    """`EXTRACTION_FAILED`: the service could not extract anything from the text."""


class RotationError(MemoramError):
    """A rotation stopped half-way; no key was lost.

    Attributes:
        alive: The ids of the keys that are, or may be, alive.
        new_key: The successor with its secret, if it was made; it is dropped when the error is pickled.
    """

    alive: tuple[str, ...]
    new_key: service.NewAPIKey | None

    def __init__(
        self, message: str, *, alive: tuple[str, ...], new_key: service.NewAPIKey | None = None
    ) -> None:
        super().__init__(message)
        self.alive = alive
        self.new_key = new_key

    def _plain_data(self) -> dict[str, std.Any]:
        return {**self.__dict__, "new_key": None}
