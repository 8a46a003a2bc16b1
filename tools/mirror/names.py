"""What things of the async world are called in the blocking one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from tools.mirror.refusal import Refusal

ASYNC_PACKAGE: Final = "memoram_async"
SYNC_PACKAGE: Final = "memoram_sync"

HANDWRITTEN: Final = {
    "AnyioRuntime": (f"{SYNC_PACKAGE}.runtime.blocking_runtime", "BlockingRuntime"),
    "AsyncHTTPClient": (f"{ASYNC_PACKAGE}.runtime.httpx_adapter", "HTTPClient"),
}
"""Twins that no generator wrote: where they live, and their names."""

METHODS: Final = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
    "__repr__": "__repr__",
    "aclose": "close",
}

SUSPENDING_TYPES: Final = frozenset({"Awaitable", "Coroutine", "CoroutineType", "Future", "Task"})
"""Types without the word in their name that mean nothing to blocking code."""


def is_private(name: str) -> bool:
    """Whether a member is nobody else's business; a name with two underscores on both sides is not."""
    return name.startswith("_") and not is_dunder(name)


def is_dunder(name: str) -> bool:
    """Whether Python itself calls a member by this name."""
    return name.startswith("__") and name.endswith("__")


def method_name(name: str, *, where: str) -> str:
    """A member's name in the blocking world.

    Raises:
        Refusal: Python calls it, and it is none of those that have a twin.
    """
    if is_dunder(name) and name not in METHODS:
        raise Refusal(f"{where}: {name} has no blocking twin; add it to METHODS in tools/mirror/names.py")
    return METHODS.get(name, name)


@attrs.frozen
class Names:
    """The async classes that are mirrored, and the modules they are defined in."""

    modules: Mapping[str, str]

    def is_mirrored(self, name: str) -> bool:
        """Whether a generated class is the twin of this one."""
        return name in self.modules

    def sync(self, name: str, *, where: str) -> str:
        """A class's name in the blocking world; every other name is the same in both.

        Raises:
            Refusal: It is asynchronous by its name, and unknown.
        """
        if self.is_mirrored(name):
            return name.removeprefix("Async")
        if name in HANDWRITTEN:
            return HANDWRITTEN[name][1]
        if name.startswith("Async") or name in SUSPENDING_TYPES:
            raise Refusal(f"{where}: {name} has no blocking twin")
        return name

    def sync_words(self, text: str) -> str:
        """A text with the names of classes exchanged."""
        known = {name: self.sync(name, where="") for name in (*self.modules, *HANDWRITTEN)}
        return re.sub(r"\b[A-Z]\w*", lambda word: known.get(word[0], word[0]), text)


def sync_place(place: str) -> str:
    """Where the twin of an async module is, as a dotted name or as a path."""
    return place.replace(ASYNC_PACKAGE, SYNC_PACKAGE, 1)
