"""A store that fails, hangs or is no store: calls go on without it."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import memoram_async.tokens.shared
from memoram_async import AuthenticationError, ConfigurationError, MemoryTokenStore
from memoram_async.core.shared_token import STORE_PAUSE_SECONDS, STORE_SECONDS
from tests.tokens.store.issuer import LIFETIME, OPERATIONS, Scene
from tests.worlds import API_KEY, World, failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.anyio

CANARY = "canary-of-the-store"


class UserError(Exception):
    """Whatever a store of somebody else raises."""


def fail() -> None:
    raise UserError(CANARY)


@pytest.fixture(autouse=True)
def every_line(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.DEBUG):
        yield


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("operation", ["get", "lease", "put", "release"])
async def test_a_call_succeeds_while_the_store_fails(
    scene: Scene, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    scene.store.before[operation] = fail
    client = scene.client()
    assert await scene.call(client) == "token-1"
    scene.time.pass_by(LIFETIME)
    assert await scene.call(client) == "token-2"
    assert set(warnings(caplog)) == {
        "the token store is down (UserError): until it answers, this process exchanges the API key by itself"
    }


async def test_a_call_succeeds_while_a_refused_token_cannot_be_discarded(scene: Scene) -> None:
    scene.put("revoked")
    scene.issuer.refused = {"revoked"}
    scene.store.before["discard"] = fail
    client = scene.client()
    assert await scene.call(client) == "token-1"
    scene.time.pass_by(LIFETIME)
    scene.put("revoked")
    assert await scene.call(client) == "token-2"
    assert scene.issuer.came_with == ["revoked", "token-1", "token-2"]


async def test_a_store_that_is_down_is_told_of_once(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    scene.store.before["get"] = fail
    client = scene.client()
    for _ in range(3):
        await scene.call(client)
        scene.time.pass_by(LIFETIME)
    assert scene.store.asked == ["get", "get", "get"]
    assert len(warnings(caplog)) == 1


async def test_a_store_that_is_down_is_left_alone_for_a_while(scene: Scene) -> None:
    scene.issuer.lifetime = 2
    scene.store.before["get"] = fail
    client = scene.client()
    for _ in range(5):
        await scene.call(client)
        scene.time.pass_by(STORE_PAUSE_SECONDS / 5)
    assert scene.store.asked == ["get"]
    scene.time.pass_by(STORE_PAUSE_SECONDS)
    await scene.call(client)
    assert scene.store.asked == ["get", "get"]


async def test_a_store_that_answers_again_is_used_again(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.store.before["get"] = fail
    client = scene.client()
    await scene.call(client)
    del scene.store.before["get"]
    scene.time.pass_by(LIFETIME)
    assert await scene.call(client) == "token-2"
    assert await scene.call(scene.client()) == "token-2"
    assert [line for line in caplog.messages if line == "the token store answers again"]


async def test_a_lease_is_given_back_though_the_put_failed(scene: Scene) -> None:
    scene.store.before["put"] = fail
    await scene.call(scene.client())
    assert not scene.is_leased()


async def test_a_slow_store_counts_as_down_afterwards(scene: Scene, caplog: pytest.LogCaptureFixture) -> None:
    """A thread cannot be stopped, but it need not be slow twice."""
    scene.put("theirs", age=LIFETIME - 10)
    scene.store.before["get"] = lambda: scene.time.pass_by(STORE_SECONDS + 0.1)
    assert await scene.call(scene.client()) == "token-1"
    assert "the token store is down (slow)" in warnings(caplog)[0]


async def test_a_token_from_a_slow_store_is_used(scene: Scene) -> None:
    scene.put("theirs")
    scene.store.before["get"] = lambda: scene.time.pass_by(STORE_SECONDS + 0.1)
    assert await scene.call(scene.client()) == "theirs"


@pytest.mark.parametrize("world", ["asyncio", "trio"], indirect=True)
async def test_a_store_that_hangs_is_not_waited_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(memoram_async.tokens.shared, "STORE_SECONDS", 0.05)
    answers = threading.Event()
    scene.store.before["get"] = answers.wait
    try:
        assert await scene.call(scene.client()) == "token-1"
    finally:
        answers.set()
    assert "the token store is down (APITimeoutError)" in warnings(caplog)[0]


# --- secrets -----------------------------------------------------------------------------------


async def test_no_log_line_shows_what_a_store_raises_or_holds(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    client = scene.client()
    for operation in OPERATIONS:
        scene.store.before = {operation: fail}
        scene.issuer.refused.update(scene.issuer.came_with)
        scene.time.pass_by(LIFETIME)
        await scene.call(client)
    shown = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    assert "the token store" in shown
    for secret in (CANARY, API_KEY, "token-1"):
        assert secret not in shown


async def test_no_error_shows_what_a_store_raises_or_holds(scene: Scene) -> None:
    scene.put("token-canary", age=LIFETIME - 1)
    scene.store.before["put"] = fail
    scene.issuer.fault = httpx.Response(401, json={})
    client = scene.client()
    scene.issuer.refused = {"token-canary"}
    error = await failure(client.request("GET", "/ping"), AuthenticationError)
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "memoram_async" in frame.filename]
    shown = f"{error} {error!r} {[frame.locals for frame in frames]}"
    assert frames
    for secret in (CANARY, API_KEY, "token-canary"):
        assert secret not in shown


# --- what is no store --------------------------------------------------------------------------


class Coroutines(MemoryTokenStore):
    async def put(self, name: str, value: bytes, ttl: float) -> None:  # type: ignore[override] # pyright: ignore[reportIncompatibleMethodOverride]
        """Suspends."""


@pytest.mark.parametrize(
    ("store", "culprit"),
    [(object(), "object.get"), (Coroutines(), "Coroutines.put"), ("redis://", "str.get")],
)
async def test_what_is_no_store_is_refused_at_once(world: World, store: Any, culprit: str) -> None:
    with pytest.raises(ConfigurationError, match=f"blocking methods .*{culprit} is not one"):
        Scene(world).client(token_store=store)


async def test_without_a_store_each_client_exchanges_for_itself(scene: Scene) -> None:
    for _ in range(2):
        await scene.call(scene.world.client(scene.issuer, time=scene.time))
    assert scene.issuer.exchanges == 2


# --- a store that misbehaves -------------------------------------------------------------------


async def nobody_awaits() -> None:
    """What an async store answers under a plain name."""


ODD_ANSWERS: dict[str, Callable[[], Any]] = {
    "text": lambda: "value",
    "a number": lambda: 7,
    "a list": lambda: [b"value"],
    "an object": object,
    "a coroutine": nobody_awaits,
    "bytes of another kind": lambda: bytearray(b"v1."),
}


class Odd(MemoryTokenStore):
    """Answers one operation in its own way."""

    def __init__(self, operation: str, answer: Callable[[], Any]) -> None:
        super().__init__()

        def answer_oddly(*_: object) -> Any:
            return answer()

        setattr(self, operation, answer_oddly)


@pytest.mark.parametrize("answer", ODD_ANSWERS.values(), ids=ODD_ANSWERS.keys())
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_store_that_answers_other_types_fails_no_call(
    scene: Scene, operation: str, answer: Callable[[], Any]
) -> None:
    client = scene.client(token_store=Odd(operation, answer))
    assert await scene.call(client) == "token-1"
    scene.time.pass_by(LIFETIME)
    assert await scene.call(client) == "token-2"


async def test_what_it_answered_is_logged_by_its_type_alone(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    await scene.call(scene.client(token_store=Odd("get", lambda: CANARY)))
    assert [text for text in warnings(caplog) if "(it answered str)" in text]
    assert CANARY not in caplog.text


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, BaseException, StopIteration])
@pytest.mark.parametrize("operation", ["get", "lease", "put", "release"])
async def test_whatever_a_store_raises_fails_no_call(
    scene: Scene, operation: str, error: type[BaseException]
) -> None:
    def fail_oddly() -> None:
        raise error

    scene.store.before[operation] = fail_oddly
    assert await scene.call(scene.client()) == "token-1"
