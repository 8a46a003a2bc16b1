"""A server that costs next to nothing: canned answers over keep-alive connections, in a process of its own.

python stub_server.py PAGE.json      # prints its port, serves until its standard input ends
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

TOKEN = b'{"token":"eyJ.bench.mark","expires_at":"2099-01-01T00:00:00Z","token_type":"Bearer"}'
TAG = b'{"id":"tag_1","name":"travel","color":"#3366FF","is_enabled":true}'


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class Canned(asyncio.Protocol):
    """Answers by the path alone; the headers of the benchmark fit into one read."""

    page: bytes

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not data.startswith((b"GET ", b"POST ")):
            return  # a body that came after its header
        path = data.split(b" ", 2)[1]
        if path.startswith(b"/auth/token"):
            self._transport.write(answer(TOKEN))
        elif path.startswith(b"/memory-blobs"):
            self._transport.write(answer(self.page))
        else:
            self._transport.write(answer(TAG))


async def main(page: bytes) -> None:
    Canned.page = page
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).read_bytes()))
