"""Header fields as ASGI has them: pairs of octets, looked through without building anything of them.

Every request passes half a dozen guards and logs. A `Headers` object in each of them would cost more than
what they do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Pairs = Iterable[tuple[bytes, bytes]]


def values_of(pairs: Pairs, name: bytes) -> list[str]:
    """All values of a field.

    Args:
        pairs: Of a request, whose names are in lower case (ASGI, HTTP connection scope).
        name: In lower case.
    """
    return [value.decode("latin-1") for key, value in pairs if key == name]


def value_of(pairs: Pairs, name: bytes) -> str | None:
    """The first value of a field; see `values_of`."""
    for key, value in pairs:
        if key == name:
            return value.decode("latin-1")
    return None


def with_value(pairs: Pairs, name: bytes, value: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of an answer, in which this one has this value alone."""
    return [*((key, old) for key, old in pairs if key.lower() != name), (name, value)]
