"""Keeping users' keys: what a store must be able to do, and one in memory."""

from __future__ import annotations

import inspect
from typing import Final, Protocol

from memoram_async.core.arguments import check_key_version, check_secret_text
from memoram_async.core.errors import ConfigurationError, InvalidArgumentError
from memoram_async.core.kinds import check_text
from memoram_async.core.secret import Secret, Unshareable, conceal


class KeyStore(Protocol):
    """Where an application keeps its users' keys, so that content stays readable after they rotate.

    Every key is saved before it is first used. A version that is not at hand is looked for here first, then
    asked for from the service, which may hand out the newest version alone.

    Its methods block, in async code too: there they run in worker threads, so one implementation serves
    asyncio, trio and threads. Several threads may call it at once. What it raises ends the call as a
    `KeyStoreError`, which names its kind and nothing else.

    Keys are hexadecimal text in a `Secret`. A store for more than one machine should encrypt them.
    """

    def load(self, user_id: str, version: int) -> Secret | None:
        """That version of the user's key; None if it was never saved."""
        ...

    def save(self, user_id: str, version: int, key: Secret) -> None:
        """Keep that version for good. A version never changes."""
        ...


_METHODS: Final = ("load", "save")


def check_key_store(store: KeyStore) -> KeyStore:
    """A store that can be asked as `KeyStore` says.

    Raises:
        ConfigurationError: A method is missing, or is a coroutine function.
    """
    for name in _METHODS:
        method = getattr(store, name, None)
        if not callable(method) or inspect.iscoroutinefunction(method):
            raise ConfigurationError(
                f"key_store must have blocking methods {', '.join(_METHODS)}, in async code too, but "
                f"{type(store).__name__}.{name} is not one"
            )
    return store


def _entry(user_id: object, version: object) -> tuple[str, int]:
    checked = check_key_version(version)
    if checked is None:
        raise InvalidArgumentError("version must be a whole number")
    return check_text(user_id, name="user_id"), checked


class MemoryKeyStore(Unshareable):
    """Keeps keys as long as the process lives, for all stores of a user; see `KeyStore`."""

    def __init__(self) -> None:
        """An empty store."""
        self._keys: dict[tuple[str, int], Secret] = {}

    def load(self, user_id: str, version: int) -> Secret | None:
        """That version of the user's key; None if it was never saved."""
        return self._keys.get(_entry(user_id, version))

    def save(self, user_id: str, version: int, key: Secret) -> None:
        """Keep that version; what was saved first stays."""
        key = conceal(key)  # plain text will do
        self._keys.setdefault(_entry(user_id, version), check_secret_text(key, name="key"))

    def __repr__(self) -> str:
        return f"<MemoryKeyStore of {len(self._keys)} keys>"
