"""Reads the members of a seed, and refuses in one line that names the place."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from memoram_local.errors import LocalPlatformError


class SeedError(LocalPlatformError):
    """A seed cannot be used. Its text says where and why, in one line."""


class Members:
    """The members of one mapping of the seed. What is wrong raises SeedError, which names the place."""

    def __init__(self, value: object, *, place: str, takes: tuple[str, ...]) -> None:
        self.place = place
        if not isinstance(value, Mapping):
            raise SeedError(f"{place}: must be a mapping of {', '.join(takes)}")
        self._values = cast("Mapping[object, object]", value)
        unknown = next((name for name in self._values if name not in takes), None)
        if unknown is not None:
            raise SeedError(f"{place}: has no use for {unknown!r}; it takes {', '.join(takes)}")

    def given(self, name: str) -> bool:
        """Whether a member is there and not null."""
        return self._values.get(name) is not None

    def text(self, name: str, otherwise: str | None = None) -> str:
        """Text, which must be there unless there is something else to take."""
        value = self._values.get(name, otherwise)
        if value is None:
            raise SeedError(f"{self.place}: {name} is missing")
        return self._text(name, value)

    def optional_text(self, name: str) -> str | None:
        """Text; None when it is left out."""
        return self.text(name) if self.given(name) else None

    def optional_number(self, name: str) -> float | None:
        """A finite number; None when it is left out."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise SeedError(f"{self.place}: {name} must be a number")
        return float(value)

    def flag(self, name: str, *, otherwise: bool) -> bool:
        """True or false."""
        value = self._values.get(name, otherwise)
        if not isinstance(value, bool):
            raise SeedError(f"{self.place}: {name} must be true or false")
        return value

    def optional_object(self, name: str) -> dict[str, Any] | None:
        """A mapping that JSON can carry; None when it is left out."""
        value = self._values.get(name)
        if value is None:
            return None
        wrong = SeedError(f"{self.place}: {name} must be a mapping that JSON can carry")
        if not isinstance(value, Mapping):
            raise wrong
        try:
            text = json.dumps(dict(cast("Mapping[str, object]", value)), allow_nan=False, ensure_ascii=False)
            text.encode()
        except (TypeError, ValueError):
            raise wrong from None
        members: dict[str, Any] = json.loads(text)
        return members

    def items(self, name: str) -> Sequence[object]:
        """A list; empty when it is left out."""
        value = self._values.get(name)
        if value is None:
            return ()
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise SeedError(f"{self.place}: {name} must be a list")
        return cast("Sequence[object]", value)

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts, without duplicates."""
        return tuple(dict.fromkeys(self._text(name, item) for item in self.items(name)))

    def mappings(self, name: str, *takes: str) -> list[Members]:
        """A list of mappings that take these members."""
        return [
            Members(item, place=f"{self.place}: {name}[{index}]", takes=takes)
            for index, item in enumerate(self.items(name))
        ]

    def _text(self, name: str, value: object) -> str:
        if not isinstance(value, str):
            raise SeedError(f"{self.place}: {name} must be text; put it in quotes")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise SeedError(f"{self.place}: {name} holds half of a surrogate pair") from error
        return value
