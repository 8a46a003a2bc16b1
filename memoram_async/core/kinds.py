"""What kind of thing an argument must be: computed first, so that whoever raises drops the value before."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

from memoram_async.core.arguments import check_number
from memoram_async.core.errors import ConfigurationError, InvalidArgumentError

Kind: TypeAlias = "type | tuple[type, ...]"

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LARGEST: Final = 2**63
"""Beyond it, no number of seconds or bytes means anything."""


def misfit(value: object, kind: Kind, *, name: str, wanted: str) -> InvalidArgumentError | None:
    """The error for an argument of another kind, None if it fits.

    Args:
        value: What was passed; the error holds nothing of it but the name of its class.
        kind: The class or classes that fit.
        name: The argument.
        wanted: What it must be, in the words of the message.
    """
    if isinstance(value, kind):
        return None
    return InvalidArgumentError(f"{name} must be {wanted}, not {type(value).__name__}")


def is_text(value: object) -> bool:
    """Whether it is a string."""
    return isinstance(value, str)


def text_misfit(value: object, *, name: str, optional: bool = False) -> InvalidArgumentError | None:
    """The error for an argument that is not a string, nor None where that is allowed."""
    if optional and value is None:
        return None
    return misfit(value, str, name=name, wanted="a string or None" if optional else "a string")


def flag_misfit(value: object, *, name: str) -> InvalidArgumentError | None:
    """The error for an argument that is neither True nor False."""
    return misfit(value, bool, name=name, wanted="True or False")


def limit_misfit(value: object, *, name: str) -> InvalidArgumentError | None:
    """The error for a largest size that is no whole number of at least 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value < _LARGEST:
        return None
    return InvalidArgumentError(f"{name} must be a whole number of at least 1")


def function_misfit(value: object, *, name: str, wanted: str) -> InvalidArgumentError | None:
    """The error for an argument that cannot be called."""
    if callable(value):
        return None
    return InvalidArgumentError(f"{name} must be {wanted}, not {type(value).__name__}")


def check_text(value: object, *, name: str) -> str:
    """A string that is no secret and can be written as UTF-8.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if isinstance(value, str) and not _SURROGATE.search(value):
        return value
    fault = "without lone surrogates" if isinstance(value, str) else f"not {type(value).__name__}"
    del value
    raise InvalidArgumentError(f"{name} must be a string, {fault}")


def check_swap(name: object, expected: object, value: object, ttl: object) -> None:
    """Refuse what no store can put in the place of what it has.

    Args:
        name: The name, which is text.
        expected: The value that should be there, which is bytes, or None.
        value: The value to keep, which is bytes, or None.
        ttl: How long it is kept, in seconds, or None.

    Raises:
        InvalidArgumentError: One of them is of another type.
    """
    refusal = None if expected is None else misfit(expected, bytes, name="expected", wanted="bytes or None")
    if refusal is not None:
        del expected, value
        raise refusal
    check_entry(name, b"" if value is None else value, ttl=0 if ttl is None else ttl)


def check_function(value: object, *, name: str, wanted: str) -> None:
    """Refuse what cannot be called.

    Raises:
        InvalidArgumentError: It cannot.
    """
    refusal = function_misfit(value, name=name, wanted=wanted)
    if refusal is not None:
        raise refusal


def check_entry(name: object, value: object = b"", *, ttl: object = 1.0) -> None:
    """Refuse what no store can keep.

    Args:
        name: The name, which is text.
        value: The value, which is bytes.
        ttl: How long it is kept, in seconds.

    Raises:
        InvalidArgumentError: One of them is of another type.
    """
    check_text(name, name="name")
    refusal = misfit(value, bytes, name="value", wanted="bytes")
    del value
    if refusal is not None:
        raise refusal
    refusal = misfit(ttl, (int, float), name="ttl", wanted="a number of seconds")
    if refusal is not None:
        raise refusal
    check_number(ttl, name="ttl")


def check_methods(thing: object, methods: tuple[str, ...], *, name: str, wanted: str) -> None:
    """Refuse what lacks one of the methods that will be called.

    Raises:
        ConfigurationError: It does, or it is a class instead of an object.
    """
    if isinstance(thing, type):
        raise ConfigurationError(f"{name} must be {wanted}: pass an object, not the class {thing.__name__}")
    missing = next((each for each in methods if not callable(getattr(thing, each, None))), None)
    if missing is not None:
        raise ConfigurationError(
            f"{name} must be {wanted}, and {type(thing).__name__} has no method {missing}"
        )
