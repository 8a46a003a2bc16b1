"""What the API answers when it refuses, and how it writes JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse

from memoram_local.behaviour import behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.responses import Response

_CODES = {
    400: "invalid_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    421: "misdirected_request",
    500: "internal_error",
}


class ApiError(Exception):
    """A refusal.

    Attributes:
        status: The HTTP status.
        code: For programs; the usual one of the status when left out.
        message: For people; it shows no secret.
        headers: Sent along.
    """

    def __init__(
        self, status: int, message: str, *, code: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code or code_of(status)
        self.message = message
        self.headers = headers


def code_of(status: int) -> str:
    """The usual error code of a status."""
    return _CODES.get(status, "error")


def json_answer(content: object, *, status: int = 200) -> Response:
    """A JSON answer. Nothing that the API says may be kept by a cache."""
    return JSONResponse(content, status, headers={"cache-control": "no-store"})


@behaviour("errors.body", "invented", 'Refusals are {"error": {"code": ..., "message": ...}}.')
def refusal(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """A refusal as JSON."""
    return JSONResponse(
        {"error": {"code": code, "message": message}},
        status,
        headers={"cache-control": "no-store", **(headers or {})},
    )
