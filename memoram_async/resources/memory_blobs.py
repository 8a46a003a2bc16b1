"""`client.memory_blobs`: memories as the service stores them."""

from __future__ import annotations

from collections.abc import Iterable

from memoram_async.core.arguments import (
    check_idempotency_key,
    check_number,
    check_optional_text,
    check_secret_text,
    check_stored_content,
    check_tags,
    given,
)
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret, Unshareable, conceal, out_of_sight
from memoram_async.core.unset import UNSET, Unset
from memoram_async.core.urls import check_id
from memoram_async.memories.listing import MemoryListing
from memoram_async.models.belonging import check_belongs
from memoram_async.models.converter import Reading, structure
from memoram_async.models.drafts import BlobDraft
from memoram_async.models.memory import MemoryBlob
from memoram_async.models.page import Page
from memoram_async.transport.pager import AsyncPager
from memoram_async.transport.requester import Requester


class AsyncMemoryBlobs(Unshareable):
    """Stored memories, content as it is on the server; `AsyncMemoryStore` encrypts and decrypts."""

    def __init__(self, requester: Requester) -> None:
        self._requester = requester

    def list(
        self,
        *,
        user_id: str,
        tags: Iterable[str] = (),
        search: str | None = None,
        importance: float | None = None,
        page_size: int | None = None,
    ) -> AsyncPager[MemoryBlob]:
        """A user's blobs (contract `listMemoryBlobs`).

        Args:
            user_id: The user.
            tags: Names of tags to filter by; whether all or any must match is the service's choice.
            search: Text to look for in title, summary and content as stored: never inside encrypted
                content.
            importance: The least importance.
            page_size: Blobs to a page; the service's default is 10.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
        """
        # A traceback may show what local variables hold.
        tags, search = out_of_sight(tags), out_of_sight(search)
        listing = MemoryListing(
            self._requester,
            user_id=user_id,
            tags=tags,
            search=search,
            importance=importance,
            page_size=page_size,
        )

        async def fetch(cursor: str | None) -> Page[BlobDraft]:
            return await listing.read(cursor, BlobDraft)

        return AsyncPager(fetch, self._requester.runtime)

    async def get(self, blob_id: str, *, user_id: str) -> MemoryBlob:
        """One blob with its stored content (contract `getMemoryBlob`).

        Raises:
            InvalidArgumentError: An id is none.
            PermissionDeniedError: The user has not let this application in.
            NotFoundError: There is no such blob.
            APIResponseError: The service answered with another blob, or another user's.
        """
        response = await self._requester.send(
            "getMemoryBlob",
            "GET",
            "/memory-blobs/{blobId}",
            ids={"blobId": check_id(blob_id, name="blob_id")},
            params={"user_id": check_id(user_id, name="user_id")},
        )
        blob = structure(response, response.json(), MemoryBlob, operation="getMemoryBlob")
        check_belongs(response, blob, operation="getMemoryBlob", asked={"id": blob_id, "user_id": user_id})
        return blob

    async def create(
        self,
        *,
        user_id: str,
        memory_key: str | Secret,
        content: str | Secret,
        title: str | None = None,
        summary: str | None = None,
        tags: Iterable[str] = (),
        importance: float | None = None,
        confidence: float | None = None,
        source: str | None = None,
        idempotency_key: str | None = None,
    ) -> MemoryBlob:
        """Store content as it is given; encrypting it is the caller's part (contract `createMemoryBlob`).

        Args:
            user_id: The user.
            memory_key: The user's memory key.
            content: What to store, normally a JWE.
            title: A title, which the service can read.
            summary: A summary, which the service can read.
            tags: Names of tags; unknown ones are created.
            importance: How much it matters; a finite number on the application's own scale.
            confidence: How sure the application is; a finite number.
            source: Where it came from.
            idempotency_key: A key of your own, such as the id of an entry in an outbox: 1 to 255 visible
                ASCII characters. A service that honours keys carries out requests with one key and body
                once. By default each call has a random one.

        Returns:
            The blob without its content.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            PermissionDeniedError: The user has not let this application in.
            OutcomeUnknownError: The answer was lost; `list` shows whether the blob was made.
        """
        memory_key, stored = conceal(memory_key), conceal(content)
        del content  # a traceback may show what local variables hold
        title, summary = out_of_sight(title), out_of_sight(summary)
        source, tags = out_of_sight(source), out_of_sight(tags)
        tag_names = check_tags(tags)
        body = given(
            user_id=check_id(user_id, name="user_id"),
            memoryKey=check_secret_text(memory_key, name="memory_key"),
            content=check_stored_content(stored),
            title=UNSET if title is None else check_optional_text(title, name="title"),
            summary=UNSET if summary is None else check_optional_text(summary, name="summary"),
            tags=tag_names or UNSET,
            importance=UNSET if importance is None else check_number(importance, name="importance"),
            confidence=UNSET if confidence is None else check_number(confidence, name="confidence"),
            source=UNSET if source is None else check_optional_text(source, name="source"),
        )
        reading = Reading(MemoryBlob, operation="createMemoryBlob", asked={"user_id": user_id})
        response = await self._requester.send(
            "createMemoryBlob",
            "POST",
            "/memory-blobs",
            json=body,
            safety=Safety.ONCE,
            read=reading,
            idempotency_key=check_idempotency_key(idempotency_key),
        )
        return reading.of(response)

    async def update(
        self,
        blob_id: str,
        *,
        user_id: str,
        memory_key: str | Secret,
        content: str | Secret | Unset = UNSET,
        title: str | Unset | None = UNSET,
        summary: str | Unset | None = UNSET,
        tags: Iterable[str] | Unset = UNSET,
        importance: float | Unset | None = UNSET,
        confidence: float | Unset | None = UNSET,
        source: str | Unset | None = UNSET,
        idempotency_key: str | None = None,
    ) -> MemoryBlob:
        """Change those members that are given; None clears one (contract `updateMemoryBlob`).

        Args:
            blob_id: The blob.
            user_id: The user.
            memory_key: The user's memory key.
            content: What to store instead, normally a JWE.
            title: A new title.
            summary: A new summary.
            tags: All tags that the blob is to have from now on.
            importance: A new importance.
            confidence: A new confidence.
            source: A new source.
            idempotency_key: A key of your own, such as the id of an entry in an outbox: 1 to 255 visible
                ASCII characters. A service that honours keys carries out requests with one key and body
                once. By default each call has a random one.

        Returns:
            The blob without its content.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            PermissionDeniedError: The user has not let this application in.
            NotFoundError: There is no such blob.
            OutcomeUnknownError: The answer was lost; `get` shows whether the change was made.
        """
        memory_key, stored = conceal(memory_key), content if content is UNSET else conceal(content)
        del content  # a traceback may show what local variables hold
        title, summary = out_of_sight(title), out_of_sight(summary)
        source, tags = out_of_sight(source), out_of_sight(tags)
        body = given(
            user_id=check_id(user_id, name="user_id"),
            memoryKey=check_secret_text(memory_key, name="memory_key"),
            content=stored if stored is UNSET else check_stored_content(stored),
            title=check_optional_text(title, name="title"),
            summary=check_optional_text(summary, name="summary"),
            tags=tags if tags is UNSET else check_tags(tags),
            importance=check_number(importance, name="importance"),
            confidence=check_number(confidence, name="confidence"),
            source=check_optional_text(source, name="source"),
        )
        reading = Reading(MemoryBlob, operation="updateMemoryBlob", asked={"id": blob_id, "user_id": user_id})
        response = await self._requester.send(
            "updateMemoryBlob",
            "PATCH",
            "/memory-blobs/{blobId}",
            ids={"blobId": check_id(blob_id, name="blob_id")},
            json=body,
            safety=Safety.ONCE,
            read=reading,
            idempotency_key=check_idempotency_key(idempotency_key),
        )
        return reading.of(response)

    async def delete(self, blob_id: str, *, user_id: str, idempotency_key: str | None = None) -> None:
        """Delete a blob for good (contract `deleteMemoryBlob`).

        Args:
            blob_id: The blob.
            user_id: The user.
            idempotency_key: A key of your own, as for `create`: who asks again with it is told that it was
                done, and without one that there is no such blob.

        Raises:
            InvalidArgumentError: An id is none.
            PermissionDeniedError: The user has not let this application in.
            NotFoundError: There is no such blob, perhaps not any more.
            OutcomeUnknownError: The answer was lost; `get` shows whether the blob is still there.
        """
        await self._requester.send(
            "deleteMemoryBlob",
            "DELETE",
            "/memory-blobs/{blobId}",
            ids={"blobId": check_id(blob_id, name="blob_id")},
            params={"user_id": check_id(user_id, name="user_id")},
            safety=Safety.ONCE,
            idempotency_key=check_idempotency_key(idempotency_key),
        )
