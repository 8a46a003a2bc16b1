"""Models as JSON can carry them, and as pydantic and FastAPI describe and answer them."""

from __future__ import annotations

from datetime import datetime
from functools import cache, partial
from types import NoneType, UnionType
from typing import Any, Final, cast, get_args, get_origin, get_type_hints

import attrs

from memoram_async.core.errors import MemoramError
from memoram_async.core.secret import Secret

_NOT_SHOWN: Final = frozenset({"info", "provenance"})


class PlainData:
    """What can be converted: `to_dict` for JSON, and a response model of FastAPI as it is.

    Secrets, such as a memory key, and `info` are left out.
    """

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """The model as JSON can carry it: times as text in ISO 8601, an error as its type and message."""
        kind: Any = type(self)
        return {name: plain(getattr(self, attribute)) for name, attribute in _members(kind)}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """How pydantic takes the model, an object of this class, and writes it, as `to_dict` does."""
        from pydantic_core import core_schema  # noqa: PLC0415 - only pydantic itself calls this

        arguments: tuple[Any, ...] = get_args(source)
        given = dict(zip(getattr(cls, "__parameters__", ()), arguments, strict=False))
        name = cls.__name__ + "".join(f"_{getattr(each, '__name__', each)}_" for each in arguments)
        return core_schema.is_instance_schema(
            cls,
            ref=f"{cls.__module__}.{name}:{hash(source)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                plain, return_schema=_Described(core_schema, handler, given).model(cls)
            ),
        )


@cache
def _members(kind: Any) -> tuple[tuple[str, str], ...]:
    """The names under which members are shown, and the attributes that hold them."""
    hints = get_type_hints(kind)
    return tuple(
        (field.alias or field.name, field.name)
        for field in attrs.fields(kind)
        if field.alias not in _NOT_SHOWN and Secret not in {hints[field.name], *get_args(hints[field.name])}
    )


def plain(value: Any) -> Any:
    """A value of a model as JSON can carry it; what is so already stays."""
    if isinstance(value, PlainData):
        return value.to_dict()
    if isinstance(value, tuple):
        return [plain(each) for each in cast("tuple[object, ...]", value)]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, MemoramError):
        return {"type": type(value).__name__, "message": value.message}
    return str(value) if isinstance(value, str) else value  # an enumeration's own text


@attrs.frozen
class _Described:
    """Describes what `plain` makes, in pydantic's terms.

    Attributes:
        terms: `pydantic_core.core_schema`.
        handler: Describes other classes.
        given: What stands for the type variables.
    """

    terms: Any
    handler: Any
    given: dict[Any, Any]

    def model(self, kind: Any) -> Any:
        """What `to_dict` answers."""
        hints = get_type_hints(kind)
        return self.terms.typed_dict_schema(
            {
                name: self.terms.typed_dict_field(self.value(hints[attribute]))
                for name, attribute in _members(kind)
            }
        )

    def value(self, hint: Any) -> Any:
        """What `plain` makes of a value of that type."""
        terms, arguments = self.terms, get_args(hint)
        kinds = [each for each in arguments if each is not NoneType]
        if get_origin(hint) is tuple:
            return terms.list_schema(self.value(kinds[0]))
        if len(kinds) < len(arguments):
            return terms.nullable_schema(self.value(kinds[0]))
        kind = self.given.get(hint, kinds[0] if get_origin(hint) is UnionType else hint)
        simple = {
            bool: terms.bool_schema,
            int: terms.int_schema,
            float: terms.float_schema,
            datetime: partial(terms.str_schema, metadata={"pydantic_js_updates": {"format": "date-time"}}),
            MemoramError: partial(terms.dict_schema, terms.str_schema(), terms.str_schema()),
        }
        if kind in simple:
            return simple[kind]()
        if isinstance(kind, type) and issubclass(kind, PlainData):
            return self.handler.generate_schema(kind)
        is_text = isinstance(kind, type) and issubclass(kind, str)
        return terms.str_schema() if is_text else terms.any_schema()
