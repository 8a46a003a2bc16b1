"""Marks of a place in a list, in the address of a page: the sort key of the last row before it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.requests import Request

_WITH_NUMBER = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")
_WITH_BLOB = re.compile(r"([0-9]{1,18})-(mem_[0-9a-f]{1,64})")
_NUMBER = re.compile(r"[0-9]{1,18}")


def number(request: Request) -> int | None:
    """The number that a page's address names as its place; None for the start, and for nonsense."""
    found = _NUMBER.fullmatch(_text(request))
    return None if found is None else int(found[0])


def two_numbers(request: Request) -> tuple[int, int] | None:
    """The two numbers that a page's address names as its place."""
    found = _WITH_NUMBER.fullmatch(_text(request))
    return None if found is None else (int(found[1]), int(found[2]))


def number_and_blob(request: Request) -> tuple[int, str] | None:
    """The number and the blob id that a page's address names as its place."""
    found = _WITH_BLOB.fullmatch(_text(request))
    return None if found is None else (int(found[1]), found[2])


def written(place: tuple[int, int | str] | None) -> str | None:
    """A place as an address names it."""
    return None if place is None else f"{place[0]}-{place[1]}"


def _text(request: Request) -> str:
    return request.query_params.get("before", "")
