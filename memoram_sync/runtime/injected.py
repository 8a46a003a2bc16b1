"""A request over a blocking HTTP client of the caller's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from memoram_async.core.http import HTTPRequest, HTTPResponse
from memoram_async.runtime.answer_body import Body, plain_headers
from memoram_async.runtime.httpx_adapter import HTTPClient, timed_out


def exchange_over(
    client: HTTPClient,
    request: HTTPRequest,
    headers: Mapping[str, str],
    *,
    timeout: float,
    is_over: Callable[[], bool],
) -> HTTPResponse:
    """Send a request and read its answer to the end.

    Args:
        client: The HTTP client.
        request: The request.
        headers: The header fields, in place of the request's own.
        timeout: Seconds that connecting, each read and each write may take.
        is_over: Whether the total timeout has expired; asked between the parts of the answer.

    Raises:
        APITimeoutError: The total timeout expired.
    """
    response: Any = None
    try:
        response = client.send(
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
        fields = plain_headers(response.headers.raw)
        if response.is_stream_consumed:  # a transport that answers from memory
            return HTTPResponse(status=response.status_code, headers=fields, content=bytes(response.content))
        body = Body(fields, status=response.status_code)
        for chunk in response.iter_raw():
            body.add(chunk)
            del chunk  # a traceback may show what local variables hold
            if is_over():
                raise timed_out("reading the answer")
        return HTTPResponse(status=response.status_code, headers=fields, content=body.content())
    finally:
        if response is not None:
            response.close()
