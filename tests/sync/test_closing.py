"""Closing a client that other threads are using."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from memoram_sync import ClientClosedError, Memoram
from tests.raw_server import answer, read_request, serving
from tests.sync.threads import Crew

if TYPE_CHECKING:
    import socket

    from tests.sync.conftest import Platform
    from tests.sync.scenes import Facts, Scene

TOKEN: Final = answer(b'{"token": "eyJ.e.s", "expires_at": "2040-01-01T00:00:00Z"}')
MADE: Final = answer(b'{"id": "mem_1"}', status=201)
PROMPTLY: Final = 10.0


def create(client: Memoram) -> str:
    return client.memory_blobs.create(user_id="u", memory_key="mk", content="x").id


class HeldService:
    """Takes in requests and answers them when it is told to; tells when connections have ended."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()
        self.ended = threading.Semaphore(0)

    def __call__(self, connection: socket.socket) -> None:
        while request := read_request(connection):
            if b"/auth/token" not in request:
                self.asked.release()
                self.go.wait(PROMPTLY)
            connection.sendall(TOKEN if b"/auth/token" in request else MADE)
        self.ended.release()


@pytest.mark.parametrize(
    "attempt", [0, 1, *(pytest.param(attempt, marks=pytest.mark.endurance) for attempt in range(2, 10))]
)
def test_calls_end_well_or_say_that_the_client_was_closed(facts: Facts, attempt: int) -> None:
    client = facts.client()
    under_way = threading.Semaphore(0)

    def work(_: int) -> None:
        try:
            while client.tags.get(facts.tag_id, user_id=facts.user_id).id == facts.tag_id:
                under_way.release()
        except ClientClosedError:
            return
        raise AssertionError("another tag came")

    crew = Crew(work, size=50)
    crew.start()
    for _ in range(attempt * 10):
        assert under_way.acquire(timeout=PROMPTLY)
    client.close()
    crew.finish()
    with pytest.raises(ClientClosedError):
        client.request("GET", "/access-requests")


def test_an_answer_under_way_still_arrives() -> None:
    service = HeldService()
    made: list[str] = []
    with serving(service) as url:
        client = Memoram("mem_x", base_url=url)
        crew = Crew(lambda _: made.append(create(client)), size=3)
        crew.start()
        for _ in range(3):
            assert service.asked.acquire(timeout=PROMPTLY)
        client.close()
        with pytest.raises(ClientClosedError):
            create(client)
        service.go.set()
        crew.finish()
        for _ in range(3):
            assert service.ended.acquire(timeout=PROMPTLY)
    assert made == ["mem_1"] * 3


def test_connections_end_with_the_client() -> None:
    service = HeldService()
    service.go.set()
    with serving(service) as url:
        client = Memoram("mem_x", base_url=url)
        create(client)
        assert not service.ended.acquire(blocking=False)
        client.close()
        assert service.ended.acquire(timeout=PROMPTLY)


def test_a_wait_for_approval_ends_at_once(platform: Platform, scene: Scene) -> None:
    user = platform.local.create_user(email="silent@example.com", password="correct horse battery")
    waiting = scene.client.access_requests.create(user.memory_key, reason="Plans journeys")
    polled = threading.Semaphore(0)

    def work(_: int) -> None:
        with pytest.raises(ClientClosedError):
            scene.client.access_requests.wait(waiting.id, timeout=None, on_status=lambda _: polled.release())

    crew = Crew(work, size=20)
    crew.start()
    for _ in range(20):
        assert polled.acquire(timeout=PROMPTLY)
    scene.client.close()
    crew.finish()


def test_a_clone_closes_nothing_and_is_closed_with_its_origin(scene: Scene, facts: Facts) -> None:
    clone = scene.client.with_options(timeout=20)
    clone.close()
    assert clone.tags.get(facts.tag_id, user_id=facts.user_id).id == facts.tag_id
    scene.client.close()
    with pytest.raises(ClientClosedError):
        clone.tags.get(facts.tag_id, user_id=facts.user_id)


def test_an_injected_client_stays_open(facts: Facts) -> None:
    with httpx.Client() as http:
        for _ in range(2):
            with Memoram(
                facts.api_key, base_url=facts.api_url, auth_url=facts.auth_url, http_client=http
            ) as client:
                assert client.tags.get(facts.tag_id, user_id=facts.user_id).id == facts.tag_id
        assert not http.is_closed
