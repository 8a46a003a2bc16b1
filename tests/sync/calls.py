"""Every public method of the blocking SDK, called once and its answer checked.

The calls of a table row do not get in each other's way, so any number of threads and processes may make
them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from memoram_async.core.grants import GRANT_PURPOSE
from memoram_async.core.pending_flows import PendingFlow
from memoram_async.core.secret import Secret
from memoram_async.crypto.secret_seal import SecretSeal
from memoram_async.grants.rows import GrantRows
from memoram_sync import (
    ApprovalWatch,
    ClientClosedError,
    ConnectionState,
    ItemIterator,
    MemoryAPI,
    MemoryGrantStore,
    NotFoundError,
    OAuthFlow,
    PageIterator,
    ReadAhead,
)
from tests.sync.scenes import BACK, CONTENTS, SECRET, TAG, flow_of, sealed_flow

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_sync import Memory, MemoryStore, Pager
    from tests.sync.scenes import Scene


def fixed(scene: Scene) -> Pager[Memory]:
    """A list of two pages that no other call changes."""
    return scene.store.list(tags=[TAG], page_size=2)


def with_options(scene: Scene) -> None:
    clone = scene.client.with_options(timeout=30, max_retries=1)
    clone.close()  # which closes nothing
    assert clone.request("GET", "/access-requests").status == 200


def connect(scene: Scene) -> None:
    seen: list[str | None] = []
    with scene.client.connect(
        scene.facts.memory_key,
        reason="Plans journeys",
        on_status=lambda progress: seen.append(progress.status),
    ) as store:
        get(scene, store)
    assert seen == ["approved"]


def open_store(scene: Scene) -> None:
    store = scene.client.open(scene.facts.credentials)
    with store as entered:
        assert entered is store
        get(scene, store)
    store.close()
    with pytest.raises(ClientClosedError):
        get(scene, store)


def request(scene: Scene) -> None:
    answer = scene.client.request("GET", "/tags", params={"user_id": scene.facts.user_id})
    assert TAG in [tag["name"] for tag in answer.json()["items"]]


def close_client(scene: Scene) -> None:
    client = scene.facts.client()
    with client as entered:
        assert entered is client
    client.close()
    with pytest.raises(ClientClosedError):
        client.request("GET", "/access-requests")


def client_repr(scene: Scene) -> None:
    assert repr(scene.client) == f"<Memoram of {scene.facts.api_url}>"


def user_id(scene: Scene) -> None:
    assert scene.store.user_id == scene.facts.user_id


def key_version(scene: Scene) -> None:
    assert scene.store.key_version == 1


def store_repr(scene: Scene) -> None:
    assert repr(scene.store) == f"<MemoryStore of user {scene.facts.user_id}>"


def create(scene: Scene) -> str:
    made = scene.store.create("Made by a call", title="Call", tags=["made"], importance=0.5)
    assert (made.content, made.tags) == ("Made by a call", ("made",))
    assert scene.store.get(made.id).content == "Made by a call"
    return made.id


def create_and_delete(scene: Scene) -> None:
    made = create(scene)
    scene.store.delete(made)
    with pytest.raises(NotFoundError):
        scene.store.get(made)


def get(scene: Scene, store: MemoryStore | None = None) -> None:
    assert (store or scene.store).get(scene.facts.memory_id).content == CONTENTS[0]


def update(scene: Scene) -> None:
    assert scene.store.update(scene.facts.memory_id, content=CONTENTS[0], importance=1).content == CONTENTS[0]


def recall(scene: Scene) -> None:
    found = scene.store.recall(CONTENTS[0], limit=1)
    assert [memory.content for memory in found] == [CONTENTS[0]]


def list_tags(scene: Scene) -> None:
    assert TAG in [tag.name for tag in scene.store.list_tags()]


def page(scene: Scene) -> None:
    pager = fixed(scene)
    first = pager.first_page()
    second = pager.page(first.next_cursor)
    assert [len(each.items) for each in (first, second)] == [2, 1]
    assert pager.skipped == 0


def pages(scene: Scene) -> None:
    walk = fixed(scene).pages()
    assert isinstance(walk, PageIterator)
    assert iter(walk) is walk
    assert [len(each.items) for each in walk] == [2, 1]
    with pytest.raises(StopIteration):
        next(walk)


def each_item(scene: Scene) -> None:
    walk = iter(fixed(scene))
    assert isinstance(walk, ItemIterator)
    assert iter(walk) is walk
    assert sorted([next(walk).content, *(memory.content for memory in walk)]) == sorted(CONTENTS)
    with pytest.raises(StopIteration):
        next(walk)


def read_ahead(scene: Scene) -> None:
    with fixed(scene).ahead() as walk:
        assert isinstance(walk, ReadAhead)
        assert iter(walk) is walk
        assert sorted([next(walk).content, *(memory.content for memory in walk)]) == sorted(CONTENTS)
        with pytest.raises(StopIteration):
            next(walk)


def create_access_request(scene: Scene) -> None:
    made = scene.client.access_requests.create(scene.facts.memory_key, reason="Plans journeys")
    assert made.status in {"pending", "approved"}


def get_access_request(scene: Scene) -> None:
    assert scene.client.access_requests.get(scene.facts.access_request_id).status == "approved"


def list_access_requests(scene: Scene) -> None:
    assert scene.facts.access_request_id in [each.id for each in scene.client.access_requests.list()]


def credentials(scene: Scene) -> None:
    answer = scene.client.access_requests.credentials(scene.facts.access_request_id)
    assert answer.encryption_key.reveal() == scene.facts.encryption_key


def wait_for_approval(scene: Scene) -> None:
    waited = scene.client.access_requests.wait(scene.facts.access_request_id, timeout=30)
    assert waited.status == "approved"


def watch(scene: Scene) -> None:
    steps = scene.client.access_requests.watch(scene.facts.access_request_id)
    assert isinstance(steps, ApprovalWatch)
    assert iter(steps) is steps
    assert next(steps).status == "approved"


def list_blobs(scene: Scene) -> None:
    blobs = list(scene.client.memory_blobs.list(user_id=scene.facts.user_id, tags=[TAG]))
    assert len(blobs) == len(CONTENTS)
    for blob in blobs:
        assert blob.content is not None
        assert not any(content in blob.content for content in CONTENTS)


def change_blobs(scene: Scene) -> None:
    blobs, facts = scene.client.memory_blobs, scene.facts
    made = blobs.create(user_id=facts.user_id, memory_key=facts.memory_key, content="stored as it is")
    blobs.update(made.id, user_id=facts.user_id, memory_key=facts.memory_key, content="stored anew")
    assert blobs.get(made.id, user_id=facts.user_id).content == "stored anew"
    blobs.delete(made.id, user_id=facts.user_id)
    with pytest.raises(NotFoundError):
        blobs.get(made.id, user_id=facts.user_id)


def begin(scene: Scene) -> OAuthFlow:
    flow = scene.client.oauth.begin(
        client_id=scene.facts.client_id, client_secret=scene.facts.client_secret, redirect_uri=BACK
    )
    assert flow.url.startswith(scene.facts.auth_url)
    assert flow.state.reveal() in flow.url
    assert flow.redirect_uri == BACK
    assert repr(flow) == f"<OAuthFlow back to {BACK}>"
    return flow


def seal_and_restore(scene: Scene) -> None:
    flow = begin(scene)
    again = scene.client.oauth.restore(flow.seal(secret=SECRET), secret=SECRET)
    assert isinstance(again, OAuthFlow)
    assert again.url == flow.url


def tokens(scene: Scene) -> None:
    client_id, client_secret = scene.facts.client_id, scene.facts.client_secret
    flow = scene.client.oauth.restore(sealed_flow(scene.facts), secret=SECRET, client_secret=client_secret)
    old = flow.complete({"code": scene.codes.pop(), "state": flow.state.reveal()})
    assert old.memory_key is not None
    assert old.memory_key.reveal() == scene.facts.memory_key
    assert old.refresh_token is not None
    new = scene.client.oauth.refresh(old, client_id=client_id, client_secret=client_secret)
    assert new.access_token.reveal()


def connections(scene: Scene) -> None:
    made = scene.client.connections(
        MemoryGrantStore(), redirect_uri=BACK, reason="Plans journeys", secret=SECRET
    )
    assert repr(made) == f"<Connections back to {BACK}>"
    assert made.link_url is None
    assert made.status("ada").state is ConnectionState.NOT_LINKED
    assert made.link("ada", scene.facts.memory_key).state is ConnectionState.APPROVED
    assert made.tokens("ada") is None
    with made.store("ada") as store:
        get(scene, store)
    assert made.disconnect("ada").was_linked
    made.close()


def complete_connection(scene: Scene) -> None:
    grants, pending = MemoryGrantStore(), flow_of(scene.facts)
    rows = GrantRows(grants, SecretSeal([Secret(SECRET)], purpose=GRANT_PURPOSE), endpoint=pending.endpoint)
    rows.begin(PendingFlow(user="ada", return_to="/notes", flow=pending), wall=pending.began)
    made = scene.client.connections(grants, redirect_uri=BACK, reason="Plans journeys", secret=SECRET)
    assert made.begin("grace").startswith(pending.endpoint)
    status = made.complete("ada", {"code": scene.codes.pop(), "state": pending.state.reveal()})
    assert (status.state, status.return_to) == (ConnectionState.APPROVED, "/notes")
    kept = made.tokens("ada")
    assert kept is not None
    assert kept.access_token.reveal()


def list_user_tags(scene: Scene) -> None:
    assert TAG in [tag.name for tag in scene.client.tags.list(user_id=scene.facts.user_id)]


def get_tag(scene: Scene) -> None:
    assert scene.client.tags.get(scene.facts.tag_id, user_id=scene.facts.user_id).name == TAG


def memory_api(scene: Scene) -> None:
    client = scene.facts.memory_api()
    with client as api:
        assert api.environment == "live"
        assert "MemoryAPI" in repr(api)
        assert api.health().data == {"status": "ok"}
        signup = api.signup(name="Planner", email="ada@example.com")
        with MemoryAPI(signup.key, base_url=scene.facts.memory_api_url) as fresh:
            memory = fresh.memories.create(CONTENTS[0])
            assert [match.id for match in fresh.query("window seats").memories] == [memory.id]
            assert fresh.query_answer("window seats").answer == CONTENTS[0]
            assert fresh.extract("Ada: I speak Portuguese.").extracted_count == 1
            assert fresh.request("GET", "/memories").json()["pagination"]["total"] == 2
            assert len(list(fresh.with_options(timeout=30).memories.list(page_size=1))) == 2
    with pytest.raises(ClientClosedError):
        client.account.get()
    client.close()


CALLS: Final[dict[Callable[[Scene], object], set[str]]] = {
    with_options: {"Memoram.with_options", "Memoram.close"},
    connect: {"Memoram.connect"},
    open_store: {
        *("Memoram.open", "MemoryStore.get"),
        *("MemoryStore.close", "MemoryStore.__enter__", "MemoryStore.__exit__"),
    },
    request: {"Memoram.request"},
    close_client: {"Memoram.close", "Memoram.__enter__", "Memoram.__exit__"},
    client_repr: {"Memoram.__repr__"},
    user_id: {"MemoryStore.user_id"},
    key_version: {"MemoryStore.key_version"},
    store_repr: {"MemoryStore.__repr__"},
    create_and_delete: {"MemoryStore.create", "MemoryStore.get", "MemoryStore.delete"},
    update: {"MemoryStore.update"},
    list_tags: {"MemoryStore.list_tags"},
    recall: {"MemoryStore.recall"},
    page: {"MemoryStore.list", "Pager.first_page", "Pager.page", "Pager.skipped"},
    pages: {"Pager.pages", "PageIterator.__iter__", "PageIterator.__next__"},
    each_item: {"Pager.__iter__", "ItemIterator.__iter__", "ItemIterator.__next__"},
    read_ahead: {
        *("Pager.ahead", "ReadAhead.__enter__", "ReadAhead.__exit__"),
        *("ReadAhead.__iter__", "ReadAhead.__next__"),
    },
    create_access_request: {"AccessRequests.create"},
    get_access_request: {"AccessRequests.get"},
    list_access_requests: {"AccessRequests.list"},
    credentials: {"AccessRequests.credentials"},
    wait_for_approval: {"AccessRequests.wait"},
    watch: {"AccessRequests.watch", "ApprovalWatch.__iter__", "ApprovalWatch.__next__"},
    list_blobs: {"MemoryBlobs.list"},
    change_blobs: {"MemoryBlobs.create", "MemoryBlobs.update", "MemoryBlobs.get", "MemoryBlobs.delete"},
    begin: {
        "OAuth.begin",
        "OAuthFlow.url",
        "OAuthFlow.state",
        "OAuthFlow.redirect_uri",
        "OAuthFlow.__repr__",
    },
    seal_and_restore: {"OAuthFlow.seal", "OAuth.restore"},
    tokens: {"OAuthFlow.complete", "OAuth.refresh"},
    connections: {
        *("Memoram.connections", "Connections.__repr__", "Connections.status", "Connections.link"),
        *("Connections.store", "Connections.disconnect", "Connections.close", "Connections.link_url"),
    },
    complete_connection: {"Connections.begin", "Connections.complete", "Connections.tokens"},
    list_user_tags: {"Tags.list"},
    get_tag: {"Tags.get"},
    memory_api: {
        *("MemoryAPI.__enter__", "MemoryAPI.__exit__", "MemoryAPI.close", "MemoryAPI.__repr__"),
        *("MemoryAPI.environment", "MemoryAPI.health", "MemoryAPI.signup", "MemoryAPI.query"),
        *("MemoryAPI.query_answer", "MemoryAPI.extract", "MemoryAPI.request", "MemoryAPI.with_options"),
    },
}
"""Each call, and the public methods that it drives."""
