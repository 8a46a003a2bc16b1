"""Requests made of calls, completed with credentials when they have their turn, and told to who listens."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlencode

from memoram_async.core.http import HeaderFields, HTTPRequest, json_body
from memoram_async.core.retry import Safety
from memoram_async.core.secret import reveal
from memoram_async.core.token import Use
from memoram_async.core.urls import with_query
from memoram_async.core.version import VERSION
from memoram_async.transport.call import IDEMPOTENCY_KEY, Call
from memoram_async.transport.hooks import Told

_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "user-agent": f"memoram-python/{VERSION}",
}
_FORM_TYPE: Final = {"content-type": "application/x-www-form-urlencoded"}
_JSON_TYPE: Final = {"content-type": "application/json"}
_WITHOUT_BODY: Final = HeaderFields(_HEADERS)
_WITH_FORM: Final = HeaderFields(_HEADERS | _FORM_TYPE)
_WITH_JSON: Final = HeaderFields(_HEADERS | _JSON_TYPE)


class TokenGone(Exception):  # noqa: N818 - never leaves the transport
    """The token of a request that waited for its turn was refused, and there is no other yet."""


class Authorization:
    """Header fields with a client's token; those that many requests share are made once for each token."""

    __slots__ = ("_ready",)

    def __init__(self) -> None:
        self._ready: dict[HeaderFields, tuple[Use, HeaderFields]] = {}

    def added(self, headers: Mapping[str, str], use: Use) -> HeaderFields:
        """The fields with the token, which do not show it."""
        if not isinstance(headers, HeaderFields):
            return _with_token(headers, use)
        ready = self._ready.get(headers)
        if ready is None or ready[0] is not use:
            ready = self._ready[headers] = (use, _with_token(headers, use))
        return ready[1]


def _with_token(headers: Mapping[str, str], use: Use) -> HeaderFields:
    return HeaderFields({**headers, use.header: use.prefix + use.token.reveal()})


class Sending:
    """The request of a call on its way to its turn, and what it is completed with at each attempt.

    Attributes:
        request: The request, which asks for its header fields when it has its turn.
        told: What is told of the attempt; None if nobody listens, or it has had no turn.
    """

    __slots__ = ("_authorization", "_begin", "_credentials", "_use", "request", "told")

    def __init__(
        self,
        call: Call,
        authorization: Authorization,
        *,
        timeout: float,
        begin: Callable[[], Told] | None,
    ) -> None:
        self._credentials = call.credentials
        self._authorization = authorization
        self._begin = begin
        self._use: Use | None = None
        self.told: Told | None = None
        self.request = _prepare(call, timeout=timeout, complete=self._complete)

    def _complete(self) -> Mapping[str, str]:
        """The header fields to send now.

        Raises:
            TokenGone: The token was refused while the request waited for its turn.
        """
        headers = self.request.headers
        if self._credentials is not None:
            self._use = self._credentials.latest()
            if self._use is None:
                raise TokenGone
        if self._begin is not None:
            self.told = self._begin()
            if self.told.added:
                headers = {**self.told.added, **headers}
        return headers if self._use is None else self._authorization.added(headers, self._use)

    def refuse(self) -> bool:
        """Let go of the token that this was sent with, for it was refused; whether another one may serve."""
        if self._credentials is None or self._use is None:
            return False
        return self._credentials.invalidate(self._use)


def _prepare(call: Call, *, timeout: float, complete: Callable[[], Mapping[str, str]]) -> HTTPRequest:
    """The request of a call, the same for every attempt; its idempotency key is minted here."""
    url = with_query(call.url, call.params) if call.params else call.url
    headers: Mapping[str, str] = _WITHOUT_BODY
    content: bytes | None = None
    if call.form is not None:
        headers = _WITH_FORM
        content = urlencode({name: reveal(value) for name, value in call.form.items()}).encode()
    elif call.json is not None:
        headers = _WITH_JSON
        content = json_body(call.json)
    if call.idempotency_key is not None or (call.peer is not None and call.safety is Safety.ONCE):
        headers = {**headers, IDEMPOTENCY_KEY: call.idempotency_key or os.urandom(16).hex()}
    if call.headers:
        headers = {**headers, **call.headers}
    return HTTPRequest(
        method=call.method, url=url, headers=headers, content=content, timeout=timeout, complete=complete
    )
