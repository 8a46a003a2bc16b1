"""Reads what a request says, and refuses with the name of the member that is wrong."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, cast
from uuid import UUID

from memoram_local.api.answers import ApiError
from memoram_local.behaviour import behaviour
from memoram_local.http.json_bodies import AnotherTypeError, DoubledMemberError, check_type, decoded
from memoram_local.shown_text import hidden_character

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.requests import Request

# As the platform itself writes them; others are spelt otherwise, which costs more to read.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INTEGER = re.compile(r"-?[0-9]{1,400}")
_NUMBER = re.compile(r"-?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,3})?")


class Body:
    """The members of a JSON object. Those that nobody asks for are ignored."""

    def __init__(self, members: dict[str, object]) -> None:
        self._members = members

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def text(self, name: str, *, longest: int | None = None) -> str:
        """A string that must be there.

        Args:
            name: The member.
            longest: The most characters it may have; such a string may not be empty either.
        """
        if name not in self._members:
            raise _wrong(name, "is missing")
        value = self.optional_text(name)
        if value is None:
            raise _wrong(name, "must be a string")
        if longest is not None and not 0 < len(value) <= longest:
            raise _wrong(name, f"must have 1 to {longest} characters")
        return value

    def visible_text(self, name: str, *, longest: int) -> str:
        """A string that must be there, for people to decide by: it has no character that cannot be seen."""
        value = self.text(name, longest=longest)
        hidden = hidden_character(value)
        if hidden is not None:
            raise _wrong(name, f"holds a character that nobody can see: {hidden}")
        return value

    def optional_text(self, name: str, *, longest: int | None = None) -> str | None:
        """A string; None when it is null or left out.

        Args:
            name: The member.
            longest: The most characters it may have.
        """
        value = self._members.get(name)
        if value is None:
            return None
        text = _text(name, value)
        if longest is not None and len(text) > longest:
            raise _wrong(name, f"must have at most {longest:,} characters")
        return text

    @behaviour("blobs.numbers", "invented", "Importance and confidence may be any finite numbers.")
    def optional_number(self, name: str) -> float | None:
        """A finite number; None when it is null or left out."""
        value = self._members.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _wrong(name, "must be a number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _wrong(name, "is too large")
        return number

    def optional_count(self, name: str) -> int | None:
        """An integer of at least 1; None when it is null or left out."""
        value = self._members.get(name)
        if value is None:
            return None
        # JSON has one kind of number: 60.0 is an integer too.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _wrong(name, "must be an integer")
        if value < 1:
            raise _wrong(name, "must be at least 1")
        return value

    @behaviour("blobs.tag-duplicates", "invented", "A tag named twice counts once, in its first place.")
    @behaviour("blobs.tag-empty", "invented", "A tag needs a name of at least one character.")
    @behaviour("blobs.tag-limits", "invented", "A memory bears at most 100 tags, of 200 characters each.")
    def tag_names(self, name: str, *, most: int, longest: int) -> list[str]:
        """An array of tag names, without duplicates; empty when it is null or left out.

        Args:
            name: The member.
            most: So many names it may hold, before duplicates are left out.
            longest: The most characters a name may have.
        """
        value = self._members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise _wrong(name, "must be an array of strings")
        items = cast("list[object]", value)
        if len(items) > most:
            raise _wrong(name, f"must hold at most {most} names")
        names = [_text(name, item) for item in items]
        if any(len(each) > longest for each in names):
            raise _wrong(name, f"must hold names of at most {longest} characters")
        if not all(names):
            raise _wrong(name, "must not hold an empty name")
        return list(dict.fromkeys(names))

    def user_id(self, name: str = "user_id") -> str:
        """A user's id that must be there."""
        return _user_id(name, self.text(name))


