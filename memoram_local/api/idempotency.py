"""`Idempotency-Key`: a request that is sent again is not done again.

The header is an internet draft (draft-ietf-httpapi-idempotency-key-header); what it leaves to the server is
answered here.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from memoram_local.api.answers import ApiError, json_octets, octets_answer
from memoram_local.behaviour import behaviour
from memoram_local.http.header_fields import values_of, with_value
from memoram_local.store.idempotency import KeptAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.services.services import Services

    # What a request does, and what is answered when it is done: a JSON object with an `id`.
    Act = Callable[[Connection], dict[str, object]]
    # What is answered to those who ask again, by that id; None when it is there no more.
    Again = Callable[[Connection, str], dict[str, object] | None]
    # Raises ApiError for those who may not, be it for the first time or again.
    Allow = Callable[[Connection], None]

_HEADER = "idempotency-key"
_REPLAYED = "idempotency-replayed"
_METHODS = frozenset({"POST", "PATCH", "DELETE"})
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


def _anyone(_connection: Connection) -> None: ...


class Once:
    """Does what requests ask for, each of them once if it bears a key."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @behaviour(
        "idempotency.replay",
        "invented",
        "With the same Idempotency-Key and the same query and body, octet by octet, nothing is done again: "
        "the application gets the first answer's status and what was made or changed as it is now, marked "
        "`Idempotency-Replayed: true`.",
    )
    @behaviour(
        "idempotency.deleted",
        "invented",
        "Nothing of a memory or a request is kept with a key. When it is deleted, whoever asks again is told "
        "so: 410, code gone.",
    )
    @behaviour(
        "idempotency.reuse",
        "invented",
        "The same key with another query or body is refused with 422, code idempotency_key_reuse.",
    )
    @behaviour(
        "idempotency.scope",
        "invented",
        "A key belongs to the application, the method and the path; elsewhere it is another key.",
    )
    @behaviour(
        "idempotency.kept",
        "invented",
        "Keys are kept with success, in the transaction of what was done; after a refusal the key is free, "
        "and of two such requests at once the second gets the first one's answer.",
    )
    @behaviour(
        "idempotency.access",
        "invented",
        "Access is checked before an answer is given again: after a revocation there is none.",
    )
    async def answer(
        self,
        request: Request,
        *,
        app_id: str,
        act: Act,
        again: Again,
        status: int = 200,
        allow: Allow = _anyone,
    ) -> Response:
        """Do it, or tell again what was done.

        Args:
            request: What asks for it.
            app_id: Who asks.
            act: Does it, and returns what to answer.
            again: What to answer when it was done before.
            status: The status of success.
            allow: Whether the application may.

        Raises:
            ApiError: The key is malformed, or came with another request before, or what was done for it is
                deleted.
        """
        services = self._services
        key = key_of(request)

        def act_now(connection: Connection) -> bytes:
            allow(connection)
            return json_octets(act(connection))

        if key is None:
            return octets_answer(await services.database.write(act_now), status=status)

        operation = f"{request.method} {request.scope['path']}"
        request_digest = await _digest(request)

        def act_once(connection: Connection) -> tuple[bytes, int, bool]:
            allow(connection)
            kept = services.idempotent_answers.find(connection, app_id=app_id, operation=operation, key=key)
            if kept is not None:
                if kept.request_digest != request_digest:
                    raise ApiError(
                        422,
                        "This Idempotency-Key came with another request before.",
                        code="idempotency_key_reuse",
                    )
                return _told_again(connection, kept, again), kept.status, True
            answer = act(connection)
            its_id = json_octets({"id": answer["id"]})
            services.idempotent_answers.keep(
                connection,
                app_id=app_id,
                operation=operation,
                key=key,
                answer=KeptAnswer(request_digest, status, its_id),
            )
            return json_octets(answer), status, False

        octets, answered, is_told_again = await services.database.write(act_once)
        headers = {_REPLAYED: "true"} if is_told_again else None
        return octets_answer(octets, status=answered, headers=headers)


def _told_again(connection: Connection, kept: KeptAnswer, again: Again) -> bytes:
    answer = again(connection, str(json.loads(kept.body)["id"]))
    if answer is None:
        raise ApiError(410, "What was done for this Idempotency-Key has been deleted since.", code="gone")
    return json_octets(answer)


@behaviour(
    "idempotency.key", "invented", "A key has 1 to 255 visible ASCII characters and comes once, else 400."
)
def key_of(request: Request) -> str | None:
    """The key that a request bears.

    Raises:
        ApiError: It is malformed.
    """
    keys = request.headers.getlist(_HEADER)
    if not keys:
        return None
    if len(keys) > 1 or _VISIBLE.fullmatch(keys[0]) is None:
        raise ApiError(400, "Idempotency-Key must be one header of 1 to 255 visible ASCII characters.")
    return keys[0]


class KeyEcho:
    """Returns the key of a request with its answer: so clients learn that keys are honoured here.

    Args:
        app: What answers.
        prefixes: How the paths begin where keys are honoured.
    """

    def __init__(self, app: ASGIApp, *, prefixes: tuple[str, ...]) -> None:
        self._app = app
        self._prefixes = prefixes

    @behaviour(
        "idempotency.echo",
        "invented",
        "Every answer to a request with an Idempotency-Key, a refusal too, bears the same header wherever "
        "keys are honoured: creating access requests, and creating, changing and deleting blobs.",
    )
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        keys: list[str] = []
        if (
            scope["type"] == "http"
            and scope["method"] in _METHODS
            and scope["path"].startswith(self._prefixes)
        ):
            keys = values_of(scope["headers"], _HEADER.encode())
        if len(keys) != 1 or _VISIBLE.fullmatch(keys[0]) is None:
            await self._app(scope, receive, send)
            return

        async def send_with_key(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_value(message["headers"], _HEADER.encode(), keys[0].encode())
            await send(message)

        await self._app(scope, receive, send_with_key)


async def _digest(request: Request) -> str:
    query: bytes = request.scope["query_string"]
    hashed = hashlib.sha256(query)
    # No query holds a line feed, so it cannot run into the body.
    hashed.update(b"\n")
    hashed.update(await request.body())
    return hashed.hexdigest()
