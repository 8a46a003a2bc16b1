"""Every public class and function, with arguments of every wrong type; what is not tried is named."""

from __future__ import annotations

import enum
import inspect
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest
import redis
from keyring.backends import null

import memoram_async
import memoram_async.crypto
import memoram_sync
from memoram_async import (
    FernetCodec,
    InvalidArgumentError,
    Keyring,
    KeyringKeyStore,
    MemoramError,
    MemoryGrantStore,
    MemoryKeyStore,
    MemoryTokenStore,
    NodeGcmBase64,
    NodeGcmHex,
    RedisGrantStore,
    RedisTokenStore,
    Secret,
    SQLGrantStore,
    StoreOptions,
)
from memoram_async.crypto import (
    CodecRegistry,
    ContentReader,
    EncryptionKey,
    JweCodec,
    classify,
    decrypt,
    encrypt,
)
from memoram_async.runtime.anyio_runtime import AnyioRuntime
from memoram_sync.runtime.blocking_runtime import BlockingRuntime
from tests.arguments.wrong_values import KEY, WRONG

if TYPE_CHECKING:
    from collections.abc import Callable

PACKAGES: Final = (memoram_async, memoram_sync, memoram_async.crypto)

MADE_BY_CLIENTS: Final = {
    *("AccessRequests", "MemoryBlobs", "Tags", "OAuth", "OAuthFlow", "MemoryStore", "ApprovalWatch"),
    "Connections",
    *("Pager", "PageIterator", "ItemIterator", "ReadAhead"),
}
"""Their methods are in `test_wrong_types`, and clients in `SETTINGS` there; nobody else makes them."""

ELSEWHERE: Final = {
    "Memoram": "test_wrong_types",
    "MemoryAPI": "test_memory_api",
    "Hooks": "what users override; their answers are in the tests of hooks",
    "Secret": "wraps whatever it is given, so that no check shows it; it is refused where it is used",
    "HTTPResponse": "what a client answers",
}

FORMAT_LAYER: Final = {"Keyring.select", "Keyring.known", "Keyring.remember", "EncryptionKey.material"}
"""What the reading of tokens alone calls, with things that are not public."""

_KEY: Final = EncryptionKey.from_hex(KEY, version=1)
_RING: Final = Keyring(_KEY)
_TOKEN: Final = encrypt(_KEY, "hello")
_READ: Final = {"keyring": _RING, "text": _TOKEN, "field": "content"}
_RUNTIME: Final = {"http_client": None, "max_connections": 3, "trust_env": True, "clock": None}
_REDIS: Final = {"url": "redis://127.0.0.1:1/0", "prefix": "p", "timeout": 1.0}


_KEYRING: Final[Any] = null.Keyring()  # type: ignore[no-untyped-call]


class NothingKept:
    """A Redis client whose server forgets everything."""

    def get(self, name: str) -> None: ...

    def set(self, name: str, value: str, *, px: int, nx: bool = False) -> None: ...

    def eval(self, script: str, numkeys: int, *keys_and_args: str) -> None: ...

    def close(self) -> None: ...


def _clock() -> float:
    return 1.0


def _bytes(count: int) -> bytes:
    return b"r" * count


def _ring(keys: Any, user_id: Any) -> Keyring:
    """What takes several of something, called with one."""
    return Keyring(keys, user_id=user_id)


def _registry(codecs: Any, allow_unauthenticated: Any) -> CodecRegistry:
    return CodecRegistry(codecs, allow_unauthenticated=allow_unauthenticated)


