"""What Memory API answers in tests."""

from __future__ import annotations

from typing import Any, Final

import httpx

KEY: Final = "mem_live_0123456789abcdef0123456789abcdef01234567"
URL: Final = "https://memory.test/v1"

MEMORY: Final = {
    "id": "mem_1",
    "text": "Prefers window seats",
    "metadata": {"source": "chat"},
    "created_at": "2026-01-02T03:04:05Z",
    "updated_at": "2026-01-02T03:04:06Z",
}
LISTED_KEY: Final = {
    "id": "key_1",
    "name": "Default Key",
    "key_prefix": KEY[:14],
    "environment": "live",
    "scopes": ["read", "admin"],
    "is_active": True,
    "created_at": "2026-01-02T03:04:05Z",
    "last_used_at": None,
}
NEW_KEY: Final = {
    "id": "key_2",
    "name": "Default Key",
    "key": "mem_live_fedcba9876543210fedcba9876543210fedcba98",
    "scopes": ["read", "admin"],
    "expires_at": None,
}
ACCOUNT: Final = {
    "org_id": "org_1",
    "name": "Planner",
    "email": "ada@example.test",
    "plan": {"id": "free", "name": "Free", "base_price_cents": 0},
    "is_active": True,
    "created_at": "2026-01-02T03:04:05Z",
}


def good(
    data: Any, *, status: int = 200, headers: dict[str, str] | None = None, **beside: Any
) -> httpx.Response:
    """An answer in its envelope."""
    meta = {"request_id": "req_body", "processing_time_ms": 12.5}
    body = {"success": True, "data": data, "meta": meta, **beside}
    return httpx.Response(status, json=body, headers=headers)


def refused(
    status: int, code: str, *, headers: dict[str, str] | None = None, **details: Any
) -> httpx.Response:
    """A refusal in its envelope."""
    error: dict[str, Any] = {"code": code, "message": "Words of the service."}
    if details:
        error["details"] = details
    return httpx.Response(status, json={"success": False, "error": error}, headers=headers)
