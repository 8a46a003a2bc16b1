"""A user's memories, as the platform holds them. The browser decrypts them, and no page holds their text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse

from memoram_local.http.routing import resource
from memoram_local.store.memory_blobs import BlobFilter
from memoram_local.web import marks
from memoram_local.web.dashboard import HOME
from memoram_local.web.pages import protected
from memoram_local.web.stored_form import stored_form

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.services.services import Services
    from memoram_local.store.access_log import Entry
    from memoram_local.store.accounts import Account
    from memoram_local.store.memory_blobs import MemoryBlob
    from memoram_local.store.tags import Tag
    from memoram_local.web.pages import Pages
    from memoram_local.web.stored_form import StoredForm
    from memoram_local.web.visitors import Visitors

MEMORIES: Final = f"{HOME}/memories"

_MEMORIES_A_PAGE: Final = 20
_ENTRIES_OF_ONE: Final = 20
_TAGS_TO_CHOOSE: Final = 200
_SHOWN_CHARACTERS: Final = 2_000


@dataclass(frozen=True, slots=True)
class _Shown:
    """A memory with what its content says of itself."""

    blob: MemoryBlob
    form: StoredForm | None
    octets: int

    @classmethod
    def of(cls, blob: MemoryBlob) -> _Shown:
        return cls(blob, stored_form(blob.content), len(blob.content.encode()))


class MemoryPages:
    """What users see of their memories."""

    def __init__(self, services: Services, pages: Pages, visitors: Visitors) -> None:
        self._services = services
        self._pages = pages
        self._visitors = visitors

    def routes(self) -> list[Route]:
        """The routes of these pages."""
        only = partial(self._visitors.only, home=MEMORIES)
        return [
            resource(MEMORIES, get=only(self.show_all)),
            resource(f"{MEMORIES}/{{blob_id}}", get=only(self.show)),
            resource(f"{MEMORIES}/{{blob_id}}/content", get=only(self.content)),
            resource(f"{MEMORIES}/{{blob_id}}/delete", post=only(self.delete)),
        ]

    async def show_all(self, request: Request, account: Account) -> Response:
        """A page of the user's memories, newest first, or of those with one tag."""
        services = self._services
        tag = request.query_params.get("tag") or None
        before = marks.number_and_blob(request)

        def find(connection: Connection) -> tuple[list[MemoryBlob], tuple[int, str] | None, list[Tag]]:
            blobs, more = services.memory_blobs.page(
                connection,
                account_id=account.id,
                limit=_MEMORIES_A_PAGE,
                after=before,
                only=BlobFilter(tags=() if tag is None else (tag,)),
            )
            tags, _ = services.tags.page(connection, account.id, limit=_TAGS_TO_CHOOSE)
            return blobs, more, tags

        blobs, more, tags = await services.database.read(find)
        return self._pages.render(
            "memories.html",
            request=request,
            account=account,
            memories=[_Shown.of(blob) for blob in blobs],
            tags=tags,
            tag=tag,
            is_first=before is None,
            more=None if more is None else marks.written(more),
        )

    async def show(self, request: Request, account: Account) -> Response:
        """All that the platform holds of one memory, and who read and wrote it."""
        services = self._services
        blob_id: str = request.path_params["blob_id"]
        await services.activity.written()

        def find(connection: Connection) -> tuple[MemoryBlob | None, list[Entry]]:
            blob = services.memory_blobs.get(connection, account_id=account.id, blob_id=blob_id)
            entries, _ = services.access_log.newest(
                connection, account.id, limit=_ENTRIES_OF_ONE, blob_id=blob_id
            )
            return blob, entries

        blob, entries = await services.database.read(find)
        if blob is None:
            return self._gone(account)
        return self._pages.render(
            "memory.html",
            request=request,
            account=account,
            memory=_Shown.of(blob),
            beginning=blob.content[:_SHOWN_CHARACTERS],
            is_whole=len(blob.content) <= _SHOWN_CHARACTERS,
            entries=entries,
        )

    async def content(self, request: Request, account: Account) -> Response:
        """A memory's content exactly as it is stored."""
        blob = await self._find(request, account)
        if blob is None:
            return self._gone(account)
        return PlainTextResponse(blob.content, headers=protected())

    async def delete(self, request: Request, account: Account) -> Response:
        """Delete a memory for good."""
        services = self._services
        blob_id: str = request.path_params["blob_id"]

        def remove(connection: Connection) -> bool:
            deleted = services.memory_blobs.delete(connection, account_id=account.id, blob_id=blob_id)
            if deleted:
                services.activity.will_be_done(connection, "deleted", account_id=account.id, blob_id=blob_id)
            return deleted

        if not await services.database.write(remove):
            return self._gone(account)
        return self._pages.done(request, MEMORIES, "The memory is deleted.")

    async def _find(self, request: Request, account: Account) -> MemoryBlob | None:
        memory_blobs = self._services.memory_blobs
        blob_id: str = request.path_params["blob_id"]
        find = partial(memory_blobs.get, account_id=account.id, blob_id=blob_id)
        return await self._services.database.read(find)

    def _gone(self, account: Account) -> Response:
        return self._pages.error(404, "There is no such memory. It may have been deleted.", account=account)
