"""`run` drives a coroutine to its end in one step, and the blocking facade stands on it."""

from __future__ import annotations

import asyncio
import json
import traceback
from typing import TYPE_CHECKING, Any, Final, Never, assert_type
from urllib.parse import parse_qs

import httpx
import pytest
import respx

from memoram_async import AsyncMemoram
from memoram_async.core.errors import (
    APIConnectionError,
    ClientClosedError,
    ContentError,
    InternalError,
    NotFoundError,
)
from memoram_sync import (
    AccessCredentials,
    Memoram,
    Memory,
    MemoryBlob,
    MemoryStore,
    Page,
    Pager,
    PaginationError,
    Secret,
    Tag,
)
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from memoram_sync.runtime.coroutines import run

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

USER: Final = "8c1f7c1e-6f0a-4f0e-9b7e-3f6f3f1f2a10"
CREDENTIALS: Final = AccessCredentials(
    user_id=USER, memory_key=Secret("mk_1"), encryption_key=Secret("ab" * 32), key_version=3
)


class Suspension:
    """Something that a coroutine suspends on."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class TestRun:
    """Coroutines, one by one."""

    def test_returns_what_the_coroutine_returns(self) -> None:
        async def work() -> int:
            return 42

        assert assert_type(run(work()), int) == 42

    def test_runs_what_the_coroutine_awaits(self) -> None:
        async def part(number: int) -> int:
            return number

        async def work() -> int:
            return await part(1) + await part(2)

        assert run(work()) == 3

    @pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt(), StopAsyncIteration()])
    def test_raises_the_very_error_that_the_coroutine_raises(self, error: BaseException) -> None:
        async def work() -> Never:
            raise error

        with pytest.raises(type(error)) as caught:
            run(work())
        assert caught.value is error
        assert error.__cause__ is None
        assert error.__context__ is None

    def test_names_a_coroutine_that_suspends(self) -> None:
        async def dozes_off() -> None:
            await Suspension()

        with pytest.raises(InternalError, match=r"dozes_off suspended"):
            run(dozes_off())

    def test_closes_a_coroutine_that_suspends(self) -> None:
        ended: list[str] = []

        async def work() -> None:
            try:
                await Suspension()
            finally:
                ended.append("closed")

        with pytest.raises(InternalError):
            run(work())
        assert ended == ["closed"]

    @pytest.mark.anyio
    async def test_works_where_a_loop_is_running(self) -> None:
        async def work() -> int:
            return 42

        assert run(work()) == 42


class Service:
    """A small platform: keeps blobs, two to a page, and remembers what it was asked."""

    def __init__(self) -> None:
        self.blobs: dict[str, dict[str, Any]] = {}
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        match request.method, request.url.path.strip("/").split("/")[-2:]:
            case "POST", ["auth", "token"]:
                answer = {
                    "token": "e30.e30.c2ln",
                    "expires_at": "2040-01-01T00:00:00Z",
                    "token_type": "Bearer",
                }
                return httpx.Response(200, json=answer)
            case "POST", ["oauth", "token"]:
                code = parse_qs(request.content.decode())["code"][0]
                return httpx.Response(200, json={"access_token": f"for {code}", "token_type": "Bearer"})
            case "GET", [*_, "tags"]:
                return httpx.Response(200, json={"items": [{"id": "tag_1", "name": "travel"}]})
            case method, [*_, "memory-blobs"]:
                return self.created(request) if method == "POST" else self.listed(request)
            case method, ["memory-blobs", blob_id] if blob_id in self.blobs:
                return self.one(method, blob_id, request)
            case _:
                return httpx.Response(404, json={"error": "not found"})

    def created(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        blob = {"id": f"mem_{len(self.blobs)}", "user_id": body["user_id"], "content": body["content"]}
        self.blobs[blob["id"]] = blob
        return httpx.Response(201, json=without_content(blob))

    def listed(self, request: httpx.Request) -> httpx.Response:
        begin = int(request.url.params.get("cursor", "0"))
        page = list(self.blobs.values())[begin : begin + 2]
        cursor = str(begin + 2) if begin + 2 < len(self.blobs) else None
        return httpx.Response(200, json={"memoryBlobs": page, "next_cursor": cursor})

    def one(self, method: str, blob_id: str, request: httpx.Request) -> httpx.Response:
        blob = self.blobs[blob_id]
        if method == "DELETE":
            del self.blobs[blob_id]
            return httpx.Response(204)
        if method == "PATCH":
            blob["content"] = json.loads(request.content)["content"]
            return httpx.Response(200, json=without_content(blob))
        return httpx.Response(200, json=blob)


def without_content(blob: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in blob.items() if name != "content"}


def make_client() -> Memoram:
    return Memoram("mem_test", base_url="http://127.0.0.1:1", auth_url="http://127.0.0.1:1", max_retries=0)


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()
    with respx.mock(assert_all_called=False) as network:
        network.route().mock(side_effect=service)
        yield service


@pytest.fixture
def memoram(service: Service) -> Iterator[Memoram]:
    del service  # which answers it
    with make_client() as memoram:
        yield memoram


@pytest.fixture
def store(memoram: Memoram) -> MemoryStore:
    return memoram.open(CREDENTIALS)


class TestFacade:
    """Each kind of method that the generator writes, once."""

    def test_create_and_get(self, store: MemoryStore, service: Service) -> None:
        created = assert_type(store.create("Prefers window seats"), Memory)
        assert created.content == "Prefers window seats"
        assert store.get(created.id).content == "Prefers window seats"
        assert "window" not in service.blobs[created.id]["content"]

    def test_update_and_delete(self, store: MemoryStore) -> None:
        created = store.create("Prefers window seats")
        assert store.update(created.id, content="Prefers the aisle").content == "Prefers the aisle"
        store.delete(created.id)
        with pytest.raises(NotFoundError):
            store.get(created.id)

    def test_list_is_iterated_with_for(self, store: MemoryStore) -> None:
        for text in ("one", "two", "three"):
            store.create(text)
        pager = assert_type(store.list(), Pager[Memory])
        read: list[str] = []
        for memory in pager:
            assert_type(memory, Memory)
            read.append(memory.content)
        assert read == ["one", "two", "three"]
        assert [memory.content for memory in pager] == read

    def test_a_list_can_be_left_and_gone_on_with(self, store: MemoryStore) -> None:
        for text in ("one", "two", "three"):
            store.create(text)
        iterator = iter(store.list())
        assert next(iterator).content == "one"
        assert iter(iterator) is iterator
        assert [memory.content for memory in iterator] == ["two", "three"]
        with pytest.raises(StopIteration) as caught:
            next(iterator)
        assert caught.value.__suppress_context__

    def test_pages(self, store: MemoryStore) -> None:
        for text in ("one", "two", "three"):
            store.create(text)
        pages = store.list().pages()
        assert iter(pages) is pages
        assert [len(assert_type(page, Page[Memory]).items) for page in pages] == [2, 1]

    def test_first_page_and_page(self, store: MemoryStore) -> None:
        for text in ("one", "two", "three"):
            store.create(text)
        pager = store.list()
        first = assert_type(pager.first_page(), Page[Memory])
        assert len(first.items) == 2
        assert [memory.content for memory in pager.page(first.next_cursor).items] == ["three"]

    def test_a_cursor_that_comes_twice_is_an_error_here_too(self) -> None:
        with respx.mock() as network, make_client() as memoram:
            network.post("http://127.0.0.1:1/auth/token").mock(side_effect=Service())
            tags = network.get("http://127.0.0.1:1/tags").respond(json={"items": [], "next_cursor": "again"})
            with pytest.raises(PaginationError):
                list(memoram.tags.list(user_id=USER))
        assert tags.call_count == 2

    def test_resources_are_blocking_too(self, memoram: Memoram, store: MemoryStore) -> None:
        store.create("Prefers window seats")
        blob = next(iter(memoram.memory_blobs.list(user_id=USER)))
        assert_type(blob, MemoryBlob)
        assert memoram.memory_blobs.get(blob.id, user_id=USER).content == blob.content

    def test_tags(self, memoram: Memoram, store: MemoryStore) -> None:
        names = [assert_type(tag, Tag).name for tag in memoram.tags.list(user_id=USER)]
        assert names == ["travel"] == [tag.name for tag in store.list_tags()]

    def test_oauth(self, memoram: Memoram) -> None:
        flow = memoram.oauth.begin(client_id="app", client_secret="s", redirect_uri="https://app.test/back")
        assert "code_challenge" in flow.url
        tokens = flow.complete({"code": "code_1", "state": flow.state.reveal()})
        assert tokens.access_token.reveal() == "for code_1"

    def test_request(self, memoram: Memoram) -> None:
        assert memoram.request("GET", "/tags").json()["items"][0]["id"] == "tag_1"

    @pytest.mark.usefixtures("service")
    def test_with_options_gives_a_client_of_the_same_class(self) -> None:
        class Mine(Memoram):
            pass

        mine = Mine("mem_test", base_url="http://127.0.0.1:1")
        clone = assert_type(mine.with_options(timeout=1), Mine)
        assert type(clone) is Mine
        assert [tag.name for tag in clone.tags.list(user_id=USER)] == ["travel"]
        clone.close()
        assert [tag.name for tag in mine.tags.list(user_id=USER)] == ["travel"]
        mine.close()

    def test_properties_and_reprs_speak_of_the_blocking_classes(
        self, memoram: Memoram, store: MemoryStore
    ) -> None:
        assert (store.user_id, store.key_version) == (USER, 3)
        assert repr(memoram) == "<Memoram of http://127.0.0.1:1>"
        assert repr(store) == f"<MemoryStore of user {USER}>"

    @pytest.mark.usefixtures("service")
    def test_with_closes(self) -> None:
        with make_client() as memoram, memoram.open(CREDENTIALS) as store:
            store.create("Prefers window seats")
        with pytest.raises(ClientClosedError):
            store.create("Prefers window seats")
        with pytest.raises(ClientClosedError):
            memoram.request("GET", "/tags")

    def test_errors_of_the_http_client_are_translated(self) -> None:
        with respx.mock() as network, make_client() as memoram:
            network.route().mock(side_effect=httpx.ConnectError("no"))
            with pytest.raises(APIConnectionError):
                memoram.request("GET", "/tags")

    @pytest.mark.usefixtures("service")
    def test_a_runtime_can_be_given(self) -> None:
        with Memoram("mem_test", base_url="http://127.0.0.1:1", runtime=BlockingRuntime()) as memoram:
            assert memoram.request("GET", "/tags").status == 200

    def test_nothing_is_async_in_the_way(self, memoram: Memoram) -> None:
        assert not isinstance(memoram, AsyncMemoram)
        assert not hasattr(memoram, "aclose")

    @pytest.mark.parametrize("method", ["create", "update"])
    def test_the_facade_forgets_content_before_anything_can_go_wrong(
        self, store: MemoryStore, method: str
    ) -> None:
        call: Callable[[], object] = (
            (lambda: store.create("\ud800 secret"))
            if method == "create"
            else (lambda: store.update("mem_1", content="\ud800 secret"))
        )
        with pytest.raises(ContentError) as caught:
            call()
        frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
        facade = [frame for frame in frames if frame.f_globals["__name__"] == "memoram_sync.memory_store"]
        assert [frame.f_code.co_name for frame in facade] == [method]
        assert "secret" not in repr(facade[0].f_locals)

    def test_works_inside_a_running_loop(self, memoram: Memoram, store: MemoryStore) -> None:
        async def notebook() -> str:
            await asyncio.sleep(0)
            return store.get(store.create("Prefers window seats").id).content

        assert asyncio.run(notebook()) == "Prefers window seats"
