"""`/tags`: the names that memories are filed under."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memoram_local import MemoramLocal, User
    from tests.local.conftest import Memories


def test_a_tag_comes_into_being_when_a_blob_names_it(memories: Memories) -> None:
    (tag_id,) = memories.post(tags=["travel"]).json()["tag_ids"]

    (tag,) = memories.http.get("/tags", params={"user_id": memories.user.id}).json()["items"]

    assert re.fullmatch(r"tag_[0-9a-f]{24}", tag_id)
    assert tag == {
        "id": tag_id,
        "name": "travel",
        "description": None,
        "color": None,
        "is_enabled": True,
        "created_at": tag["created_at"],
        "updated_at": tag["created_at"],
    }
    assert tag["created_at"].startswith("2030-05-17T12:00:00.")


def test_a_tag_can_be_read_by_its_id(memories: Memories) -> None:
    (tag_id,) = memories.post(tags=["travel"]).json()["tag_ids"]

    answer = memories.http.get(f"/tags/{tag_id}", params={"user_id": memories.user.id})

    assert answer.status_code == 200
    assert answer.json()["name"] == "travel"


def test_tags_are_listed_by_name_and_stay_when_unused(memories: Memories) -> None:
    memories.delete(memories.create(tags=["b", "a"]))
    memories.create(tags=["c", "a"])

    listed = memories.http.get("/tags", params={"user_id": memories.user.id}).json()["items"]

    assert [tag["name"] for tag in listed] == ["a", "b", "c"]


def test_a_tag_that_is_not_there_is_met_with_404(memories: Memories) -> None:
    answer = memories.http.get("/tags/tag_none", params={"user_id": memories.user.id})

    assert answer.status_code == 404


def test_users_do_not_share_tags(memories: Memories, local: MemoramLocal, stranger: User) -> None:
    local.approve(memories.application.ask(stranger.memory_key))
    foreign = memories.post(user_id=stranger.id, memoryKey=stranger.memory_key, tags=["travel"]).json()
    mine = memories.post(tags=["travel"]).json()

    assert foreign["tag_ids"] != mine["tag_ids"]
    path = f"/tags/{foreign['tag_ids'][0]}"
    assert memories.http.get(path, params={"user_id": memories.user.id}).status_code == 404
