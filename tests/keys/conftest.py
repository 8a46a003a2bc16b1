from __future__ import annotations

from tests.in_worlds import anyio_backend, world

__all__ = ["anyio_backend", "world"]
