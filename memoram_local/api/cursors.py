"""Opaque marks of a place in a list: the sort key of the row before it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode

from memoram_local.api.answers import ApiError

_BLOB = re.compile(r"([0-9]{1,18}):(mem_[0-9a-f]+)")
_MOMENT = re.compile(r"[0-9]{1,18}")
_TAG = re.compile(r"tag_[0-9a-f]+")


def write(created_at: int, blob_id: str) -> str:
    """The cursor of the page that follows this blob."""
    return _written(f"{created_at}:{blob_id}")


def read(cursor: str) -> tuple[int, str]:
    """The `created_at` and id of the blob that a page follows.

    Raises:
        ApiError: The cursor did not come from `write`.
    """
    place = _found(cursor, _BLOB)
    return int(place[1]), place[2]


def write_moment(moment: int) -> str:
    """The cursor of the page whose rows all came before this moment, in microseconds since 1970."""
    return _written(str(moment))


def read_moment(cursor: str) -> int:
    """The moment of a cursor that `write_moment` made.

    Raises:
        ApiError: It did not.
    """
    return int(_found(cursor, _MOMENT)[0])


def write_tag(tag_id: str) -> str:
    """The cursor of the page that follows this tag. Its name is the user's, and no part of an address."""
    return _written(tag_id)


def read_tag(cursor: str) -> str:
    """The id of the tag that a page follows.

    Raises:
        ApiError: The cursor did not come from `write_tag`.
    """
    return _found(cursor, _TAG)[0]


def refused() -> ApiError:
    """A cursor that leads nowhere."""
    return ApiError(400, "cursor is not one that a page has given.")


def _written(place: str) -> str:
    return urlsafe_b64encode(place.encode()).rstrip(b"=").decode("ascii")


def _found(cursor: str, form: re.Pattern[str]) -> re.Match[str]:
    try:
        place = form.fullmatch(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except ValueError:
        place = None
    if place is None:
        raise refused()
    return place
