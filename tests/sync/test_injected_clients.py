"""What may be passed as `http_client` in blocking code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest

from memoram_sync import ClientClosedError, ConfigurationError, Memoram

if TYPE_CHECKING:
    from collections.abc import Callable

WRONG: Final[dict[str, Callable[[], Any]]] = {
    "something else": object,
    "an async client": httpx.AsyncClient,
    "a transport": httpx.HTTPTransport,
    "a class": lambda: httpx.Client,
}


@pytest.mark.parametrize("make", WRONG.values(), ids=WRONG)
def test_what_is_no_blocking_client_is_refused_at_once(make: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError, match="http_client must be"):
        Memoram("mem_x", http_client=make())


def test_a_client_that_was_closed_sends_nothing() -> None:
    sent: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"id": "tag_1", "token": "eyJ.e.s"})

    with httpx.Client(transport=httpx.MockTransport(handler)) as http:
        client = Memoram("mem_x", base_url="https://api.test", http_client=http)
        assert client.tags.get("tag_1", user_id="u").id == "tag_1"
    before = len(sent)
    with pytest.raises(ClientClosedError, match="http_client"):
        client.tags.get("tag_1", user_id="u")
    assert len(sent) == before
