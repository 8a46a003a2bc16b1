"""Models as JSON can carry them, and as pydantic and FastAPI describe and answer them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Final, cast, get_args, get_type_hints

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
        from memoram_async.models.pydantic_schema import Described  # noqa: PLC0415 - only pydantic calls this

        return Described(handler, cls, source, written_by=plain, members=_members).schema()


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
