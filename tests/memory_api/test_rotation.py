# pyright: reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false
# The calls of its tables are lambdas on clients of three worlds, whose types they cannot name.
"""Rotating a key: in order, safe at every step, and clear about which keys are alive."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import pytest

from memoram_async.memory_api import InsufficientScopeError, RotationError
from tests.memory_api.answers import ACCOUNT, KEY, LISTED_KEY, NEW_KEY, good, refused
from tests.worlds import failure

if TYPE_CHECKING:
    from tests.worlds import World

pytestmark = pytest.mark.anyio

SUCCESSOR = str(NEW_KEY["key"])
OTHER = {**LISTED_KEY, "id": "key_9", "key_prefix": "mem_live_other"}


@attrs.define
class Keyring:
    """A service that answers each step of a rotation from a script, and remembers who asked for what."""

    listed: Any = attrs.field(factory=lambda: [LISTED_KEY, OTHER])
    create: httpx.Response | Exception = attrs.field(factory=lambda: good(NEW_KEY, status=201))
    prove: httpx.Response | Exception = attrs.field(factory=lambda: good(ACCOUNT))
    revoke: httpx.Response | Exception = attrs.field(factory=lambda: good({}))
    own: httpx.Response | Exception = attrs.field(factory=lambda: good(ACCOUNT))
    asked: list[tuple[str, str, str]] = attrs.field(factory=list[tuple[str, str, str]])
    bodies: list[bytes] = attrs.field(factory=list[bytes])

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        key = request.headers["authorization"].removeprefix("Bearer ")
        self.asked.append((request.method, request.url.path.removeprefix("/v1"), key))
        answer = self._answer(request, key)
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _answer(self, request: httpx.Request, key: str) -> httpx.Response | Exception:
        match request.method, request.url.path:
            case "POST", _:
                self.bodies.append(request.content)
                return self.create
            case "DELETE", _:
                return self.revoke
            case _, "/v1/account":
                return self.prove if key == SUCCESSOR else self.own
            case _:
                return good(self.listed) if isinstance(self.listed, list) else self.listed


async def test_the_successor_is_proven_before_the_old_key_is_revoked(world: World) -> None:
    service = Keyring()
    async with world.memory_api(service) as api:
        new = await api.account.api_keys.rotate("key_1", expires_in_days=90)

    assert new.key.reveal() == SUCCESSOR
    assert service.asked == [
        ("GET", "/account/api-keys", KEY),
        ("POST", "/account/api-keys", KEY),
        ("GET", "/account", SUCCESSOR),
        ("DELETE", "/account/api-keys/key_1", SUCCESSOR),
    ]
    assert service.bodies == [
        b'{"scopes":["read","admin"],"name":"Default Key","environment":"live","expires_in_days":90}'
    ]


async def test_the_client_and_its_clones_go_on_with_the_successor_of_their_own_key(world: World) -> None:
    service = Keyring()
    async with world.memory_api(service) as api:
        clone = api.with_options(timeout=5)
        await api.account.api_keys.rotate("key_1")
        await api.account.get()
        await clone.account.get()

    assert [key for *_, key in service.asked[-2:]] == [SUCCESSOR, SUCCESSOR]


async def test_another_key_is_rotated_without_a_change_to_the_client(world: World) -> None:
    service = Keyring()
    async with world.memory_api(service) as api:
        await api.account.api_keys.rotate("key_9")
        await api.account.get()

    assert service.asked[-2:] == [("DELETE", "/account/api-keys/key_9", KEY), ("GET", "/account", KEY)]


@pytest.mark.parametrize(
    ("own", "goes_on_with"), [(good(ACCOUNT), KEY), (refused(401, "API_KEY_DISABLED"), SUCCESSOR)]
)
async def test_where_prefixes_do_not_tell_the_client_tries_its_key(
    world: World, own: httpx.Response, goes_on_with: str
) -> None:
    alike = {**OTHER, "key_prefix": "mem_live_..."}
    service = Keyring(listed=[LISTED_KEY, alike], own=own)
    async with world.memory_api(service) as api:
        await api.account.api_keys.rotate("key_1")
        service.own = good(ACCOUNT)
        await api.account.get()

    assert service.asked[-1] == ("GET", "/account", goes_on_with)


async def test_a_key_that_may_not_read_the_account_works_all_the_same(world: World) -> None:
    service = Keyring(prove=refused(403, "INSUFFICIENT_PERMISSIONS"))
    async with world.memory_api(service) as api:
        new = await api.account.api_keys.rotate("key_1")

    assert new.id == "key_2"
    assert service.asked[-1][0] == "DELETE"


async def test_an_old_key_that_is_gone_meanwhile_is_no_failure(world: World) -> None:
    service = Keyring(revoke=refused(404, "API_KEY_NOT_FOUND"))
    async with world.memory_api(service) as api:
        assert (await api.account.api_keys.rotate("key_1")).id == "key_2"


FAILURES: list[tuple[str, dict[str, Any], tuple[str, ...], bool, list[str]]] = [
    ("no such key", {"listed": [OTHER]}, ("key_9",), False, ["GET"]),
    ("revoked before", {"listed": [{**LISTED_KEY, "is_active": False}]}, (), False, ["GET"]),
    ("scopes unknown", {"listed": [{**LISTED_KEY, "scopes": []}]}, ("key_1",), False, ["GET"]),
    ("not created", {"create": refused(400, "VALIDATION_ERROR")}, ("key_1",), False, ["GET", "POST"]),
    ("answer lost", {"create": httpx.ReadError("gone")}, ("key_1",), False, ["GET", "POST"]),
    ("refused", {"prove": refused(401, "INVALID_API_KEY")}, ("key_1",), True, ["GET", "POST", "GET"]),
    (
        "not proven",
        {"prove": refused(404, "ORGANIZATION_NOT_FOUND")},
        ("key_1", "key_2"),
        True,
        ["GET", "POST", "GET"],
    ),
    (
        "no answer to the proof",
        {"prove": httpx.ConnectError("gone")},
        ("key_1", "key_2"),
        True,
        ["GET", "POST", "GET", "GET", "GET"],
    ),
    (
        "revoking is refused",
        {"revoke": refused(403, "INSUFFICIENT_PERMISSIONS")},
        ("key_1", "key_2"),
        True,
        ["GET", "POST", "GET", "DELETE"],
    ),
    (
        "not known whether the client used it",
        {
            "listed": [LISTED_KEY, {**OTHER, "key_prefix": "mem_live_..."}],
            "own": refused(404, "ORGANIZATION_NOT_FOUND"),
        },
        ("key_2",),
        True,
        ["GET", "POST", "GET", "DELETE", "GET"],
    ),
    (
        "not revoked",
        {"revoke": httpx.ReadError("gone")},
        ("key_1", "key_2"),
        True,
        ["GET", "POST", "GET", "DELETE"],
    ),
]


@pytest.mark.parametrize(
    ("script", "alive", "has_new", "methods"),
    [each[1:] for each in FAILURES],
    ids=[each[0] for each in FAILURES],
)
async def test_a_failure_stops_it_and_names_the_keys_that_are_alive(
    world: World, script: dict[str, Any], alive: tuple[str, ...], has_new: bool, methods: list[str]
) -> None:
    service = Keyring(**script)
    async with world.memory_api(service) as api:
        error = await failure(api.account.api_keys.rotate("key_1"), RotationError)

    assert error.alive == alive
    assert (error.new_key is not None) is has_new
    assert [method for method, *_ in service.asked] == methods
    assert SUCCESSOR not in f"{error} {error!r} {vars(error)}"
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (copy.alive, copy.new_key) == (alive, None)


async def test_a_key_without_the_scope_fails_before_anything_is_changed(world: World) -> None:
    service = Keyring(listed=refused(403, "INSUFFICIENT_PERMISSIONS"))
    async with world.memory_api(service) as api:
        error = await failure(api.account.api_keys.rotate("key_1"), InsufficientScopeError)

    assert error.scope == "admin"
    assert len(service.asked) == 1


async def test_an_interrupted_rotation_leaves_no_key_that_nobody_knows(world: World) -> None:
    class Interrupted(BaseException):
        """What a cancellation or a key press looks like from inside."""

    service = Keyring()

    def interrupting(request: httpx.Request) -> httpx.Response:
        if request.headers["authorization"].endswith(SUCCESSOR):
            raise Interrupted
        return service(request)

    async with world.memory_api(interrupting) as api:
        with pytest.raises(Interrupted):
            await api.account.api_keys.rotate("key_1")

    assert service.asked[-1] == ("DELETE", "/account/api-keys/key_2", KEY)
