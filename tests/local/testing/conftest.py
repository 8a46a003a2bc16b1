"""The fixtures that the package ships, set up as for the controls."""

from __future__ import annotations

from tests.local.controls.conftest import (
    caller,
    clock,
    memoram_app,
    memoram_client,
    memoram_local,
    memoram_options,
    memoram_server,
    memoram_sync_client,
    memoram_user,
    writer,
)

__all__ = [
    "caller",
    "clock",
    "memoram_app",
    "memoram_client",
    "memoram_local",
    "memoram_options",
    "memoram_server",
    "memoram_sync_client",
    "memoram_user",
    "writer",
]
