"""A Memoram-compatible platform on one machine: stateful, offline, without an account anywhere.

`MemoramLocal` is a platform as an object, for programs and tests; `python -m memoram_local serve` runs one
for people. `memoram_local.testing` has what tests do with a platform.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from memoram_local.clock import Clock
    from memoram_local.errors import (
        AddressError,
        DataDirectoryError,
        DecisionError,
        LocalPlatformError,
        MasterKeyError,
        NotFoundError,
        RegistrationError,
        StorageError,
        StorageFullError,
    )
    from memoram_local.limits import Limits
    from memoram_local.master_keys import MasterKeyCommand, MasterKeyFile, MasterKeyVariable
    from memoram_local.platform import MemoramLocal
    from memoram_local.process.server import LocalServer
    from memoram_local.store.access_requests import AccessRequest
    from memoram_local.store.apps import RegisteredApp
    from memoram_local.user import User

__all__ = [
    "AccessRequest",
    "AddressError",
    "Clock",
    "DataDirectoryError",
    "DecisionError",
    "Limits",
    "LocalPlatformError",
    "LocalServer",
    "MasterKeyCommand",
    "MasterKeyError",
    "MasterKeyFile",
    "MasterKeyVariable",
    "MemoramLocal",
    "NotFoundError",
    "RegisteredApp",
    "RegistrationError",
    "StorageError",
    "StorageFullError",
    "User",
]

_HOMES: Final = {
    "AccessRequest": "store.access_requests",
    "Clock": "clock",
    "Limits": "limits",
    "LocalServer": "process.server",
    "MasterKeyCommand": "master_keys",
    "MasterKeyFile": "master_keys",
    "MasterKeyVariable": "master_keys",
    "MemoramLocal": "platform",
    "RegisteredApp": "store.apps",
    "User": "user",
}


def __getattr__(name: str) -> Any:
    # Loaded when first used: pytest imports this package in every run, for its plugin, and the libraries of a
    # platform need not even be installed there.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'errors')}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("memoram_"):
            raise
        raise ModuleNotFoundError(
            f"{error.name} is missing: pip install 'memoram[local]' brings it", name=error.name
        ) from None
