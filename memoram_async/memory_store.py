"""One user's memories: encrypted on the way out, decrypted on the way in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from memoram_async.core.arguments import UNSET, Unset
from memoram_async.core.errors import ClientClosedError, DecryptionError
from memoram_async.core.secret import Secret, Unshareable
from memoram_async.core.urls import check_id
from memoram_async.crypto import CodecRegistry, Decrypted, EncryptionKey, Keyring, encrypt
from memoram_async.crypto.jwe import CODEC_NAME
from memoram_async.models.memory import Memory
from memoram_async.models.page import Page
from memoram_async.transport.pager import AsyncPager

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType
    from typing import Self

    from memoram_async.crypto import ReadPolicy
    from memoram_async.models.access import AccessCredentials
    from memoram_async.models.memory import MemoryBlob
    from memoram_async.models.tags import Tag
    from memoram_async.resources.memory_blobs import AsyncMemoryBlobs
    from memoram_async.resources.tags import AsyncTags

FIRST_KEY_VERSION: Final = 1


class AsyncMemoryStore(Unshareable):
    """One user's memories, decrypted; from `AsyncMemoram.connect` or `AsyncMemoram.open`.

    Content is encrypted before it leaves (JWE compact, `dir`, AES-GCM) and decrypted after it came.
    Title, summary, tags and the numbers travel as they are: the service searches and filters by them,
    so it can read them.

    The store holds the user's key until `close()`; each user needs a store of its own.
    """

    __slots__ = ("_blobs", "_codecs", "_keyring", "_memory_key", "_policy", "_tags", "_user_id")

    def __init__(
        self,
        credentials: AccessCredentials,
        *,
        memory_blobs: AsyncMemoryBlobs,
        tags: AsyncTags,
        read_policy: ReadPolicy,
    ) -> None:
        """A store over two resources; use `AsyncMemoram.open` instead of calling this.

        Raises:
            InvalidKeyError: The credentials' encryption key cannot be used.
        """
        self._user_id = credentials.user_id
        version = FIRST_KEY_VERSION if credentials.key_version is None else credentials.key_version
        key = EncryptionKey.from_hex(credentials.encryption_key, version=version)
        self._keyring: Keyring | None = Keyring(key, user_id=credentials.user_id)
        self._memory_key: Secret = credentials.memory_key
        self._blobs = memory_blobs
        self._tags = tags
        self._codecs = CodecRegistry()
        self._policy: ReadPolicy = read_policy

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
        return self._keys().current.version

    def __repr__(self) -> str:
        # Debuggers show a store whose construction failed, too.
        return f"<{type(self).__name__} of user {getattr(self, '_user_id', None)}>"

    def _keys(self) -> Keyring:
        if self._keyring is None:
            raise ClientClosedError(
                "this memory store was closed: open a new one with client.open(credentials)"
            )
        return self._keyring

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
            PermissionDeniedError: The user no longer lets this application in.
            OutcomeUnknownError: The answer was lost; `list` shows whether the memory was made.
        """
        text = Secret(content)
        del content  # a traceback may show what local variables hold
        stored, readable = self._seal(text)
        blob = await self._blobs.create(
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
        return Memory.of(blob, readable)

    async def get(self, memory_id: str) -> Memory:
        """Fetch and decrypt one memory.

        Raises:
            InvalidArgumentError: `memory_id` is not an identifier.
            NotFoundError: There is no such memory.
            DecryptionError: It cannot be decrypted; the subclass tells why.
            PermissionDeniedError: The user no longer lets this application in.
        """
        self._keys()
        memory = self._open(
            await self._blobs.get(check_id(memory_id, name="memory_id"), user_id=self._user_id)
        )
        if memory.error is not None:
            raise memory.error
        return memory

    def list(
        self,
        *,
        tags: Iterable[str] = (),
        search: str | None = None,
        importance: float | None = None,
        page_size: int | None = None,
    ) -> AsyncPager[Memory]:
        """The user's memories, decrypted page by page.

        A memory that cannot be decrypted is listed like the others: its `error` says why, and reading its
        `content` raises that error.

        Args:
            tags: Names of tags to filter by; whether all or any must match is the service's choice.
            search: Text to look for in title and summary. Content is encrypted, so the service cannot
                search it.
            importance: The least importance.
            page_size: Memories to a page; the service's default is 10.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
        """
        blobs = self._blobs.list(
            user_id=self._user_id, tags=tags, search=search, importance=importance, page_size=page_size
        )

        async def fetch(cursor: str | None) -> Page[Memory]:
            self._keys()
            page = await blobs.page(cursor)
            return Page(
                items=tuple([self._open(blob) for blob in page.items]),
                next_cursor=page.next_cursor,
                total=page.total,
                info=page.info,
            )

        return AsyncPager(fetch)

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

        Returns:
            The memory. Its content is there if it was given here; the service does not send it back.

        Raises:
            ContentError: The content is empty, no text, or too large; nothing was sent.
            InvalidArgumentError: Another argument cannot be sent; nothing was sent.
            NotFoundError: There is no such memory.
            PermissionDeniedError: The user no longer lets this application in.
            OutcomeUnknownError: The answer was lost; `get` shows whether the change was made.
        """
        text = None if content is UNSET else Secret(content)
        del content  # a traceback may show what local variables hold
        self._keys()
        stored, readable = (UNSET, None) if text is None else self._seal(text)
        blob = await self._blobs.update(
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
        )
        return Memory.of(blob, readable)

    async def delete(self, memory_id: str) -> None:
        """Delete a memory for good.

        Raises:
            InvalidArgumentError: `memory_id` is not an identifier.
            NotFoundError: There is no such memory, perhaps not any more.
            PermissionDeniedError: The user no longer lets this application in.
            OutcomeUnknownError: The answer was lost; `get` shows whether the memory is still there.
        """
        self._keys()
        await self._blobs.delete(check_id(memory_id, name="memory_id"), user_id=self._user_id)

    def list_tags(self) -> AsyncPager[Tag]:
        """The user's tags."""
        return self._tags.list(user_id=self._user_id)

    def close(self) -> None:
        """Drop the user's key; the client stays open. A second time does nothing."""
        if self._keyring is not None:
            self._keyring.close()
            self._keyring = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _seal(self, content: Secret) -> tuple[Secret, Decrypted]:
        """Content as it is stored, and as it is read: the service does not send it back."""
        key = self._keys().current
        return Secret(encrypt(key, content.reveal())), Decrypted(
            text=content.reveal(),
            encrypted=True,
            authenticated=True,
            bound=True,
            codec=CODEC_NAME,
            key_version=key.version,
        )

    def _open(self, blob: MemoryBlob) -> Memory:
        if blob.content is None:
            return Memory.of(blob, None)
        try:
            return Memory.of(blob, self._codecs.read(self._keys(), blob.content, policy=self._policy))
        except DecryptionError as error:
            # A traceback would keep every local variable of the way here alive with the memory.
            return Memory.of(blob, error.with_traceback(None))
