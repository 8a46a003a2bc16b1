"""Every error of the SDK, in one tree below `MemoramError`.

Messages are short, say what to do, and never carry a key, a token, a code or memory content. Errors
are plain data: they survive pickling, so a process pool hands them on whole.
"""

from __future__ import annotations

import memoram_async as sdk
from memoram_async import _std as std


class MemoramError(Exception):
    """The root: catching it catches everything that the SDK raises on purpose.

    Attributes:
        message: What went wrong and what to do about it.
        info: How the call went that raised it: attempts, time, request id; None if nothing was called.
    """

    message: str
    info: sdk.ResponseInfo | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[std.Any, ...]:
        return _restore, (type(self), self.message, self._plain_data())

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, object]:
        return {"type": "is-instance", "cls": cls}

    def _plain_data(self) -> dict[str, std.Any]:
        """The attributes that travel in a pickle."""
        return dict(self.__dict__)

    def again(self) -> std.Self:
        """A fresh error with the same data, for a caller who shares the outcome of another's attempt."""
        twin = type(self).__new__(type(self))
        twin.args = self.args
        twin.__dict__.update({name: value for name, value in self.__dict__.items() if name != "__notes__"})
        return twin


def _restore(cls: type[MemoramError], message: str, data: dict[str, std.Any]) -> MemoramError:
    error = cls.__new__(cls)
    error.args = (message,)
    error.__dict__.update(data)
    return error


# --- before anything is sent -------------------------------------------------------------------


class ConfigurationError(MemoramError):
    """The client cannot be built or used as it is configured."""


class InvalidArgumentError(MemoramError, ValueError):
    """An argument cannot be sent; nothing was sent."""


class OAuthFlowError(InvalidArgumentError):
    """This callback does not complete this OAuth flow: it is of another one, too late, or was used before.

    Nothing was sent. Begin a new flow and send the user through it.
    """


class ClientClosedError(MemoramError):
    """The client was closed: make a new one."""


class InternalError(MemoramError):
    """A fault of the SDK itself: please report it."""


# --- no answer ---------------------------------------------------------------------------------


class APIConnectionError(MemoramError):
    """No answer came.

    Attributes:
        sent: Whether any part of the request may have reached the service. When it is false,
            nothing happened there.
    """

    sent: bool

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class APITimeoutError(APIConnectionError):
    """No answer came in time."""


class PoolTimeoutError(APITimeoutError):
    """No connection became free in time; nothing was sent."""


class OutcomeUnknownError(APIConnectionError):
    """A write was sent and its answer was lost: it may or may not have happened.

    The message says how to find out. Nothing was sent a second time.
    """


# --- an answer that says no --------------------------------------------------------------------


class APIStatusError(MemoramError):
    """The service answered with an error status.

    Attributes:
        status: The HTTP status.
        code: The service's own error code, when it sent one that looks like a code.
        request_id: The service's id of this request, to quote in a report.
        server_message: What the service wrote, wrapped because servers echo what they were sent;
            it is dropped when the error is pickled.
        retry_after: Seconds that the service asked to wait, when it did.
    """

    status: int
    code: str | None
    request_id: str | None
    server_message: sdk.Secret | None
    retry_after: float | None

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str | None = None,
        request_id: str | None = None,
        server_message: sdk.Secret | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.request_id = request_id
        self.server_message = server_message
        self.retry_after = retry_after

    def _plain_data(self) -> dict[str, std.Any]:
        return {**self.__dict__, "server_message": None}


class RedirectError(APIStatusError):
    """The service answered with a redirect, which is never followed: it would carry secrets along."""


class BadRequestError(APIStatusError):
    """400: the service did not accept a parameter."""


class AuthenticationError(APIStatusError):
    """401, or 400 from the token exchange: the API key or token was refused."""


class PermissionDeniedError(APIStatusError):
    """403: the user has not let this application in, or no longer does."""


class NotFoundError(APIStatusError):
    """404: there is no such thing, or not for this application."""


class ConflictError(APIStatusError):
    """409: the state on the server does not allow it.

    Attributes:
        until: When the service will allow it; None where it sets no time.
    """

    until: std.datetime | None = None


class UnprocessableError(APIStatusError):
    """422: understood, but not acceptable."""


class RateLimitedError(APIStatusError):
    """429: too many requests; `retry_after` says how long to wait when the service told."""


class ServerError(APIStatusError):
    """5xx: the service failed."""


