"""Whatever happens at any line of a thread that waits for a user, the others hear of their users' decisions.

What can happen to a thread is Ctrl-C, a client that is closed by another thread, and a deadline that has
passed, because its machine was asleep. Time stands still here until somebody lets it pass, so that nobody is
saved by a second look.
"""

from __future__ import annotations

import threading
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from memoram_local.clock import Clock
from memoram_sync import APITimeoutError, ApprovalTimeout, ClientClosedError, Memoram
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.cancellation.at_each_line import interrupt, interrupted, walk
from tests.cancellation.inside import inside
from tests.cancellation.service import PROMPTLY

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from memoram_sync.runtime.bell import Bell

# What an interrupt caught before anybody had a name for it ends when it is collected.
pytestmark = [
    pytest.mark.endurance,
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]

LONG: Final = 700.0
OTHERS: Final = ("others_1", "others_2", "mine")
LONGEST_PAUSE: Final = 18.0
"""Seconds between two looks: 15 and their jitter at most."""
STRIDE: Final = 37
"""Lines between one that is tried and the next; with 1, each test takes a minute or more."""
KEY: Final = "ab" * 32


class PassingRuntime(BlockingRuntime):
    """Lets time pass for the thread that is interrupted, whenever it rests; tells when others do."""

    clock: Clock
    passing: threading.Thread
    resting: threading.Semaphore

    async def sleep(self, seconds: float, *, unless: Bell | None = None) -> None:
        if threading.current_thread() is self.passing:
            self.clock.advance(seconds)
        else:
            self.resting.release()
        await super().sleep(seconds, unless=unless)

    async def wait(self, waiter: Bell, timeout: float) -> bool:
        if timeout and threading.current_thread() is self.passing:
            self.clock.advance(min(timeout, 2.5))
            timeout = min(timeout, 0.05)
        elif timeout:
            self.resting.release()
        return await super().wait(waiter, timeout)


class Users:
    """A service whose users decide when they are told to, and others who begin to wait at the first look.

    It is the HTTP client to it as well: tracing makes each line of httpx slow.
    """

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.clock = Clock(running=False)
        runtime = PassingRuntime(self, clock=self.clock)
        runtime.clock, runtime.passing = self.clock, threading.current_thread()
        runtime.resting = self._resting = threading.Semaphore(0)
        self.client = Memoram("mem_x", base_url="https://api.test", runtime=runtime, max_retries=0)
        self.others: list[Future[Any]] = []
        self.have_begun = False
        self._pool = pool
        self._looks = 0
        self._is_decided = False

    def build_request(self, method: str, url: str, **options: Any) -> tuple[str, str]:
        return method, url

    def send(self, request: tuple[str, str], **options: Any) -> httpx.Response:
        method, url = request
        path = url.partition("?")[0].removeprefix("https://api.test/")
        if path == "auth/token":
            return httpx.Response(200, json={"token": "eyJ.e.s", "expires_at": "2100-01-01T00:00:00Z"})
        self._looks += path.endswith(("mine", "access-requests"))
        if path == "access-requests":
            items = [self._item(each) for each in OTHERS]
            return httpx.Response(200, json={"items": items if method == "GET" else []})
        if path.endswith("credentials"):
            return httpx.Response(200, json={"user_id": "u", "memory_key": "mk", "encryption_key": KEY})
        if not self.have_begun:
            self.begin()
        return httpx.Response(200, json=self._item(path.rpartition("/")[2]))

    def _item(self, request_id: str) -> dict[str, Any]:
        is_mine = request_id == "mine"
        decided = self._is_decided or (is_mine and self._looks > 1)
        return {
            "id": request_id,
            "status": "approved" if decided else "pending",
            "memoryKey": "mk" if is_mine else "another",
        }

    def close(self) -> None:
        """There is nothing to close."""

    def begin(self) -> None:
        """Have others wait, for users of their own and for the one of the thread that is interrupted."""
        self.have_begun = True
        for request_id in OTHERS:
            self.others.append(self._pool.submit(self._wait, request_id))
        for _ in OTHERS:
            assert self._resting.acquire(timeout=PROMPTLY)

    def _wait(self, request_id: str) -> str:
        try:
            return self.client.access_requests.wait(request_id, timeout=None).id
        except ClientClosedError:
            return "closed"
        finally:
            self._resting.release()

    def decide(self) -> None:
        """All users approve, and it is time to look."""
        self._is_decided = True
        self.clock.advance(LONGEST_PAUSE)
        if futures.wait(self.others, 1.0).not_done:
            self.clock.advance(LONGEST_PAUSE)  # a look was under way, and had seen no decision yet

    def close_elsewhere(self) -> None:
        """Close the client in another thread."""
        closing = threading.Thread(target=self.client.close)
        closing.start()
        closing.join()


def wait(users: Users) -> None:
    with suppress(ClientClosedError, ApprovalTimeout, APITimeoutError):
        assert users.client.access_requests.wait("mine", timeout=600).id == "mine"


def connect(users: Users) -> None:
    with suppress(ClientClosedError, ApprovalTimeout, APITimeoutError):
        assert users.client.connect("mk", reason="Plans journeys", timeout=600).user_id == "u"


ACTS: dict[str, Callable[[Users], None]] = {
    "interrupted": lambda users: interrupt(),
    "asleep": lambda users: users.clock.advance(LONG),
    "closed": Users.close_elsewhere,
}


@pytest.mark.parametrize("comes", ["first", "last"])
@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("call", [wait, connect])
def test_whatever_happens_to_one_who_waits_the_others_hear(
    call: Callable[[Users], None], act: str, comes: str
) -> None:
    with ThreadPoolExecutor(len(OTHERS)) as pool:

        def step(at: int) -> str:
            users = Users(pool)
            with users.client:
                if comes == "last":
                    users.begin()
                where = interrupted(lambda: call(users), at, lambda: ACTS[act](users))
                if not users.have_begun:
                    users.begin()
                users.decide()
                heard = [other.result(PROMPTLY) for other in users.others]
                assert heard == [*OTHERS] or (act == "closed" and set(heard) <= {*OTHERS, "closed"}), where
                board = inside(users.client, "_async._family.hub.schedule.board")
                assert (board.tickets, board.under_way) == ({}, {}), where
            return where

        assert walk(step, stride=STRIDE) > 300
