"""Answers for questions about memories, and for text to be remembered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from memoram_local.behaviour import behaviour
from memoram_local.http.routing import resource
from memoram_local.memory_api.envelope import Good
from memoram_local.memory_api.extracts import MODEL, answer, extracted
from memoram_local.memory_api.fields import read_body
from memoram_local.memory_api.memories import LONGEST_TEXT
from memoram_local.store.memory_api.relevance import search

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import Route

    from memoram_local.memory_api.door import Door
    from memoram_local.memory_api.fields import Fields
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Key
    from memoram_local.store.memory_api.relevance import Match

_PATH: Final = "/v1/query"
_CONTENT_TYPES: Final = ("conversation", "document", "notes")
_LONGEST_CONTENT: Final = 1_000_000


class QueriesApi:
    """Answers for questions."""

    def __init__(self, services: Services, door: Door) -> None:
        self._database = services.database
        self._memories = services.memory_api.memories
        self._door = door

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        needing = self._door.needing
        return [
            resource(_PATH, post=needing("read", "query", self.query)),
            resource(f"{_PATH}/answer", post=needing("read", "queryAnswer", self.answer)),
            resource(f"{_PATH}/extract", post=needing("write", "extractMemories", self.extract)),
        ]

    async def query(self, request: Request, key: Key) -> Good:
        """Contract operation query."""
        body = await read_body(request)
        with_metadata = body.flag("include_metadata", default=True)
        question, found, total = await self._search(body, key)
        return Good(
            {
                "memories": [_on_the_wire(match, with_metadata=with_metadata) for match in found],
                "query_context": question,
                "total_memories_searched": total,
            }
        )

    @behaviour(
        "query-answer.model",
        "invented",
        "No language model answers: up to three sentences of the best matches, word for word, by "
        "`local-extractive`.",
    )
    @behaviour("query-answer.prompt", "invented", "`prompt_template` is read and has no effect.")
    async def answer(self, request: Request, key: Key) -> Good:
        """Contract operation queryAnswer."""
        body = await read_body(request)
        if not body.is_null("prompt_template"):
            body.text("prompt_template")
        question, found, _ = await self._search(body, key)
        said, used = answer(question, [match.text for match in found])
        return Good({"answer": said, "memories_used": used, "model": MODEL})

    @behaviour(
        "extract-memories.model",
        "invented",
        "No language model extracts: each statement of at least three words becomes a memory, word for word, "
        "by `local-extractive`; of a conversation those of people alone.",
    )
    async def extract(self, request: Request, key: Key) -> Good:
        """Contract operation extractMemories."""
        body = await read_body(request)
        content = body.text("content", longest=_LONGEST_CONTENT)
        content_type = body.one_of("content_type", _CONTENT_TYPES, default="conversation")
        metadata = body.object("metadata")
        body.check()
        texts = [
            statement[start : start + LONGEST_TEXT]
            for statement in extracted(content, content_type=content_type)
            for start in range(0, len(statement), LONGEST_TEXT)
        ]

        def store(connection: Connection) -> list[str]:
            return [
                self._memories.create(connection, key.space, text=text, metadata=metadata).id
                for text in texts
            ]

        ids = await self._database.write(store)
        return Good({"extracted_count": len(ids), "memory_ids": ids, "model": MODEL})

    async def _search(self, body: Fields, key: Key) -> tuple[str, list[Match], int]:
        question = body.text("context")
        most = body.count("max_memories", default=20, most=100)
        threshold = body.fraction("relevance_threshold", default=0.5)
        body.check()

        def find(connection: Connection) -> tuple[list[Match], int]:
            return search(connection, key.space, question=question, most=most, threshold=threshold)

        found, total = await self._database.read(find)
        return question, found, total


@behaviour(
    "query.reasoning", "invented", "`relevance_reasoning` names the words of the question that were found."
)
@behaviour("query.metadata", "inferred", "Without `include_metadata` a match has null there.")
def _on_the_wire(match: Match, *, with_metadata: bool) -> dict[str, object]:
    stored = match.metadata if with_metadata else None
    return {
        "id": match.id,
        "text": match.text,
        "relevance_score": match.score,
        "relevance_reasoning": f"Words found: {', '.join(match.words)}.",
        "metadata": None if stored is None else json.loads(stored),
    }
