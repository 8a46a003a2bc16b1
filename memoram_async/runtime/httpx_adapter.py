"""httpx, kept at arm's length: the clients that fit, what their errors mean, and one TLS context.

Both runtimes build on this module, and nothing else knows httpx. Injected clients may be httpx's or
those of a library with the same interface, so nothing here looks at their classes but their names.
"""

from __future__ import annotations

import inspect
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final, Protocol

from memoram_async.core.errors import (
    APIConnectionError,
    APITimeoutError,
    ClientClosedError,
    ConfigurationError,
    MemoramError,
    PoolTimeoutError,
)
from memoram_async.core.http import HTTPResponse
from memoram_async.core.urls import origin
from memoram_async.runtime.answer_body import plain_headers

_NOT_SENT: Final = {
    "ConnectTimeout": "connecting took too long",
    "ConnectError": "could not connect",
    "ProxyError": "the proxy refused",
    "UnsupportedProtocol": "the address has a scheme that is not supported",
    "LocalProtocolError": "the request could not be written",
}
_SENT: Final = {
    "ReadTimeout": "the answer took too long",
    "WriteTimeout": "sending took too long",
    "ReadError": "the connection broke",
    "WriteError": "the connection broke",
    "CloseError": "the connection broke",
    "RemoteProtocolError": "the answer was cut short or is not HTTP",
}


class AsyncHTTPClient(Protocol):
    """An async HTTP client as httpx defines it: `httpx.AsyncClient`, or one with the same methods."""

    def build_request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Any:
        """Make a request."""
        ...

    async def send(self, request: Any, *, stream: bool, auth: None, follow_redirects: bool) -> Any:
        """Send a request."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class HTTPClient(Protocol):
    """A blocking HTTP client as httpx defines it: `httpx.Client`, or one with the same methods."""

    def build_request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Any:
        """Make a request."""
        ...

    def send(self, request: Any, *, stream: bool, auth: None, follow_redirects: bool) -> Any:
        """Send a request."""
        ...

    def close(self) -> None:
        """Close the connections."""
        ...


def check_http_client(client: object, *, blocking: bool) -> None:
    """Refuse what was passed as `http_client` if no request can be sent with it.

    Raises:
        ConfigurationError: It is of the other world, or no HTTP client at all.
    """
    send = getattr(client, "send", None)
    kind = client if isinstance(client, type) else type(client)
    name = f"{kind.__module__.partition('.')[0]}.{kind.__qualname__}"
    if kind is client:
        raise ConfigurationError(f"http_client must be an HTTP client: pass an object, not the class {name}")
    if not callable(send) or not callable(getattr(client, "build_request", None)):
        raise ConfigurationError(f"http_client must be an HTTP client as httpx has them, not {name}")
    if inspect.iscoroutinefunction(send) is blocking:
        wanted, world = ("httpx.Client", "blocking") if blocking else ("httpx.AsyncClient", "async")
        raise ConfigurationError(f"http_client must be a client like {wanted} in {world} code, not {name}")


def check_still_open(client: object) -> None:
    """Refuse an `http_client` that its owner has closed.

    Raises:
        ClientClosedError: It is closed; nothing was sent.
    """
    if getattr(client, "is_closed", False) is True:
        raise ClientClosedError("the http_client that was passed is closed: close it after this client")


def error_from(error: BaseException, *, url: str) -> MemoramError | None:
    """What an HTTP client's error means; None if it is not one.

    The message says what happened and where, from words of our own: the client's may quote a header.
    Raise it outside the `except` block, so that the client's error, which holds the request, is not
    chained to it.
    """
    if isinstance(error, MemoramError):
        return error
    names = [kind.__name__ for kind in type(error).__mro__]
    where = origin(url)
    if "PoolTimeout" in names:
        return PoolTimeoutError(
            f"no connection to {where} became free in time; nothing was sent: send fewer requests at once",
            sent=False,
        )
    for faults, sent in ((_NOT_SENT, False), (_SENT, True)):
        fault = next((faults[name] for name in names if name in faults), None)
        if fault is not None:
            kind = APITimeoutError if "TimeoutException" in names else APIConnectionError
            return kind(f"no answer from {where}: {fault}{_reason(error)}", sent=sent)
    if type(error) is RuntimeError:
        # How HTTP libraries and event loops say that a client was closed, or belongs to another loop.
        return APIConnectionError(
            f"no answer from {where}: the HTTP client cannot send (it is closed, or of another event loop)",
            sent=True,
        )
    if "TransportError" in names or "InvalidURL" in names or isinstance(error, OSError):
        sent = "TransportError" in names
        return APIConnectionError(f"no answer from {where}: the request failed{_reason(error)}", sent=sent)
    return None


def refused_by_hook(error: BaseException) -> HTTPResponse | None:
    """The answer, without its body, that a hook of an injected client stopped with `raise_for_status`."""
    response: Any = getattr(error, "response", None)
    if response is None or "HTTPStatusError" not in [kind.__name__ for kind in type(error).__mro__]:
        return None
    headers = plain_headers(response.headers.raw)
    return HTTPResponse(status=response.status_code, headers=headers)


def _reason(error: BaseException) -> str:
    """The operating system's own words, if they are at the bottom of it."""
    causes = [error]
    for cause in causes:
        match cause:
            case ssl.SSLCertVerificationError():
                return f" (certificate not trusted: {cause.verify_message})"
            case ssl.SSLError():
                return f" (TLS failed: {cause.reason})"
            case socket.gaierror():
                return " (the host name could not be resolved)"
            case OSError() if cause.errno:
                return f" ({os.strerror(cause.errno)})"
            case BaseExceptionGroup():
                causes.extend(cause.exceptions)
            case _:
                pass
        causes.extend(
            inner for inner in (cause.__cause__, cause.__context__) if inner and inner not in causes
        )
    return ""


def timed_out(doing: str, *, sent: bool = True) -> APITimeoutError:
    """The error for a call whose total time is up."""
    return APITimeoutError(
        f"{doing}: no answer within the total timeout; pass a longer timeout= if the service needs it",
        sent=sent,
    )