@behaviour("errors.unknown-members", "invented", "Unknown members of a body are ignored.")
async def read_body(request: Request) -> Body:
    """The JSON object that a request carries.

    Raises:
        ApiError: It is not JSON in UTF-8, says that it is something else, or is not an object.
    """
    octets = await _octets(request)
    try:
        content = decoded(octets)
    except DoubledMemberError as error:
        raise ApiError(400, "The body has a member that is there more than once.") from error
    except ValueError as error:
        raise ApiError(400, "The body is not valid JSON in UTF-8.") from error
    if not isinstance(content, dict):
        raise ApiError(400, "The body must be a JSON object.")
    return Body(cast("dict[str, object]", content))


@behaviour(
    "errors.content-type",
    "invented",
    "A body that says it is anything but JSON in UTF-8, not encoded, is met with 415; one that says nothing "
    "is read as JSON.",
)
async def _octets(request: Request) -> bytes:
    try:
        check_type(request.headers)
    except AnotherTypeError as error:
        raise ApiError(415, str(error), headers=error.headers) from error
    return await request.body()


class Query:
    """The parameters of a request's query. Those that nobody asks for are ignored."""

    @behaviour("errors.unknown-parameters", "invented", "Unknown parameters of a query are ignored.")
    def __init__(self, request: Request) -> None:
        self._parameters = request.query_params

    def user_id(self, name: str = "user_id") -> str:
        """A user's id that must be there."""
        value = self._once(name)
        if value is None:
            raise _wrong(name, "is missing")
        return _user_id(name, value)

    def text(self, name: str, *, longest: int | None = None) -> str | None:
        """A string; None when it is left out or empty.

        Args:
            name: The parameter.
            longest: The most characters it may have.
        """
        value = self._once(name) or None
        if value is not None and longest is not None and len(value) > longest:
            raise _wrong(name, f"must have at most {longest:,} characters")
        return value

    def count(self, name: str, *, default: int, most: int) -> int:
        """An integer of at least 1, cut to `most`."""
        value = self.optional_count(name)
        return default if value is None else min(value, most)

    def optional_count(self, name: str) -> int | None:
        """An integer of at least 1; None when it is left out."""
        value = self._once(name)
        if value is None:
            return None
        if _INTEGER.fullmatch(value) is None:
            raise _wrong(name, "must be an integer")
        if int(value) < 1:
            raise _wrong(name, "must be at least 1")
        return int(value)

    def number(self, name: str) -> float | None:
        """A finite number; None when it is left out."""
        value = self._once(name)
        if value is None:
            return None
        number = float(value) if _NUMBER.fullmatch(value) else math.inf
        if not math.isfinite(number):
            raise _wrong(name, "must be a number")
        return number

    @behaviour("list-blobs.tags-empty", "invented", "Empty names in the tags filter are ignored.")
    @behaviour("list-blobs.tags-limit", "invented", "A list is filtered by at most 100 tags.")
    def tag_names(self, name: str, *, most: int) -> tuple[str, ...]:
        """Names joined by commas, from every parameter of this name.

        Args:
            name: The parameter.
            most: So many names it may hold.
        """
        values: Iterable[str] = self._parameters.getlist(name)
        names = tuple(dict.fromkeys(part for value in values for part in value.split(",") if part))
        if len(names) > most:
            raise _wrong(name, f"must hold at most {most} names")
        return names

    @behaviour("errors.repeated-parameters", "invented", "Only tags may be there more than once, else 400.")
    def _once(self, name: str) -> str | None:
        values: list[str] = self._parameters.getlist(name)
        if len(values) > 1:
            raise _wrong(name, "is there more than once")
        return values[0] if values else None


def _wrong(name: str, what: str) -> ApiError:
    return ApiError(400, f"{name} {what}.")


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise _wrong(name, "must be a string")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise _wrong(name, "holds half of a surrogate pair") from error
    return value


def _user_id(name: str, value: str) -> str:
    if _UUID.fullmatch(value) is not None:
        return value
    try:
        return str(UUID(value))
    except ValueError as error:
        raise _wrong(name, "must be a UUID") from error
