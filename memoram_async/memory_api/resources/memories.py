"""`client.memories`: memories that the application owns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from memoram_async.core.arguments import given
from memoram_async.core.errors import InvalidArgumentError
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret, Unshareable, conceal, hidden
from memoram_async.core.unset import UNSET, Unset
from memoram_async.core.urls import check_id
from memoram_async.memory_api.arguments import (
    LARGEST_PAGE,
    LONGEST_TEXT,
    check_confirmed,
    check_object,
    check_within,
    check_words,
)
from memoram_async.memory_api.envelope import page_number, unwrap, unwrap_page
from memoram_async.memory_api.models import Memory
from memoram_async.models.page import Page
from memoram_async.transport.pager import AsyncPager
from memoram_async.transport.requester import Requester


class AsyncMemories(Unshareable):
    """Memories of the key's environment, in plain text that the service can read."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def list(self, *, page_size: int | None = None) -> AsyncPager[Memory]:
        """All memories (contract `listMemories`).

        The service numbers its pages: what is stored or deleted meanwhile shifts them, so that a memory may
        come twice or be passed over. A page's cursor is its number.

        Args:
            page_size: Memories to a page, at most 100; the service's default is 50.

        Raises:
            InvalidArgumentError: `page_size` cannot be sent.
        """
        size = check_within(page_size, name="page_size", most=LARGEST_PAGE)

        async def fetch(cursor: str | None) -> Page[Memory]:
            number = page_number(cursor)
            response = await self._requester.send(
                "listMemories", "GET", "/memories", params={"page": number, "per_page": size}
            )
            return unwrap_page(response, tuple[Memory, ...], operation="listMemories", number=number)

        return AsyncPager(fetch, self._requester.runtime)

    async def get(self, memory_id: str) -> Memory:
        """One memory (contract `getMemory`).

        Raises:
            InvalidArgumentError: `memory_id` is not an identifier.
            MemoryNotFoundError: There is no such memory.
        """
        response = await self._requester.send(
            "getMemory",
            "GET",
            "/memories/{memoryId}",
            ids={"memoryId": check_id(memory_id, name="memory_id")},
        )
        return unwrap(response, Memory, operation="getMemory")

    async def create(
        self,
        text: str | Secret,
        *,
        metadata: Mapping[str, Any] | None = None,
        memory_id: str | None = None,
    ) -> Memory:
        """Store a memory (contract `createMemory`).

        Args:
            text: The memory, in 1 to 50,000 characters.
            metadata: What to keep with it, any mapping that JSON can carry.
            memory_id: An id of the application's own, unique in its environment; by default the service's.
                The service keeps no idempotency keys: with an id of your own, such as that of an entry in an
                outbox, what is sent twice is not stored twice.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            MemoryIDExistsError: Another memory has this id.
            InsufficientScopeError: The key has not the scope `write`.
            OutcomeUnknownError: The answer was lost; with a `memory_id`, `get` shows whether it was stored.
        """
        words, kept = conceal(text), hidden(metadata)
        del text, metadata  # a traceback may show what local variables hold
        body = given(
            text=check_words(words, name="text", longest=LONGEST_TEXT),
            metadata=UNSET if kept is None else check_object(kept, name="metadata"),
            memory_id=UNSET if memory_id is None else check_id(memory_id, name="memory_id"),
        )
        response = await self._requester.send(
            "createMemory", "POST", "/memories", json=body, safety=Safety.ONCE
        )
        return unwrap(response, Memory, operation="createMemory")

    async def update(
        self,
        memory_id: str,
        *,
        text: str | Secret | Unset = UNSET,
        metadata: Mapping[str, Any] | Unset = UNSET,
    ) -> Memory:
        """Change what is given and leave the rest (contract `updateMemory`).

        Args:
            memory_id: The memory.
            text: A new text, in 1 to 50,000 characters.
            metadata: Replaces all that is kept with it; `{}` empties it.

        Raises:
            InvalidArgumentError: An argument cannot be sent, or none is given.
            MemoryNotFoundError: There is no such memory.
            InsufficientScopeError: The key has not the scope `write`.
            OutcomeUnknownError: The answer was lost; `get` shows whether the change was made.
        """
        words = text if text is UNSET else conceal(text)
        kept = metadata if metadata is UNSET else hidden(metadata)
        del text, metadata  # a traceback may show what local variables hold
        body = given(
            text=words if words is UNSET else check_words(words, name="text", longest=LONGEST_TEXT),
            metadata=kept if kept is UNSET else check_object({} if kept is None else kept, name="metadata"),
        )
        if not body:
            raise InvalidArgumentError("nothing to change: pass text= or metadata=")
        response = await self._requester.send(
            "updateMemory",
            "PUT",
            "/memories/{memoryId}",
            ids={"memoryId": check_id(memory_id, name="memory_id")},
            json=body,
            safety=Safety.ONCE,
        )
        return unwrap(response, Memory, operation="updateMemory")

    async def delete(self, memory_id: str) -> None:
        """Delete a memory for good (contract `deleteMemory`).

        Raises:
            InvalidArgumentError: `memory_id` is not an identifier.
            MemoryNotFoundError: There is no such memory, perhaps not any more.
            InsufficientScopeError: The key has not the scope `delete`.
            OutcomeUnknownError: The answer was lost; `get` shows whether the memory is still there.
        """
        await self._requester.send(
            "deleteMemory",
            "DELETE",
            "/memories/{memoryId}",
            ids={"memoryId": check_id(memory_id, name="memory_id")},
            safety=Safety.ONCE,
        )

    async def delete_all(self, *, confirm: bool) -> None:
        """Delete every memory of the key's environment for good (contract `deleteAllMemories`).

        Args:
            confirm: True, from somebody who means it.

        Raises:
            InvalidArgumentError: `confirm` is anything but True; nothing was sent.
            InsufficientScopeError: The key has not the scope `delete`.
            OutcomeUnknownError: The answer was lost; `list` shows whether the memories are still there.
        """
        check_confirmed(confirm)
        await self._requester.send(
            "deleteAllMemories", "DELETE", "/memories", params={"confirm": True}, safety=Safety.ONCE
        )
