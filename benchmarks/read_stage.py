"""What the benchmarks of reading read: pages of 100 encrypted memories, and a server that hands them out.

The server follows cursors, waits before each answer as long as it is told to, and has a process of its own.

    python -m benchmarks.read_stage PAGE.json [DELAY_MS]     # prints its port, serves until its input ends
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from memoram_async import AccessCredentials, Secret
from memoram_async.crypto import EncryptionKey, encrypt

if TYPE_CHECKING:
    from collections.abc import Generator

KEY = "0f" * 32
USER = "8c1f7c1e-6f0a-4f0e-9b7e-3f6f3f1f2a10"
PER_PAGE = 100
TOKEN = b'{"token":"eyJ.bench.mark","expires_at":"2099-01-01T00:00:00Z","token_type":"Bearer"}'


def credentials() -> AccessCredentials:
    return AccessCredentials(user_id=USER, memory_key=Secret("mk"), encryption_key=Secret(KEY), key_version=1)


def page(next_cursor: str | None = "CURSOR") -> bytes:
    """A page in the shape of the contract; 1 KiB of plaintext a memory."""
    rng = random.Random(1)  # noqa: S311 - texts to read, not a secret
    key = EncryptionKey.from_hex(KEY, version=1)
    blobs = [
        {
            "id": f"mem_{number:016x}",
            "user_id": USER,
            "content": encrypt(key, "".join(rng.choices("abcdefghij klmnop", k=1024))),
            "title": "Seat",
            "summary": None,
            "tags": ["travel", "seat"],
            "tag_ids": ["tag_0123456789", "tag_abcdefghij"],
            "importance": 0.8,
            "confidence": 1,
            "source": "chat",
            "created_at": "2026-03-01T12:34:56.123456Z",
            "updated_at": "2026-04-02T01:02:03.000004Z",
        }
        for number in range(PER_PAGE)
    ]
    body = {"memoryBlobs": blobs, "next_cursor": next_cursor, "total": 10_000}
    return json.dumps(body, separators=(",", ":")).encode()


@contextmanager
def read_server(*, delay_ms: float = 0) -> Generator[str]:
    """The server; its address. `?user_id=N` asks for a list of N pages."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "page.json")
        file.write_bytes(page())
        with subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "-m", "benchmarks.read_stage", str(file), str(delay_ms)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[1],
        ) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"
            server.stdin.close()


class Pages(asyncio.Protocol):
    """Answers GET requests whose header fits into one read."""

    before: bytes
    after: bytes
    delay: float
    pages: int = 100

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not data.startswith((b"GET ", b"POST ")):
            return
        target = urlsplit(data.split(b" ", 2)[1].decode())
        if target.path.endswith("/auth/token"):
            self._answer(TOKEN)
            return
        query = parse_qs(target.query)
        number = int(query.get("cursor", ["0"])[0])
        last = int(query.get("searchQuery", [str(self.pages)])[0])
        cursor = b"null" if number + 1 >= last else b'"%d"' % (number + 1)
        body = self.before + cursor + self.after
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._answer, body)
        else:
            self._answer(body)

    def _answer(self, body: bytes) -> None:
        self._transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (len(body), body)
        )


async def serve(body: bytes, delay: float) -> None:
    Pages.before, _, Pages.after = body.partition(b'"CURSOR"')
    Pages.delay = delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Pages, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]).read_bytes(), float(sys.argv[2]) / 1000))
