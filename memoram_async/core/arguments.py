"""What callers may pass: checked before anything is sent, in messages that quote no value."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.masks import is_masked
from memoram_async.core.secret import Secret, conceal, hidden
from memoram_async.core.unset import UNSET

_METHODS: Final = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
MAX_KEY_VERSION: Final = 2**53 - 1  # the largest integer that every JSON reader keeps exact
_KEY_LENGTH: Final = 255
REASON_LENGTH: Final = 255  # contract createAccessRequest
MASKED: Final = (
    "is masked, as a log or a form shows it: pass the secret itself; a Secret has it in reveal(), or can be "
    "passed as it is"
)


Text: TypeAlias = str | Secret


def given(**members: Any) -> dict[str, Any]:
    """Those members that were given, for a JSON body."""
    return {name: value for name, value in members.items() if value is not UNSET}


def check_secret_text(value: object, *, name: str) -> Secret:
    """A key, token or code that is safe in a header or form, wrapped.

    Raises:
        InvalidArgumentError: It is not text, empty, or holds anything but visible ASCII.
    """
    wrapped = hidden(value)
    del value
    text = None if wrapped is None else cast("object", wrapped.reveal())  # whatever it was that was passed
    if not isinstance(text, str):
        fault = f"must be a string, not {type(text).__name__}"
    elif is_masked(text):
        fault = MASKED
    elif wrapped is not None and is_visible_ascii(text):
        return wrapped
    else:
        fault = (
            "is empty or holds white space, a control character or a non-ASCII character: pass it exactly as "
            "it was issued, without quotes or a newline"
        )
    del text
    raise InvalidArgumentError(f"{name} {fault}")


def is_visible_ascii(text: str) -> bool:
    """Whether a text is safe as one token of a header field."""
    return text != "" and text.isascii() and text.isprintable() and " " not in text


def check_reason(value: object) -> Secret:
    """The reason of an access request, plain or wrapped: 1 to 255 characters that say something.

    Raises:
        InvalidArgumentError: It is empty, blank, too long or no text.
    """
    wrapped = hidden(value)
    del value
    text = None if wrapped is None else cast("object", wrapped.reveal())  # whatever it was that was passed
    if not isinstance(text, str):
        fault = f"reason must be a string, not {type(text).__name__}"
    elif not text.strip():
        fault = "reason is empty: say in a sentence what the user's memories are wanted for"
    elif wrapped is not None and len(text) <= REASON_LENGTH:
        return wrapped
    else:
        fault = (
            f"reason has {len(text)} characters, and the service takes at most {REASON_LENGTH}: shorten it"
        )
    del text
    raise InvalidArgumentError(fault)


def check_query(value: object) -> Secret:
    """A question, plain or wrapped.

    Raises:
        InvalidArgumentError: It is empty, blank or no text.
    """
    wrapped = hidden(value)
    del value
    text = None if wrapped is None else cast("object", wrapped.reveal())  # whatever it was that was passed
    if wrapped is not None and isinstance(text, str) and text.strip():
        return wrapped
    kind = type(text).__name__
    del text
    raise InvalidArgumentError(
        "query is empty: say what to look for" if kind == "str" else f"query must be a string, not {kind}"
    )


def check_optional_text(value: object, *, name: str) -> Any:
    """A text member, plain or wrapped, None or UNSET; wrapped, if it is text.

    Raises:
        InvalidArgumentError: It is something else.
    """
    if value is None or value is UNSET:
        return value
    wrapped = conceal(cast("str", value))
    del value
    text = cast("object", wrapped.reveal())  # whatever it was that was passed
    if isinstance(text, str):
        return wrapped
    wrong = type(text).__name__
    del text
    raise InvalidArgumentError(f"{name} must be a string, not {wrong}")


def check_number(value: object, *, name: str) -> Any:
    """A finite number, None or UNSET.

    The range of importance is open in the service's own documentation, so none is imposed.

    Raises:
        InvalidArgumentError: It is NaN, infinite or no number.
    """
    if value is None or value is UNSET:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        wrong = type(value).__name__
        del value
        raise InvalidArgumentError(f"{name} must be a number, not {wrong}")
    if not _is_finite(value):
        raise InvalidArgumentError(f"{name} must be finite: not NaN, infinity or beyond a float's range")
    return value


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond a float's range
        return False


def check_tags(value: object) -> list[Secret]:
    """Tag names, wrapped; they may come wrapped as a whole.

    Raises:
        InvalidArgumentError: It is one string instead of several, or a name is empty or no text.
    """
    given = value.reveal() if isinstance(value, Secret) else value
    del value
    names: object = given
    if isinstance(names, str | bytes):
        fault = 'tags must be a list of names, not one string: write tags=["travel"]'
    elif not isinstance(names, Iterable):
        fault = f"tags must be a list of names, not {type(names).__name__}"
    else:
        tags = [hidden(tag) for tag in cast("Iterable[object]", names)]
        if all(tag is not None and _is_some_text(tag.reveal()) for tag in tags):
            return cast("list[Secret]", tags)
        fault = "each tag must be a string that is not empty"
    del given, names
    raise InvalidArgumentError(fault)


def _is_some_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def check_tag_filter(value: object) -> Secret | None:
    """Tag names as the list filter carries them, joined by commas and wrapped; None without any.

    Raises:
        InvalidArgumentError: As for `check_tags`, or a name holds a comma, which the filter cannot
            carry.
    """
    wrapped = hidden(value)
    del value
    tags = check_tags(wrapped)
    if not any("," in tag.reveal() for tag in tags):
        return Secret(",".join([tag.reveal() for tag in tags])) if tags else None
    raise InvalidArgumentError("a tag with a comma cannot be filtered for: the service joins names by commas")


def check_count(value: object, *, name: str) -> int | None:
    """A positive whole number, or None.

    Raises:
        InvalidArgumentError: It is zero, negative or no whole number.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidArgumentError(f"{name} must be a whole number of at least 1")
    return value


