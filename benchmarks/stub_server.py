"""A server that costs next to nothing: canned answers over keep-alive connections, in a process of its own.

python stub_server.py PAGE.json [SECONDS]    # prints its port, serves until its standard input ends

Each answer is held back for so many seconds, if any are given.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

TOKEN = b'{"token":"eyJ.bench.mark","expires_at":"2099-01-01T00:00:00Z","token_type":"Bearer"}'
MEMORY = (
    b'{"success":true,"data":{"id":"mem_1","text":"Prefers window seats","metadata":null},'
    b'"meta":{"request_id":"req_1","processing_time_ms":1.5}}'
)
TAG = b'{"id":"tag_1","name":"travel","color":"#3366FF","is_enabled":true}'
PING = b'{"status":"ok","org_id":"org_1","project_id":"proj_1","user_email":"user@example.com"}'
"""What the client of mem0ai asks for when it is made."""


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


class Canned(asyncio.Protocol):
    """Answers by the path alone; the headers of the benchmark fit into one read."""

    page: bytes
    delay: float

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        start = max(data.find(b"GET /"), data.find(b"POST /"))
        if start < 0:
            return  # a body that came after its header; the next request may come together with it
        path = data[start:].split(b" ", 2)[1]
        if path.startswith(b"/auth/token"):
            body = TOKEN
        elif path.startswith(b"/v1/ping"):
            body = PING
        elif path.startswith(b"/memories"):
            body = MEMORY
        elif path.startswith(b"/memory-blobs"):
            body = self.page
        else:
            body = TAG
        if self.delay:
            asyncio.get_running_loop().call_later(self.delay, self._transport.write, answer(body))
        else:
            self._transport.write(answer(body))


async def main(page: bytes, delay: float) -> None:
    Canned.page, Canned.delay = page, delay
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Canned, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    asyncio.run(main(Path(sys.argv[1]).read_bytes(), seconds))
