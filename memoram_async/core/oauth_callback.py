"""What a browser brings back from the authorization server, in the forms that frameworks hand it over in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, cast
from urllib.parse import parse_qsl

PARAMETERS: Final = ("code", "state", "error", "iss", "error_description", "error_uri")
"""The parameters of RFC 6749 4.1.2 and RFC 9207: none of them may come twice (RFC 6749 3.1)."""

_TELLING: Final = ("code", "state", "error")
_URL_START: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_MOST_FIELDS: Final = 64
_WANTED: Final = "pass the URL that the user came back to, its query string, or its parameters as a mapping"


def read_callback(callback: object) -> dict[str, str] | str:
    """The OAuth parameters of a callback; or what is wrong with it, in words that quote no value."""
    pairs = _pairs(callback)
    if isinstance(pairs, str):
        return pairs
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in PARAMETERS:
            continue  # applications and proxies add parameters of their own, also twice
        if name in found:
            return (
                f"the callback has the parameter {name} more than once, which RFC 6749 3.1 forbids: "
                "somebody tampered with it, or two callbacks were mixed up"
            )
        if not isinstance(value, str):
            return f"the parameter {name} of the callback must be a string, not {type(value).__name__}"
        found[name] = value
    if not any(name in found for name in _TELLING):
        return f"the callback has none of the parameters code, state and error: {_WANTED}"
    return found


def _pairs(callback: object) -> Iterable[tuple[object, object]] | str:
    """Names and values, several of a name one after another."""
    thing: Any = callback
    if hasattr(thing, "headers") and hasattr(thing, "method"):
        return "the callback is a request: pass its URL or its query, such as request.url"
    if isinstance(callback, Mapping) or (hasattr(thing, "keys") and hasattr(thing, "__getitem__")):
        return _of_mapping(thing)
    text = _text(thing)
    if text is None:
        return f"the callback is of type {type(callback).__name__}: {_WANTED}"
    return _of_text(text)


def _text(thing: Any) -> str | None:
    """The text of a URL or query string; None if it is neither."""
    if hasattr(thing, "geturl"):  # urllib's results, of text or of bytes
        thing = thing.geturl()
    if isinstance(thing, str):
        return thing
    if isinstance(thing, bytes):
        return thing.decode("latin-1")
    # The URL of any framework.
    return str(thing) if hasattr(thing, "query") and not isinstance(thing, Iterable) else None


def _of_text(text: str) -> list[tuple[str, str]] | str:
    before, mark, after = text.partition("?")
    # A query may itself hold question marks; only a URL has one before the first parameter.
    is_url = mark and ("=" not in before or _URL_START.match(before))
    query = (after if is_url else text).partition("#")[0]
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return f"the callback has more than {_MOST_FIELDS} parameters: {_WANTED}"


def _of_mapping(mapping: Any) -> list[tuple[object, object]]:
    """The pairs of a mapping that may hold several values of a name, each framework in its own way."""
    pairs: list[tuple[object, object]] = []
    for name in PARAMETERS:
        if name not in mapping:
            continue
        for getter in ("getlist", "getall", "get_list"):  # Django, Werkzeug, Starlette; multidict; httpx
            if hasattr(mapping, getter):
                values = cast("list[object]", list(getattr(mapping, getter)(name)))
                break
        else:
            value: object = mapping[name]
            several = isinstance(value, list | tuple)
            values = list(cast("Iterable[object]", value)) if several else [value]
        pairs += [(name, value) for value in values]
    return pairs
