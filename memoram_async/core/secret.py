"""A value that can be used but not shown."""

from __future__ import annotations

from enum import Enum

from memoram_async import _std as std
from memoram_async._lazy import resource

TYPE_CHECKING = False  # importing typing would cost more than all the rest


class Confidential:
    """Refuses pickling and copying, so that what it holds does not leave by an unseen way."""

    __slots__ = ()

    def _refuse(self) -> std.NoReturn:
        raise TypeError(
            f"{type(self).__name__} can be neither pickled nor copied: take out what you need, where you "
            "mean to"
        )

    def __reduce__(self) -> std.NoReturn:
        self._refuse()

    def __copy__(self) -> std.NoReturn:
        self._refuse()

    def __deepcopy__(self, memo: object) -> std.NoReturn:
        self._refuse()


class Unshareable(Confidential):
    """What holds keys and connections: neither pickled nor copied, and of no use before it was made."""

    __slots__ = ()

    def _refuse(self) -> std.NoReturn:
        raise TypeError(
            f"{type(self).__name__} holds keys and connections and can be neither pickled nor copied: make "
            "or open one where it is needed"
        )

    if not TYPE_CHECKING:  # to a type checker, an attribute that does not exist stays a mistake

        def __getattr__(self, name: str) -> std.NoReturn:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if _is_set_when_made(type(self), name):
                message += ": it was never made, if a subclass does not call super().__init__()"
            raise AttributeError(message, name=name, obj=self)


def _is_set_when_made(kind: type, name: str) -> bool:
    """Whether an attribute may be one that the SDK's classes set in their constructors."""
    if name.startswith("_") and not name.startswith("__"):
        return True
    return any(
        name in vars(base).get("__annotations__", {}) or isinstance(vars(base).get(name), resource)
        for base in kind.__mro__
    )


@std.final
class Secret(Confidential):
    """A text that never shows itself: not in a repr, a log line, a pickle or a copy.

    Equality is identity, so that comparing two secrets tells nothing about their values. Use
    `reveal()` where the value itself is needed, as close to its use as possible.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __format__(self, format_spec: str) -> str:
        return format(repr(self), format_spec)


def hidden(value: std.Any) -> Secret | None:
    """A value of any type, wrapped before it is checked, so that no traceback shows it; None stays None."""
    return value if value is None or isinstance(value, Secret) else Secret(value)


def out_of_sight(value: std.T) -> std.T:
    """An argument, wrapped, under the type that it had; None and constants such as `UNSET` stay.

    For what is no key but a user's words all the same: a traceback may show what local variables hold.
    """
    return value if isinstance(value, Enum) else hidden(value)  # type: ignore[return-value]


def conceal(value: str | Secret) -> Secret:
    """A text, wrapped; what else callers may have passed by mistake is wrapped as it is."""
    return value if isinstance(value, Secret) else Secret(value)


def reveal(value: str | Secret) -> str:
    """The text of a value that callers may hand over plain or wrapped."""
    return value.reveal() if isinstance(value, Secret) else value