def check_retries(value: object) -> None:
    """A number of retries.

    Raises:
        InvalidArgumentError: It is negative or no whole number.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise InvalidArgumentError("max_retries must be a whole number of at least 0")


def check_seconds(value: object, *, name: str, optional: bool = False) -> Any:
    """A positive, finite duration in seconds; None where that is allowed.

    Raises:
        InvalidArgumentError: It is zero, negative, NaN, infinite or no number.
    """
    if value is None and optional:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value) or value <= 0:
        raise InvalidArgumentError(
            f"{name} must be a positive number of seconds" + (", or None for no limit" if optional else "")
        )
    return value


def check_stored_content(value: object) -> Secret:
    """Content as it is to be stored, wrapped.

    Raises:
        InvalidArgumentError: It is empty or no text.
    """
    wrapped = hidden(value)
    del value
    text = None if wrapped is None else cast("object", wrapped.reveal())  # whatever it was that was passed
    if wrapped is not None and isinstance(text, str) and text:
        return wrapped
    kind = "empty" if isinstance(text, str) else f"not a string but {type(text).__name__}"
    del text
    raise InvalidArgumentError(f"content is {kind}: pass the text to store")


def check_method(value: object) -> str:
    """An HTTP method that carries no meaning of its own for the transport.

    Raises:
        InvalidArgumentError: It is none of the usual ones in capital letters.
    """
    if isinstance(value, str) and value in _METHODS:
        return value
    raise InvalidArgumentError(f"method must be one of {', '.join(_METHODS)}")


def check_key_version(value: object) -> int | None:
    """The version of a key; None for the newest.

    Raises:
        InvalidArgumentError: It is no version.
    """
    if value is None:
        return None
    if type(value) is int and 0 <= value <= MAX_KEY_VERSION:
        return value
    raise InvalidArgumentError("key_version must be an integer from 0 to 2^53 - 1")


def check_flag(value: object, *, name: str) -> bool:
    """True or False.

    Raises:
        InvalidArgumentError: It is neither.
    """
    if isinstance(value, bool):
        return value
    raise InvalidArgumentError(f"{name} must be True or False")


def check_callback(value: object, *, name: str) -> Callable[..., object] | None:
    """A function of the user's that is called and not awaited, or None.

    Raises:
        InvalidArgumentError: It cannot be called, or would have to be awaited.
    """
    if value is None:
        return None
    if not callable(value):
        raise InvalidArgumentError(f"{name} must be a function, not {type(value).__name__}")
    inner: Any = value
    while isinstance(inner, functools.partial):
        inner = inner.func
    if inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(type(inner).__call__):
        raise InvalidArgumentError(
            f"{name} must be a plain function: nobody would await a coroutine function"
        )
    return value


def check_idempotency_key(value: object) -> str | None:
    """An idempotency key of the caller's own, or None.

    Raises:
        InvalidArgumentError: It is no text of 1 to 255 visible ASCII characters.
    """
    if value is None:
        return None
    if isinstance(value, str) and is_visible_ascii(value) and len(value) <= _KEY_LENGTH:
        return value
    raise InvalidArgumentError(
        f"idempotency_key must be a string of 1 to {_KEY_LENGTH} visible ASCII characters without spaces"
    )


def check_params(value: object) -> dict[str, object]:
    """Query parameters by name; none for None.

    Raises:
        InvalidArgumentError: It is no mapping from text.
    """
    if value is None:
        return {}
    if isinstance(value, Mapping):
        params = dict(cast("Mapping[object, object]", value))
        if any(isinstance(each, Secret) for each in params.values()):
            fault = "params must not hold a Secret: addresses are logged on the way"
        elif all(isinstance(name, str) for name in params):
            return cast("dict[str, object]", params)
        else:
            fault = "each name in params must be a string"
        del params
    else:
        fault = f'params must be a mapping of names to values, such as {{"limit": 10}}, not {_kind(value)}'
    del value
    raise InvalidArgumentError(fault)


def _kind(value: object) -> str:
    return type(value).__name__
