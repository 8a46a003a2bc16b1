"""How the API answers: JSON with a validator, or a refusal."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response

from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    421: "misdirected_request",
    422: "unprocessable",
    429: "too_many_requests",
    431: "request_header_fields_too_large",
    500: "internal_error",
    501: "not_implemented",
    503: "storage_unavailable",
    507: "insufficient_storage",
}


# json.dumps would make one of these each time.
_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class ApiError(Exception):
    """A refusal.

    Attributes:
        status: The HTTP status.
        code: For programs; the usual one of the status when left out.
        message: For people; it shows no secret.
        headers: Sent along.
        details: Further members of the error.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or code_of(status)
        self.message = message
        self.headers = headers
        self.details = details


def code_of(status: int) -> str:
    """The usual error code of a status."""
    return _CODES.get(status, "error")


def json_octets(content: object) -> bytes:
    """Content as the wire writes it: the same content is always written in the same way."""
    return _JSON.encode(content).encode()


def octets_answer(octets: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON that is written already. No cache may keep it."""
    return Response(
        octets, status, {"cache-control": "no-store", **(headers or {})}, media_type="application/json"
    )


def json_answer(content: object, *, status: int = 200) -> Response:
    """A JSON answer that no cache may keep."""
    return octets_answer(json_octets(content), status=status)


def etag_of(octets: bytes) -> str:
    """The strong validator of a representation (RFC 9110 section 8.8.3): equal for equal octets alone."""
    return f'"{hashlib.sha256(octets).hexdigest()[:32]}"'


@behaviour("reading.etag", "invented", "Whatever is read, but for credentials, has a strong ETag.")
@behaviour("reading.if-none-match", "invented", "If-None-Match of what stands is met with 304 (RFC 9110).")
@behaviour(
    "reading.cache-control",
    "invented",
    "What has an ETag may be kept by its reader alone, who must ask each time; all else may not be kept.",
)
def conditional_answer(
    request: Request, content: object, *, headers: Mapping[str, str] | None = None
) -> Response:
    """What stands, or only that it still does."""
    octets = json_octets(content)
    etag = etag_of(octets)
    sent = {"cache-control": "private, no-cache", "etag": etag, **(headers or {})}
    if matches(request, etag):
        return Response(status_code=304, headers=sent)
    return Response(octets, 200, sent, media_type="application/json")


def matches(request: Request, etag: str) -> bool:
    """Whether the reader has this representation already (RFC 9110 section 13.1.2)."""
    named = request.headers.getlist("if-none-match")
    if not named:
        return False
    # Weak comparison; the tags made here hold no commas, so splitting at them finds each.
    tags = {tag.strip().removeprefix("W/") for header in named for tag in header.split(",")}
    return etag in tags or "*" in tags


@behaviour("errors.body", "invented", 'Refusals are {"error": {"code": ..., "message": ...}}.')
def refusal(
    status: int,
    code: str,
    message: str,
    headers: Mapping[str, str] | None = None,
    details: Mapping[str, str] | None = None,
) -> Response:
    """A refusal as JSON."""
    return JSONResponse(
        {"error": {"code": code, "message": message, **(details or {})}},
        status,
        headers={"cache-control": "no-store", **(headers or {})},
    )
