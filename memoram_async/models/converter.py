"""From parsed JSON to models: the one place where wire names and wire types become ours.

Unknown members are ignored, absent optional ones are None, an unknown status stays text, and times
are aware. Numbers and booleans may be written as text, and times in any spelling of RFC 3339. One odd item
must not make its whole page unreadable, so a member that only describes (a time, a float, a flag) is None
when it cannot be read. All else raises if it has another shape than the contract's: ids, content, keys and
the key version decide what a memory is.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Hashable, Mapping
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Generic, TypeAlias, TypeVar, cast, get_args, get_origin, get_type_hints

import attrs

from memoram_async.core.dates import is_datetime, parse_time
from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse, parse_json
from memoram_async.core.secret import Secret
from memoram_async.models.answered import Answered
from memoram_async.models.belonging import check_belongs

T = TypeVar("T")

Reader: TypeAlias = Callable[[object], Any]


_LARGEST_EXACT: Final = 2**53
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?")
_FLAGS: Final = {"true": True, "false": False}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def read_number(value: object) -> float | None:
    """A finite number, which may be written as text; None if it is none."""
    if isinstance(value, str):
        number = float(value) if _NUMBER.fullmatch(value) else math.nan
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    else:
        try:
            number = float(value)
        except OverflowError:
            return None
    return number if math.isfinite(number) else None  # JSON has 1e999, which floats have not


def _float(value: object) -> float | None:
    return read_number(value)


def read_whole_number(value: object) -> int | None:
    """A whole number, which may be written as text or with a fraction of nothing; None if it is none."""
    if type(value) is int:
        return value
    number = read_number(value)
    return (
        int(number) if number is not None and number.is_integer() and abs(number) <= _LARGEST_EXACT else None
    )


def _integer(value: object) -> int:
    number = read_whole_number(value)
    if number is None:
        raise TypeError
    return number


def _flag(value: object) -> bool | None:
    if isinstance(value, str):
        return _FLAGS.get(value.lower())
    return bool(value) if isinstance(value, (int, float)) and value in {0, 1} else None


def _secret(value: object) -> Secret:
    return Secret(_text(value))


def _moment(value: object) -> datetime | None:
    return parse_time(value) if isinstance(value, str) else None


_PLAIN_TYPES: Final[dict[Any, Reader]] = {
    str: _text,
    int: _integer,
    bool: _flag,
    float: _float,
    Secret: _secret,
}


_DESCRIBING: Final = frozenset({_flag, _float, _moment})


def _reading_words(words: type[StrEnum]) -> Reader:
    """What reads an enumeration of which a word that this version does not know stays text."""

    def read(value: object) -> StrEnum | str:
        text = _text(value)
        try:
            return words(text)
        except ValueError:
            return text

    return read


def _reading_optional(read: Reader) -> Reader:
    return lambda value: None if value is None else read(value)


def _reading_list(read: Reader) -> Reader:
    def read_list(value: object) -> tuple[Any, ...]:
        # The service may write null where it means none.
        if value is None:
            return ()
        if not isinstance(value, list):
            raise TypeError
        return tuple([read(each) for each in cast("list[object]", value)])

    return read_list


def _object(value: object) -> dict[str, Any]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value)
    raise TypeError


def _reading_model(kind: type[attrs.AttrsInstance]) -> Reader:
    hints = get_type_hints(kind)
    members = [
        (
            field.metadata.get("wire", field.name),
            field.alias or field.name,
            reader(hints[field.name]),
            field.default is attrs.NOTHING,
        )
        for field in attrs.fields(kind)
        # What is ours is not the wire's, whatever a member of that name means there.
        if "ours" not in field.metadata
    ]

    def read(value: object) -> attrs.AttrsInstance:
        found = _object(value)
        arguments: dict[str, Any] = {}
        for wire, name, read_member, is_required in members:
            if wire in found:
                arguments[name] = read_member(found[wire])
            elif is_required:
                raise TypeError
        return kind(**arguments)

    return read


@cache
def reader(kind: Any) -> Reader:
    """What reads a value of a type from parsed JSON, and raises where that has another shape.

    Args:
        kind: A model, or a type that models have members of.

    Raises:
        TypeError: Models have no members of that type.
    """
    if kind in _PLAIN_TYPES:
        return _PLAIN_TYPES[kind]
    if is_datetime(kind):
        return _moment
    if attrs.has(kind):
        return _reading_model(kind)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is dict:
        return _object
    if origin is tuple:
        return _reading_list(reader(arguments[0]))
    first, *others = [each for each in arguments if each is not NoneType] or [None]
    if origin is not UnionType or others not in ([], [str]):
        message = f"models have no members of type {kind}"
        raise TypeError(message)
    read = _reading_words(first) if others else reader(first)
    # What only describes is None anyway for whatever cannot be read.
    return _reading_optional(read) if NoneType in arguments and read not in _DESCRIBING else read


def structure(response: HTTPResponse, value: object, kind: type[T], *, operation: str) -> T:
    """One model from a part of an answer.

    Raises:
        APIResponseError: It has another shape than the contract's.
    """
    model = read_model(value, kind)
    del value
    if model is None:
        raise shape_error(response, operation=operation)
    return with_info(model, response)


def read_model(value: object, kind: type[T]) -> T | None:
    """One model; None for another shape, so that whoever raises can drop the value first."""
    read = reader(cast("Hashable", kind))
    try:
        return cast("T", read(value))
    except Exception:  # noqa: BLE001 - whatever it is, it may quote the value: the shape is what matters
        return None


class Reading(Generic[T]):
    """Reads the answer to a write while the write can still be sent again; `of` answers the model.

    Args:
        kind: The model.
        operation: The contract's name for what was asked.
        asked: The members that say what the answer is about, as they were asked for.
    """

    __slots__ = ("_asked", "_kind", "_model", "_operation")

    def __init__(self, kind: type[T], *, operation: str, asked: Mapping[str, str] | None = None) -> None:
        self._kind = kind
        self._asked = asked or {}
        self._operation = operation
        self._model: T | None = None

    def __call__(self, response: HTTPResponse) -> None:
        """Read an answer.

        Raises:
            APIResponseError: It is no JSON, has another shape, or is about something else.
        """
        self._model = read_model(parse_json(response, operation=self._operation), self._kind)
        if self._model is None:
            raise shape_error(response, operation=self._operation)
        check_belongs(response, self._model, operation=self._operation, asked=self._asked)

    def of(self, response: HTTPResponse) -> T:
        """The model that was read last, with how the call went."""
        return with_info(cast("T", self._model), response)


def with_info(model: T, response: HTTPResponse) -> T:
    """The model with how the call went that brought it."""
    if isinstance(model, Answered):
        object.__setattr__(model, "info", response.info)  # a copy would cost as much as all of it
    return model


def shape_error(response: HTTPResponse, *, operation: str) -> APIResponseError:
    """The error for an answer that is JSON of another shape than the contract's."""
    error = APIResponseError(
        f"{operation}: the service's answer has another shape than its contract: check that base_url names "
        "the right service and version",
        status=response.status,
        request_id=response.request_id,
    )
    error.info = response.info
    return error
