"""Writes whose answer is lost: never carried out twice, and never lost in silence."""

from __future__ import annotations

import random
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import pytest

from memoram_async import (
    AccessCredentials,
    InvalidArgumentError,
    MemoramError,
    OutcomeUnknownError,
    Secret,
    ServerError,
)
from tests.transport.retries.ledger import UNREADABLE, Ledger
from tests.worlds import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.worlds import World

pytestmark = pytest.mark.anyio

ROUNDS: Final = 334
"""How often an answer is lost to each write in each of the three worlds: a thousand times and more in all."""

CREDENTIALS = AccessCredentials(
    user_id="u", memory_key=Secret("mk"), encryption_key=Secret("c0ffee" * 10 + "abcd"), key_version=1
)

# Each write of the SDK, with the mark by which the service tells it from others.
WRITES: dict[str, Callable[[Any, str], Any]] = {
    "access_requests.create": lambda client, mark: client.access_requests.create("mk", reason=mark),
    "memory_blobs.create": lambda client, mark: client.memory_blobs.create(
        user_id="u", memory_key="mk", content="x", title=mark
    ),
    "memory_blobs.update": lambda client, mark: client.memory_blobs.update(
        "mem_1", user_id="u", memory_key="mk", content="x", title=mark
    ),
    "memory_blobs.delete": lambda client, mark: client.memory_blobs.delete(mark, user_id="u"),
    "store.create": lambda client, mark: client.open(CREDENTIALS).create("x", title=mark),
    "store.update": lambda client, mark: client.open(CREDENTIALS).update("mem_1", title=mark),
    "store.delete": lambda client, mark: client.open(CREDENTIALS).delete(mark),
    "request": lambda client, mark: client.request("PUT", "/notes", json={"title": mark}),
}


async def learn(client: Any) -> None:
    """Each write once, going well, by which the client learns where the service honours keys."""
    for write in WRITES.values():
        await write(client, "first")


@pytest.mark.endurance
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_without_keys_that_the_service_honours_a_lost_answer_is_told(
    world: World, write: Callable[[Any, str], Any]
) -> None:
    ledger = Ledger(idempotent=False)
    async with world.client(ledger) as client:
        await learn(client)
        ledger.fault = lambda: "lost after"
        for number in range(ROUNDS):
            with pytest.raises(OutcomeUnknownError, match="read the resource back"):
                await write(client, f"mark{number}")
    del ledger.done["first"], ledger.keys["first"]
    assert len(ledger.done) == ROUNDS
    assert set(ledger.done.values()) == {1}
    assert {len(keys) for keys in ledger.keys.values()} == {1}


@pytest.mark.endurance
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
async def test_with_keys_that_the_service_honours_a_lost_answer_is_given_again(
    world: World, write: Callable[[Any, str], Any]
) -> None:
    ledger = Ledger(idempotent=True)
    faults = count()
    async with world.client(ledger) as client:
        await learn(client)
        ledger.fault = lambda: "ok" if next(faults) % 2 else "lost after"
        for number in range(ROUNDS):
            await write(client, f"mark{number}")
    del ledger.done["first"]
    assert len(ledger.done) == ROUNDS
    assert set(ledger.done.values()) == {1}
    sent = [keys for mark, keys in ledger.keys.items() if mark != "first"]
    assert {(len(keys), len(set(keys))) for keys in sent} == {(2, 1)}
    assert len({keys[0] for keys in sent}) == ROUNDS


async def test_a_key_that_was_never_acknowledged_is_not_relied_on(world: World) -> None:
    ledger = Ledger(idempotent=True, fault=lambda: "lost after")
    async with world.client(ledger) as client:
        with pytest.raises(OutcomeUnknownError):
            await WRITES["store.create"](client, "mark")
    assert ledger.done == {"mark": 1}
    assert len(ledger.keys["mark"]) == 1


async def test_a_service_that_stops_honouring_keys_is_not_relied_on_any_more(world: World) -> None:
    ledger = Ledger(idempotent=True)
    async with world.client(ledger) as client:
        await learn(client)
        ledger.idempotent = False
        await learn(client)
        ledger.fault = lambda: "lost after"
        with pytest.raises(OutcomeUnknownError):
            await WRITES["store.create"](client, "mark")
    assert ledger.done["mark"] == 1


READ: Final = [name for name in WRITES if not name.endswith("delete") and name != "request"]
"""Writes whose answer the SDK reads."""


@pytest.mark.parametrize("fault", [*UNREADABLE, "gateway after"])
@pytest.mark.parametrize("write", READ)
async def test_an_answer_that_cannot_be_read_leaves_the_outcome_open_and_says_so(
    world: World, write: str, fault: str
) -> None:
    ledger = Ledger(idempotent=False)
    async with world.client(ledger) as client:
        await learn(client)
        ledger.fault = lambda: fault
        error = await failure(WRITES[write](client, "mark"), MemoramError)
    assert "may or may not have been carried out; read the resource back" in str(error)
    assert isinstance(error, ServerError if fault == "gateway after" else OutcomeUnknownError)
    assert (ledger.done["mark"], len(ledger.keys["mark"])) == (1, 1)


