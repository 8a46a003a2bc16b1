"""Every public method of the blocking SDK, called once and its answer checked.

The calls of a table row do not get in each other's way, so any number of threads and processes may make
them at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from memoram_sync import ClientClosedError, ItemIterator, NotFoundError, PageIterator
from tests.sync.scenes import BACK, CONTENTS, TAG

if TYPE_CHECKING:
    from collections.abc import Callable

    from memoram_sync import Memory, OAuthTokens, Pager
    from tests.sync.scenes import Scene


def fixed(scene: Scene) -> Pager[Memory]:
    """A list of two pages that no other call changes."""
    return scene.store.list(tags=[TAG], page_size=2)


def with_options(scene: Scene) -> None:
    clone = scene.client.with_options(timeout=30, max_retries=1)
    assert clone.request("GET", "/access-requests").status == 200


def connect(scene: Scene) -> None:
    seen: list[str] = []
    with scene.client.connect(
        scene.facts.memory_key, reason="Plans journeys", on_status=seen.append
    ) as store:
        assert store.get(scene.facts.memory_id).content == CONTENTS[0]
    assert seen == ["approved"]


def open_store(scene: Scene) -> None:
    assert scene.client.open(scene.facts.credentials).get(scene.facts.memory_id).content == CONTENTS[0]


def request(scene: Scene) -> None:
    answer = scene.client.request("GET", "/tags", params={"user_id": scene.facts.user_id})
    assert TAG in [tag["name"] for tag in answer.json()["items"]]


def close_clone(scene: Scene) -> None:
    clone = scene.client.with_options(max_retries=0)
    clone.close()
    assert clone.request("GET", "/access-requests").status == 200


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


def create(scene: Scene) -> None:
    made = scene.store.create("Made by a call", title="Call", tags=["made"], importance=0.5)
    assert (made.content, made.tags) == ("Made by a call", ("made",))
    assert scene.store.get(made.id).content == "Made by a call"


def get(scene: Scene) -> None:
    assert scene.store.get(scene.facts.memory_id).content == CONTENTS[0]


def list_memories(scene: Scene) -> None:
    assert sorted(memory.content for memory in fixed(scene)) == sorted(CONTENTS)


def update(scene: Scene) -> None:
    assert scene.store.update(scene.facts.memory_id, content=CONTENTS[0], importance=1).content == CONTENTS[0]


def delete(scene: Scene) -> None:
    made = scene.store.create("Short-lived")
    scene.store.delete(made.id)
    with pytest.raises(NotFoundError):
        scene.store.get(made.id)


def list_tags(scene: Scene) -> None:
    assert TAG in [tag.name for tag in scene.store.list_tags()]


def close_store(scene: Scene) -> None:
    store = scene.client.open(scene.facts.credentials)
    with store as entered:
        assert entered is store
    store.close()
    with pytest.raises(ClientClosedError):
        store.get(scene.facts.memory_id)


def first_page(scene: Scene) -> None:
    assert len(fixed(scene).first_page().items) == 2


def page(scene: Scene) -> None:
    pager = fixed(scene)
    assert len(pager.page(pager.page(None).next_cursor).items) == 1


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


def wait_until_approved(scene: Scene) -> None:
    waited = scene.client.access_requests.wait_until_approved(scene.facts.access_request_id, timeout=30)
    assert waited.status == "approved"


def list_blobs(scene: Scene) -> None:
    blobs = scene.client.memory_blobs.list(user_id=scene.facts.user_id, tags=[TAG], page_size=2)
    assert len(list(blobs)) == len(CONTENTS)


def get_blob(scene: Scene) -> None:
    blob = scene.client.memory_blobs.get(scene.facts.memory_id, user_id=scene.facts.user_id)
    assert blob.content is not None
    assert CONTENTS[0] not in blob.content


def change_blobs(scene: Scene) -> None:
    blobs, facts = scene.client.memory_blobs, scene.facts
    made = blobs.create(user_id=facts.user_id, memory_key=facts.memory_key, content="stored as it is")
    blobs.update(made.id, user_id=facts.user_id, memory_key=facts.memory_key, content="stored anew")
    assert blobs.get(made.id, user_id=facts.user_id).content == "stored anew"
    blobs.delete(made.id, user_id=facts.user_id)
    with pytest.raises(NotFoundError):
        blobs.get(made.id, user_id=facts.user_id)


def authorization_url(scene: Scene) -> None:
    begun = scene.client.oauth.authorization_url(client_id=scene.facts.client_id, redirect_uri=BACK)
    assert begun.url.startswith(scene.facts.auth_url)


def tokens(scene: Scene) -> OAuthTokens:
    answer = scene.client.oauth.exchange_code(
        scene.codes.pop(),
        client_id=scene.facts.client_id,
        client_secret=scene.facts.client_secret,
        redirect_uri=BACK,
    )
    assert answer.memory_key is not None
    assert answer.memory_key.reveal() == scene.facts.memory_key
    return answer


def exchange_code(scene: Scene) -> None:
    tokens(scene)


def refresh(scene: Scene) -> None:
    old = tokens(scene).refresh_token
    assert old is not None
    new = scene.client.oauth.refresh(
        old, client_id=scene.facts.client_id, client_secret=scene.facts.client_secret
    )
    assert new.access_token.reveal()


def list_user_tags(scene: Scene) -> None:
    assert TAG in [tag.name for tag in scene.client.tags.list(user_id=scene.facts.user_id)]


def get_tag(scene: Scene) -> None:
    assert scene.client.tags.get(scene.facts.tag_id, user_id=scene.facts.user_id).name == TAG


CALLS: Final[dict[Callable[[Scene], None], set[str]]] = {
    with_options: {"Memoram.with_options"},
    connect: {"Memoram.connect"},
    open_store: {"Memoram.open"},
    request: {"Memoram.request"},
    close_clone: {"Memoram.close"},
    close_client: {"Memoram.close", "Memoram.__enter__", "Memoram.__exit__"},
    client_repr: {"Memoram.__repr__"},
    user_id: {"MemoryStore.user_id"},
    key_version: {"MemoryStore.key_version"},
    store_repr: {"MemoryStore.__repr__"},
    create: {"MemoryStore.create"},
    get: {"MemoryStore.get"},
    list_memories: {"MemoryStore.list"},
    update: {"MemoryStore.update"},
    delete: {"MemoryStore.delete"},
    list_tags: {"MemoryStore.list_tags"},
    close_store: {"MemoryStore.close", "MemoryStore.__enter__", "MemoryStore.__exit__"},
    first_page: {"Pager.first_page"},
    page: {"Pager.page"},
    pages: {"Pager.pages", "PageIterator.__iter__", "PageIterator.__next__"},
    each_item: {"Pager.__iter__", "ItemIterator.__iter__", "ItemIterator.__next__"},
    create_access_request: {"AccessRequests.create"},
    get_access_request: {"AccessRequests.get"},
    list_access_requests: {"AccessRequests.list"},
    credentials: {"AccessRequests.credentials"},
    wait_until_approved: {"AccessRequests.wait_until_approved"},
    list_blobs: {"MemoryBlobs.list"},
    get_blob: {"MemoryBlobs.get"},
    change_blobs: {"MemoryBlobs.create", "MemoryBlobs.update", "MemoryBlobs.delete"},
    authorization_url: {"OAuth.authorization_url"},
    exchange_code: {"OAuth.exchange_code"},
    refresh: {"OAuth.refresh"},
    list_user_tags: {"Tags.list"},
    get_tag: {"Tags.get"},
}
"""Each call, and the public methods that it drives."""

CODES_FOR_ALL: Final = 2
"""OAuth codes that one round of all calls spends."""
