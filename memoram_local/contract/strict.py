"""Holds everybody to the contract, as plain ASGI middleware: callers and this platform itself."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from memoram_local.behaviour import behaviour
from memoram_local.contract.validation import faults_of_answer, faults_of_request, operation_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.contract.document import Operation

    # Makes the answer to a refused request: path, status, message.
    Refuse = Callable[[str, int, str], Response]

_log = logging.getLogger("memoram_local")

# The platform's own failures are not answers that a contract promises.
_OUTSIDE = frozenset({413, 500, 501, 503})


class StrictContract:
    """Refuses requests, and withholds answers, that differ from the contract."""

    def __init__(self, app: ASGIApp, *, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    @behaviour(
        "strict.requests",
        "invented",
        "With `--strict` a request that differs from the contract, be it by an unknown member, is refused "
        "with 400 and told why, before anything else is checked.",
    )
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, if it keeps to the contract."""
        operation = operation_of(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if operation is None:
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(receive) if operation.body else b""
        except ClientDisconnect:
            return
        except HTTPException as error:
            await self._app(scope, _raising(error), send)
            return
        query = scope["query_string"].decode("latin-1")
        faults = faults_of_request(operation, query=query, headers=Headers(scope=scope), body=body)
        if faults:
            message = f"The request differs from the contract: {'; '.join(faults)}."
            await self._refuse(scope["path"], 400, message)(scope, receive, send)
            return
        if operation.body:
            receive = _replaying(body, receive)
        await self._checked(operation, scope, receive, send)

    @behaviour(
        "strict.answers",
        "invented",
        "With `--strict` an answer that differs from the contract is logged and replaced by 500.",
    )
    async def _checked(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        messages: list[Message] = []

        async def hold(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(scope, receive, hold)
        finally:
            # When the platform fails, its answer was written before the error went on.
            faults = _faults(operation, scope["method"], messages)
            if faults:
                said = "; ".join(faults)
                _log.error("the answer of %s differs from the contract: %s", operation.name, said)
                message = f"The answer differs from the contract: {said}."
                await self._refuse(scope["path"], 500, message)(scope, receive, send)
            else:
                for message_held in messages:
                    await send(message_held)


def _faults(operation: Operation, method: str, messages: list[Message]) -> list[str]:
    if not messages or messages[0]["status"] in _OUTSIDE:
        return []
    body = b"".join(message.get("body", b"") for message in messages[1:])
    return faults_of_answer(
        operation,
        status=messages[0]["status"],
        headers=Headers(raw=messages[0]["headers"]),
        body=None if method == "HEAD" else body,
    )


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _raising(error: HTTPException) -> Receive:
    async def refuse_to_read() -> Message:
        raise error

    return refuse_to_read
