"""An organization of Memory API, and clients with keys of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from memoram_local import LocalServer, MemoramLocal
    from memoram_local.controls.memory_api import IssuedApiKey


@dataclass
class Caller:
    """Somebody who calls Memory API with a key."""

    issued: IssuedApiKey
    http: httpx.Client

    def data(self, method: str, path: str, **options: Any) -> Any:
        """What the envelope of a good answer holds."""
        answer = self.http.request(method, path, **options)
        assert answer.is_success, answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]

    def remember(self, text: str, **members: object) -> str:
        """Store a memory; its id."""
        return str(self.data("POST", "/memories", json={"text": text, **members})["id"])

    def refusal(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """The status and code of a refusal."""
        answer = self.http.request(method, path, **options)
        assert answer.json()["success"] is False, answer.text
        return answer.status_code, answer.json()["error"]["code"]


@pytest.fixture
def caller_with(
    server: LocalServer, client_for: Callable[[str], httpx.Client]
) -> Callable[[IssuedApiKey], Caller]:
    def call_with(issued: IssuedApiKey) -> Caller:
        client = client_for(server.memory_api_url)
        client.headers["authorization"] = f"Bearer {issued.key}"
        return Caller(issued, client)

    return call_with


@pytest.fixture
def caller(local: MemoramLocal, caller_with: Callable[[IssuedApiKey], Caller]) -> Caller:
    """With a key that is good for everything."""
    return caller_with(local.memory_api.sign_up(name="Planner", email="ada@example.test"))


@pytest.fixture
def nobody(server: LocalServer, client_for: Callable[[str], httpx.Client]) -> httpx.Client:
    """Without a key."""
    return client_for(server.memory_api_url)
