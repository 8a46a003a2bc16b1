"""Out of the envelope: what Memory API answers, as models and pages."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar, cast

from memoram_async.core.errors import InvalidArgumentError, PaginationError
from memoram_async.core.http import HTTPResponse, shown_request_id
from memoram_async.core.info import ResponseInfo
from memoram_async.core.secret import Secret
from memoram_async.memory_api.models import Report
from memoram_async.models.converter import shape_error, structure
from memoram_async.models.page import Page

T = TypeVar("T")


def unwrap(response: HTTPResponse, kind: type[T], *, operation: str) -> T:
    """The model in an envelope.

    Raises:
        APIResponseError: It has another shape than the contract's.
    """
    response, data, _ = _opened(response, operation=operation)
    return structure(response, data.reveal(), kind, operation=operation)


def unwrap_report(response: HTTPResponse) -> Report:
    """An answer that the contract leaves open, out of its envelope if it has one."""
    if not response.content.strip():
        return Report(info=response.info)
    body: object = response.json()
    if not isinstance(body, dict) or "data" not in body:
        return Report(data=body, info=response.info)
    members = cast("dict[str, Any]", body)
    return Report(data=members["data"], info=_with_meta(response, members).info)


def unwrap_page(
    response: HTTPResponse, items: type[tuple[T, ...]], *, operation: str, number: int | None
) -> Page[T]:
    """The page in an envelope.

    Args:
        response: The answer.
        items: What is on it.
        operation: The contract's name.
        number: The page that was asked for; None for a list that comes whole.

    Raises:
        APIResponseError: It has another shape than the contract's.
        PaginationError: The service answered with another page.
    """
    response, data, pagination = _opened(response, operation=operation)
    models = structure(response, data.reveal(), items, operation=operation)
    if number is None:
        return Page(items=models, total=len(models), info=response.info)
    place = _place_of(pagination)
    if place is None:
        raise shape_error(response, operation=operation)
    if place.number not in {None, number}:
        raise PaginationError(
            f"{operation}: the service answered with another page than the one asked for, so the list would "
            "never end; what was read so far may be incomplete"
        )
    # A page without items lies beyond the end, whatever is said of the next one.
    return Page(
        items=models,
        next_cursor=str(number + 1) if place.has_next and models else None,
        total=place.total,
        info=response.info,
    )


class _Place(NamedTuple):
    """Where a page lies in its list."""

    number: int | None
    has_next: bool
    total: int | None


def _place_of(pagination: Secret) -> _Place | None:
    stated = cast("object", pagination.reveal())
    if not isinstance(stated, dict):
        return None
    members = cast("dict[str, Any]", stated)
    number, total = members.get("page"), members.get("total")
    return _Place(
        number if type(number) is int else None,
        members.get("has_next") is True,
        total if type(total) is int else None,
    )


def page_number(cursor: str | None) -> int:
    """The number of the page at a cursor.

    Raises:
        InvalidArgumentError: No page has given this cursor.
    """
    if cursor is None:
        return 1
    if isinstance(cast("object", cursor), str) and cursor.isascii() and cursor.isdigit() and len(cursor) < 16:
        number = int(cursor)
        if number >= 1:
            return number
    del cursor
    raise InvalidArgumentError("cursor is none that a page of this list has given")


def _opened(response: HTTPResponse, *, operation: str) -> tuple[HTTPResponse, Secret, Secret]:
    """The answer with what its envelope tells of it, the data, and what stands beside the data of a list.

    The two are wrapped: whoever finds them of another shape raises, and a traceback shows local variables.
    """
    members = _members(response)
    if members is None:
        raise shape_error(response, operation=operation)
    told = _with_meta(response, members)
    return told, Secret(members["data"]), Secret(cast("Any", members.get("pagination")))


def _members(response: HTTPResponse) -> dict[str, Any] | None:
    body: object = response.json()
    if not isinstance(body, dict):
        return None
    members = cast("dict[str, Any]", body)
    return members if members.get("success") is not False and "data" in members else None


def _with_meta(response: HTTPResponse, members: dict[str, Any]) -> HTTPResponse:
    """The answer, with what its envelope tells of how the call went."""
    meta, info = members.get("meta"), response.info
    if not isinstance(meta, dict) or info is None:
        return response
    told = cast("dict[str, Any]", meta)
    millis, request_id = told.get("processing_time_ms"), told.get("request_id")
    # Written out: attrs.evolve looks at every field each time, which costs as much as reading the memory.
    return HTTPResponse(
        status=response.status,
        headers=response.headers,
        content=response.content,
        info=ResponseInfo(
            operation=info.operation,
            status=info.status,
            request_id=info.request_id or shown_request_id(request_id),
            attempts=info.attempts,
            elapsed=info.elapsed,
            replayed=info.replayed,
            rate_limit=info.rate_limit,
            processing_time=millis / 1000 if type(millis) is int or type(millis) is float else None,
        ),
    )
