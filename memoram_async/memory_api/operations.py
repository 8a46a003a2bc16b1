"""What the client of Memory API does itself: questions, and what needs no key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from memoram_async.core.arguments import given
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret, conceal, hidden
from memoram_async.core.unset import UNSET
from memoram_async.memory_api.arguments import (
    MOST_MATCHES,
    ContentType,
    check_content_type,
    check_fraction,
    check_object,
    check_within,
    check_words,
)
from memoram_async.memory_api.envelope import unwrap, unwrap_report
from memoram_async.memory_api.models import Answer, Extraction, QueryResult, Report, Signup
from memoram_async.transport.requester import Requester


class Operations:
    """The operations of `AsyncMemoryAPI`, whose methods say what their arguments mean."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester
        self._open = attrs.evolve(requester, credentials=None)

    async def health(self) -> Report:
        """The operation `health`."""
        return unwrap_report(await self._open.send("health", "GET", "/health"))

    async def signup(self, *, name: str, email: str, plan_id: str | None) -> Signup:
        """The operation `signup`."""
        body = given(
            name=check_words(name, name="name"),
            email=check_words(email, name="email"),
            plan_id=UNSET if plan_id is None else check_words(plan_id, name="plan_id"),
        )
        response = await self._open.send("signup", "POST", "/signup", json=body, safety=Safety.ONCE)
        return unwrap(response, Signup, operation="signup")

    async def query(
        self,
        context: str | Secret,
        *,
        max_memories: int | None,
        relevance_threshold: float | None,
        include_metadata: bool | None,
    ) -> QueryResult:
        """The operation `query`."""
        asked = conceal(context)
        del context  # a traceback may show what local variables hold
        body = given(
            **_question(asked, max_memories, relevance_threshold),
            include_metadata=UNSET if include_metadata is None else bool(include_metadata),
        )
        response = await self._requester.send("query", "POST", "/query", json=body)
        return unwrap(response, QueryResult, operation="query")

    async def query_answer(
        self,
        context: str | Secret,
        *,
        max_memories: int | None,
        relevance_threshold: float | None,
        prompt_template: str | Secret | None,
    ) -> Answer:
        """The operation `queryAnswer`."""
        asked, template = conceal(context), hidden(prompt_template)
        del context, prompt_template  # a traceback may show what local variables hold
        body = given(
            **_question(asked, max_memories, relevance_threshold),
            prompt_template=UNSET if template is None else check_words(template, name="prompt_template"),
        )
        response = await self._requester.send("queryAnswer", "POST", "/query/answer", json=body)
        return unwrap(response, Answer, operation="queryAnswer")

    async def extract(
        self,
        content: str | Secret,
        *,
        content_type: ContentType | None,
        metadata: Mapping[str, Any] | None,
    ) -> Extraction:
        """The operation `extractMemories`."""
        text, kept = conceal(content), hidden(metadata)
        del content, metadata  # a traceback may show what local variables hold
        kind = check_content_type(content_type)
        body = given(
            content=check_words(text, name="content"),
            content_type=UNSET if kind is None else kind,
            metadata=UNSET if kept is None else check_object(kept, name="metadata"),
        )
        response = await self._requester.send(
            "extractMemories", "POST", "/query/extract", json=body, safety=Safety.ONCE
        )
        return unwrap(response, Extraction, operation="extractMemories")


def _question(
    context: Secret, max_memories: int | None, relevance_threshold: float | None
) -> dict[str, object]:
    most = check_within(max_memories, name="max_memories", most=MOST_MATCHES)
    least = check_fraction(relevance_threshold, name="relevance_threshold")
    return {
        "context": check_words(context, name="context"),
        "max_memories": UNSET if most is None else most,
        "relevance_threshold": UNSET if least is None else least,
    }
