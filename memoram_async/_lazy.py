"""Packages whose names are loaded when they are first asked for (PEP 562)."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost more than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def lazily(
    package: dict[str, object], homes: Mapping[str, str]
) -> tuple[list[str], Callable[[str], object], Callable[[], list[str]]]:
    """The `__all__`, `__getattr__` and `__dir__` of a package.

    Args:
        package: Its `globals()`, where each name stays once it was asked for.
        homes: The module that each of its names is defined in.
    """

    def get(name: str) -> object:
        home = homes.get(name)
        if home is None:
            raise AttributeError(
                f"module {package['__name__']!r} has no attribute {name!r}", name=name, obj=None
            )
        from importlib import import_module  # noqa: PLC0415 - loaded at start, but bound where it is needed

        value = package[name] = getattr(import_module(home), name)
        return value

    def names() -> list[str]:
        return sorted(homes.keys() | package.keys())

    return list(homes), get, names
