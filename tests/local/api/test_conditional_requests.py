"""ETag and If-None-Match: reading again what did not change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import httpx

    from memoram_local import MemoramLocal
    from tests.local.conftest import Memories

STRONG = re.compile(r'"[0-9a-f]{32}"')


def paths_of(memories: Memories) -> dict[str, str]:
    """One path of each operation that reads."""
    blob = memories.post(tags=["travel"]).json()
    whose = f"user_id={memories.user.id}"
    return {
        "listAccessRequests": "/access-requests",
        "getAccessRequest": f"/access-requests/{memories.request_id}",
        "listMemoryBlobs": f"/memory-blobs?{whose}",
        "getMemoryBlob": f"/memory-blobs/{blob['id']}?{whose}",
        "listTags": f"/tags?{whose}",
        "getTag": f"/tags/{blob['tag_ids'][0]}?{whose}",
    }


READING = [
    "listAccessRequests",
    "getAccessRequest",
    "listMemoryBlobs",
    "getMemoryBlob",
    "listTags",
    "getTag",
]


def again(memories: Memories, path: str, if_none_match: str) -> httpx.Response:
    return memories.http.get(path, headers={"if-none-match": if_none_match})


@pytest.mark.parametrize("operation", READING)
def test_what_stands_has_a_strong_etag_and_is_not_sent_twice(memories: Memories, operation: str) -> None:
    path = paths_of(memories)[operation]
    first = memories.http.get(path)
    etag = first.headers["etag"]

    repeated = again(memories, path, etag)

    assert first.status_code == 200
    assert STRONG.fullmatch(etag)
    assert memories.http.get(path).headers["etag"] == etag
    assert repeated.status_code == 304
    assert repeated.content == b""
    assert repeated.headers["etag"] == etag
    assert repeated.headers["cache-control"] == first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("form", ["W/{0}", '"other", {0}', '{0} , "other"', 'W/"x",W/{0}', "*"])
def test_every_form_that_names_what_stands_matches(memories: Memories, form: str) -> None:
    path = paths_of(memories)["getMemoryBlob"]
    etag = memories.http.get(path).headers["etag"]

    assert again(memories, path, form.format(etag)).status_code == 304


@pytest.mark.parametrize("other", ['"other"', "", "{0}x", "x{0}", ","])
def test_another_etag_does_not_match(memories: Memories, other: str) -> None:
    path = paths_of(memories)["getMemoryBlob"]
    etag = memories.http.get(path).headers["etag"].strip('"')

    assert again(memories, path, other.format(etag)).status_code == 200


def test_a_change_makes_another_etag(memories: Memories) -> None:
    blob_id = memories.create(content="one")
    etag = memories.get(blob_id).headers["etag"]

    memories.patch(blob_id, content="two")

    changed = again(memories, f"/memory-blobs/{blob_id}?user_id={memories.user.id}", etag)
    assert changed.status_code == 200
    assert changed.json()["content"] == "two"
    assert changed.headers["etag"] != etag


def test_a_decision_makes_another_etag(memories: Memories, local: MemoramLocal) -> None:
    path = f"/access-requests/{memories.request_id}"
    etag = memories.http.get(path).headers["etag"]

    local.revoke(memories.request_id)

    assert again(memories, path, etag).json()["status"] == "revoked"


def test_access_is_checked_before_anything_is_compared(memories: Memories, local: MemoramLocal) -> None:
    path = paths_of(memories)["getMemoryBlob"]
    etag = memories.http.get(path).headers["etag"]

    local.revoke(memories.request_id)

    assert again(memories, path, etag).status_code == 403


def test_credentials_are_for_no_cache(memories: Memories) -> None:
    answer = memories.http.get(f"/access-requests/{memories.request_id}/credentials")

    assert "etag" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"


def test_head_tells_the_etag_too(memories: Memories) -> None:
    path = paths_of(memories)["getMemoryBlob"]

    assert memories.http.head(path).headers["etag"] == memories.http.get(path).headers["etag"]
