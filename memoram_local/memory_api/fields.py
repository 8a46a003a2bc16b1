"""Reads what a request says, and names every field that is wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, cast

from memoram_local.behaviour import behaviour
from memoram_local.http.json_bodies import AnotherTypeError, DoubledMemberError, check_type, decoded
from memoram_local.memory_api.envelope import Refusal, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request

_INTEGER: Final = re.compile(r"-?[0-9]{1,400}")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9._~:-]{1,128}")
_LARGEST: Final = 2**53
"""Beyond this, JSON's numbers are not whole for everybody (RFC 8259 section 6)."""


class Fields:
    """The members of a body, or the parameters of a query. Those that nobody asks for are ignored.

    What is wrong is gathered; `check` tells all of it at once.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values
        self._faults: list[tuple[str, str]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def check(self) -> None:
        """Go on only if nothing was wrong.

        Raises:
            Refusal: Something was; the refusal names each field.
        """
        if self._faults:
            raise invalid(self._faults)

    def text(self, name: str, *, longest: int | None = None) -> str:
        """A string that must be there, and not blank."""
        if name not in self._values:
            return self._wrong(name, "is required")
        value = self._values[name]
        if not isinstance(value, str):
            return self._wrong(name, "must be a string")
        if not value.strip():
            return self._wrong(name, "must not be empty")
        if longest is not None and len(value) > longest:
            return self._wrong(name, f"must have at most {longest} characters")
        if _is_broken(value):
            return self._wrong(name, "holds half of a surrogate pair")
        return value

    def identifier(self, name: str) -> str | None:
        """An id that a path can carry; None when it is left out."""
        if name not in self._values:
            return None
        value = self._values[name]
        if not isinstance(value, str) or not _IDENTIFIER.fullmatch(value) or value in {".", ".."}:
            self._wrong(name, "must have 1 to 128 letters, digits or any of . _ ~ : -")
            return None
        return value

    def is_null(self, name: str) -> bool:
        """Whether a member is null or left out."""
        return self._values.get(name) is None

    def object(self, name: str) -> dict[str, Any] | None:
        """A JSON object; None when it is left out."""
        if name not in self._values:
            return None
        value = self._values[name]
        if not isinstance(value, dict):
            self._wrong(name, "must be an object")
            return None
        members = cast("dict[str, Any]", value)
        if _is_broken(json.dumps(members, ensure_ascii=False)):
            self._wrong(name, "holds half of a surrogate pair")
        return members

    def count(self, name: str, *, default: int, least: int = 1, most: int = _LARGEST) -> int:
        """A whole number; the default when it is left out."""
        if name not in self._values:
            return default
        value = self._values[name]
        # A query has text alone, and JSON has one kind of number: 3.0 is whole too.
        if (isinstance(value, str) and _INTEGER.fullmatch(value)) or (
            isinstance(value, float) and value.is_integer()
        ):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            self._wrong(name, "must be a whole number")
            return default
        if not least <= value <= most:
            self._wrong(name, f"must be from {least} to {most}")
            return default
        return value

    def fraction(self, name: str, *, default: float) -> float:
        """A number from 0 to 1."""
        if name not in self._values:
            return default
        value = self._values[name]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self._wrong(name, "must be a number from 0 to 1")
            return default
        return float(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        if name not in self._values:
            return default
        value = self._values[name]
        if not isinstance(value, bool):
            self._wrong(name, "must be true or false")
            return default
        return value

    def one_of(self, name: str, known: Sequence[str], *, default: str) -> str:
        """One of a few words."""
        if name not in self._values:
            return default
        value = self._values[name]
        if value not in known:
            self._wrong(name, f"must be one of {', '.join(known)}")
            return default
        return str(value)

    def some_of(self, name: str, known: Sequence[str], *, default: Sequence[str]) -> list[str]:
        """Some of a few words, at least one."""
        if name not in self._values:
            return list(default)
        value = self._values[name]
        several = cast("list[object]", value) if isinstance(value, list) else []
        if not several or not all(each in known for each in several):
            self._wrong(name, f"must be an array of at least one of {', '.join(known)}")
            return list(default)
        return [str(each) for each in several]

    def _wrong(self, name: str, what: str) -> str:
        self._faults.append((name, what))
        return ""


def _is_broken(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


@behaviour(
    "memory-api.content-type",
    "invented",
    "A body that says it is anything but JSON in UTF-8, not encoded, is met with 415, code "
    "UNSUPPORTED_MEDIA_TYPE.",
)
@behaviour("memory-api.unknown-members", "invented", "Unknown members of a body are ignored.")
async def read_body(request: Request) -> Fields:
    """The JSON object that a request carries.

    Raises:
        Refusal: It is not JSON in UTF-8, says that it is something else, or is not an object.
    """
    try:
        check_type(request.headers)
    except AnotherTypeError as error:
        raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", str(error), headers=error.headers) from error
    octets = await request.body()
    try:
        content = decoded(octets)
        json.dumps(content, allow_nan=False)  # such as 1e999, which is read as infinity
    except DoubledMemberError:
        message = "The body has a member that is there more than once."
        raise Refusal(400, "VALIDATION_ERROR", message) from None
    except (ValueError, RecursionError):
        raise Refusal(400, "VALIDATION_ERROR", "The body is not valid JSON in UTF-8.") from None
    if not isinstance(content, dict):
        raise Refusal(400, "VALIDATION_ERROR", "The body must be a JSON object.")
    return Fields(cast("dict[str, object]", content))


@behaviour(
    "memory-api.repeated", "invented", "A member or parameter that is there more than once is met with 400."
)
@behaviour("memory-api.unknown-parameters", "invented", "Unknown parameters of a query are ignored.")
def read_query(request: Request) -> Fields:
    """The parameters of a request's query.

    Raises:
        Refusal: One is there more than once.
    """
    pairs = request.query_params.multi_items()
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        raise invalid([(name, "is there more than once") for name in values if names.count(name) > 1])
    return Fields(dict(values))
