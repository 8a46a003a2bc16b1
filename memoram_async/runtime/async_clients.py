"""HTTP clients that are not our own connections: those that users pass, and httpx2's transports by request.

They keep their own timeouts, so the total deadline is kept from outside.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from memoram_async.core.errors import APIConnectionError, ConfigurationError, MemoramError
from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.destination import Destination, split
from memoram_async.runtime.environment import TLS, proxy_for, proxy_for_library
from memoram_async.runtime.httpx_adapter import (
    AsyncHTTPClient,
    check_still_open,
    error_from,
    refused_by_hook,
    timed_out,
)


class InjectedClient:
    """A client of the user's, which stays the user's to configure and to close."""

    def __init__(self, client: AsyncHTTPClient) -> None:
        self._client = client

    async def exchange(
        self, request: HTTPRequest, headers: Mapping[str, str], *, timeout: float, seconds: float
    ) -> HTTPResponse | MemoramError:
        """One request and its answer; see `AsyncConnections.exchange`."""
        client = self._client
        check_still_open(client)

        async def send() -> Any:
            return await client.send(
                client.build_request(
                    request.method,
                    request.url,
                    headers=headers,
                    content=request.content,
                    timeout=max(timeout, 0.001),
                ),
                stream=True,
                auth=None,
                follow_redirects=False,
            )

        return await _exchange(send, request.url, seconds=seconds)

    async def aclose(self) -> None:
        """Do nothing: it is not ours to close."""


class Httpx2Connections:
    """Connections of httpx2's, one pool a destination, below its client: that one logs whole URLs."""

    def __init__(self, most: int, *, trust_env: bool) -> None:
        try:
            import httpx2  # noqa: PLC0415 - only who asks for it by name need install it
        except ImportError:
            raise ConfigurationError("httpx2 is not installed: pip install httpx2") from None
        self._library: Any = httpx2
        self._most = most
        self._trust_env = trust_env
        self._transports: dict[str, Any] = {}

    async def exchange(
        self, request: HTTPRequest, headers: Mapping[str, str], *, timeout: float, seconds: float
    ) -> HTTPResponse | MemoramError:
        """One request and its answer; see `AsyncConnections.exchange`."""
        place, _ = split(request.url)
        transport = self._transports.get(place)
        if transport is None:
            transport = self._transports[place] = self._transport(Destination(place))
        limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        made = self._library.Request(
            request.method,
            request.url,
            headers=dict(headers),
            content=request.content,
            extensions={"timeout": limits},
        )

        async def send() -> Any:
            return await transport.handle_async_request(made)

        return await _exchange(send, request.url, seconds=seconds)

    def _transport(self, destination: Destination) -> Any:
        library = self._library
        proxy = proxy_for(destination) if self._trust_env else None
        return library.AsyncHTTPTransport(
            verify=TLS.context(destination.host, trust_env=self._trust_env),
            trust_env=False,
            limits=library.Limits(max_connections=self._most, max_keepalive_connections=self._most),
            proxy=proxy_for_library(library, proxy),
        )

    async def aclose(self) -> None:
        """Close the connections."""
        for transport in self._transports.values():
            await transport.aclose()


async def _exchange(
    send: Callable[[], Awaitable[Any]], url: str, *, seconds: float
) -> HTTPResponse | MemoramError:
    """Send, and read the answer to its end, within so many seconds."""
    response: Any = None
    try:
        with anyio.move_on_after(None if seconds == float("inf") else seconds):
            try:
                response = await send()
                headers = plain_headers(response.headers.raw)
                content = await _read(response, headers)
                return HTTPResponse(status=response.status_code, headers=headers, content=content)
            finally:
                if response is not None:
                    await response.aclose()
    except Exception as error:
        meaning = refused_by_hook(error) or error_from(error, url=url)
        if meaning is None:
            raise
        if isinstance(meaning, MemoramError):
            meaning = meaning.with_traceback(None)  # the frames in it hold what was read
        return meaning
    failure: APIConnectionError = timed_out(split(url)[0])
    return failure


async def _read(response: Any, headers: dict[str, str]) -> bytes:
    if response.is_stream_consumed:  # a transport that answers from memory, or a hook that has read it
        return bytes(response.content)
    body = Body(headers, status=response.status_code)
    async for chunk in response.aiter_raw():
        body.add(chunk)
        del chunk  # a traceback may show what local variables hold
    return body.content()
