"""The hunt finds what is planted: otherwise it could not be trusted when it finds nothing."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from memoram_async import MemoramError, Secret
from tests.secrecy.canaries import CONTENT, ENCRYPTION_KEY, SECRETS, TOKEN, seen_in
from tests.secrecy.hunt import listening, shown_by_error, shown_by_object, sightings

if TYPE_CHECKING:
    from collections.abc import Callable


def raising(source: str) -> BaseException:
    """The error that code raises in a file that looks like one of the SDK's."""
    code = compile(source, "/site-packages/memoram_async/planted.py", "exec")
    try:
        exec(code, {"SECRET": Secret(TOKEN), "KEY": Secret(ENCRYPTION_KEY)})  # noqa: S102 - our own
    except BaseException as error:  # noqa: BLE001 - the one that is wanted
        return error
    raise AssertionError("nothing was raised")


LEAKS: dict[str, str] = {
    "its message": "raise ValueError(f'bad header {SECRET.reveal()}')",
    "its arguments": "raise ValueError(('status', [SECRET.reveal()]))",
    "its cause": "raise ValueError('bad') from KeyError(SECRET.reveal())",
    "its context": "try: {}[SECRET.reveal()]\nexcept KeyError: raise ValueError('bad')",
    "its notes": "error = ValueError('bad'); error.add_note(SECRET.reveal()); raise error",
    "an attribute": "error = ValueError('bad'); error.token = SECRET.reveal(); raise error",
    "an error that it holds": "error = ValueError(); error.last = KeyError(SECRET.reveal()); raise error",
    "a group": "raise ExceptionGroup('bad', [ValueError(SECRET.reveal())])",
    "a local variable": "def f():\n    token = SECRET.reveal()\n    raise ValueError('bad')\nf()",
    "a variable in a container": "def f():\n    all = {'a': [SECRET.reveal()]}\n    raise ValueError\nf()",
    "bytes": "def f():\n    body = SECRET.reveal().encode()\n    raise ValueError('bad')\nf()",
    "the raw key": "def f():\n    raw = bytes.fromhex(KEY.reveal())\n    raise ValueError('bad')\nf()",
    "base64": "import base64; raise ValueError(base64.b64encode(SECRET.reveal().encode()))",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS.keys())
def test_a_leaking_error_is_found(leak: str) -> None:
    assert sightings(shown_by_error(raising(leak)))


def test_an_error_that_leaks_nothing_is_clean() -> None:
    error = raising("def f():\n    token = SECRET\n    raise ValueError('bad')\nf()")
    assert sightings(shown_by_error(error)) == []


def test_a_leak_in_a_pickle_alone_is_found() -> None:
    class SlyError(MemoramError):
        def _plain_data(self) -> dict[str, Any]:
            return {"body": CONTENT}

    SlyError.__qualname__ = "SlyError"
    globals()["SlyError"] = SlyError
    assert [where for where in sightings(shown_by_error(SlyError("bad"))) if "pickle" in where]


@attrs.frozen
class Careless:
    """A model that nobody told to keep its secret."""

    name: str
    token: str


Careless.__module__ = "memoram_async.planted"


@attrs.frozen
class Holder:
    """A model that holds another one and does not show it."""

    inside: Any = attrs.field(repr=False)


Holder.__module__ = "memoram_async.planted"


@pytest.mark.parametrize(
    "thing", [Careless("a", TOKEN), Holder([Careless("a", TOKEN)]), Holder({"a": Careless("a", TOKEN)})]
)
def test_a_leaking_object_is_found(thing: object) -> None:
    assert sightings(shown_by_object(thing))


def log_message() -> None:
    logging.getLogger("httpcore.http11").debug("sending %s", TOKEN)


def log_argument() -> None:
    logging.getLogger("memoram").debug("sending", extra={"header": TOKEN})


def log_error() -> None:
    logging.getLogger("memoram").debug("failed", exc_info=raising(LEAKS["a local variable"]))


def warn() -> None:
    warnings.warn(f"unclosed {TOKEN}", ResourceWarning, stacklevel=1)


@pytest.mark.parametrize("leak", [log_message, log_argument, log_error, warn])
def test_a_leaking_log_line_or_warning_is_found(leak: Callable[[], None]) -> None:
    with listening() as ear:
        leak()
    assert sightings(ear.heard)


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_each_secret_is_told_apart(secret: str) -> None:
    assert [SECRETS[name] for name in seen_in(f"before{secret}after")] == [secret]


def test_a_secret_that_is_wrapped_is_not_seen() -> None:
    assert sightings(shown_by_object(Secret(TOKEN))) == []
