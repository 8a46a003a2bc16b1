"""A Memoram-compatible platform on one machine: stateful, offline, without an account anywhere.

`MemoramLocal` is a platform as an object, for programs and tests; `python -m memoram_local serve` runs one
for people.
"""

from __future__ import annotations

from memoram_local.clock import Clock
from memoram_local.errors import (
    AddressError,
    DataDirectoryError,
    DecisionError,
    LocalPlatformError,
    NotFoundError,
    RegistrationError,
)
from memoram_local.platform import MemoramLocal, User
from memoram_local.server import LocalServer
from memoram_local.store.access_requests import AccessRequest
from memoram_local.store.apps import RegisteredApp

__all__ = [
    "AccessRequest",
    "AddressError",
    "Clock",
    "DataDirectoryError",
    "DecisionError",
    "LocalPlatformError",
    "LocalServer",
    "MemoramLocal",
    "NotFoundError",
    "RegisteredApp",
    "RegistrationError",
    "User",
]
