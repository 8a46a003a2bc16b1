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
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import NoneType
from typing import Any, Final, Generic, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, override

from memoram_async.core.dates import parse_time
from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse, parse_json
from memoram_async.core.secret import Secret
from memoram_async.models.answered import Answered
from memoram_async.models.belonging import check_belongs
from memoram_async.models.page import Page

T = TypeVar("T")


_LARGEST_EXACT: Final = 2**53
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,400})?(?:[eE][+-]?[0-9]{1,3})?")
_FLAGS: Final = {"true": True, "false": False}


def _text(value: object, _: Any = None) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


def _optional_text(value: object, _: Any) -> str | None:
    if value is None or isinstance(value, str):
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


def _float(value: object, _: Any) -> float | None:
    return read_number(value)


def read_whole_number(value: object) -> int | None:
    """A whole number, which may be written as text or with a fraction of nothing; None if it is none."""
    if type(value) is int:
        return value
    number = read_number(value)
    return (
        int(number) if number is not None and number.is_integer() and abs(number) <= _LARGEST_EXACT else None
    )


def _integer(value: object, _: Any) -> int:
    number = read_whole_number(value)
    if number is None:
        raise TypeError
    return number


def _flag(value: object, _: Any) -> bool | None:
    if isinstance(value, str):
        return _FLAGS.get(value.lower())
    return bool(value) if isinstance(value, (int, float)) and value in {0, 1} else None


def _secret(value: object, _: Any) -> Secret:
    return Secret(_text(value))


def _moment(value: object, _: Any) -> datetime | None:
    return parse_time(value) if isinstance(value, str) else None


_PLAIN_TYPES: Final[dict[Any, Callable[[Any, Any], Any]]] = {
    str: _text,
    int: _integer,
    bool: _flag,
    float: _float,
    Secret: _secret,
    datetime: _moment,
}
_DESCRIBING: Final = frozenset({bool, float, datetime})


def _word_of(kind: object) -> type[StrEnum] | None:
    """The enumeration in a union of one with text, and maybe None; None for another type."""
    words: Any
    words, *others = get_args(kind) or (None,)
    is_open = isinstance(words, type) and issubclass(words, StrEnum) and others in ([str], [str, NoneType])
    return cast("type[StrEnum]", words) if is_open else None


def _reading_words(kind: Any) -> Callable[[Any, Any], Any]:
    """What reads such a union: a word that this version does not know stays text."""
    words = cast("type[StrEnum]", _word_of(kind))
    may_lack = NoneType in get_args(kind)

    def read(value: object, _: Any) -> StrEnum | str | None:
        if value is None and may_lack:
            return None
        text = _text(value)
        try:
            return words(text)
        except ValueError:
            return text

    return read


def _is_optional(kind: object) -> bool:
    """Whether it is one of the plain types or None; cattrs would ask its registry for each value."""
    plain, *others = get_args(kind) or (None,)
    return others == [NoneType] and plain in _PLAIN_TYPES


def _reading_optional(kind: Any) -> Callable[[Any, Any], Any]:
    plain = get_args(kind)[0]
    read = _PLAIN_TYPES[plain]
    if plain is str:
        return _optional_text
    if plain in _DESCRIBING:
        return read  # which is None for whatever it cannot read

    def read_optional(value: object, _: Any) -> object:
        return None if value is None else read(value, None)

    return read_optional


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple and get_args(kind)[1:] == (Ellipsis,)


def _reading_list(kind: Any, converter: Converter) -> Callable[[Any, Any], tuple[Any, ...]]:
    item = get_args(kind)[0]

    def read(value: object, _: Any) -> tuple[Any, ...]:
        # The service may write null where it means none.
        if value is None:
            return ()
        if not isinstance(value, list):
            raise TypeError
        return tuple([converter.structure(each, item) for each in cast("list[object]", value)])

    return read


def _wire_names(cls: type[Any], converter: Converter) -> Callable[[Any, Any], Any]:
    overrides = {
        # Without a name on the wire, a member is ours, and one that is called so there is not.
        field.name: override(rename=wire) if (wire := field.metadata["wire"]) else override(omit=True)
        for field in attrs.fields(cls)
        if "wire" in field.metadata
    }
    # What is ours is not the wire's, whatever members of that name mean there.
    ours = [field.name for field in attrs.fields(cls) if "ours" in field.metadata]
    overrides.update(dict.fromkeys(ours, override(omit=True)))
    structure = make_dict_structure_fn(
        cls,
        converter,
        _cattrs_detailed_validation=False,
        **overrides,  # type: ignore[arg-type]  # its keyword-only options share the namespace of attributes
    )

    def from_object(value: object, kind: Any) -> Any:
        if not isinstance(value, dict):
            raise TypeError
        return structure(cast("dict[str, Any]", value), kind)

    return from_object


def make_converter() -> Converter:
    """A converter for the models of the SDK."""
    converter = Converter(detailed_validation=False)
    for kind, read in _PLAIN_TYPES.items():
        converter.register_structure_hook(kind, read)
    converter.register_structure_hook_factory(_is_optional, _reading_optional)
    converter.register_structure_hook_factory(lambda kind: _word_of(kind) is not None, _reading_words)

    def items(kind: Any) -> Callable[[Any, Any], tuple[Any, ...]]:
        return _reading_list(kind, converter)

    converter.register_structure_hook_factory(_is_tuple, items)

    def model(kind: type[attrs.AttrsInstance]) -> Callable[[Any, Any], Any]:
        return _wire_names(kind, converter)

    converter.register_structure_hook_factory(attrs.has, model)
    return converter


_CONVERTER: Final = make_converter()


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
    try:
        return _CONVERTER.structure(value, kind)
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
