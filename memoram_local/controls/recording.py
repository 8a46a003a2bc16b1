"""Writes the journal: sees each request on its way in and out, and takes out what must not be kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import parse_qsl

from memoram_local.controls.fault_plan import STRUCK
from memoram_local.controls.faults import ARRIVED
from memoram_local.controls.operations import operation_of
from memoram_local.http.guards import REQUEST_ID
from memoram_local.http.header_fields import value_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.clock import Clock
    from memoram_local.controls.journal import Journal, Noted

REDACTED: Final = "[redacted]"

# All other members and parameters can hold secrets or words of a memory.
_SHOWN: Final = frozenset(
    {
        *("user_id", "tags", "importance", "confidence", "source", "reason", "expires_in", "limit", "cursor"),
        *("page", "per_page", "confirm", "max_memories", "relevance_threshold", "include_metadata"),
        *("environment", "scopes", "expires_in_days", "content_type", "plan_id"),
        *("grant_type", "response_type", "client_id", "redirect_uri", "scope", "code_challenge_method"),
    }
)
_SCHEMES: Final = frozenset({"bearer", "basic", "x-api-key"})
# Larger bodies are not worth the time it takes to parse them.
_LARGEST_BODY: Final = 64 * 1024
_FORM: Final = "application/x-www-form-urlencoded"


class Recorder:
    """Notes each request in the journal, as plain ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp, *, journal: Journal, clock: Clock) -> None:
        self._app = app
        self._journal = journal
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Taken before anybody can see that the request is there, and advance the clock for its sake.
        scope[ARRIVED] = self._clock.micros()
        noted = self._arrived(scope)
        status: int | None = None
        body = bytearray()
        is_whole = is_over = False

        async def receive_and_see() -> Message:
            nonlocal is_whole
            message = await receive()
            if message["type"] == "http.request" and len(body) <= _LARGEST_BODY:
                body.extend(message.get("body", b""))
                is_whole = not message.get("more_body", False)
            return message

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            elif not message.get("more_body", False):
                # Before the last of the answer leaves: whoever has it finds the request in the journal.
                end()
            await send(message)

        def end() -> None:
            nonlocal is_over
            is_over = True
            shown = None
            if noted.operation is not None and is_whole and body and len(body) <= _LARGEST_BODY:
                shown = _redacted_body(bytes(body), value_of(scope["headers"], b"content-type") or "")
            request_id = None if status is None else scope[REQUEST_ID]
            faults = scope.get(STRUCK, ())
            self._journal.ended(noted, body=shown, status=status, request_id=request_id, faults=faults)

        try:
            await self._app(scope, receive_and_see, send_and_see)
        finally:
            if not is_over:
                end()

    def _arrived(self, scope: Scope) -> Noted:
        operation = operation_of(scope["method"], scope["path"])
        query = scope["query_string"].decode("latin-1")
        pairs = parse_qsl(query, keep_blank_values=True) if query else []
        authorization = value_of(scope["headers"], b"authorization")
        if authorization is None and value_of(scope["headers"], b"x-api-key") is not None:
            authorization = "X-API-Key key"
        scheme = (authorization or "").partition(" ")[0]
        return self._journal.arrived(
            at=scope[ARRIVED],
            operation=None if operation is None else operation.name,
            method=scope["method"],
            path=scope["path"],
            query=tuple((name, value if name in _SHOWN else REDACTED) for name, value in pairs),
            authorization=None
            if authorization is None
            else f"{scheme if scheme.lower() in _SCHEMES else ''} {REDACTED}".strip(),
        )


def _redacted_body(body: bytes, content_type: str) -> object:
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == _FORM:
            content: object = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True))
        else:
            content = json.loads(body)
    except (ValueError, RecursionError):
        return REDACTED
    if not isinstance(content, dict):
        return REDACTED
    members = cast("dict[str, object]", content)
    return {
        name if name in _SHOWN or name in _KNOWN_NAMES else REDACTED: value if name in _SHOWN else REDACTED
        for name, value in members.items()
    }


_KNOWN_NAMES: Final = frozenset(
    {
        *("api_key", "memoryKey", "content", "title", "summary"),
        *("code", "client_secret", "code_verifier", "refresh_token"),
        *("text", "metadata", "memory_id", "context", "prompt_template", "name", "email"),
    }
)
