"""What the API takes before it refuses, and that all of it can be set."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from memoram_local import Limits, MemoramLocal
from memoram_local.cli import main
from memoram_sync import Memoram

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from memoram_local import Clock, LocalServer, RegisteredApp, User
    from tests.local.conftest import Application, Memories


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


# --- memories ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "fits", "said"),
    [
        ("tags", [f"tag {number}" for number in range(100)], "tags must hold at most 100 names."),
        ("tags", ["x" * 200], "tags must hold names of at most 200 characters."),
        ("title", "x" * 2_000, "title must have at most 2,000 characters."),
        ("summary", "x" * 20_000, "summary must have at most 20,000 characters."),
        ("source", "x" * 2_000, "source must have at most 2,000 characters."),
    ],
)
def test_a_memory_takes_so_much_and_no_more(memories: Memories, member: str, fits: Any, said: str) -> None:
    too_much: Any
    if isinstance(fits, str):
        too_much = fits + "x"
    else:
        names = cast("list[str]", fits)
        too_much = [*names, "one more"] if len(names) > 1 else [names[0] + "x"]
    blob_id = memories.create(**{member: fits})

    assert error_of(memories.post(**{member: too_much})) == (400, said)
    assert error_of(memories.patch(blob_id, **{member: too_much})) == (400, said)
    assert memories.patch(blob_id, **{member: fits}).status_code == 200
    assert len(memories.ids()) == 1


def test_a_filter_takes_so_many_tags_and_no_more(memories: Memories) -> None:
    names = [f"t{number}" for number in range(1_000)]

    def listed(count: int) -> httpx.Response:
        parameters = {"user_id": memories.user.id, "tags": ",".join(names[:count])}
        return memories.http.get("/memory-blobs", params=parameters)

    assert listed(100).json() == {"memoryBlobs": [], "next_cursor": None}
    assert error_of(listed(101)) == error_of(listed(1_000)) == (400, "tags must hold at most 100 names.")


def test_a_search_takes_so_much_text_and_no_more(memories: Memories) -> None:
    def listed(length: int) -> httpx.Response:
        parameters = {"user_id": memories.user.id, "searchQuery": "x" * length}
        return memories.http.get("/memory-blobs", params=parameters)

    assert listed(1_000).status_code == 200
    assert error_of(listed(1_001)) == (400, "searchQuery must have at most 1,000 characters.")


# --- a list's work -----------------------------------------------------------------------------


class TestAListsWork:
    @pytest.fixture
    def local(self, clock: Clock) -> Iterator[MemoramLocal]:
        limits = Limits(rows_looked_at=5)
        with MemoramLocal(password_profile="fast", clock=clock, limits=limits) as platform:
            yield platform

    @pytest.mark.parametrize(
        "only",
        [
            {"searchQuery": "needle"},
            {"importance": 0.9},
            {"tags": "all,rare"},
            {"tags": "all", "searchQuery": "needle"},
            {"tags": "all,rare", "importance": 0.9, "searchQuery": "NEEDLE"},
        ],
    )
    def test_pages_may_be_empty_and_together_they_are_whole(
        self, memories: Memories, only: dict[str, str | float]
    ) -> None:
        wanted: list[str] = []
        for number in range(23):
            if number in {0, 1, 12, 22}:
                found = {"title": "a needle", "importance": 1, "tags": ["all", "rare"]}
                wanted.append(memories.create(**found))
            else:
                memories.create(title="hay", importance=0.1, tags=["all"])

        seen: list[str] = []
        sizes: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            page = memories.page(**only, **cursor)
            seen += [blob["id"] for blob in page["memoryBlobs"]]
            sizes.append(len(page["memoryBlobs"]))
            if page["next_cursor"] is None:
                break
            cursor = {"cursor": page["next_cursor"]}

        assert seen == wanted[::-1]
        # A tag that is rare leads straight to its own; all others are looked at five at a time.
        assert sizes == ([4] if "rare" in str(only) else [1, 0, 1, 0, 2])

    def test_a_list_without_a_filter_is_as_long_as_it_was(self, memories: Memories) -> None:
        for _ in range(12):
            memories.create()

        assert len(memories.page(limit=12)["memoryBlobs"]) == 12

    def test_a_page_that_is_full_goes_on_where_it_ended(self, memories: Memories) -> None:
        ids = [memories.create(title="needle") for _ in range(9)]

        first = memories.page(searchQuery="needle", limit=3)
        second = memories.page(searchQuery="needle", limit=3, cursor=first["next_cursor"])

        assert [blob["id"] for blob in first["memoryBlobs"]] == ids[:5:-1]
        assert [blob["id"] for blob in second["memoryBlobs"]] == ids[5:2:-1]


class TestOtherLists:
    @pytest.fixture
    def local(self, clock: Clock) -> Iterator[MemoramLocal]:
        limits = Limits(requests_listed=3, tags_listed=3, pending_requests=100)
        with MemoramLocal(password_profile="fast", clock=clock, limits=limits) as platform:
            yield platform

    def test_access_requests_come_in_pages_newest_first(self, application: Application, user: User) -> None:
        asked = [application.ask(user.memory_key) for _ in range(7)]

        pages = pages_of(application.http, "/access-requests")

        assert [[each["id"] for each in page["items"]] for page in pages] == [
            asked[:3:-1],
            asked[3:0:-1],
            asked[:1],
        ]
        assert [page["total"] for page in pages] == [7, 7, 7]

    def test_tags_come_in_pages_by_name(self, memories: Memories) -> None:
        memories.create(tags=["é", "b", "a", "ä,", "c", "B", "d"])

        pages = pages_of(memories.http, "/tags", user_id=memories.user.id)

        assert [[each["name"] for each in page["items"]] for page in pages] == [
            ["B", "a", "b"],
            ["c", "d", "ä,"],
            ["é"],
        ]

    def test_a_list_of_one_page_says_nothing_of_others(self, application: Application, user: User) -> None:
        for _ in range(3):
            application.ask(user.memory_key)

        assert set(application.http.get("/access-requests").json()) == {"items", "total"}

    @pytest.mark.parametrize("cursor", ["nonsense", "!", "dGFnXzA", "bWVtXzA", "MTow"])
    def test_a_cursor_that_no_page_gave_is_refused(self, memories: Memories, cursor: str) -> None:
        for path in ("/access-requests", "/tags"):
            answer = memories.http.get(path, params={"user_id": memories.user.id, "cursor": cursor})
            assert error_of(answer) == (400, "cursor is not one that a page has given.")

    def test_a_cursor_of_another_users_tags_is_refused(
        self, memories: Memories, local: MemoramLocal, stranger: User
    ) -> None:
        local.approve(memories.application.ask(stranger.memory_key))
        memories.post(user_id=stranger.id, memoryKey=stranger.memory_key, tags=["a", "b", "c", "d"])
        cursor = memories.http.get("/tags", params={"user_id": stranger.id}).json()["next_cursor"]

        answer = memories.http.get("/tags", params={"user_id": memories.user.id, "cursor": cursor})

        assert error_of(answer) == (400, "cursor is not one that a page has given.")

    def test_the_client_follows_the_pages(
        self, local: MemoramLocal, memories: Memories, server: LocalServer
    ) -> None:
        memories.create(tags=["a", "b", "c", "d", "e", "f", "g"])
        for _ in range(6):
            memories.application.ask(memories.user.memory_key)
        app = memories.application.registered

        with Memoram(app.api_key, base_url=server.api_url, auth_url=server.url) as client:
            assert len(list(client.access_requests.list())) == 7
            assert "".join(str(tag.name) for tag in client.tags.list(user_id=memories.user.id)) == "abcdefg"


def pages_of(http: httpx.Client, path: str, **parameters: str) -> list[dict[str, Any]]:
    pages: list[dict[str, Any]] = [http.get(path, params=parameters).json()]
    while "next_cursor" in pages[-1]:
        parameters["cursor"] = pages[-1]["next_cursor"]
        pages.append(http.get(path, params=parameters).json())
    return pages


# --- asking ------------------------------------------------------------------------------------


def asked(application: Application, user: User) -> httpx.Response:
    body = {"memoryKey": user.memory_key, "reason": "To plan trips"}
    return application.http.post("/access-requests", json=body)


def test_asking_pauses_after_a_rejection_and_says_until_when(
    local: MemoramLocal, application: Application, user: User, clock: Clock
) -> None:
    local.reject(application.ask(user.memory_key))

    answer = asked(application, user)

    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "asking_paused"
    assert answer.json()["error"]["until"].startswith("2030-05-17T12:01:00")
    clock.advance(61)
    assert asked(application, user).status_code == 201


def test_asking_is_blocked_after_many_rejections_in_a_row(
    local: MemoramLocal,
    application: Application,
    user: User,
    clock: Clock,
    application_of: Callable[[RegisteredApp], Application],
) -> None:
    for _ in range(5):
        local.reject(application.ask(user.memory_key))
        clock.advance(61)

    answer = asked(application, user)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "asking_blocked")
    assert answer.json()["error"]["until"].startswith("2030-05-18T12:0")
    clock.advance(24 * 3600)
    assert asked(application_of(application.registered), user).status_code == 201


def test_an_approval_ends_the_row_of_rejections(
    local: MemoramLocal, application: Application, user: User, clock: Clock
) -> None:
    for _ in range(4):
        local.reject(application.ask(user.memory_key))
        clock.advance(61)
    local.approve(application.ask(user.memory_key))
    local.reject(application.ask(user.memory_key))

    assert asked(application, user).json()["error"]["code"] == "asking_paused"


def test_only_so_many_requests_wait_for_one_user(
    local: MemoramLocal, application: Application, user: User, stranger: User
) -> None:
    requests = [application.ask(user.memory_key) for _ in range(20)]

    answer = asked(application, user)

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "too_many_pending")
    assert asked(application, stranger).status_code == 201
    local.approve(requests[0])
    assert asked(application, user).status_code == 201


# --- what a body says that it is ---------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/xml"},
        {"content-type": "application/jsonx"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": "application/json", "content-encoding": "gzip"},
        {"content-type": ""},
    ],
)
def test_a_body_of_another_type_is_met_with_415(memories: Memories, headers: dict[str, str]) -> None:
    body = json.dumps({"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x"})

    answer = memories.http.post("/memory-blobs", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "unsupported_media_type")
    assert memories.ids() == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON; charset=UTF-8",
        "application/problem+json",
        'application/json;charset="utf-8"',
    ],
)
def test_json_is_taken_however_it_is_named(memories: Memories, content_type: str) -> None:
    body = json.dumps({"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x"})

    answer = memories.http.post("/memory-blobs", content=body, headers={"content-type": content_type})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    "doubled", ['"content": "y"', '"other": {"a": 1, "a": 1}', '"other": [{"": 1, "": 2}]']
)
def test_a_member_that_is_there_twice_is_refused(memories: Memories, doubled: str) -> None:
    members = {"user_id": memories.user.id, "memoryKey": memories.user.memory_key, "content": "x"}
    body = json.dumps(members)[:-1] + f", {doubled}}}"

    assert error_of(memories.http.post("/memory-blobs", content=body)) == (
        400,
        "The body has a member that is there more than once.",
    )


@pytest.mark.parametrize("name", ["user_id", "limit", "cursor", "importance", "searchQuery"])
def test_a_parameter_that_is_there_twice_is_refused(memories: Memories, name: str) -> None:
    parameters = {"user_id": [memories.user.id], name: [memories.user.id, "1"]}

    answer = memories.http.get("/memory-blobs", params=parameters)

    assert error_of(answer) == (400, f"{name} is there more than once.")


# --- setting them ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [
        {"tags_of_memory": 0},
        {"tags_of_memory": 1.5},
        {"sign_in_window": -1},
        {"head_seconds": float("nan")},
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"the limit {next(iter(values))} must be"):
        Limits(**values)


@pytest.mark.parametrize("limit", ["tags=1", "tags_of_memory", "tags_of_memory=many", "tags_of_memory=1.5"])
def test_the_command_line_refuses_a_limit_that_makes_no_sense(
    limit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--limit", limit])

    assert "argument --limit" in capsys.readouterr().err


class TestLimitsThatAreSet:
    @pytest.fixture
    def local(self, clock: Clock) -> Iterator[MemoramLocal]:
        limits = Limits(pause_after_rejection=0, tags_of_memory=1)
        with MemoramLocal(password_profile="fast", clock=clock, limits=limits) as platform:
            yield platform

    def test_they_hold(self, local: MemoramLocal, memories: Memories, stranger: User) -> None:
        local.reject(memories.application.ask(stranger.memory_key))

        assert asked(memories.application, stranger).status_code == 201
        assert memories.post(tags=["one", "two"]).status_code == 400


def test_every_limit_is_in_the_documentation_by_its_name() -> None:
    text = (Path(__file__).parents[3] / "docs" / "self-hosting.md").read_text(encoding="utf-8")

    assert [each.name for each in fields(Limits) if f"`{each.name}`" not in text] == []
