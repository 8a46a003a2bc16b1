"""A page of the list of access requests, read as far as waiting needs it."""

from __future__ import annotations

from typing import Any, cast

import attrs


@attrs.frozen(kw_only=True)
class ListPage:
    """What a page says; an item that cannot be read is left out and counts all the same.

    Attributes:
        items: For each request its id, its status and the whole item.
        count: How many items the page has.
        total: How many the whole list has, if the service said.
        next_cursor: Where the next page begins.
        octets: How large the page is.
        etag: Its version, if the service names versions.
        digest: What its content comes to, to know it again; none if nobody needs to.
        applied: Whether the service granted a long poll.
        not_modified: Whether it is the version that the caller knows.
    """

    items: tuple[tuple[str, str, dict[str, Any]], ...] = attrs.field(default=(), repr=False)
    count: int = 0
    total: int | None = None
    next_cursor: str | None = attrs.field(default=None, repr=False)
    octets: int = 0
    etag: str | None = None
    digest: bytes | None = None
    applied: bool = False
    not_modified: bool = False


def read_list_page(
    body: object, *, octets: int, etag: str | None, applied: bool, digest: bytes | None = None
) -> ListPage | None:
    """A page from an answer's body; None if it is no list at all."""
    if not isinstance(body, dict):
        return None
    members = cast("dict[str, Any]", body)
    items, cursor, total = members.get("items"), members.get("next_cursor"), members.get("total")
    if not isinstance(items, list):
        return None
    read: list[tuple[str, str, dict[str, Any]]] = []
    for item in cast("list[object]", items):
        if isinstance(item, dict):
            fields = cast("dict[str, Any]", item)
            request_id, status = fields.get("id"), fields.get("status")
            if isinstance(request_id, str) and isinstance(status, str):
                read.append((request_id, status, fields))
    return ListPage(
        items=tuple(read),
        count=len(cast("list[object]", items)),
        total=total if type(total) is int else None,
        next_cursor=cursor if isinstance(cursor, str) and cursor else None,
        octets=octets,
        etag=etag,
        digest=digest,
        applied=applied,
    )
