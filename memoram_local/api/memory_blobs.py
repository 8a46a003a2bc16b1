"""`/memory-blobs`: users' memories, for applications that they let in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from memoram_local.api import cursors
from memoram_local.api.answers import ApiError, conditional_answer
from memoram_local.api.bearer import calling_app
from memoram_local.api.grant import require_grant
from memoram_local.api.idempotency import Once
from memoram_local.api.members import Body, Query, read_body
from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.http.routing import API_PATH, resource
from memoram_local.store.memory_blobs import BlobChanges, BlobFilter

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from memoram_local.api.idempotency import Again
    from memoram_local.services.services import Services
    from memoram_local.store.memory_blobs import MemoryBlob

DEFAULT_LIMIT = 10
HIGHEST_LIMIT = 100


class MemoryBlobsApi:
    """Answers for memory blobs."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._once = Once(services)

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        return [
            resource(API_PATH + "/memory-blobs", get=self.list_all, post=self.create),
            resource(
                API_PATH + "/memory-blobs/{blob_id}", get=self.get, patch=self.update, delete=self.delete
            ),
        ]

    @behaviour("list-blobs.limit", "documented", "A page holds 10 blobs unless limit says otherwise.")
    @behaviour("list-blobs.limit-cap", "invented", "A limit above 100 counts as 100, one below 1 is refused.")
    @behaviour("list-blobs.last-page", "inferred", "next_cursor is null on the last page.")
    async def list_all(self, request: Request) -> Response:
        """Contract operation listMemoryBlobs."""
        caller = calling_app(request, self._services.tokens)
        query = Query(request)
        limits = self._services.limits
        user_id = query.user_id()
        limit = query.count("limit", default=DEFAULT_LIMIT, most=HIGHEST_LIMIT)
        cursor = query.text("cursor")
        after = None if cursor is None else cursors.read(cursor)
        only = BlobFilter(
            tags=query.tag_names("tags", most=limits.tags_in_filter),
            text=query.text("searchQuery", longest=limits.search_characters),
            least_importance=query.number("importance"),
        )
        services = self._services

        def find(connection: Connection) -> tuple[list[MemoryBlob], tuple[int, str] | None]:
            require_grant(services, connection, caller=caller, user_id=user_id)
            return services.memory_blobs.page(
                connection,
                account_id=user_id,
                limit=limit,
                after=after,
                only=only,
                looking_at=limits.rows_looked_at,
            )

        blobs, more = await services.database.read(find)
        services.activity.done("listed", account_id=user_id, app_id=caller.app_id)
        return conditional_answer(
            request,
            {
                "memoryBlobs": [_with_content(blob) for blob in blobs],
                "next_cursor": None if more is None else cursors.write(*more),
            },
        )

    @behaviour("create-blob.answer", "documented", "The blob comes back without its content.")
    @behaviour(
        "create-blob.content",
        "documented",
        "Content should be encrypted by the application; it is stored as it was sent, plaintext too.",
    )
    @behaviour("create-blob.null", "invented", "Null for an optional member says the same as leaving it out.")
    async def create(self, request: Request) -> Response:
        """Contract operation createMemoryBlob."""
        caller = calling_app(request, self._services.tokens)
        body = await read_body(request)
        user_id, memory_key = body.user_id(), body.text("memoryKey")
        content, values = body.text("content"), self._described(body)
        tags = self._tag_names(body)
        services = self._services

        def allow(connection: Connection) -> None:
            require_grant(services, connection, caller=caller, user_id=user_id, memory_key=memory_key)

        def store(connection: Connection) -> dict[str, object]:
            blob = services.memory_blobs.create(
                connection, account_id=user_id, content=content, values=values, tags=tags
            )
            services.activity.will_be_done(
                connection, "created", account_id=user_id, app_id=caller.app_id, blob_id=blob.id
            )
            return _summary(blob)

        return await self._once.answer(
            request,
            app_id=caller.app_id,
            act=store,
            again=self._again(user_id),
            status=201,
            allow=allow,
        )

    @behaviour("get-blob.content", "documented", "The blob comes with its content as stored.")
    @behaviour("get-blob.foreign", "inferred", "Another user's blob does not exist: 404.")
    async def get(self, request: Request) -> Response:
        """Contract operation getMemoryBlob."""
        caller = calling_app(request, self._services.tokens)
        user_id = Query(request).user_id()
        blob_id: str = request.path_params["blob_id"]
        services = self._services

        def find(connection: Connection) -> MemoryBlob:
            require_grant(services, connection, caller=caller, user_id=user_id)
            return _found(services.memory_blobs.get(connection, account_id=user_id, blob_id=blob_id))

        blob = await services.database.look_up(find)
        services.activity.done("read", account_id=user_id, app_id=caller.app_id, blob_id=blob_id)
        return conditional_answer(request, _with_content(blob))

    @behaviour("update-blob.answer", "documented", "The blob comes back without its content.")
    @behaviour("update-blob.null", "invented", "Null empties a member, but content must stay a string.")
    @behaviour("update-blob.tags", "documented", "A tags array replaces all tags.")
    async def update(self, request: Request) -> Response:
        """Contract operation updateMemoryBlob."""
        caller = calling_app(request, self._services.tokens)
        body = await read_body(request)
        user_id, memory_key = body.user_id(), body.text("memoryKey")
        values = self._described(body)
        if "content" in body:
            values["content"] = body.text("content")
        tags = self._tag_names(body) if "tags" in body else None
        blob_id: str = request.path_params["blob_id"]
        services = self._services

        def allow(connection: Connection) -> None:
            require_grant(services, connection, caller=caller, user_id=user_id, memory_key=memory_key)

        def change(connection: Connection) -> dict[str, object]:
            blob = _found(
                services.memory_blobs.update(
                    connection, account_id=user_id, blob_id=blob_id, values=values, tags=tags
                )
            )
            services.activity.will_be_done(
                connection, "changed", account_id=user_id, app_id=caller.app_id, blob_id=blob_id
            )
            return _summary(blob)

        return await self._once.answer(
            request, app_id=caller.app_id, act=change, again=self._again(user_id), allow=allow
        )

    @behaviour("delete-blob.answer", "invented", 'The answer is {"id": ..., "deleted": true}.')
    @behaviour("delete-blob.tags", "invented", "The tags of a deleted blob stay.")
    async def delete(self, request: Request) -> Response:
        """Contract operation deleteMemoryBlob."""
        caller = calling_app(request, self._services.tokens)
        user_id = Query(request).user_id()
        blob_id: str = request.path_params["blob_id"]
        services = self._services

        def allow(connection: Connection) -> None:
            require_grant(services, connection, caller=caller, user_id=user_id)

        def remove(connection: Connection) -> dict[str, object]:
            if not services.memory_blobs.delete(connection, account_id=user_id, blob_id=blob_id):
                _found(None)
            services.activity.will_be_done(
                connection, "deleted", account_id=user_id, app_id=caller.app_id, blob_id=blob_id
            )
            return _deletion(blob_id)

        def again(_connection: Connection, deleted_id: str) -> dict[str, object]:
            return _deletion(deleted_id)

        return await self._once.answer(request, app_id=caller.app_id, act=remove, again=again, allow=allow)

    def _again(self, user_id: str) -> Again:
        def summary(connection: Connection, blob_id: str) -> dict[str, object] | None:
            blob = self._services.memory_blobs.get(connection, account_id=user_id, blob_id=blob_id)
            return None if blob is None else _summary(blob)

        return summary

    @behaviour(
        "blobs.lengths",
        "invented",
        "A title and a source have at most 2,000 characters, a summary 20,000.",
    )
    def _described(self, body: Body) -> BlobChanges:
        limits = self._services.limits
        values: BlobChanges = {}
        if "title" in body:
            values["title"] = body.optional_text("title", longest=limits.title_characters)
        if "summary" in body:
            values["summary"] = body.optional_text("summary", longest=limits.summary_characters)
        if "source" in body:
            values["source"] = body.optional_text("source", longest=limits.source_characters)
        if "importance" in body:
            values["importance"] = body.optional_number("importance")
        if "confidence" in body:
            values["confidence"] = body.optional_number("confidence")
        return values

    def _tag_names(self, body: Body) -> list[str]:
        limits = self._services.limits
        return body.tag_names("tags", most=limits.tags_of_memory, longest=limits.tag_characters)


def _found(blob: MemoryBlob | None) -> MemoryBlob:
    if blob is None:
        raise ApiError(404, "There is no such memory blob.")
    return blob


def _deletion(blob_id: str) -> dict[str, object]:
    return {"id": blob_id, "deleted": True}


def _summary(blob: MemoryBlob) -> dict[str, object]:
    created_at = iso(blob.created_at)
    return {
        "id": blob.id,
        "user_id": blob.user_id,
        "created_at": created_at,
        # Few are ever changed.
        "updated_at": created_at if blob.updated_at == blob.created_at else iso(blob.updated_at),
        "source": blob.source,
        "title": blob.title,
        "summary": blob.summary,
        "importance": blob.importance,
        "confidence": blob.confidence,
        "tags": [name for name, _ in blob.tags],
        "tag_ids": [tag_id for _, tag_id in blob.tags],
    }


def _with_content(blob: MemoryBlob) -> dict[str, object]:
    return {**_summary(blob), "content": blob.content}
