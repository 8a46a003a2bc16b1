"""A real Redis on a free port of this machine, which keeps nothing on disk."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final, Self

import redis

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST: Final = 20.0


def eventually(condition: Callable[[], object]) -> None:
    """Wait for something that another process does.

    Raises:
        AssertionError: It has not come about.
    """
    ends = time.monotonic() + LONGEST
    while not condition():
        assert time.monotonic() < ends, "it has not come about"
        time.sleep(0.01)


class RedisServer:
    """Runs as long as the `with` block, or until `stop`."""

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = tempfile.TemporaryDirectory(prefix="redis-")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, on the port that it had before if it ran before."""
        tries = 5
        for _ in range(tries):
            port = self.port or _free_port()
            command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
            command += ["--appendonly", "no", "--dir", self._directory.name]
            self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words
            if self._answers(port):
                self.port = port
                return
            self._process.wait()  # somebody else took the port
        message = f"redis-server did not start in {tries} tries"
        raise AssertionError(message)

    def _answers(self, port: int) -> bool:
        with self._client(port) as client:
            ends = time.monotonic() + LONGEST
            while self._process is not None and self._process.poll() is None:
                try:
                    # Another program may listen there, another Redis too.
                    return bool(client.info("server")["process_id"] == self._process.pid)
                except redis.ConnectionError:
                    assert time.monotonic() < ends, "redis-server does not answer"
                    time.sleep(0.01)
        return False

    def stop(self) -> None:
        """End it; what it kept is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait()

    def clear(self) -> None:
        """Delete all keys."""
        with self._client(self.port) as client:
            client.flushall()

    def contents(self) -> dict[bytes, bytes]:
        """All keys and their values."""
        with self._client(self.port) as client:
            return {key: client.get(key) for key in client.scan_iter()}

    def _client(self, port: int) -> Any:
        return redis.Redis(port=port, protocol=2)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._directory.cleanup()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._directory.cleanup()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
