"""Drives a staged platform from another process, over connections that are kept."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


@dataclass(frozen=True)
class Staged:
    """A running platform and what is on it."""

    port: int
    raw_port: int
    bare_port: int
    token: str
    user_id: str
    memory_key: str
    blob_id: str

    def request(self, method: str, path: str, body: bytes = b"", *, more: str = "") -> bytes:
        """A request, whole."""
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.token}\r\n{more}"
            f"content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@contextmanager
def staged(*, memories: int = 0, others: int = 0) -> Generator[Staged]:
    """A platform in a process of its own."""
    with subprocess.Popen(  # noqa: S603 - our own script
        [
            *(sys.executable, "-m", "benchmarks.local_stage"),
            *("--memories", str(memories), "--others", str(others)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    ) as process:
        assert process.stdout is not None
        yield Staged(**json.loads(process.stdout.readline()))
        assert process.stdin is not None
        process.stdin.close()


class Caller:
    """One kept connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, port: int) -> Caller:
        return cls(*await asyncio.open_connection("127.0.0.1", port, limit=2**22))

    async def call(self, request: bytes) -> tuple[int, bytes]:
        """Send a request; its status and the body of the answer."""
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head[9:12]), await self._reader.readexactly(length)

    def close(self) -> None:
        self._writer.close()


async def cpu_seconds(caller: Caller) -> float:
    """The CPU time that the platform's process has used."""
    _, told = await caller.call(b"GET /cpu HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
    return float(told)


async def drive(
    port: int, *, callers: int, calls: int, request: Callable[[int], bytes], status: int = 200
) -> list[float]:
    """Call again and again, each caller as soon as it has its answer.

    Returns:
        Seconds that each call took.
    """
    numbers = iter(range(calls))
    took: list[float] = []

    async def one() -> None:
        caller = await Caller.connect(port)
        for number in numbers:
            sent = request(number)
            started = time.perf_counter()
            got, body = await caller.call(sent)
            took.append(time.perf_counter() - started)
            assert got == status, (got, body)
        caller.close()

    await asyncio.gather(*[one() for _ in range(callers)])
    return took


def percentile(values: list[float], percent: float) -> float:
    """The smallest value that at least so many percent do not exceed, in milliseconds."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)] * 1_000
