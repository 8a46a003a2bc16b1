"""How pydantic takes and writes a model of the SDK; loaded when pydantic asks."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Final, get_args, get_origin, get_type_hints

from pydantic_core import core_schema

from memoram_async.core.dates import is_datetime
from memoram_async.core.errors import MemoramError


class Described:
    """Describes one model in pydantic's terms.

    Args:
        handler: Pydantic's, which describes other classes.
        kind: The model.
        source: The same as it was annotated, with the arguments of a generic one.
        written_by: Makes of a value what JSON can carry.
        members: The names under which a model's members are shown, and the attributes that hold them.
    """

    def __init__(
        self,
        handler: Any,
        kind: type,
        source: Any,
        *,
        written_by: Callable[[Any], Any],
        members: Callable[[Any], tuple[tuple[str, str], ...]],
    ) -> None:
        self._handler = handler
        self._kind = kind
        self._source = source
        self._written_by = written_by
        self._members = members
        self._given = dict(zip(getattr(kind, "__parameters__", ()), get_args(source), strict=False))

    def schema(self) -> Any:
        """An object of the model itself, which is written as `to_dict` does."""
        given = "".join(f"_{getattr(each, '__name__', each)}_" for each in get_args(self._source))
        return core_schema.is_instance_schema(
            self._kind,
            ref=f"{self._kind.__module__}.{self._kind.__name__}{given}:{hash(self._source)}",
            serialization=core_schema.plain_serializer_function_ser_schema(
                self._written_by, return_schema=self._written()
            ),
        )

    def _written(self) -> Any:
        """What `to_dict` answers."""
        hints = get_type_hints(self._kind)
        return core_schema.typed_dict_schema(
            {
                name: core_schema.typed_dict_field(self._value(hints[attribute]))
                for name, attribute in self._members(self._kind)
            }
        )

    def _value(self, hint: Any) -> Any:
        """What is written for a value of that type."""
        arguments = get_args(hint)
        kinds = [each for each in arguments if each is not NoneType]
        if get_origin(hint) is tuple:
            return core_schema.list_schema(self._value(kinds[0]))
        if len(kinds) < len(arguments):
            return core_schema.nullable_schema(self._value(kinds[0]))
        kind = self._given.get(hint, kinds[0] if get_origin(hint) is UnionType else hint)
        if kind in _SIMPLE:
            return _SIMPLE[kind]()
        if is_datetime(kind):
            return core_schema.str_schema(metadata={"pydantic_js_updates": {"format": "date-time"}})
        if hasattr(kind, "__get_pydantic_core_schema__"):
            return self._handler.generate_schema(kind)
        is_text = isinstance(kind, type) and issubclass(kind, str)
        return core_schema.str_schema() if is_text else core_schema.any_schema()


def _error() -> Any:
    return core_schema.dict_schema(core_schema.str_schema(), core_schema.str_schema())


_SIMPLE: Final[dict[Any, Callable[[], Any]]] = {
    bool: core_schema.bool_schema,
    int: core_schema.int_schema,
    float: core_schema.float_schema,
    MemoramError: _error,
}
