"""JSON as both services take it: of the right type, in UTF-8, and with each member once."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from starlette.datastructures import Headers

_JSON_TYPE: Final = re.compile(r"application/([a-z0-9!#$&^_.-]+\+)?json")


class DoubledMemberError(ValueError):
    """A member is there twice, and readers differ in which of the two they take (RFC 8259 section 4)."""


class AnotherTypeError(Exception):
    """A body says that it is anything but JSON in UTF-8, not encoded.

    Attributes:
        headers: What an answer of 415 says that may be sent instead.
    """

    def __init__(self, message: str, headers: dict[str, str]) -> None:
        super().__init__(message)
        self.headers = headers


def check_type(headers: Headers) -> None:
    """Let a body pass that says it is JSON in UTF-8, or says nothing.

    Raises:
        AnotherTypeError: It says something else.
    """
    named = headers.getlist("content-type")
    if headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        raise AnotherTypeError("The body must not be encoded.", {"accept-encoding": "identity"})
    if not named:
        return
    media_type, _, parameters = named[0].partition(";")
    if (
        len(named) > 1
        or _JSON_TYPE.fullmatch(media_type.strip().lower()) is None
        or _charset(parameters) not in {"utf-8", "utf8"}
    ):
        raise AnotherTypeError("The body must be application/json in UTF-8.", {"accept": "application/json"})


def decoded(octets: bytes) -> object:
    """What a body holds.

    Raises:
        DoubledMemberError: A member is there more than once.
        ValueError: It is not JSON in UTF-8.
    """
    try:
        content: object = _JSON.decode(octets.decode("utf-8"))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return content


def _charset(parameters: str) -> str:
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return "utf-8"


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise DoubledMemberError
    return members


# json.loads would make one of these each time.
_JSON: Final = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_once_each)
