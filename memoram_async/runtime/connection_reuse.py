"""Whether a connection of httpcore's, blocking or not, may carry another request."""

from __future__ import annotations

from typing import Any, Final

KEEPALIVE_SECONDS: Final = 4.0
"""How long an idle connection is kept: less than the five seconds after which many servers close theirs."""


def is_reusable(pool: Any) -> bool:
    """Whether a connection is idle, still open, and holds nothing that nobody asked for.

    A service, or a proxy, that answers one request twice would have its second answer taken for that to the
    next request, which may be another user's.

    Args:
        pool: What a transport of ours has in place of httpx's pool: a connection of httpcore's, or the pool
            of one that speaks to a proxy.
    """
    for connection in getattr(pool, "connections", (pool,)):
        if not connection.is_idle() or connection.has_expired() or _leftovers(connection):
            return False
    return True


def _leftovers(connection: Any) -> bool:
    """Whether bytes have been read that belong to no answer; tests watch the names of httpcore's."""
    while not hasattr(connection, "_h11_state"):
        connection = connection._connection  # noqa: SLF001
    data, _ = connection._h11_state.trailing_data  # noqa: SLF001
    return bool(data)
