"""A user's encryption key can be replaced; the older ones stay within reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from memoram_local import NotFoundError

if TYPE_CHECKING:
    import httpx

    from memoram_local import MemoramLocal
    from tests.local.conftest import Memories


def credentials(memories: Memories, **parameters: str | int) -> httpx.Response:
    return memories.http.get(f"/access-requests/{memories.request_id}/credentials", params=parameters)


def test_the_newest_key_comes_with_its_version(memories: Memories, local: MemoramLocal) -> None:
    before = credentials(memories).json()

    version = local.rotate_key(memories.user.id)

    after = credentials(memories).json()
    assert (before["key_version"], after["key_version"], version) == (1, 2, 2)
    assert before["encryption_key"] != after["encryption_key"]
    assert before["memory_key"] == after["memory_key"]


def test_every_older_key_is_served_by_its_version(memories: Memories, local: MemoramLocal) -> None:
    keys = {1: credentials(memories).json()["encryption_key"]}
    for _ in range(3):
        version = local.rotate_key(memories.user.id)
        keys[version] = credentials(memories).json()["encryption_key"]

    served = {version: credentials(memories, key_version=version).json() for version in keys}

    assert len(set(keys.values())) == 4
    assert {version: answer["encryption_key"] for version, answer in served.items()} == keys
    assert all(answer["key_version"] == version for version, answer in served.items())


@pytest.mark.parametrize("version", [2, 10**6, 10**30])
def test_a_version_that_never_was_is_met_with_404(memories: Memories, version: int) -> None:
    assert credentials(memories, key_version=version).status_code == 404


@pytest.mark.parametrize("version", ["0", "-1", "one", "1.0", ""])
def test_a_version_is_a_positive_integer(memories: Memories, version: str) -> None:
    answer = credentials(memories, key_version=version)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith("key_version")


def test_older_keys_need_access_too(memories: Memories, local: MemoramLocal) -> None:
    local.rotate_key(memories.user.id)
    local.revoke(memories.request_id)

    assert credentials(memories, key_version=1).status_code == 403


def test_nobodys_key_cannot_be_rotated(local: MemoramLocal) -> None:
    with pytest.raises(NotFoundError):
        local.rotate_key("00000000-0000-4000-8000-000000000000")
