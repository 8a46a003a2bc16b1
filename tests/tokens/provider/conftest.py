from __future__ import annotations

from tests.in_worlds import world

__all__ = ["world"]