class OAuthError(APIStatusError):
    """The authorization server refused, in the terms of RFC 6749 4.1.2.1 and 5.2.

    `code` is the registered OAuth error, such as `invalid_grant` or `access_denied`. `status` is 0
    when the refusal came with the user's redirect rather than as an HTTP answer.
    """


class APIResponseError(MemoramError):
    """An answer came that cannot be understood: not JSON, cut short, or of another shape.

    Attributes:
        status: The HTTP status.
        request_id: The service's id of this request.
    """

    status: int
    request_id: str | None

    def __init__(self, message: str, *, status: int, request_id: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.request_id = request_id


class PaginationError(MemoramError):
    """A list came back to a cursor that it had already given: following it would never end."""


# --- the user's decision -----------------------------------------------------------------------


class AccessError(MemoramError):
    """The user's decision stands between the application and the memories.

    Attributes:
        request_id: The access request; `access_requests.wait(request_id)` goes on with it in any process.
            None while there is none.
    """

    request_id: str | None

    def __init__(self, message: str, *, request_id: str | None) -> None:
        super().__init__(message)
        self.request_id = request_id


class ApprovalRequired(AccessError):
    """The user has something to do first; nobody is waiting for it.

    It can be pickled, and is meant to travel: through a web handler to the user's browser, or as the
    result of an agent's tool call.

    Attributes:
        kind: `link` if the user has to link an account (OAuth), `approve` if the user has to decide on an
            access request.
        url: Where the user does so; None if the application did not say where.
    """

    kind: std.Literal["link", "approve"]
    url: str | None

    def __init__(
        self,
        message: str,
        *,
        kind: std.Literal["link", "approve"],
        request_id: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.kind = kind
        self.url = url


class AccessRejected(AccessError):
    """The user said no.

    Attributes:
        until: When the application may ask this user again; None where the service sets no time.
    """

    until: std.datetime | None

    def __init__(
        self, message: str, *, request_id: str | None = None, until: std.datetime | None = None
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.until = until


class AccessRevoked(AccessError):
    """The user had said yes and took it back."""


class ApprovalTimeout(AccessError):
    """The user did not decide in time; the request stays open and can be waited for again.

    Attributes:
        last_status: The status seen last, None when no poll succeeded.
        last_error: Why the latest poll failed; None if it did not.
        polls: How many times the service was asked.
    """

    last_status: str | None
    last_error: MemoramError | None
    polls: int

    def __init__(
        self,
        message: str,
        *,
        request_id: str,
        last_status: str | None,
        polls: int,
        last_error: MemoramError | None = None,
    ) -> None:
        super().__init__(message, request_id=request_id)
        self.last_status = last_status
        self.last_error = last_error
        self.polls = polls


# --- encryption --------------------------------------------------------------------------------


class CryptoError(MemoramError):
    """Encryption or decryption could not be done."""


class InvalidKeyError(CryptoError):
    """The encryption key cannot be used."""


class KeyConflictError(CryptoError):
    """Two different keys claim the same version."""


class KeyStoreError(CryptoError):
    """The application's key store failed."""


class ContentError(CryptoError, ValueError):
    """This content cannot be stored: empty, not text, or too large."""


class ContentNotLoadedError(MemoramError):
    """This memory's content is not here: fetch the memory by its id."""


class DecryptionError(CryptoError):
    """Stored content could not be turned back into text."""


class NotEncryptedError(DecryptionError):
    """The stored content is not encrypted, and plaintext was not allowed."""


class UnsupportedFormatError(DecryptionError):
    """The stored content was encrypted by something else."""


class MalformedCiphertextError(DecryptionError):
    """The stored content is not a well-formed JWE."""


class UnsupportedAlgorithmError(DecryptionError):
    """The stored content uses an algorithm or option that is not accepted."""


class UnknownKeyVersionError(DecryptionError):
    """The stored content was encrypted with a key version that is not at hand.

    Attributes:
        version: The `kid` that the content names; empty if it names none.
        available: The versions at hand.
        key_version: The `kid` as a key version; None if it is none.
    """

    version: str
    available: tuple[int, ...]
    key_version: int | None

    def __init__(
        self, message: str, *, version: str, available: tuple[int, ...], key_version: int | None = None
    ) -> None:
        super().__init__(message)
        self.version, self.available, self.key_version = version, available, key_version


class IntegrityError(DecryptionError):
    """The stored content was changed, or belongs to another key."""


class ContextMismatchError(DecryptionError):
    """The stored content was encrypted for another field."""


class ContentTooLargeError(DecryptionError):
    """The stored content is larger than what is accepted."""


class PlaintextDecodeError(DecryptionError):
    """The decrypted bytes are not UTF-8 text."""
