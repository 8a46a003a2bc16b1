"""`memoram-local serve --strict`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

from tests.local.test_cli import address, running

if TYPE_CHECKING:
    from pathlib import Path


def test_serve_can_hold_everybody_to_the_contract(tmp_path: Path) -> None:
    members = {"api_key": "mem_x", "colour": "blue"}
    with running("--data", str(tmp_path / "data"), "--strict") as (_, greeting):
        url = address(greeting, "API base URL")
        refused = httpx.post(f"{url}/auth/token", json=members, trust_env=False)

    assert refused.status_code == 400
    assert "unknown members: colour" in refused.json()["error"]["message"]
