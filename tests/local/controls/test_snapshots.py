"""Reset, snapshot and restore: the store goes back as a whole, the clock never does."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from memoram_local import MemoramLocal
from memoram_local.testing import AfterPolls, AutoApprove, Status

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from memoram_local import Clock
    from tests.local.controls.conftest import Caller


@pytest.fixture(params=["memory", "file"])
def memoram_options(request: pytest.FixtureRequest, clock: Clock, tmp_path: Path) -> dict[str, Any]:
    """Platforms in memory and in a file."""
    return {"clock": clock, "data": tmp_path if request.param == "file" else None}


def test_restoring_brings_back_what_was_there(writer: Caller) -> None:
    writer.write("kept")
    snapshot = writer.local.snapshot()
    writer.write("lost")
    writer.local.create_user(email="late@example.com", password="correct horse")

    writer.local.restore(snapshot)

    assert writer.contents() == ["kept"]
    writer.local.create_user(email="late@example.com", password="correct horse")


def test_a_snapshot_can_be_restored_again_and_again(writer: Caller) -> None:
    snapshot = writer.local.snapshot()
    for _ in range(3):
        writer.write()
        writer.local.restore(snapshot)
        assert writer.contents() == []


def test_a_snapshot_shows_nothing_of_what_is_in_it(writer: Caller) -> None:
    shown = repr(writer.local.snapshot())

    assert writer.user.memory_key not in shown
    assert writer.user.encryption_key not in shown


def test_tokens_are_good_again_that_were_good_then(writer: Caller) -> None:
    snapshot = writer.local.snapshot()
    writer.local.expire_tokens()
    assert writer.write().status_code == 401
    own = writer.http.headers["authorization"]
    writer.sign_in()
    newer = writer.http.headers["authorization"]

    writer.local.restore(snapshot)

    assert writer.write().status_code == 401
    writer.http.headers["authorization"] = own
    assert writer.write().status_code == 201
    writer.local.expire_tokens()
    writer.http.headers["authorization"] = newer
    assert writer.write().status_code == 401


def test_looks_are_counted_from_where_the_snapshot_was_taken(caller: Caller) -> None:
    caller.local.policy = AfterPolls(3)
    request_id = caller.ask()
    caller.status(request_id)
    snapshot = caller.local.snapshot()
    assert [caller.status(request_id) for _ in range(2)] == ["pending", "approved"]

    caller.local.restore(snapshot)

    assert [caller.status(request_id) for _ in range(2)] == ["pending", "approved"]


def test_a_snapshot_can_be_restored_on_another_platform(writer: Caller) -> None:
    writer.write("carried over")
    snapshot = writer.local.snapshot()
    with MemoramLocal(password_profile="fast", clock=writer.local.clock) as other:
        other.restore(snapshot)
        with other.serve() as server:
            writer.http.base_url = httpx.URL(server.api_url)
            assert writer.http.get("/access-requests").status_code == 401
            writer.sign_in()
            assert writer.contents() == ["carried over"]


def test_a_reset_platform_is_as_good_as_new(writer: Caller) -> None:
    local = writer.local
    writer.write()
    local.faults.add(Status(503))
    local.policy = AutoApprove()
    now = local.clock.now()

    local.reset()

    assert not local.has_apps
    assert local.access_requests() == []
    assert len(local.faults) == len(local.journal) == 0
    assert local.policy == AutoApprove()
    assert local.clock.now() >= now
    assert writer.http.get("/access-requests").status_code == 401
    user = local.create_user(email=writer.user.email, password="correct horse")
    assert user.id != writer.user.id


@pytest.fixture
def seeded() -> Iterator[MemoramLocal]:
    with MemoramLocal(password_profile="fast", seed=7) as local:
        yield local


def test_a_seeded_platform_repeats_itself_after_a_reset(seeded: MemoramLocal) -> None:
    first = seeded.register_app(name="App")
    seeded.reset()

    assert seeded.register_app(name="App") == first


def test_a_seeded_platform_repeats_itself_after_a_restore(seeded: MemoramLocal) -> None:
    seeded.register_app(name="App")
    snapshot = seeded.snapshot()
    second = seeded.register_app(name="Other")
    seeded.restore(snapshot)

    assert seeded.register_app(name="Other") == second


def test_restoring_comes_between_requests_never_within_one(writer: Caller) -> None:
    """Every answer is one of a whole state: a blob and its tag are there together or not at all."""
    snapshot = writer.local.snapshot()
    stop = threading.Event()

    def keep_restoring() -> None:
        while not stop.is_set():
            writer.local.restore(snapshot)

    restoring = threading.Thread(target=keep_restoring)
    restoring.start()
    try:
        for number in range(50):
            answer = writer.write(tags=[f"tag {number}"])
            assert answer.status_code == 201, answer.text
            page = writer.http.get("/memory-blobs", params={"user_id": writer.user.id})
            assert page.status_code == 200, page.text
            assert all(blob["tags"] for blob in page.json()["memoryBlobs"])
    finally:
        stop.set()
        restoring.join()
