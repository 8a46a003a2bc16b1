"""The operation `listMemoryBlobs`, which memories are listed with, decrypted or as they are stored."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from memoram_async.core.arguments import check_count, check_number, check_optional_text, check_tag_filter
from memoram_async.core.urls import check_id
from memoram_async.models.blob_pages import read_blob_page
from memoram_async.models.drafts import BlobDraft, MemoryDraft
from memoram_async.models.page import Page
from memoram_async.transport.requester import Requester

D = TypeVar("D", BlobDraft, MemoryDraft)


class MemoryListing:
    """One user's memories, as filtered; see `AsyncMemoryBlobs.list`."""

    __slots__ = ("_params", "_requester", "_user_id")

    def __init__(
        self,
        requester: Requester,
        *,
        user_id: str,
        tags: Iterable[str],
        search: str | None,
        importance: float | None,
        page_size: int | None,
    ) -> None:
        self._requester = requester
        self._user_id = check_id(user_id, name="user_id")
        self._params: dict[str, object] = {
            "user_id": self._user_id,
            "limit": check_count(page_size, name="page_size"),
            "tags": check_tag_filter(tags),
            "searchQuery": check_optional_text(search, name="search"),
            "importance": check_number(importance, name="importance"),
        }

    async def read(self, cursor: str | None, kind: type[D]) -> Page[D]:
        """The page at a cursor; None for the first."""
        response = await self._requester.send(
            "listMemoryBlobs", "GET", "/memory-blobs", params={**self._params, "cursor": cursor}
        )
        return read_blob_page(response, kind, user_id=self._user_id)
