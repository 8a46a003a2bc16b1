"""Keys in the keyring of the operating system (extra `memoram[keyring]`)."""

from __future__ import annotations

from typing import Any, Final, Protocol

from memoram_async.core.errors import ConfigurationError
from memoram_async.core.kinds import check_methods, check_text
from memoram_async.core.secret import Secret, Unshareable, conceal

DEFAULT_SERVICE: Final = "memoram"
_METHODS: Final = ("get_password", "set_password")


class KeyringBackend(Protocol):
    """What is needed of a keyring; `keyring.backend.KeyringBackend` has it."""

    def get_password(self, service: str, username: str) -> str | None:
        """What was saved for this name; None if nothing was."""
        ...


class KeyringKeyStore(Unshareable):
    """Keeps users' keys in the keyring of the operating system; see `KeyStore`.

    That is the Keychain of macOS, the Credential Locker of Windows, or the Secret Service of a Linux
    desktop. It is meant for applications on a user's own machine.
    """

    def __init__(self, service: str = DEFAULT_SERVICE, *, backend: KeyringBackend | None = None) -> None:
        """A store in the keyring; nothing is read yet.

        Args:
            service: The name that the entries are filed under.
            backend: A keyring other than the system's own.

        Raises:
            ConfigurationError: The package `keyring` is not installed, or the backend is no keyring.
            InvalidArgumentError: The name is no text.
        """
        check_text(service, name="service")
        if backend is not None:
            check_methods(backend, _METHODS, name="backend", wanted="a keyring's backend")
        self._service = service
        if backend is None:
            try:
                import keyring  # noqa: PLC0415 - an extra
            except ImportError:
                backend = None
            else:
                backend = keyring.get_keyring()
        if backend is None:
            raise ConfigurationError(
                "KeyringKeyStore needs the package keyring: pip install 'memoram[keyring]'"
            )
        self._backend = backend

    def load(self, user_id: str, version: int) -> Secret | None:
        """That version of the user's key; None if it was never saved."""
        value = self._backend.get_password(self._service, _entry(user_id, version))
        return None if value is None else Secret(value)

    def save(self, user_id: str, version: int, key: Secret) -> None:
        """Keep that version for good."""
        backend: Any = self._backend  # keyring wraps the method, and with it loses its type
        backend.set_password(self._service, _entry(user_id, version), conceal(key).reveal())

    def __repr__(self) -> str:
        return f"<KeyringKeyStore of {self._service}>"


def _entry(user_id: str, version: int) -> str:
    return f"{user_id} key version {version}"