CALLS: Final[dict[str, tuple[Callable[..., Any], dict[str, Any]]]] = {
    "EncryptionKey": (EncryptionKey, {"material": b"k" * 32, "version": 1}),
    "EncryptionKey.from_hex": (EncryptionKey.from_hex, {"value": KEY, "version": 1}),
    "EncryptionKey.header": (_KEY.header, {"field": "content", "key_wrap": False, "subject": None}),
    "EncryptionKey.sealing": (_KEY.sealing, {"field": "content"}),
    "EncryptionKey.same_key": (_KEY.same_key, {"other": _KEY}),
    "Keyring": (_ring, {"keys": _KEY, "user_id": "u"}),
    "Keyring.get": (_RING.get, {"version": 1}),
    "Keyring.with_key": (_RING.with_key, {"key": _KEY}),
    "encrypt": (
        encrypt,
        {
            "key": _KEY,
            "plaintext": "x",
            "field": "content",
            "random": _bytes,
            "max_bytes": 10,
            "key_wrap": False,
            "user_id": "u",
        },
    ),
    "decrypt": (
        decrypt,
        {
            "keyring": _RING,
            "token": _TOKEN,
            "field": "content",
            "require_binding": False,
            "try_all_versions": False,
            "max_chars": 1000,
        },
    ),
    "StoreOptions": (
        StoreOptions,
        {name: getattr(StoreOptions(), name) for name in inspect.signature(StoreOptions).parameters},
    ),
    "CodecRegistry": (
        _registry,
        {"codecs": "fernet", "allow_unauthenticated": False},
    ),
    "CodecRegistry.read": (
        CodecRegistry().read,
        {**_READ, "policy": "encrypted-only", "require_binding": False},
    ),
    "ContentReader": (ContentReader, {"options": StoreOptions()}),
    "ContentReader.quick": (ContentReader(StoreOptions()).quick, {"keyring": _RING}),
    "ContentReader.read": (ContentReader(StoreOptions()).read, {"keyring": _RING, "text": _TOKEN}),
    "JweCodec": (JweCodec, {"max_chars": 10, "try_all_versions": True}),
    "NodeGcmHex": (NodeGcmHex, {"key_encoding": "bytes"}),
    "NodeGcmBase64": (NodeGcmBase64, {"key_encoding": "bytes"}),
    "FernetCodec": (FernetCodec, {}),
    **{
        f"{type(codec).__name__}.{method}": (getattr(codec, method), arguments)
        for codec in (JweCodec(), FernetCodec(), NodeGcmHex(), NodeGcmBase64())
        for method, arguments in (("detect", {"text": _TOKEN}), ("decrypt", _READ))
    },
    "classify": (classify, {"text": _TOKEN}),
    "MemoryTokenStore": (MemoryTokenStore, {"clock": _clock}),
    **{
        f"{type(store).__name__}.{method}": (getattr(store, method), arguments)
        for store in (MemoryTokenStore(), RedisTokenStore(NothingKept()))
        for method, arguments in (
            ("get", {"name": "n"}),
            ("put", {"name": "n", "value": b"v", "ttl": 1.0}),
            ("discard", {"name": "n", "value": b"v"}),
            ("lease", {"name": "n", "owner": "o", "ttl": 1.0}),
            ("release", {"name": "n", "owner": "o"}),
        )
    },
    "MemoryKeyStore": (MemoryKeyStore, {}),
    "MemoryKeyStore.load": (MemoryKeyStore().load, {"user_id": "u", "version": 1}),
    "MemoryKeyStore.save": (MemoryKeyStore().save, {"user_id": "u", "version": 1, "key": Secret("k")}),
    "KeyringKeyStore": (KeyringKeyStore, {"service": "s", "backend": _KEYRING}),
    "KeyringKeyStore.load": (KeyringKeyStore(backend=_KEYRING).load, {"user_id": "u", "version": 1}),
    "KeyringKeyStore.save": (
        KeyringKeyStore(backend=_KEYRING).save,
        {"user_id": "u", "version": 1, "key": Secret("k")},
    ),
    "RedisTokenStore": (RedisTokenStore, {"client": redis.Redis(), "prefix": "p"}),
    "RedisTokenStore.from_url": (RedisTokenStore.from_url, _REDIS),
    "RedisGrantStore": (RedisGrantStore, {"client": redis.Redis(), "prefix": "p"}),
    "RedisGrantStore.from_url": (RedisGrantStore.from_url, _REDIS),
    "SQLGrantStore": (SQLGrantStore, {"database": "sqlite://", "table": "t", "clock": _clock}),
    "MemoryGrantStore": (MemoryGrantStore, {"clock": _clock}),
    **{
        f"{type(store).__name__}.{method}": (getattr(store, method), arguments)
        for store in (MemoryGrantStore(), RedisGrantStore(NothingKept()), SQLGrantStore("sqlite://"))
        for method, arguments in (
            ("get", {"name": "n"}),
            ("swap", {"name": "n", "expected": b"e", "value": b"v", "ttl": None}),
        )
    },
    "AnyioRuntime": (AnyioRuntime, _RUNTIME),
    "BlockingRuntime": (BlockingRuntime, _RUNTIME),
}
"""What is called, and arguments that are right, of which one at a time is made wrong."""

