"""From error answers to typed errors: what went wrong, and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias, cast

import attrs

from memoram_async.core.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    NotFoundError,
    OAuthError,
    PermissionDeniedError,
    RateLimitedError,
    RedirectError,
    ServerError,
    UnprocessableError,
)
from memoram_async.core.http import HTTPResponse
from memoram_async.core.secret import Secret

# A code names a kind of fault; anything longer or freer may be an echo of what was sent.
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z_]{1,47}")
_LONGEST_ERROR_BODY: Final = 65_536

_KINDS: Final[dict[int, tuple[type[APIStatusError], str]]] = {
    400: (BadRequestError, "the service did not accept a parameter; check the arguments of this call"),
    401: (
        AuthenticationError,
        "the service refused the credentials; check the API key and that it is active",
    ),
    403: (PermissionDeniedError, "no approved access: the user must approve an access request first"),
    405: (APIStatusError, "nothing at this address takes such a request; check base_url and auth_url"),
    410: (
        APIStatusError,
        "what was done for this idempotency key has been deleted since; give another write another key",
    ),
    413: (
        APIStatusError,
        "the request is larger than the service or a proxy on the way accepts; send less",
    ),
    404: (NotFoundError, "there is no such thing, or not for this application; check the id"),
    409: (ConflictError, "the state on the server does not allow it; read it again and retry"),
    422: (UnprocessableError, "the service understood the request but cannot accept it; check the arguments"),
    429: (RateLimitedError, "too many requests; wait and send fewer at a time"),
}

_NOT_ALLOWED: Final = (
    "the service does not let this application do that; check in the developer portal that the API key and "
    "its application are active"
)
# The user's approval stands between an application and memories, and nowhere else.
_FORBIDDEN: Final = frozenset(
    {
        *("createToken", "createAccessRequest", "listAccessRequests", "getAccessRequest"),
        *("exchangeCode", "refreshTokens"),
    }
)

_REDIRECT_REMEDY: Final = (
    "the service answered with a redirect, which is not followed because it would carry secrets along; "
    "correct base_url or auth_url"
)


def _nothing() -> Mapping[str, Any]:
    return {}


@attrs.frozen(eq=False, repr=False)
class Refused:
    """A refusal as the service words it; none of it may be shown before it was compared with what is known.

    Attributes:
        operation: What was asked, in the contract's word.
        status: The HTTP status.
        code: The service's error code, when it sent one that looks like a code.
        details: The member `details` of the error body, when it is an object.
    """

    operation: str
    status: int
    code: str | None
    details: Mapping[str, Any] = attrs.field(factory=_nothing, repr=False)


@attrs.frozen(eq=False, repr=False)
class Meaning:
    """What a refusal means.

    Attributes:
        kind: The class of its error.
        remedy: What to do about it.
        details: Further arguments of the class.
    """

    kind: type[APIStatusError]
    remedy: str
    details: Mapping[str, Any] = attrs.field(factory=_nothing, repr=False)


MeaningOf: TypeAlias = Callable[[Refused], Meaning | None]
"""How one service words its refusals; None for one that says no more than its status."""


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _moment(content: bytes) -> datetime | None:
    """The `until` of a refusal; None where it is missing, or no moment."""
    try:
        moment = datetime.fromisoformat(json.loads(content)["error"]["until"])
    except (ValueError, RecursionError, TypeError, LookupError):
        return None
    return moment if moment.tzinfo else None


def _error_members(content: bytes) -> tuple[str | None, str | None, Mapping[str, Any]]:
    """The code, message and details of an error body of any shape."""
    if len(content) > _LONGEST_ERROR_BODY:
        return None, None, {}
    try:
        body: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None, None, {}
    if not _is_object(body):
        return None, None, {}
    members = cast("dict[str, Any]", body)
    nested = members.get("error")
    if _is_object(nested):
        members = cast("dict[str, Any]", nested)
    codes = _texts(members, "code", "error")
    messages = _texts(members, "message", "error_description", "detail")
    details = members.get("details")
    return (
        next((code for code in codes if _CODE.fullmatch(code)), None),
        next(iter(messages), None),
        cast("dict[str, Any]", details) if _is_object(details) else {},
    )


def _texts(members: dict[str, Any], *names: str) -> list[str]:
    """Those of the members that are text."""
    return [value for value in map(members.get, names) if isinstance(value, str)]


def status_error(
    response: HTTPResponse,
    *,
    operation: str,
    meaning: MeaningOf | None = None,
    retry_after: float | None = None,
    doubt: str | None = None,
) -> APIStatusError:
    """The error that an answer outside 2xx stands for.

    Args:
        response: The answer.
        operation: What was asked, in the contract's word, such as `getMemoryBlob`.
        meaning: How the service words its refusals, where it says more than a status.
        retry_after: Seconds that the service asked to wait.
        doubt: What to say of a request that may have been carried out all the same, if it may.
    """
    status = response.status
    code, text, told = _error_members(response.content)
    found = None
    if meaning is not None and status >= 400:
        found = meaning(Refused(operation, status, code, told))
    if found is None:
        found = _meaning_of_status(status, operation)
    kind, remedy = found.kind, found.remedy
    if doubt is not None:
        remedy = f"the service failed, so {doubt}"
    details = "".join(
        [f", {code}" if code else "", f", request id {response.request_id}" if response.request_id else ""]
    )
    error = kind(
        f"{operation}: {remedy} (HTTP {status}{details})",
        status=status,
        code=code,
        request_id=response.request_id,
        server_message=None if text is None else Secret(text),
        retry_after=retry_after,
        **found.details,
    )
    if isinstance(error, ConflictError):
        error.until = _moment(response.content)
    return error


def _meaning_of_status(status: int, operation: str) -> Meaning:
    if 300 <= status < 400:
        return Meaning(RedirectError, _REDIRECT_REMEDY)
    if status == 403 and operation in _FORBIDDEN:
        return Meaning(PermissionDeniedError, _NOT_ALLOWED)
    if status in _KINDS:
        return Meaning(*_KINDS[status])
    if status >= 500:
        return Meaning(ServerError, "the service failed; try again later")
    return Meaning(APIStatusError, "the service answered with a status that this operation does not know")


def oauth_meaning(refused: Refused) -> Meaning | None:
    """What a refusal in the terms of RFC 6749 5.2 means."""
    code, status = refused.code, refused.status
    if code is None or status >= 500 or status == 429:
        return None
    return Meaning(OAuthError, _OAUTH_REMEDIES.get(code, "the authorization server refused the request"))


_OAUTH_REMEDIES: Final = {
    "invalid_grant": (
        "the code or refresh token is wrong, expired or already used, or redirect_uri or code_verifier "
        "differ from the authorization request; send the user through authorization again"
    ),
    "invalid_client": "the client id or client secret is wrong",
    "invalid_request": "a parameter is missing or malformed",
    "unauthorized_client": "this application may not use this grant",
    "unsupported_grant_type": "the authorization server does not know this grant",
    "invalid_scope": "the scope is unknown or more than the user granted",
    "access_denied": "the user did not consent",
}


def oauth_refusal(code: str) -> OAuthError:
    """The error for a refusal that came back with the user's redirect (RFC 6749 4.1.2.1)."""
    shown = code if _CODE.fullmatch(code) else None
    remedy = _OAUTH_REMEDIES.get(code, "the authorization server refused the request")
    return OAuthError(f"authorize: {remedy}" + (f" ({shown})" if shown else ""), status=0, code=shown)
