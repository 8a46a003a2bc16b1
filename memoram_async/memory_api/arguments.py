"""What callers of Memory API may pass: checked before anything is sent, in messages that quote no value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias, cast

from memoram_async.core.arguments import check_number
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.secret import Secret, hidden

LONGEST_TEXT: Final = 50_000  # contract createMemory
LARGEST_PAGE: Final = 100  # contract listMemories
MOST_MATCHES: Final = 100  # contract query

EnvironmentName: TypeAlias = Literal["live", "test"]
ScopeName: TypeAlias = Literal["read", "write", "delete", "admin"]
ContentType: TypeAlias = Literal["conversation", "document", "notes"]
AuthHeader: TypeAlias = Literal["authorization", "x-api-key"]

_SCOPES: Final = ("read", "write", "delete", "admin")


def check_words(value: object, *, name: str, longest: int | None = None) -> Secret:
    """Text that says something, wrapped.

    Raises:
        InvalidArgumentError: It is blank, too long or no text.
    """
    wrapped = hidden(value)
    del value
    text = None if wrapped is None else cast("object", wrapped.reveal())  # whatever it was that was passed
    if not isinstance(text, str):
        fault = f"must be a string, not {type(text).__name__}"
    elif not text.strip():
        fault = "is empty"
    elif longest is not None and len(text) > longest:
        fault = f"has {len(text)} characters, and the service takes at most {longest}: split it"
    elif wrapped is not None:
        return wrapped
    else:
        fault = "is missing"
    del text
    raise InvalidArgumentError(f"{name} {fault}")


def check_object(value: object, *, name: str) -> Secret | None:
    """A mapping that becomes a JSON object, wrapped; None for none.

    Raises:
        InvalidArgumentError: It is no mapping from strings.
    """
    wrapped = hidden(value)
    del value
    if wrapped is None:
        return None
    members: Any = wrapped.reveal()
    if isinstance(cast("object", members), Mapping):
        known = dict(cast("Mapping[object, object]", members))
        if all(isinstance(key, str) for key in known):
            return Secret(cast("Any", known))
        del known
    kind = type(members).__name__
    del members
    raise InvalidArgumentError(f"{name} must be a mapping with strings as keys, not {kind}")


def check_within(value: object, *, name: str, most: int) -> int | None:
    """A whole number from 1 to a limit, or None.

    Raises:
        InvalidArgumentError: It is none.
    """
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= most):
        return value
    raise InvalidArgumentError(f"{name} must be a whole number from 1 to {most}")


def check_fraction(value: object, *, name: str) -> float | None:
    """A number from 0 to 1, or None.

    Raises:
        InvalidArgumentError: It is none.
    """
    number: object = check_number(value, name=name)
    if number is None or (isinstance(number, (int, float)) and 0 <= number <= 1):
        return number
    raise InvalidArgumentError(f"{name} must be from 0 to 1")


def check_scopes(value: object) -> list[str]:
    """Scopes, each once, in the contract's order.

    Raises:
        InvalidArgumentError: There is none, or an unknown one.
    """
    known = ", ".join(_SCOPES)
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise InvalidArgumentError('scopes must be a list of names, not one: write scopes=["read"]')
    wanted = [str(each) for each in cast("Iterable[object]", value)]
    if not wanted or not set(wanted) <= set(_SCOPES):
        raise InvalidArgumentError(f"scopes must be at least one of {known}, and nothing else")
    return [scope for scope in _SCOPES if scope in wanted]


def check_environment(value: object) -> str:
    """An environment.

    Raises:
        InvalidArgumentError: There is no such one.
    """
    if isinstance(value, str) and value in {"live", "test"}:
        return str(value)
    raise InvalidArgumentError("environment must be 'live' or 'test'")


def check_content_type(value: object) -> str | None:
    """A kind of text, or None.

    Raises:
        InvalidArgumentError: There is no such one.
    """
    for known in (None, "conversation", "document", "notes"):
        if value == known:
            return known
    raise InvalidArgumentError("content_type must be 'conversation', 'document' or 'notes'")


def check_confirmed(value: object) -> None:
    """The word of somebody who means it.

    Raises:
        InvalidArgumentError: It is anything but True.
    """
    if value is not True:
        raise InvalidArgumentError("this deletes everything: pass confirm=True to mean it; nothing was sent")
