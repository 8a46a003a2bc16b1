"""Opaque marks of a place in a list: the sort key of the row before it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from memoram_local.api.answers import ApiError

_PLACE = re.compile(r"([0-9]{1,18}):(mem_[0-9a-f]+)")


def write(created_at: int, blob_id: str) -> str:
    """The cursor of the page that follows this blob."""
    return urlsafe_b64encode(f"{created_at}:{blob_id}".encode()).rstrip(b"=").decode("ascii")


def read(cursor: str) -> tuple[int, str]:
    """The `created_at` and id of the blob that a page follows.

    Raises:
        ApiError: The cursor did not come from `write`.
    """
    try:
        place = _PLACE.fullmatch(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except ValueError:
        place = None
    if place is None:
        raise ApiError(400, "cursor is not one that a page has given.")
    return int(place[1]), place[2]
