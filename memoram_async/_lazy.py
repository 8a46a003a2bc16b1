"""Packages whose names are loaded when they are first asked for (PEP 562), and clients whose parts are."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing would cost more than all the rest
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from functools import cached_property

    resource = cached_property  # it is one, but for what the class itself answers
else:

    class resource:  # noqa: N801 - a decorator
        """A part of a client that is made when it is first asked for, and kept.

        Under its name, the client's class has the class of the part, which tells
        `unittest.mock.create_autospec` what to make.
        """

        def __init__(self, make):
            self._make = make
            self.__doc__ = make.__doc__

        def __set_name__(self, owner, name):
            self._name = name

        def __get__(self, client, owner=None):
            if client is None:
                return self.kind
            # One operation, so that threads who ask at the same time get the same part.
            return client.__dict__.setdefault(self._name, self._make(client))

        @property
        def kind(self):
            """The class of the part."""
            from typing import get_type_hints  # noqa: PLC0415 - for those who look at a class alone

            return get_type_hints(self._make)["return"]


def without_resources(client: object) -> dict[str, object]:
    """What a client holds beside its resources, for a copy that makes its own."""
    kinds = type(client).__mro__
    return {
        name: value
        for name, value in client.__dict__.items()
        if not any(isinstance(vars(kind).get(name), resource) for kind in kinds)
    }


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
        # importlib, which would say this more plainly, costs as much as all the rest.
        value = package[name] = getattr(__import__(home, fromlist=(name,)), name)
        return value

    def names() -> list[str]:
        return sorted(homes.keys() | package.keys())

    return list(homes), get, names
