"""How Memory API answers: everything in an envelope, refusals included."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from memoram_local.behaviour import behaviour
from memoram_local.http.guards import REQUEST_ID

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Scope as Connection

    from memoram_local.services.rate_limits import Standing

_JSON: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

_CODES: Final = {
    400: "VALIDATION_ERROR",
    403: "INSUFFICIENT_PERMISSIONS",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    413: "PAYLOAD_TOO_LARGE",
    421: "MISDIRECTED_REQUEST",
    500: "INTERNAL_ERROR",
    503: "STORAGE_UNAVAILABLE",
    507: "INSUFFICIENT_STORAGE",
}


@dataclass(frozen=True, slots=True)
class Good:
    """An answer that says yes.

    Attributes:
        data: What the envelope holds.
        status: The HTTP status.
        pagination: What stands beside the data of a list.
    """

    data: object = field(repr=False)
    status: int = 200
    pagination: Mapping[str, object] | None = None


class Refusal(Exception):  # noqa: N818 - the contract calls it no error until it is on the wire
    """An answer that says no.

    Attributes:
        status: The HTTP status.
        code: The contract's code.
        message: For people; it shows no secret and no memory.
        details: For programs.
        headers: Sent along.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}


@behaviour("errors.validation", "documented", "A field that is wrong is met with 400 and named in `details`.")
def invalid(faults: Sequence[tuple[str, str]]) -> Refusal:
    """The refusal of fields that are wrong.

    Args:
        faults: Each field's name and what is wrong with it, at least one.
    """
    field_name, message = faults[0]
    errors = [{"field": name, "message": said} for name, said in faults]
    return Refusal(
        400, "VALIDATION_ERROR", f"{field_name} {message}.", details={"field": field_name, "errors": errors}
    )


@behaviour("memory-api.envelope", "documented", "Answers are envelopes: success, data and meta.")
@behaviour(
    "memory-api.status",
    "invented",
    "What is created is answered with 201, everything else that went well with 200.",
)
def good_answer(good: Good, connection: Connection, *, began: float, standing: Standing | None) -> Response:
    """A good answer on the wire.

    Args:
        good: The answer.
        connection: The request's scope.
        began: `time.perf_counter()` when the request came.
        standing: How the caller stands with the limits.
    """
    content: dict[str, object] = {"success": True, "data": good.data}
    if good.pagination is not None:
        content["pagination"] = good.pagination
    content["meta"] = {
        "request_id": connection[REQUEST_ID],
        "processing_time_ms": round((time.perf_counter() - began) * 1000, 3),
    }
    return _octets(content, good.status, headers_of(standing))


def refusal_answer(refusal: Refusal, *, standing: Standing | None = None) -> Response:
    """A refusal on the wire."""
    error: dict[str, object] = {"code": refusal.code, "message": refusal.message}
    if refusal.details is not None:
        error["details"] = refusal.details
    headers = {**headers_of(standing), **refusal.headers}
    return _octets({"success": False, "error": error}, refusal.status, headers)


@behaviour(
    "errors.memory-api-codes", "invented", "What has no code in the contract gets the name of its status."
)
def plain_refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """The refusal of a request that no route has seen."""
    return refusal_answer(Refusal(status, _CODES.get(status, "ERROR"), message, headers=headers))


def headers_of(standing: Standing | None) -> dict[str, str]:
    """What tells a caller how it stands."""
    if standing is None:
        return {}
    return {
        "x-ratelimit-limit": str(standing.limit),
        "x-ratelimit-remaining": str(standing.remaining),
        "x-ratelimit-reset": str(standing.resets_at),
    }


def _octets(content: object, status: int, headers: Mapping[str, str]) -> Response:
    return Response(
        _JSON.encode(content).encode(),
        status,
        {"cache-control": "no-store", **headers},
        media_type="application/json",
    )
