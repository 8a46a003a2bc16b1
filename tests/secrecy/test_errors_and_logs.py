"""No error and no log line shows a secret, whatever the service does."""

from __future__ import annotations

import inspect
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import memoram_async
import memoram_sync
from memoram_async import Attempt, Hooks, MemoramError, Outcome
from tests.secrecy.calls import APPLICATION, CALLS, good
from tests.secrecy.canaries import API_KEY
from tests.secrecy.faults import FAULTS
from tests.secrecy.hunt import listening, shown_by_error, shown_by_object, sightings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    import httpx

    from tests.secrecy.faults import Fault
    from tests.worlds import World

    Call: TypeAlias = Callable[[Any], Awaitable[Any]]

pytestmark = pytest.mark.anyio


class Telling(Hooks):
    """Hooks that keep what they are told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def before_request(self, attempt: Attempt) -> None:
        self.told.append(attempt)

    def after_response(self, attempt: Attempt, outcome: Outcome) -> None:
        self.told.append(outcome)

    def on_retry(self, attempt: Attempt, outcome: Outcome, delay: float) -> None:
        self.told.append(delay)


def told(hooks: Telling) -> Iterator[tuple[str, str]]:
    """What hooks were told, in all its parts."""
    for each in hooks.told:
        yield f"hooks were told {type(each).__name__}", repr(each)


async def outcome_of(call: Awaitable[Any]) -> Any:
    """What a call answers or raises."""
    try:
        return await call
    except MemoramError as error:
        return error


def shown_by(thing: Any) -> Iterator[tuple[str, str]]:
    """All that an answer or error shows."""
    return shown_by_error(thing) if isinstance(thing, BaseException) else shown_by_object(thing)


def after_token(fault: Fault) -> Fault:
    """A service that exchanges keys, and fails at everything else."""
    return lambda request: good(request) if request.url.path.endswith("/auth/token") else fault(request)


class Troubled:
    """A service at which things go wrong in one way, and then in another."""

    def __init__(self) -> None:
        self.fault: Fault = good

    def __call__(self, request: httpx.Request) -> httpx.Response:
        return self.fault(request)


async def hunt(world: World, faults: Mapping[str, Fault], call: Call) -> dict[str, list[str]]:
    """What one call shows under each of the faults that one client meets, and at its end."""
    service, hooks = Troubled(), Telling()
    seen: dict[str, list[str]] = {}
    async with world.client(service, api_key=API_KEY, hooks=hooks, **APPLICATION) as client:
        for name, fault in faults.items():
            service.fault = fault
            hooks.told.clear()
            with listening() as ear:
                shown = list(shown_by(await outcome_of(call(client))))
            seen[name] = sightings(chain(shown, told(hooks), ear.heard))
        with listening() as ear:
            await client.aclose()
    seen["closing"] = sightings(ear.heard)
    return {name: found for name, found in seen.items() if found}


@pytest.mark.endurance
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_no_fault_makes_a_call_show_a_secret(world: World, call: Call) -> None:
    assert await hunt(world, {name: after_token(fault) for name, fault in FAULTS.items()}, call) == {}


async def test_no_fault_of_the_token_exchange_shows_a_secret(world: World) -> None:
    for name, fault in FAULTS.items():  # each meets a client that has no token yet
        assert await hunt(world, {name: fault}, CALLS["tags.get"]) == {}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
async def test_no_call_that_goes_well_shows_a_secret(world: World, call: Call) -> None:
    assert await hunt(world, {"none": good}, call) == {}


async def test_the_faults_provoke_every_error_that_an_answer_can(world: World) -> None:
    provoked: set[type] = set()
    service = Troubled()
    async with world.client(service, api_key=API_KEY, **APPLICATION) as client:
        for name in (
            "connect",
            "connections.store",
            "store.get",
            "store.create",
            "memory_blobs.list",
            "oauth.refresh",
        ):
            for fault in FAULTS.values():
                service.fault = after_token(fault)
                outcome: object = await outcome_of(CALLS[name](client))
                provoked.add(type(outcome))
    of_answers = {
        memoram_async.APIConnectionError,
        memoram_async.APIStatusError,
        memoram_async.APIResponseError,
        memoram_async.AccessError,
        memoram_async.DecryptionError,
        memoram_async.PaginationError,
    }
    others = {
        memoram_async.ContentTooLargeError,  # these two are the codecs', which have tests of their own
        memoram_async.PlaintextDecodeError,
    }
    of_memoram = {kind for kind in all_below(*of_answers) if kind.__module__ == MemoramError.__module__}
    missing = of_memoram - provoked - others
    assert {kind.__name__ for kind in missing} == {"AccessError", "DecryptionError"}  # which are abstract


def all_below(*kinds: type) -> set[type]:
    """The classes and those that derive from them."""
    return set(kinds).union(*(all_below(*kind.__subclasses__()) for kind in kinds))


def test_every_public_method_that_sends_is_called() -> None:
    kinds = {
        "": memoram_sync.Memoram,
        "access_requests.": memoram_sync.AccessRequests,
        "memory_blobs.": memoram_sync.MemoryBlobs,
        "tags.": memoram_sync.Tags,
        "oauth.": memoram_sync.OAuth,
        "flow.": memoram_sync.OAuthFlow,
        "store.": memoram_sync.MemoryStore,
        "connections.": memoram_sync.Connections,
        "pager.": memoram_sync.Pager,
    }
    methods = {
        prefix + name
        for prefix, kind in kinds.items()
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    silent = {
        "open",
        "close",
        "connections",
        "connections.close",
        "with_options",
        "oauth.begin",
        "access_requests.watch",
        "oauth.restore",
        "flow.seal",
        "store.close",
    }
    assert methods - silent == CALLS.keys()
