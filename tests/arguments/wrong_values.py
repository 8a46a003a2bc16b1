"""Values of every wrong type, for arguments."""

from __future__ import annotations

import decimal
from datetime import UTC, datetime
from typing import Any, Final

from memoram_async import UNSET, Secret

KEY: Final = "c0ffee" * 10 + "abcd"
"""An encryption key that could be one."""

WRONG: Final[tuple[Any, ...]] = (
    *(None, True, 7, -1, 0, 10**400, 1.5, float("nan"), float("inf"), 1j, decimal.Decimal(1)),
    *("text", "", "\ud800", "a\0b", "***", b"text", bytearray(b"text")),
    *([1], [], ("a",), {"a": 1}, {1: 2}, {1}, range(2), iter(())),
    *(object(), int, len, lambda: 1, ValueError("x"), datetime(2026, 1, 1, tzinfo=UTC), UNSET),
    *(Secret("text"), Secret(7), Secret("***")),  # type: ignore[arg-type]
)

SETTING: Final = {"api_key": "API key"}
"""Settings that messages call otherwise than the argument is named."""
