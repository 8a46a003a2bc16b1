"""The secrets of an application, under which it seals what it keeps in other hands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, cast

from memoram_async.core.arguments import MASKED
from memoram_async.core.errors import ConfigurationError, MemoramError
from memoram_async.core.masks import is_masked
from memoram_async.core.secret import Secret, hidden

SHORTEST_SECRET: Final = 32

SealingSecret: TypeAlias = str | bytes | Secret | Sequence[str | bytes | Secret]
"""One secret of at least 32 bytes, or several: the first one seals, and each of them opens."""

_HOW: Final = "python -c 'import secrets; print(secrets.token_urlsafe(32))' makes a good one"


def sealing_secrets(value: object, *, name: str, api_key: Secret) -> tuple[Secret, ...]:
    """The secrets to seal and open with, the sealing one first; none for None.

    Args:
        value: What was passed; text of an environment variable may hold several, separated by white space.
        name: Where it came from, for the message.
        api_key: The developer API key, which is no such secret: every part of the application that calls
            the service holds it, and rolling it would make all that was sealed unreadable.

    Raises:
        ConfigurationError: A secret is too short, of another type, or the API key.
    """
    outcome = _read(hidden(value), name=name, api_key=api_key)
    del value
    if isinstance(outcome, MemoramError):
        raise outcome
    return outcome


def _read(wrapped: Secret | None, *, name: str, api_key: Secret) -> tuple[Secret, ...] | MemoramError:
    """The secrets, or the error to raise where their values are out of sight."""
    if wrapped is None:
        return ()
    value = cast("object", wrapped.reveal())
    if isinstance(value, str) and name.isupper():
        value = value.split()
    several = list(cast("Sequence[object]", value)) if _is_sequence(value) else [value]
    if not several:
        return ConfigurationError(f"{name} is empty: {_HOW}")
    texts: list[Secret] = []
    for each in several:
        text = _text(each)
        if text is None:
            return ConfigurationError(
                f"{name} must be text or bytes of at least {SHORTEST_SECRET} bytes: {_HOW}"
            )
        if text == api_key.reveal():
            return ConfigurationError(
                f"{name} is the API key: take a secret of its own, which stays when the key is rolled; {_HOW}"
            )
        if is_masked(text):
            return ConfigurationError(f"{name} {MASKED}")
        texts.append(Secret(text))
    return tuple(texts)


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _text(value: object) -> str | None:
    """A secret as text, bytes that are no UTF-8 included; None if it is none."""
    if isinstance(value, Secret):
        value = cast("object", value.reveal())
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if not isinstance(value, str):
        return None
    try:
        octets = secret_bytes(Secret(value))
    except UnicodeEncodeError:
        return None
    return value if len(octets) >= SHORTEST_SECRET else None


def secret_bytes(secret: Secret) -> bytes:
    """The bytes of a secret that `sealing_secrets` let through."""
    return secret.reveal().encode("utf-8", "surrogateescape")


def no_secret(doing: str) -> ConfigurationError:
    """The error for an application that has none."""
    return ConfigurationError(f"{doing} needs a secret: pass secret=... or set MEMORAM_SECRET; {_HOW}")
