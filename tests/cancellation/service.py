"""A service on real sockets that can hold requests until as many have come as may be under way at once."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.raw_server import answer, read_request, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Generator

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
TAG: Final = answer(b'{"id": "tag_1"}')
TOGETHER: Final = answer(b'{"id": "together"}')
PROMPTLY: Final = 10.0


@contextmanager
def tag_service(connections: int) -> Generator[str]:
    """Answers every read of a tag; those of `together` only when that many connections are in use by them."""
    together = threading.Barrier(connections, timeout=PROMPTLY)

    def play(connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/tags/together" in request:
                try:
                    together.wait()
                except threading.BrokenBarrierError:
                    return
                connection.sendall(TOGETHER)
                continue
            connection.sendall(TOKEN if b"/auth/token" in request else TAG)

    with serving(play) as url:
        yield url
