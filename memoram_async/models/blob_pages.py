"""Pages of memories: an answer's bytes become drafts of models.

There are two ways, which read the same values. This one is in Python; `blob_pages_fast` uses the package
`msgspec`, where it is installed. That one accepts less: what it refuses is read again here, where it is known
what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from operator import itemgetter
from typing import Any, Final, TypeVar, cast

from memoram_async.core.dates import parse_time
from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse, parse_json
from memoram_async.models.belonging import belongs
from memoram_async.models.blob_pages_fast import PageMembers, read_quickly
from memoram_async.models.converter import read_number, read_whole_number, shape_error
from memoram_async.models.drafts import WIRE_MEMBERS, BlobDraft, MemoryDraft
from memoram_async.models.memory import MemoryBlob
from memoram_async.models.page import Page

D = TypeVar("D", BlobDraft, MemoryDraft)

_OPERATION: Final = "listMemoryBlobs"
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_FETCH: Final = itemgetter(*WIRE_MEMBERS)


def read_blob_page(response: HTTPResponse, kind: type[D], *, user_id: str) -> Page[D]:
    """The drafts on a page of `listMemoryBlobs`.

    A blob with an odd member does not spoil the page: it carries its `error`, and what could be read of it.
    One of another user than was asked for carries its `error` and no more than its id.

    Args:
        response: The answer.
        kind: What to make.
        user_id: The user that was asked for.

    Raises:
        APIResponseError: The answer is no such page.
    """
    page = read_quickly(response.content, kind, user_id=user_id) or _read_page(response, kind, user_id)
    if page is None:
        raise shape_error(response, operation=_OPERATION)
    drafts, cursor, total = page
    # An empty cursor leads back to the first page, so it can only mean the end.
    return Page(items=tuple(drafts), next_cursor=cursor or None, total=total, info=response.info)


def _read_page(response: HTTPResponse, kind: type[D], user_id: str) -> PageMembers[D] | None:
    body: object = parse_json(response, operation=_OPERATION)
    if not isinstance(body, dict):
        return None
    members = cast("dict[str, Any]", body)
    items, cursor, total = members.get("memoryBlobs"), members.get("next_cursor"), members.get("total")
    if not isinstance(items, list) or not isinstance(cursor, str | None):
        return None
    if not {dict}.issuperset(map(type, cast("list[object]", items))):
        return None
    drafts: list[D] = []
    for item in cast("list[dict[str, Any]]", items):
        draft: Any = _read_item(item, kind) or _salvage(item, kind, response)
        if draft.user_id != user_id and not belongs(draft.user_id, user_id):
            _strip(draft, response)
        if kind is BlobDraft:
            draft.__class__ = MemoryBlob
        drafts.append(draft)
    return drafts, cursor, read_whole_number(total)


def _read_item(item: dict[str, Any], kind: type[Any]) -> Any:
    """One draft; None if a member is odd. What it checks is written out, since it runs for every memory."""
    try:
        values = _FETCH(item)
    except KeyError:
        values = tuple(map(item.get, WIRE_MEMBERS))
    (
        memory_id,
        content,
        user_id,
        title,
        summary,
        tags,
        tag_ids,
        importance,
        confidence,
        source,
        created_at,
        updated_at,
    ) = values
    if (
        type(memory_id) is not str
        or (type(content) is not str and content is not None)
        or (type(user_id) is not str and user_id is not None)
        or (type(title) is not str and title is not None)
        or (type(summary) is not str and summary is not None)
        or (type(source) is not str and source is not None)
    ):
        return None
    draft: Any = object.__new__(kind)
    draft.info = None
    draft.error = None
    draft.id = memory_id
    draft.content = content
    draft.user_id = user_id
    draft.title = title
    draft.summary = summary
    draft.source = source
    draft.importance = (
        importance if type(importance) is float and isfinite(importance) else _number(importance)
    )
    draft.confidence = (
        confidence if type(confidence) is float and isfinite(confidence) else _number(confidence)
    )
    draft.created_at = parse_time(created_at) if type(created_at) is str else None
    draft.updated_at = parse_time(updated_at) if type(updated_at) is str else None
    try:
        draft.tags = _names(tags)
        draft.tag_ids = _names(tag_ids)
    except TypeError:
        return None
    return draft


def _names(names: list[Any] | None) -> tuple[str, ...]:
    if names is None:
        return ()
    if type(names) is not list:
        raise TypeError
    found = tuple(names)
    for name in found:
        if type(name) is not str:
            raise TypeError
    return found


def _number(number: Any) -> float | None:
    if number is None:
        return None
    return float(number) if type(number) is int and -1e9 < number < 1e9 else read_number(number)


def _moment(moment: Any) -> datetime | None:
    return parse_time(moment) if type(moment) is str else None


def _text(text: object) -> str | None:
    if text is not None and type(text) is not str:
        raise TypeError
    return text


def _id(text: object) -> str:
    if type(text) is not str:
        raise TypeError
    return text


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    **dict.fromkeys(WIRE_MEMBERS, _text),
    "id": _id,
    "tags": _names,
    "tag_ids": _names,
    "importance": _number,
    "confidence": _number,
    "created_at": _moment,
    "updated_at": _moment,
}
_NOTHING: Final[dict[str, object]] = {**dict.fromkeys(WIRE_MEMBERS), "id": "", "tags": (), "tag_ids": ()}


def _salvage(item: dict[str, Any], kind: type[D], response: HTTPResponse) -> D:
    """What can be read of an item with an odd member, and the error that says which ones are odd."""
    draft: Any = object.__new__(kind)
    draft.info = None
    odd: list[str] = []
    for name in WIRE_MEMBERS:
        try:
            value = _READERS[name](item.get(name))
        except TypeError:
            odd.append(name)
            value = _NOTHING[name]
        setattr(draft, name, value)
    _drop_odd_id(draft)
    draft.error = _error(
        f"a memory has members of another type than in the contract: {', '.join(odd)}", response
    )
    return cast("D", draft)


def _strip(draft: Any, response: HTTPResponse) -> None:
    """Leave nothing of another user's memory but its id."""
    for name in WIRE_MEMBERS:
        if name != "id":
            setattr(draft, name, _NOTHING[name])
    _drop_odd_id(draft)
    draft.error = _error("the service answered with a memory of another user than was asked for", response)


def _drop_odd_id(draft: Any) -> None:
    """An id is shown, and in an item that is odd already it may be anything."""
    if _IDENTIFIER.fullmatch(draft.id) is None:
        draft.id = ""


def _error(reason: str, response: HTTPResponse) -> APIResponseError:
    error = APIResponseError(
        f"{_OPERATION}: {reason}", status=response.status, request_id=response.request_id
    )
    error.info = response.info
    return error
