"""What a client holds within, for tests of what it must not keep."""

from __future__ import annotations

from functools import reduce
from typing import Any


def inside(client: object, path: str) -> Any:
    """What lies at a path of attributes, those that nobody else should look at included."""
    return reduce(_attribute, path.split("."), client)


def _attribute(thing: Any, name: str) -> Any:
    return getattr(thing, name)
