"""An OpenID provider on a loopback port, whose only user is whoever the test says."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from jwt.algorithms import ECAlgorithm

if TYPE_CHECKING:
    from collections.abc import Generator

CLIENT_ID: Final = "the pages"


class IdProvider:
    """Signs in whom it is told to, and issues access tokens.

    Attributes:
        url: Its identifier.
        signed_in: Who sits before the browser.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.signed_in = "ada"
        self._key = generate_private_key(SECP256R1())
        self._asked: dict[str, Any] = {}

    def token(self, subject: str, *, audience: str, **claims: Any) -> str:
        """A token that it signed."""
        told = {"iss": self.url, "sub": subject, "aud": audience, "exp": int(time.time()) + 600, **claims}
        return jwt.encode(told, self._key, algorithm="ES256", headers={"kid": "one"})

    def answer(self, path: str, query: dict[str, str]) -> dict[str, Any] | str:
        """A document, or where the browser goes."""
        if path == "/.well-known/openid-configuration":
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            return {"issuer": self.url, **{name: f"{self.url}/{name}" for name in names}}
        if path == "/jwks_uri":
            public = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
            return {"keys": [{**public, "kid": "one", "alg": "ES256", "use": "sig"}]}
        if path == "/authorization_endpoint":
            assert (query["client_id"], query["scope"]) == (CLIENT_ID, "openid")
            self._asked = {**query, "sub": self.signed_in}
            return f"{query['redirect_uri']}?{urlencode({'code': 'code-1', 'state': query['state']})}"
        assert (path, query["code"]) == ("/token_endpoint", "code-1")
        assert query["code_verifier"]
        asked = self._asked
        return {"id_token": self.token(asked["sub"], audience=CLIENT_ID, nonce=asked["nonce"])}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self._answer(parts.path, parts.query)

    def do_POST(self) -> None:
        self._answer(self.path, self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, path: str, form: str) -> None:
        provider = cast("_Server", self.server).provider
        found = provider.answer(path, {name: values[0] for name, values in parse_qs(form).items()})
        if isinstance(found, str):
            self.send_response(303)
            self.send_header("Location", found)
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(found).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    provider: IdProvider


@contextmanager
def id_provider() -> Generator[IdProvider]:
    """A provider that runs."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        provider = server.provider = IdProvider(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
