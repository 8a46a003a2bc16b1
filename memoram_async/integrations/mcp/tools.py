"""What an agent can do with memories: seven tools, a resource template and a prompt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, TypeAlias

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, CallToolResult, InputRequiredResult
from pydantic import Field

from memoram_async.core.errors import AccessRevoked, MemoramError, NotFoundError
from memoram_async.core.unset import UNSET
from memoram_async.integrations.mcp import answers
from memoram_async.integrations.mcp.answers import (
    MemoriesAnswer,
    OneMemoryAnswer,
    TagsAnswer,
    WrittenAnswer,
)
from memoram_async.integrations.mcp.consent import Consent, ConsentMissingError, ServerContext
from memoram_async.memory_store import AsyncMemoryStore

MOST_LISTED: Final = 50
MOST_RECALLED: Final = 20
MOST_TAGS: Final = 1000

MemoryId: TypeAlias = Annotated[str, Field(description="The id of a memory, from recall or list")]
Content: TypeAlias = Annotated[
    str,
    Field(
        min_length=1,
        description="What to remember, in a sentence that can be understood on its own. Encrypted",
    ),
]
Title: TypeAlias = Annotated[
    str | None, Field(description="A short title. Not encrypted: nothing private here")
]
Tags: TypeAlias = Annotated[
    list[str] | None, Field(description="Names of tags, such as travel. Not encrypted: nothing private here")
]
Importance: TypeAlias = Annotated[
    float | None, Field(ge=0, le=1, description="How much it matters, from 0 to 1")
]
Source: TypeAlias = Annotated[
    str | None,
    Field(description="Where it comes from: said by the user, read in a document, ... Not encrypted"),
]

Written: TypeAlias = Annotated[CallToolResult, WrittenAnswer] | InputRequiredResult
Many: TypeAlias = Annotated[CallToolResult, MemoriesAnswer] | InputRequiredResult
One: TypeAlias = Annotated[CallToolResult, OneMemoryAnswer] | InputRequiredResult
TagNames: TypeAlias = Annotated[CallToolResult, TagsAnswer] | InputRequiredResult


class MemoryTools:
    """The tools, over the memories of whoever calls them."""

    def __init__(self, consent: Consent, *, token_budget: int) -> None:
        """Tools of one server.

        Args:
            consent: Opens memories.
            token_budget: How many tokens the text of a result may have.
        """
        self._consent = consent
        self._budget = token_budget

    async def remember(
        self,
        ctx: Context,
        content: Content,
        title: Title = None,
        tags: Tags = None,
        importance: Importance = None,
        source: Source = None,
    ) -> Written:
        """Remember something about the user for later conversations; encrypted with the user's own key."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            memory = await store.create(
                content, title=title, tags=tags or (), importance=importance, source=source
            )
            return answers.written(memory.id, "remembered")

        return await self._with_store(ctx, work)

    async def recall(
        self,
        ctx: Context,
        query: Annotated[str, Field(min_length=1, description="A question, or words to look for")],
        limit: Annotated[int, Field(ge=1, le=MOST_RECALLED, description="How many memories at most")] = 5,
    ) -> Many:
        """Find what was remembered about the user by what it says, best first."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            found = await store.recall(query, limit=limit)
            none = "Nothing that was remembered shares a word with this."
            return answers.memories_answered(found, budget=self._budget, none=none)

        return await self._with_store(ctx, work)

    async def list_memories(
        self,
        ctx: Context,
        tags: Tags = None,
        limit: Annotated[int, Field(ge=1, le=MOST_LISTED, description="How many memories at most")] = 20,
        cursor: Annotated[str | None, Field(description="Where to go on, from an earlier result")] = None,
    ) -> Many:
        """List what was remembered about the user, page by page, perhaps with certain tags only."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            most = min(limit, answers.most_memories(self._budget))
            page = await store.list(tags=tags or (), page_size=most).page(cursor)
            return answers.memories_answered(
                page.items, budget=self._budget, none="There are no memories here.", cursor=page.next_cursor
            )

        return await self._with_store(ctx, work)

    async def get(
        self,
        ctx: Context,
        id: MemoryId,  # noqa: A002 - the name that the model sees
        offset: Annotated[int, Field(ge=0, description="Where to read on in a long memory")] = 0,
    ) -> One:
        """Read one memory, a long one part by part."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            memory = await store.get(id)
            return answers.memory_answered(memory, budget=self._budget, start=offset)

        return await self._with_store(ctx, work)

    async def update(
        self,
        ctx: Context,
        id: MemoryId,  # noqa: A002 - the name that the model sees
        content: Annotated[str | None, Field(min_length=1, description="The new text of the memory")] = None,
        title: Title = None,
        tags: Annotated[
            list[str] | None, Field(description="All tags from now on; an empty list removes them")
        ] = None,
        importance: Importance = None,
        source: Source = None,
    ) -> Written:
        """Change a memory that is wrong or out of date. What is left out stays as it is."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            memory = await store.update(
                id,
                content=UNSET if content is None else content,
                title=UNSET if title is None else title,
                tags=UNSET if tags is None else tags,
                importance=UNSET if importance is None else importance,
                source=UNSET if source is None else source,
            )
            return answers.written(memory.id, "updated")

        return await self._with_store(ctx, work)

    async def forget(
        self,
        ctx: Context,
        id: MemoryId,  # noqa: A002 - the name that the model sees
    ) -> Written:
        """Delete a memory for good. Only when the user wants it forgotten."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            await store.delete(id)
            return answers.written(id, "forgotten")

        return await self._with_store(ctx, work)

    async def list_tags(self, ctx: Context) -> TagNames:
        """List the tags that memories have, for list and remember."""

        async def work(store: AsyncMemoryStore) -> CallToolResult:
            names: list[str] = []
            async for tag in store.list_tags():
                if len(names) == MOST_TAGS:
                    return answers.tags_answered(names, budget=self._budget, complete=False)
                if tag.name:
                    names.append(tag.name)
            return answers.tags_answered(names, budget=self._budget, complete=True)

        return await self._with_store(ctx, work)

    async def _with_store(
        self, ctx: ServerContext, work: Callable[[AsyncMemoryStore], Awaitable[CallToolResult]]
    ) -> CallToolResult | InputRequiredResult:
        """Do some work with the caller's memories; errors become results that the model can act on."""
        try:
            opened = await self._consent.store(ctx)
            return opened if isinstance(opened, InputRequiredResult) else await work(opened)
        except ConsentMissingError as error:
            need = error.need
            where = {"kind": need.kind, "url": need.url, "request_id": need.request_id}
            return answers.refused(error.message, meta={"memoram/consent": where})
        except NotFoundError:
            return answers.refused("There is no memory with this id; recall and list tell ids.")
        except AccessRevoked:
            return answers.refused(
                "Nothing was done: the user took the approval back. Tell the user so, and call again only if "
                "the user wants to be asked once more."
            )
        except MemoramError as error:
            return answers.refused(f"That did not work: {error.message}")

    # --- the same for clients that read resources and offer prompts ----------------------------

    async def memory(self, ctx: Context, id: str) -> str | InputRequiredResult:  # noqa: A002 - as in the URI
        """One memory of the user, fenced; ids are those of recall and list."""
        try:
            opened = await self._consent.store(ctx)
            if isinstance(opened, InputRequiredResult):
                return opened
            return answers.memory_as_text(await opened.get(id), budget=self._budget)
        except NotFoundError:
            failure: ResourceError = ResourceNotFoundError("There is no memory with this id.")
        except MemoramError as error:
            failure = ResourceError(error.message)
        raise failure

    async def recalled(self, ctx: Context, question: str) -> str | InputRequiredResult:
        """Answer a question with what was remembered about the user."""
        try:
            opened = await self._consent.store(ctx)
            if isinstance(opened, InputRequiredResult):
                return opened
            found = await opened.recall(question, limit=MOST_RECALLED)
        except MemoramError as error:
            failure = MCPError(INTERNAL_ERROR, error.message)
        else:
            none = "Nothing was remembered about it."
            known = answers.as_text(answers.memories_answered(found, budget=self._budget, none=none))
            heading = "This was remembered about me: " if found else ""
            return f"{heading}{known}\n\nWith this in mind, answer my question: {question}"
        raise failure