@pytest.mark.parametrize("fault", [*UNREADABLE, "gateway after"])
@pytest.mark.parametrize("write", READ)
async def test_where_keys_are_honoured_it_is_given_again(world: World, write: str, fault: str) -> None:
    ledger = Ledger(idempotent=True)
    faults = iter([fault])
    async with world.client(ledger) as client:
        await learn(client)
        ledger.fault = lambda: next(faults, "ok")
        answer = await WRITES[write](client, "mark")
    assert (answer.info.attempts, answer.info.replayed) == (2, True)
    assert (ledger.done["mark"], len(ledger.keys["mark"])) == (1, 2)


@pytest.mark.parametrize("seen", READ)
async def test_what_is_learnt_of_keys_holds_for_the_operation_it_was_seen_on(world: World, seen: str) -> None:
    ledger = Ledger(idempotent=True)
    same = {"store.create": "memory_blobs.create", "store.update": "memory_blobs.update"}
    other = next(name for name in READ if same.get(name, name) != same.get(seen, seen))
    async with world.client(ledger) as client:
        await WRITES[seen](client, "first")
        ledger.fault = lambda: "lost after"
        with pytest.raises(OutcomeUnknownError):
            await WRITES[other](client, "mark")
    assert len(ledger.keys["mark"]) == 1


_OWN: Final = {"idempotency_key": "outbox-7"}
_BLOB: Final = {"user_id": "u", "memory_key": "mk", "content": "x", "title": "mark"}
WITH_A_KEY: dict[str, Callable[[Any], Any]] = {
    "store.create": lambda client: client.open(CREDENTIALS).create("x", title="mark", **_OWN),
    "store.update": lambda client: client.open(CREDENTIALS).update("b", title="mark", **_OWN),
    "memory_blobs.create": lambda client: client.memory_blobs.create(**_BLOB, **_OWN),
    "memory_blobs.update": lambda client: client.memory_blobs.update("b", **_BLOB, **_OWN),
    "access_requests.create": lambda client: client.access_requests.create("mk", reason="mark", **_OWN),
    "memory_blobs.delete": lambda client: client.memory_blobs.delete("mark", user_id="u", **_OWN),
    "store.delete": lambda client: client.open(CREDENTIALS).delete("mark", **_OWN),
    "request": lambda client: client.request("PUT", "/notes", json={"title": "mark"}, **_OWN),
}


def test_every_write_takes_a_key() -> None:
    assert WITH_A_KEY.keys() == WRITES.keys()


@pytest.mark.parametrize("write", WITH_A_KEY)
async def test_a_caller_may_bring_a_key_of_its_own(world: World, write: str) -> None:
    ledger = Ledger(idempotent=True)
    async with world.client(ledger) as client:
        await WITH_A_KEY[write](client)
    assert ledger.keys["mark"] == ["outbox-7"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_a_key_for_a_request_that_writes_nothing_is_refused(world: World, method: str) -> None:
    async with world.client(Ledger(idempotent=True)) as client:
        with pytest.raises(InvalidArgumentError, match=f"a request that writes, which {method} is not"):
            await client.request(method, "/notes", **_OWN)


@pytest.mark.parametrize("key", ["", "a b", "a\n", "k" * 256, 7, b"key", Secret("key")], ids=repr)
async def test_a_key_that_no_header_can_carry_is_refused(world: World, key: Any) -> None:
    ledger = Ledger(idempotent=True)
    async with world.client(ledger) as client:
        with pytest.raises(InvalidArgumentError, match="idempotency_key must be a string of 1 to 255"):
            await client.open(CREDENTIALS).create("x", idempotency_key=key)
    assert not ledger.keys


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.endurance) for seed in range(1, 4))]
)
async def test_whatever_becomes_of_requests_errors_tell_the_truth(
    world: World, idempotent: bool, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    kinds = ["ok", "lost", "unreachable", "503", "429", "500", "502", "504", "408", "401", "403", "409"]
    kinds += ["gateway", *UNREADABLE]
    ledger = Ledger(idempotent=idempotent)
    outcomes: dict[str, MemoramError | None] = {}

    def fault() -> str:
        kind = draw.choice(kinds)
        # What says that nothing was done comes before; what leaves it open, whenever it likes.
        says_not_done = kind in {"unreachable", "503", "429", "401", "403", "409"}
        return (
            kind
            if kind == "ok" or kind in UNREADABLE
            else f"{kind} {'before' if says_not_done else draw.choice(['before', 'after'])}"
        )

    async with world.client(ledger) as client:
        await learn(client)
        ledger.fault = fault
        for number in range(250):
            mark = f"mark{number}"
            try:
                await draw.choice(list(WRITES.values()))(client, mark)
            except MemoramError as error:
                outcomes[mark] = error
            else:
                outcomes[mark] = None
    for mark, outcome in outcomes.items():
        if outcome is None:
            assert ledger.done[mark] == 1
        elif "may or may not have been carried out" in str(outcome):
            assert ledger.done[mark] <= 1
        else:
            assert ledger.done[mark] == 0, outcome
    assert None in outcomes.values()
    assert any(isinstance(outcome, OutcomeUnknownError) for outcome in outcomes.values())
