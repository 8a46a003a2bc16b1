"""Lists of memory blobs: pages, filters and search."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from memoram_local import MemoramLocal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from tests.local.conftest import Memories


def walk(memories: Memories, **parameters: str | float) -> list[str]:
    """All ids, page by page."""
    found: list[str] = []
    page = memories.page(**parameters)
    while True:
        found += [blob["id"] for blob in page["memoryBlobs"]]
        if page["next_cursor"] is None:
            return found
        page = memories.page(cursor=page["next_cursor"], **parameters)


def test_an_empty_list_has_no_next_page(memories: Memories) -> None:
    assert memories.page() == {"memoryBlobs": [], "next_cursor": None}


def test_a_list_holds_stored_content_and_tags(memories: Memories) -> None:
    blob_id = memories.create(content="sealed", tags=["travel"])

    (blob,) = memories.page()["memoryBlobs"]

    assert blob == memories.get(blob_id).json()


def test_a_page_holds_ten_blobs_unless_told_otherwise(memories: Memories) -> None:
    for _ in range(11):
        memories.create()

    assert len(memories.ids()) == 10
    assert len(memories.ids(limit=3)) == 3
    assert len(memories.ids(limit=11)) == 11


def test_pages_walk_through_everything_once_newest_first(memories: Memories) -> None:
    created = [memories.create() for _ in range(23)]

    for limit in (1, 7, 23, 24):
        assert walk(memories, limit=limit) == created[::-1]


def test_a_limit_above_100_counts_as_100(memories: Memories) -> None:
    for _ in range(101):
        memories.create()

    assert len(memories.ids(limit=10**17)) == 100


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "-1"},
        {"limit": "ten"},
        {"limit": "1.0"},
        {"limit": "\u0661"},
        {"limit": ""},
        {"cursor": "garbage"},
        {"cursor": "ä"},
        {"cursor": "MTIzNDU="},
        {"cursor": "MToyOjM"},
        {"importance": "high"},
        {"importance": "nan"},
        {"importance": "inf"},
        {"importance": "1e999"},
        {"importance": ""},
    ],
)
def test_a_wrong_parameter_is_named(memories: Memories, query: dict[str, str]) -> None:
    answer = memories.http.get("/memory-blobs", params={"user_id": memories.user.id, **query})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(next(iter(query)))


def test_blobs_that_come_and_go_shift_no_page(memories: Memories) -> None:
    created = [memories.create() for _ in range(9)]
    first = memories.page(limit=3)
    for _ in range(5):
        memories.create()
    # Even the blob that the cursor stands on may go.
    memories.delete(first["memoryBlobs"][-1]["id"])
    memories.delete(created[4])

    assert memories.ids(limit=100, cursor=first["next_cursor"]) == [
        created[5],
        created[3],
        created[2],
        created[1],
        created[0],
    ]


def test_walking_while_others_write_misses_and_repeats_nothing(
    tmp_path: Path, client_for: Callable[[str], httpx.Client]
) -> None:
    with MemoramLocal(data=tmp_path, password_profile="fast") as local, local.serve() as server:
        app = local.register_app(name="Busy")
        user = local.create_user(email="ada@example.test", password="correct horse")

        def sign_in() -> httpx.Client:
            client = client_for(server.api_url)
            token = client.post("/auth/token", json={"api_key": app.api_key}).json()["token"]
            client.headers["authorization"] = f"Bearer {token}"
            return client

        reader = sign_in()
        asked = reader.post("/access-requests", json={"memoryKey": user.memory_key, "reason": "x"})
        local.approve(asked.json()["id"])
        body = {"user_id": user.id, "memoryKey": user.memory_key, "content": "x", "tags": ["a"]}
        before = [reader.post("/memory-blobs", json=body).json()["id"] for _ in range(60)]
        walked = threading.Event()

        def write(client: httpx.Client) -> None:
            while not walked.is_set():
                assert client.post("/memory-blobs", json=body).status_code == 201

        writers = [threading.Thread(target=write, args=(sign_in(),)) for _ in range(4)]
        for writer in writers:
            writer.start()
        try:
            seen: list[str] = []
            cursor: str | None = ""
            while cursor is not None:
                query = {"user_id": user.id, "limit": "7", "cursor": cursor}
                page = reader.get("/memory-blobs", params=query).json()
                seen += [blob["id"] for blob in page["memoryBlobs"]]
                cursor = page["next_cursor"]
        finally:
            walked.set()
            for writer in writers:
                writer.join()

    assert seen[-60:] == before[::-1]
    assert len(set(seen)) == len(seen)


def test_all_named_tags_must_match(memories: Memories) -> None:
    both = memories.create(tags=["travel", "food"])
    travel = memories.create(tags=["travel"])
    memories.create(tags=["food"])
    memories.create()

    assert memories.ids(tags="travel") == [travel, both]
    assert memories.ids(tags="food,travel") == memories.ids(tags="travel,,food,food") == [both]
    assert memories.ids(tags="travel,unknown") == []
    assert memories.ids(tags="Travel") == []
    assert len(memories.ids(tags="")) == 4


def test_pages_of_a_tag_walk_through_everything_once(memories: Memories) -> None:
    created = [memories.create(tags=["a", "b"] if number % 3 else ["a"]) for number in range(20)]

    assert walk(memories, limit=3, tags="a") == created[::-1]
    assert walk(memories, limit=3, tags="a,b") == [
        blob for number, blob in reversed(list(enumerate(created))) if number % 3
    ]


def test_importance_is_the_least_shown(memories: Memories) -> None:
    low, high = memories.create(importance=0.2), memories.create(importance=0.8)
    memories.create()

    assert memories.ids(importance=0.2) == [high, low]
    assert memories.ids(importance=0.5) == [high]
    assert memories.ids(importance="1e0") == []


@pytest.mark.parametrize("member", ["title", "summary", "content"])
@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Prefers WINDOW seats", "window"),
        ("prefers window seats", "WINDOW SE"),
        ("ÄRGER in Köln", "ärger in kÖLN"),
        ("Straße", "STRASSE"),
        ("100% sure_thing", "100% SURE_"),
        ("before\0after", "e\0A"),
        ("before\0after", "after"),
        ("back\\slash 'quote'", "\\SLASH 'Q"),
        ("🧳 packed", "🧳"),
    ],
)
def test_search_finds_text_whatever_its_case(memories: Memories, member: str, text: str, query: str) -> None:
    memories.create(content="other")
    found = memories.create(**{"content": "x", member: text})

    assert memories.ids(searchQuery=query) == [found]


@pytest.mark.parametrize("query", ["%", "_", "w%w", "wind_w", "ab", "*"])
def test_search_knows_no_wildcards_and_does_not_span_members(memories: Memories, query: str) -> None:
    memories.create(title="windowa", summary="bwindow", content="window")

    assert memories.ids(searchQuery=query) == []


def test_filters_must_all_hold(memories: Memories) -> None:
    wanted = memories.create(title="Seat", tags=["travel"], importance=0.9)
    memories.create(title="Seat", tags=["travel"], importance=0.1)
    memories.create(title="Seat", importance=0.9)
    memories.create(title="Meal", tags=["travel"], importance=0.9)

    assert memories.ids(searchQuery="seat", tags="travel", importance=0.5) == [wanted]


@pytest.mark.parametrize("enough", [1, 2_000])
def test_tags_and_importance_show_the_same_however_many_blobs_bear_the_tags(
    memories: Memories, monkeypatch: pytest.MonkeyPatch, enough: int
) -> None:
    monkeypatch.setattr("memoram_local.store.tags._ENOUGH", enough)
    stored = [
        (memories.create(tags=tags, importance=importance), tags, importance)
        for importance in (0.9, None, 0.5, 0.1)
        for tags in (["travel"], ["travel", "seat"], ["seat"], [])
    ]

    for named, least in [(["travel"], 0.5), (["travel", "seat"], 0.1), (["seat", "travel"], 0.9)]:
        wanted = [
            blob_id
            for blob_id, tags, importance in reversed(stored)
            if set(named) <= set(tags) and importance is not None and importance >= least
        ]
        assert walk(memories, tags=",".join(named), importance=least, limit=1) == wanted


def test_unknown_parameters_are_ignored(memories: Memories) -> None:
    blob_id = memories.create()

    assert memories.ids(sort="title", page=9) == [blob_id]
