"""Answers for memories."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from memoram_local.behaviour import behaviour
from memoram_local.clock import iso
from memoram_local.http.routing import resource
from memoram_local.memory_api.envelope import Good, Refusal
from memoram_local.memory_api.fields import read_body, read_query
from memoram_local.store.memory_api.memories import IdTakenError

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.routing import Route

    from memoram_local.memory_api.door import Door
    from memoram_local.services.services import Services
    from memoram_local.store.memory_api.keys import Key
    from memoram_local.store.memory_api.memories import StoredMemory

PATH: Final = "/v1/memories"
LONGEST_TEXT: Final = 50_000

_PER_PAGE: Final = 50
_MOST_PER_PAGE: Final = 100


class MemoriesApi:
    """Answers for memories, one by one and in pages."""

    def __init__(self, services: Services, door: Door) -> None:
        self._database = services.database
        self._memories = services.memory_api.memories
        self._door = door

    def routes(self) -> list[Route]:
        """The routes of this resource."""
        needing = self._door.needing
        return [
            resource(
                PATH,
                get=needing("read", "listMemories", self.list_all),
                post=needing("write", "createMemory", self.create),
                delete=needing("delete", "deleteAllMemories", self.delete_all),
            ),
            resource(
                f"{PATH}/{{memory_id}}",
                get=needing("read", "getMemory", self.get),
                put=needing("write", "updateMemory", self.update),
                delete=needing("delete", "deleteMemory", self.delete),
            ),
        ]

    @behaviour(
        "list-memories.per-page", "documented", "A page has 50 memories, or as many as asked for up to 100."
    )
    async def list_all(self, request: Request, key: Key) -> Good:
        """Contract operation listMemories."""
        query = read_query(request)
        number = query.count("page", default=1)
        size = query.count("per_page", default=_PER_PAGE, most=_MOST_PER_PAGE)
        query.check()
        find = partial(self._memories.page, space=key.space, number=number, size=size)
        shown, total = await self._database.read(find)
        pages = -(-total // size)
        return Good(
            [on_the_wire(memory) for memory in shown],
            pagination={
                "total": total,
                "page": number,
                "per_page": size,
                "total_pages": pages,
                "has_next": number < pages,
            },
        )

    @behaviour("create-memory.length", "documented", "A text has 1 to 50,000 characters.")
    @behaviour(
        "create-memory.id-form", "invented", "An own id has 1 to 128 letters, digits or any of . _ ~ : and -."
    )
    async def create(self, request: Request, key: Key) -> Good:
        """Contract operation createMemory."""
        body = await read_body(request)
        text = body.text("text", longest=LONGEST_TEXT)
        metadata, memory_id = body.object("metadata"), body.identifier("memory_id")
        body.check()

        def store(connection: Connection) -> StoredMemory:
            return self._memories.create(
                connection, key.space, text=text, metadata=metadata, memory_id=memory_id
            )

        try:
            made = await self._database.write(store)
        except IdTakenError:
            raise Refusal(409, "MEMORY_ID_EXISTS", "There is a memory of this id.") from None
        return Good(on_the_wire(made), status=201)

    async def get(self, request: Request, key: Key) -> Good:
        """Contract operation getMemory."""
        memory_id: str = request.path_params["memory_id"]
        find = partial(self._memories.get, space=key.space, memory_id=memory_id)
        return Good(on_the_wire(_found(await self._database.look_up(find))))

    @behaviour("update-memory.members", "inferred", "Members that are left out keep what they were.")
    async def update(self, request: Request, key: Key) -> Good:
        """Contract operation updateMemory."""
        memory_id: str = request.path_params["memory_id"]
        body = await read_body(request)
        changes: dict[str, Any] = {}
        if "text" in body:
            changes["text"] = body.text("text", longest=LONGEST_TEXT)
        if "metadata" in body:
            changes["metadata"] = body.object("metadata")
        body.check()

        def store(connection: Connection) -> StoredMemory | None:
            return self._memories.update(connection, key.space, memory_id, changes)

        return Good(on_the_wire(_found(await self._database.write(store))))

    async def delete(self, request: Request, key: Key) -> Good:
        """Contract operation deleteMemory."""
        memory_id: str = request.path_params["memory_id"]
        remove = partial(self._memories.delete, space=key.space, memory_id=memory_id)
        if not await self._database.write(remove):
            raise _not_found()
        return Good({"id": memory_id, "deleted": True})

    @behaviour(
        "delete-all-memories.confirm",
        "documented",
        "Without `confirm=true` nothing is deleted, and 400 CONFIRMATION_REQUIRED says so.",
    )
    async def delete_all(self, request: Request, key: Key) -> Good:
        """Contract operation deleteAllMemories."""
        if request.query_params.get("confirm") != "true":
            raise Refusal(400, "CONFIRMATION_REQUIRED", "Deleting everything needs confirm=true.")
        deleted = await self._database.write(partial(self._memories.delete_all, space=key.space))
        return Good({"deleted_count": deleted})


def _found(memory: StoredMemory | None) -> StoredMemory:
    if memory is None:
        raise _not_found()
    return memory


def _not_found() -> Refusal:
    return Refusal(404, "MEMORY_NOT_FOUND", "There is no such memory.")


@behaviour("get-memory.no-metadata", "invented", "A memory without metadata has null there.")
def on_the_wire(memory: StoredMemory) -> dict[str, object]:
    """A memory as the contract has it."""
    return {
        "id": memory.id,
        "text": memory.text,
        "metadata": memory.metadata,
        "created_at": iso(memory.created_at),
        "updated_at": iso(memory.updated_at),
    }
