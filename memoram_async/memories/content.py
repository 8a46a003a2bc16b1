"""One user's content: sealed before it is stored, opened after it came."""

from __future__ import annotations

import logging
from typing import Any, Final

from memoram_async.core.errors import MemoramError, UnknownKeyVersionError
from memoram_async.core.secret import Secret
from memoram_async.crypto import ContentReader, Decrypted, StoreOptions, encrypt
from memoram_async.crypto.jwe import CODEC_NAME
from memoram_async.keys.shared_keys import StoreKeys
from memoram_async.models.drafts import MemoryDraft
from memoram_async.models.memory import Memory, MemoryBlob
from memoram_async.models.page import Page

_LOG: Final = logging.getLogger("memoram")


class MemoryContent:
    """Seals and opens with the keys of one user, as the options of the store say."""

    __slots__ = ("_keys", "_options", "_reader", "_warned")

    def __init__(self, keys: StoreKeys, options: StoreOptions) -> None:
        self._keys = keys
        self._options = options
        self._reader = ContentReader(options)
        self._warned = False

    async def seal(self, content: Secret) -> tuple[Secret, Decrypted]:
        """Content as it is stored, and as it is read: the service does not send it back.

        Raises:
            ContentError: It is empty, no text, or too large.
            ClientClosedError: The store was closed.
            KeyStoreError: The key store failed.
        """
        options = self._options
        key = (await self._keys.ready()).current
        if key.encryption == "A192GCM" and not self._warned:
            self._warned = True
            _LOG.warning("this user's key has 192 bits, which WebCrypto in some browsers cannot use")
        sealed = encrypt(
            key,
            content.reveal(),
            max_bytes=options.max_content_bytes,
            key_wrap=options.key_wrap,
            user_id=self._keys.user_id if options.bind_user else None,
        )
        return Secret(sealed), Decrypted(
            text=content.reveal(),
            encrypted=True,
            authenticated=True,
            bound=True,
            codec=CODEC_NAME,
            key_version=key.version,
        )

    async def open(self, blob: MemoryBlob) -> Memory:
        """A stored memory with its content, or with the reason why it cannot be read.

        Raises:
            ClientClosedError: The store was closed.
        """
        await self._keys.ready()
        return Memory.of(blob, None if blob.content is None else await self._read(blob.content))

    async def open_page(self, page: Page[MemoryDraft]) -> Page[Memory]:
        """The memories on a page of drafts, each with its content or the reason why it cannot be read.

        Raises:
            ClientClosedError: The store was closed.
            MemoramError: One cannot be read, and the options of the store say `raise`.
        """
        ring = await self._keys.ready()
        quick = self._reader.quick(ring)
        failed = 0
        draft: Any
        for draft in page.items:
            stored = draft.content
            found = None if stored is None or draft.error is not None else quick(stored)
            if found is not None:
                draft.content, draft._provenance = found  # noqa: SLF001 - it is still under construction
            else:
                draft.content = draft._provenance = None  # noqa: SLF001 - the same
                if stored is not None and draft.error is None:
                    self._fill(draft, await self._read(stored))
                    quick = self._reader.quick(self._keys.ring())
                failed += draft.error is not None
            draft.__class__ = Memory
        memories: tuple[Memory, ...] = page.items
        return self._judged(page, memories) if failed else _page(page, memories, skipped=0)

    def _fill(self, draft: Any, content: Decrypted | MemoramError) -> None:
        if isinstance(content, MemoramError):
            draft.error = content
        else:
            draft.content, draft._provenance = content.text, content.provenance  # noqa: SLF001 - under construction

    def _judged(self, page: Page[MemoryDraft], memories: tuple[Memory, ...]) -> Page[Memory]:
        """A page on which some memories cannot be read, as the options say."""
        match self._options.on_undecryptable:
            case "keep":
                return _page(page, memories, skipped=0)
            case "skip":
                readable = tuple([memory for memory in memories if memory.error is None])
                return _page(page, readable, skipped=len(memories) - len(readable))
            case _:
                raise next(memory.error for memory in memories if memory.error is not None)

    async def _read(self, stored: str) -> Decrypted | MemoramError:
        """What stored content says. A key that is not at hand is fetched, once."""
        try:
            outcome: Decrypted | MemoramError = self._reader.read(self._keys.ring(), stored)
            if isinstance(outcome, UnknownKeyVersionError) and outcome.key_version is not None:
                failure = await self._keys.obtain(outcome.key_version)
                outcome = failure or self._reader.read(self._keys.ring(), stored)
        finally:
            del stored  # it may be plaintext, which a traceback must not show
        return outcome


def _page(page: Page[MemoryDraft], memories: tuple[Memory, ...], *, skipped: int) -> Page[Memory]:
    return Page(
        items=memories, next_cursor=page.next_cursor, total=page.total, skipped=skipped, info=page.info
    )
