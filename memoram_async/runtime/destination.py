"""Where requests go: a URL's scheme, host and port, taken apart once."""

from __future__ import annotations

from urllib.parse import urlsplit

from memoram_async.core.urls import DEFAULT_PORTS


class Destination:
    """The scheme, host and port that requests go to.

    Attributes:
        scheme: "http" or "https".
        host: The host in lower case, an IPv6 address without its brackets.
        port: The port; None for the scheme's own.
        host_field: The value of the Host field.
    """

    __slots__ = ("host", "host_field", "port", "scheme")

    def __init__(self, text: str) -> None:
        """A destination from the beginning of a URL, such as `https://api.example.com`."""
        parts = urlsplit(text)
        self.scheme = parts.scheme
        self.host = parts.hostname or ""
        self.port = None if parts.port == DEFAULT_PORTS[self.scheme] else parts.port
        host = f"[{self.host}]" if ":" in self.host else self.host
        self.host_field = (host if self.port is None else f"{host}:{self.port}").encode("ascii")


def split(url: str) -> tuple[str, str]:
    """A URL's destination and what follows it: `https://host:1`, `/path?query`."""
    path = url.find("/", url.find("://") + 3)
    return (url, "/") if path < 0 else (url[:path], url[path:])
