"""One user's memories: encrypted on the way out, decrypted on the way in."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from memoram_async.access.opened import OpenedAccess
from memoram_async.access.revocation import under
from memoram_async.core.errors import NotFoundError
from memoram_async.core.secret import Secret, Unshareable, out_of_sight
from memoram_async.core.unset import UNSET, Unset
from memoram_async.core.urls import check_id
from memoram_async.crypto import StoreOptions
from memoram_async.keys.shared_keys import StoreKeys
from memoram_async.memories.content import MemoryContent
from memoram_async.memories.listing import MemoryListing
from memoram_async.models.drafts import MemoryDraft
from memoram_async.models.memory import Memory
from memoram_async.models.page import Page
from memoram_async.models.tags import Tag
from memoram_async.resources.memory_blobs import AsyncMemoryBlobs
from memoram_async.resources.tags import AsyncTags
from memoram_async.transport.pager import AsyncPager
from memoram_async.transport.requester import Requester

_LARGEST_PAGE: Final = 100


class AsyncMemoryStore(Unshareable):
    """One user's memories, decrypted; from `AsyncMemoram.connect` or `AsyncMemoram.open`.

    Content is encrypted before it leaves (JWE compact, `dir`, AES-GCM) and decrypted after it came.
    Title, summary, tags and the numbers travel as they are: the service searches and filters by them,
    so it can read them.

    The store holds the user's key until `close()`; each user needs a store of its own. Content that was
    encrypted with another version of the key is read as well: the version is fetched when it is first needed.
    """

    def __init__(
        self, access: OpenedAccess, *, keys: StoreKeys, requester: Requester, options: StoreOptions
    ) -> None:
        """A store over a service; use `AsyncMemoram.open` instead of calling this."""
        self._user_id = keys.user_id
        self._requester = requester
        self._keys = keys
        self._content = MemoryContent(keys, options)
        self._approval = access.approval
        self._recall = access.recall
        self._owns_keys = keys is access.keys
        self._memory_key: Secret = access.memory_key
        self._blobs = AsyncMemoryBlobs(requester)
        self._tags = AsyncTags(requester)

    @property
    def user_id(self) -> str:
        """Whose memories these are."""
        return self._user_id

    @property
    def key_version(self) -> int:
        """The version of the key that new content is encrypted with.

        Raises:
            ClientClosedError: The store was closed.
        """
        return self._keys.ring().current.version

    def __repr__(self) -> str:
        # Debuggers show a store whose construction failed, too.
        return f"<{type(self).__name__} of user {getattr(self, '_user_id', None)}>"

    async def create(
        self,
        content: str,
        *,
        title: str | None = None,
        summary: str | None = None,
        tags: Iterable[str] = (),
        importance: float | None = None,
        confidence: float | None = None,
        source: str | None = None,
        idempotency_key: str | None = None,
    ) -> Memory:
        """Encrypt and store a memory.

        Args:
            content: The memory: 1 character to 1 MiB of UTF-8.
            title: A title, which the service can read.
            summary: A summary, which the service can read.
            tags: Names of tags, which the service can read; unknown ones are created.
            importance: How much it matters; a finite number on the application's own scale.
            confidence: How sure the application is; a finite number.
            source: Where it came from.
            idempotency_key: A key of your own, such as the id of an entry in an outbox: 1 to 255 visible
                ASCII characters. A service that honours keys stores one memory for it: a second call, whose
                ciphertext is another one, is refused with UnprocessableError or answered as the first.

        Raises:
            ContentError: The content is empty, no text, or too large; nothing was sent.
            InvalidArgumentError: Another argument cannot be sent; nothing was sent.
            AccessRevoked: The user has taken the approval back.
            PermissionDeniedError: It was refused, and why is not known.
            OutcomeUnknownError: The answer was lost; `list` shows whether the memory was made.
        """
        text = Secret(content)
        del content  # a traceback may show what local variables hold
        title, summary = out_of_sight(title), out_of_sight(summary)
        source, tags = out_of_sight(source), out_of_sight(tags)
        stored, readable = await self._content.seal(text)
        call = self._blobs.create(
            user_id=self._user_id,
            memory_key=self._memory_key,
            content=stored,
            title=title,
            summary=summary,
            tags=tags,
            importance=importance,
            confidence=confidence,
            source=source,
            idempotency_key=idempotency_key,
        )
        memory = Memory.of(await under(self._approval, call), readable)
        self._recall.wrote(memory)
        return memory

    async def get(self, memory_id: str) -> Memory:
        """Fetch and decrypt one memory.

        Raises:
            InvalidArgumentError: `memory_id` is not an identifier.
            NotFoundError: There is no such memory.
            DecryptionError: It cannot be decrypted; the subclass tells why.
            AccessRevoked: The user has taken the approval back.
            PermissionDeniedError: It was refused, and why is not known.
        """
        memory = await self._one(check_id(memory_id, name="memory_id"))
        if memory.error is not None:
            raise memory.error
        return memory

    async def _one(self, memory_id: str) -> Memory:
        """A memory, with the reason if it cannot be read."""
        self._keys.ring()
        call = self._blobs.get(memory_id, user_id=self._user_id)
        return await self._content.open(await under(self._approval, call))

    def list(
        self,
        *,
        tags: Iterable[str] = (),
        search: str | None = None,
        importance: float | None = None,
        page_size: int | None = None,
    ) -> AsyncPager[Memory]:
        """The user's memories, decrypted page by page.

        A memory that cannot be read is listed like the others: its `error` says why, and reading its
        `content` raises that error. `StoreOptions.on_undecryptable` can leave such memories out instead, or
        raise.

        Args:
            tags: Names of tags to filter by; whether all or any must match is the service's choice.
            search: Text to look for in title and summary. Content is encrypted, so the service cannot
                search it.
            importance: The least importance.
            page_size: Memories to a page; the service's default is 10.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
        """
        # A traceback may show what local variables hold.
        tags, search = out_of_sight(tags), out_of_sight(search)
        listing = MemoryListing(
            self._requester,
            user_id=self._user_id,
            tags=tags,
            search=search,
            importance=importance,
            page_size=page_size,
        )

        async def fetch(cursor: str | None) -> Page[MemoryDraft]:
            self._keys.ring()
            return await under(self._approval, listing.read(cursor, MemoryDraft))

        return AsyncPager(fetch, self._requester.runtime, finish=self._content.open_page)

    async def update(
        self,
        memory_id: str,
        *,
        content: str | Unset = UNSET,
        title: str | Unset | None = UNSET,
        summary: str | Unset | None = UNSET,
        tags: Iterable[str] | Unset = UNSET,
        importance: float | Unset | None = UNSET,
        confidence: float | Unset | None = UNSET,
        source: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> Memory:
        """Change those members that are given; None clears one.

        Args:
            memory_id: The memory.
            content: New content, encrypted with the current key.
            title: A new title.
            summary: A new summary.
            tags: All tags that the memory is to have from now on.
            importance: A new importance.
            confidence: A new confidence.
            source: A new source.
            idempotency_key: A key of your own, such as the id of an entry in an outbox: 1 to 255 visible
                ASCII characters. A service that honours keys carries out requests with one key and body
                once. By default each call has a random one.

        Returns:
            The memory. Its content is there if it was given here; the service does not send it back.

        Raises:
            ContentError: The content is empty, no text, or too large; nothing was sent.
            InvalidArgumentError: Another argument cannot be sent; nothing was sent.
            NotFoundError: There is no such memory.
            AccessRevoked: The user has taken the approval back.
            PermissionDeniedError: It was refused, and why is not known.
            OutcomeUnknownError: The answer was lost; `get` shows whether the change was made.
        """
        text = None if content is UNSET else Secret(content)
        del content  # a traceback may show what local variables hold
        title, summary = out_of_sight(title), out_of_sight(summary)
        source, tags = out_of_sight(source), out_of_sight(tags)
        self._keys.ring()
        stored, readable = (UNSET, None) if text is None else await self._content.seal(text)
        call = self._blobs.update(
            check_id(memory_id, name="memory_id"),
            user_id=self._user_id,
            memory_key=self._memory_key,
            content=stored,
            title=title,
            summary=summary,
            tags=tags,
            importance=importance,
            confidence=confidence,
            source=source,
            idempotency_key=idempotency_key,
        )
        with self._recall.writing(memory_id):
            memory = Memory.of(await under(self._approval, call), readable)
            self._recall.wrote(memory)
        return memory

    async def delete(self, memory_id: str, *, idempotency_key: str | None = None) -> None:
        """Delete a memory for good.

        Args:
            memory_id: The memory.
            idempotency_key: A key of your own, as for `create`: who asks again with it is told that it was
                done, and without one that there is no such memory.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            NotFoundError: There is no such memory, perhaps not any more.
            AccessRevoked: The user has taken the approval back.
            PermissionDeniedError: It was refused, and why is not known.
            OutcomeUnknownError: The answer was lost; `get` shows whether the memory is still there.
        """
        self._keys.ring()
        call = self._blobs.delete(
            check_id(memory_id, name="memory_id"), user_id=self._user_id, idempotency_key=idempotency_key
        )
        with self._recall.writing(memory_id):
            await under(self._approval, call)
            self._recall.deleted(memory_id)

    async def recall(self, query: str, *, limit: int = 10) -> tuple[Memory, ...]:
        """The memories that share most with a question, best first, found on this side.

        All memories are listed and decrypted for the first question, and again when a minute has passed; what
        this store writes is known at once, but for a memory that was made though `create` lost the answer.
        They are ranked by the words that they share with the question, in content, title, summary and tags
        (BM25), without case, accents and English endings; among those that fit equally well, the more
        important comes first, then the newer. They stay in this process's memory until the store is closed,
        and the question is sent nowhere.

        Args:
            query: A question, or words to look for.
            limit: How many memories are wanted at most.

        Returns:
            The memories; none if no word is shared.

        Raises:
            InvalidArgumentError: `query` is empty or no text, or `limit` no positive number.
            AccessRevoked: The user has taken the approval back.
            PermissionDeniedError: It was refused, and why is not known.
        """
        query = out_of_sight(query)  # a traceback may show what local variables hold
        self._keys.ring()
        return await self._recall.search(query, limit=limit, list_all=self._all, read=self._one_if_any)

    async def _all(self) -> builtins.list[Memory]:
        return [memory async for memory in self.list(page_size=_LARGEST_PAGE)]

    async def _one_if_any(self, memory_id: str) -> Memory | None:
        with suppress(NotFoundError):
            return await self._one(memory_id)
        return None

    def list_tags(self) -> AsyncPager[Tag]:
        """The user's tags."""
        tags = self._tags.list(user_id=self._user_id)

        async def fetch(cursor: str | None) -> Page[Tag]:
            return await under(self._approval, tags.page(cursor))

        return AsyncPager(fetch, self._requester.runtime)

    def close(self) -> None:
        """Drop the user's key; the client stays open. A second time does nothing."""
        self._keys.close()
        if self._owns_keys:  # others may stand on what is shared
            self._recall.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
