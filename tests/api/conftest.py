"""The API's tests begin where those of the whole platform do."""

from __future__ import annotations

from tests.local.conftest import (
    app,
    application,
    application_of,
    client_for,
    clock,
    http,
    local,
    memories,
    server,
    shared_socket,
    stranger,
    user,
)

__all__ = [
    "app",
    "application",
    "application_of",
    "client_for",
    "clock",
    "http",
    "local",
    "memories",
    "server",
    "shared_socket",
    "stranger",
    "user",
]
