"""A service on a socket that counts its token exchanges and takes its time over them."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Self

LIFETIME: Final = 3600.0


class CountingService:
    """Issues `token-1`, `token-2`, … and answers every other call with the token that it came with.

    Attributes:
        exchanges: How many tokens were asked for.
        latency: Seconds that an exchange takes, so that the workers' exchanges would overlap.
        held: While this is set, exchanges are not answered at all.
        asked: Set by each exchange as it arrives.
    """

    def __init__(self, *, latency: float = 0.2) -> None:
        self.exchanges = 0
        self.latency = latency
        self.held = False
        self.asked = threading.Event()
        self._go_on = threading.Event()
        self._lock = threading.Lock()
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                answer(self, service.issue())

            def do_GET(self) -> None:
                answer(self, {"token": self.headers["authorization"].removeprefix("Bearer ")})

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
                """Be quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def issue(self) -> dict[str, str]:
        with self._lock:
            self.exchanges += 1
            number = self.exchanges
        self.asked.set()
        self._go_on.wait(None if self.held else self.latency)
        ends = datetime.now(UTC) + timedelta(seconds=LIFETIME)
        return {"token": f"token-{number}", "expires_at": ends.isoformat()}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._go_on.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def answer(handler: BaseHTTPRequestHandler, content: Any) -> None:
    body = json.dumps(content).encode()
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)
