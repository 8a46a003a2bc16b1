"""API keys: which service and environment they are of, by their form alone."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from memoram_async.core.arguments import is_visible_ascii
from memoram_async.core.errors import ConfigurationError
from memoram_async.core.secret import Secret

_FORM: Final = re.compile(r"mem_(live|test)_[0-9A-Za-z_-]+")


def environment_of(key: Secret) -> Literal["live", "test"]:
    """The environment that a key is of.

    Raises:
        ConfigurationError: It is no key of Memory API; the message says what it looks like.
    """
    text = cast("object", key.reveal())  # whatever it was that was passed
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    if found is not None:
        return "live" if found[1] == "live" else "test"
    fault = _fault(text)
    del text
    raise ConfigurationError(fault)


def _fault(text: object) -> str:
    if not isinstance(text, str):
        return f"the API key must be a string, not {type(text).__name__}"
    if not is_visible_ascii(text):
        return (
            "the API key holds white space, a control character or a non-ASCII character: copy it again, "
            "without quotes or a trailing newline"
        )
    if text.startswith("mem_") and not text.startswith(("mem_live_", "mem_test_")):
        return (
            "this looks like a developer API key of Memoram, the other service: use AsyncMemoram (Memoram in "
            "blocking code) with it; keys of Memory API begin with mem_live_ or mem_test_"
        )
    return "this is no API key of Memory API: those are mem_live_... or mem_test_...; copy it again, complete"


def refuse_foreign_key(key: Secret) -> None:
    """Go on only if a developer API key of Memoram is not a key of Memory API by mistake.

    Raises:
        ConfigurationError: It is.
    """
    if key.reveal().startswith(("mem_live_", "mem_test_")):
        raise ConfigurationError(
            "this is an API key of Memory API, the other service: use AsyncMemoryAPI (MemoryAPI in blocking "
            "code) with it; developer API keys of Memoram are mem_ and hexadecimal digits"
        )
