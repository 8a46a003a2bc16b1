"""httpx2's connections, for who asks for them by name: below its client, which logs whole URLs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memoram_async.core.errors import ConfigurationError
from memoram_async.runtime.destination import Destination, split
from memoram_async.runtime.environment import TLS, proxy_for, proxy_for_library


class Httpx2Client:
    """A client like httpx's over one pool of httpx2's for each destination."""

    def __init__(self, most: int, *, trust_env: bool) -> None:
        try:
            import httpx2  # noqa: PLC0415 - only who asks for it by name need install it
        except ImportError:
            raise ConfigurationError("httpx2 is not installed: pip install httpx2") from None
        self._library: Any = httpx2
        self._most = most
        self._trust_env = trust_env
        self._transports: dict[str, Any] = {}

    def build_request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Any:
        """Make a request."""
        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        return self._library.Request(
            method, url, headers=dict(headers), content=content, extensions={"timeout": limits}
        )

    def send(self, request: Any, *, stream: bool, auth: None, follow_redirects: bool) -> Any:
        """Send a request."""
        del stream, auth, follow_redirects  # a transport streams, and knows neither of the others
        place, _ = split(str(request.url))
        transport = self._transports.get(place)
        if transport is None:
            transport = self._transports[place] = self._transport(Destination(place))
        return transport.handle_request(request)

    def _transport(self, destination: Destination) -> Any:
        library = self._library
        proxy = proxy_for(destination) if self._trust_env else None
        return library.HTTPTransport(
            verify=TLS.context(destination.host, trust_env=self._trust_env),
            trust_env=False,
            limits=library.Limits(max_connections=self._most, max_keepalive_connections=self._most),
            proxy=proxy_for_library(library, proxy),
        )

    def close(self) -> None:
        """Close the connections."""
        for transport in list(self._transports.values()):
            transport.close()