CALLED: Final = {"options": ("store_options",), "other": ("a key",), "text": ("text",), "material": ("key",)}
"""What messages call an argument otherwise."""

CASES: Final = [(name, argument) for name, (_, arguments) in CALLS.items() for argument in arguments]


def failure(call: Callable[..., Any], arguments: dict[str, Any]) -> Exception | None:
    """What a call raises."""
    try:
        call(**arguments)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None


@pytest.mark.parametrize(("name", "argument"), CASES, ids=map(".".join, CASES))
def test_a_wrong_argument_is_an_error_of_ours_that_names_it(name: str, argument: str) -> None:
    call, right = CALLS[name]
    for value in WRONG:
        if callable(value) and callable(right[argument]):
            continue  # what it does is its own affair
        error = failure(call, {**right, argument: value})
        assert isinstance(error, MemoramError | None), (value, error)
        if isinstance(error, InvalidArgumentError):
            words = {argument, argument.rstrip("s"), argument.replace("_", " "), *CALLED.get(argument, ())}
            assert any(word in str(error) for word in words), (value, error)


def public_things() -> dict[str, Any]:
    """Every public name that can be called, without the world that it belongs to."""
    found: dict[str, Any] = {}
    for package in PACKAGES:
        for name in getattr(package, "__all__", dir(package)):
            thing = getattr(package, name)
            if not name.startswith("_") and callable(thing):
                found.setdefault(name.removeprefix("Async"), thing)
    return found


def is_called_by_users(thing: Any) -> bool:
    """Whether it is neither raised, nor a form of words, nor what users implement."""
    kinds = (BaseException, enum.Enum)
    if inspect.isclass(thing):
        return not issubclass(thing, kinds) and not vars(thing).get("_is_protocol", False)
    return inspect.isfunction(thing)


def test_every_public_name_is_tried() -> None:
    things = {name: thing for name, thing in public_things().items() if is_called_by_users(thing)}
    models = {name for name, thing in things.items() if attrs.has(thing)}
    untold = set(things) - models - MADE_BY_CLIENTS - set(ELSEWHERE) - set(CALLS)
    assert not untold
    wanted = {
        f"{name}.{method}": function
        for name, thing in things.items()
        if name in CALLS and isinstance(thing, type) and not attrs.has(thing)
        for method, function in inspect.getmembers(thing, inspect.isroutine)
        if not method.startswith("_")
        and [*inspect.signature(function).parameters][inspect.isfunction(function) :]
    }
    runtimes = {name for name in wanted if name.startswith(("AnyioRuntime.", "BlockingRuntime."))}
    assert set(wanted) - runtimes - FORMAT_LAYER <= set(CALLS)


def parameters(call: Callable[..., Any]) -> set[str]:
    """The names of the arguments that it takes."""
    return set(inspect.signature(call).parameters)


def test_every_argument_is_tried() -> None:
    for name, (call, arguments) in CALLS.items():
        assert parameters(call) == set(arguments), name


MODELS: Final = {name: thing for name, thing in public_things().items() if attrs.has(thing)}


@pytest.mark.parametrize("name", MODELS)
def test_models_of_any_members_can_be_made_and_shown(name: str) -> None:
    names = [each.alias for each in attrs.fields(MODELS[name]) if each.init]
    for value in WRONG:
        try:
            assert repr(MODELS[name](**dict.fromkeys(names, value)))
        except MemoramError:
            continue


MEMBERS: Final[dict[str, Any]] = {
    "user_id": str,
    "memory_key": str,
    "encryption_key": str,
    "key_version": int | None,
    "request_id": str | None,
}


@pytest.mark.parametrize("member", MEMBERS)
def test_credentials_with_a_wrong_member_open_no_store(member: str) -> None:
    kept: dict[str, Any] = {"user_id": "u", "memory_key": "k", "encryption_key": KEY}
    client = memoram_sync.Memoram("mem_1", base_url="https://api.test/api/v1")
    for value in WRONG:
        try:
            store = client.open(memoram_async.AccessCredentials(**{**kept, member: value}))
        except MemoramError:
            continue
        assert isinstance(value.reveal() if isinstance(value, Secret) else value, MEMBERS[member]), value
        assert repr(store)
