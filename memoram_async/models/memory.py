"""Memories: as the service stores them, and as the application reads them."""

from __future__ import annotations

from datetime import datetime

import attrs

from memoram_async.core.errors import ContentNotLoadedError, MemoramError, NotEncryptedError
from memoram_async.crypto import Decrypted
from memoram_async.crypto.decrypted import Provenance
from memoram_async.models.answered import Answered
from memoram_async.models.guard import Unpicklable


def _no_tags() -> tuple[str, ...]:
    return ()


@attrs.frozen(kw_only=True, eq=False)
class MemoryBlob(Unpicklable, Answered):
    """A memory as the service stores it (contract `MemoryBlob`).

    Attributes:
        id: The blob.
        content: What is stored: normally a JWE. None in the answers to writes, which leave it out.
        user_id: Whose memory it is.
        title: A title, which the service can read.
        summary: A summary, which the service can read.
        tags: Names of its tags.
        tag_ids: Ids of its tags.
        importance: How much it matters; the scale is the application's.
        confidence: How sure the application is of it.
        source: Where it came from.
        created_at: When it was made.
        updated_at: When it last changed.
        error: Set in lists only, where one odd blob does not spoil the page: what is wrong with this one.
            What cannot be read of it is missing, and an id that cannot be read is empty.
    """

    id: str
    content: str | None = attrs.field(default=None, repr=False)
    user_id: str | None = None
    title: str | None = attrs.field(default=None, repr=False)
    summary: str | None = attrs.field(default=None, repr=False)
    tags: tuple[str, ...] = attrs.field(factory=_no_tags, repr=False)
    tag_ids: tuple[str, ...] = attrs.field(factory=_no_tags, repr=False)
    importance: float | None = None
    confidence: float | None = None
    source: str | None = attrs.field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    error: MemoramError | None = attrs.field(default=None, metadata={"ours": True})


@attrs.frozen(kw_only=True, eq=False)
class Memory(Unpicklable, Answered):
    """A memory, decrypted.

    Attributes:
        id: The memory.
        user_id: Whose memory it is.
        title: A title, which the service can read too.
        summary: A summary, which the service can read too.
        tags: Names of its tags, which the service can read too.
        tag_ids: Ids of its tags.
        importance: How much it matters; the scale is the application's.
        confidence: How sure the application is of it.
        source: Where it came from.
        created_at: When it was made.
        updated_at: When it last changed.
        error: Why the memory cannot be read, if so. One such memory does not spoil a list.
    """

    id: str
    user_id: str | None = None
    title: str | None = attrs.field(default=None, repr=False)
    summary: str | None = attrs.field(default=None, repr=False)
    tags: tuple[str, ...] = attrs.field(factory=_no_tags, repr=False)
    tag_ids: tuple[str, ...] = attrs.field(factory=_no_tags, repr=False)
    importance: float | None = None
    confidence: float | None = None
    source: str | None = attrs.field(default=None, repr=False)
    created_at: datetime | None = None
    updated_at: datetime | None = None
    error: MemoramError | None = None
    _content: str | None = attrs.field(default=None, repr=False, alias="content")
    _provenance: Provenance | None = attrs.field(default=None, repr=False, alias="provenance")

    @property
    def content(self) -> str:
        """The memory itself.

        Raises:
            DecryptionError: It could not be decrypted; the same error as `error`.
            APIResponseError: The service sent a member of another type, or another user's memory; the same
                error as `error`.
            ContentNotLoadedError: The service did not send it: fetch the memory by its id.
        """
        if self.error is not None:
            raise self.error.again()
        if self._content is None:
            raise ContentNotLoadedError("this memory came without its content: fetch it with get(id)")
        return self._content

    @property
    def encrypted(self) -> bool:
        """Whether the content is stored encrypted; False if it was read, or refused, as plaintext."""
        if self._provenance is not None:
            return self._provenance.encrypted
        return not isinstance(self.error, NotEncryptedError)

    @property
    def authenticated(self) -> bool:
        """Whether the encryption proves that nobody without the user's key made or changed the content."""
        return self._provenance is not None and self._provenance.authenticated

    @property
    def bound(self) -> bool:
        """Whether the encryption proves that the content was made for this field."""
        return self._provenance is not None and self._provenance.bound

    @property
    def codec(self) -> str | None:
        """The form in which the content is stored, such as `jwe` or `plaintext`; None if it was not read."""
        return None if self._provenance is None else self._provenance.codec

    @property
    def key_version(self) -> int | None:
        """The version of the key that the content is encrypted with; None if it is not, or was not read."""
        return None if self._provenance is None else self._provenance.key_version

    def with_content_of(self, other: Memory) -> Memory:
        """This memory with the content that another state of it had."""
        return attrs.evolve(self, content=other._content, provenance=other._provenance)

    @classmethod
    def of(cls, blob: MemoryBlob, content: Decrypted | MemoramError | None) -> Memory:
        """A stored blob together with what became of its content."""
        readable = None if isinstance(content, MemoramError) else content
        return cls(
            info=blob.info,
            id=blob.id,
            user_id=blob.user_id,
            title=blob.title,
            summary=blob.summary,
            tags=blob.tags,
            tag_ids=blob.tag_ids,
            importance=blob.importance,
            confidence=blob.confidence,
            source=blob.source,
            created_at=blob.created_at,
            updated_at=blob.updated_at,
            content=readable.text if readable else None,
            provenance=readable.provenance if readable else None,
            error=content if isinstance(content, MemoramError) else None,
        )
