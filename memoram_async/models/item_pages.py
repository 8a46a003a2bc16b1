"""Pages of anything but memories, which `blob_pages` reads faster."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import attrs

from memoram_async.core.http import HTTPResponse, parse_json
from memoram_async.models.converter import read_model, read_whole_number, shape_error
from memoram_async.models.page import Page

T = TypeVar("T")


def structure_page(response: HTTPResponse, member: str, kind: type[T], *, operation: str) -> Page[T]:
    """A page of the items in a member of an answer, with the cursor and total beside them.

    Raises:
        APIResponseError: It has another shape than the contract's.
    """
    page = _read_page(parse_json(response, operation=operation), member, kind)
    if page is None:
        raise shape_error(response, operation=operation)
    return attrs.evolve(page, info=response.info)


def _read_page(body: object, member: str, kind: type[T]) -> Page[T] | None:
    if not isinstance(body, dict):
        return None
    members = cast("dict[str, Any]", body)
    items, cursor, total = members.get(member), members.get("next_cursor"), members.get("total")
    if not isinstance(items, list) or not isinstance(cursor, str | None):
        return None
    models: list[T] = []
    for item in cast("list[object]", items):
        model = read_model(item, kind)
        if model is None:
            return None
        models.append(model)
    return Page(
        items=tuple(models),
        # An empty cursor leads back to the first page, so it can only mean the end.
        next_cursor=cursor or None,
        total=read_whole_number(total),
    )
