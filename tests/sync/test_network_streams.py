"""What blocking connections read, below HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpcore
import pytest

from memoram_async.runtime.clock import steady
from memoram_sync.runtime.connection_socket import ConnectionSocket
from memoram_sync.runtime.network_stream import NetworkStream

if TYPE_CHECKING:
    from collections.abc import Callable


class Decrypted:
    """A layer with something to read at any time, as TLS is that has taken a long record apart."""

    def receive(self, most: int, timeout: float | None) -> bytes:
        return b"x" * most

    def send(self, data: bytes, timeout: float | None, *, answered: Callable[[], bool] | None) -> bool:
        return True

    def has_unread(self) -> bool:
        return True


def test_nothing_is_read_after_the_deadline_even_if_it_lies_there() -> None:
    connection = ConnectionSocket()
    stream = NetworkStream(connection, Decrypted(), layers_above=0)
    connection.state.begin(steady() + 60)
    assert stream.read(1_000, 60) == b"x" * 1_000
    connection.state.begin(steady() - 0.001)
    with pytest.raises(httpcore.ReadTimeout):
        stream.read(1_000, 60)
