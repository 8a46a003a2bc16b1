"""Consent in the middle of a call: what clients of both eras see, by what they can show."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import INTERNAL_ERROR, ErrorData, InputRequiredResult

from tests.integrations.mcp.conftest import DASHBOARD, ERAS, Person, text_of

if TYPE_CHECKING:
    from tests.integrations.mcp.conftest import Stage

pytestmark = pytest.mark.anyio
in_both_eras = pytest.mark.parametrize("era", ERAS)
NOTE = {"content": "Prefers window seats"}


@in_both_eras
async def test_an_agent_remembers_is_refused_is_approved_and_recalls(stage: Stage, era: Any) -> None:
    async with stage.server() as server, Client(server, mode=era) as client:
        refused = await client.call_tool("remember", NOTE)
        assert refused.is_error
        assert f"approve its request at this URL: {DASHBOARD}\n" in text_of(refused)
        assert "make the same call again" in text_of(refused)
        (request,) = stage.local.access_requests()
        assert refused.meta is not None
        assert refused.meta["memoram/consent"] == {
            "kind": "approve",
            "url": DASHBOARD,
            "request_id": request.id,
        }

        stage.approve()
        remembered = await client.call_tool("remember", NOTE)
        assert not remembered.is_error
        recalled = await client.call_tool("recall", {"query": "Which seat does she prefer?"})
        assert "Prefers window seats" in text_of(recalled)
    assert len(list(stage.local.access_requests())) == 1


@in_both_eras
async def test_a_client_that_shows_urls_asks_the_user_in_the_middle_of_the_call(
    stage: Stage, era: Any
) -> None:
    person = Person(does=stage.approve)
    async with stage.server() as server, Client(server, mode=era, elicitation_callback=person) as client:
        assert not (await client.call_tool("remember", NOTE)).is_error
        assert person.shown == [DASHBOARD]
        assert "window" in text_of(await client.call_tool("recall", {"query": "window"}))
    assert person.shown == [DASHBOARD]


@in_both_eras
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_client_that_declines_is_told_the_url(stage: Stage, era: Any, action: str) -> None:
    person = Person(action=action)
    async with stage.server() as server, Client(server, mode=era, elicitation_callback=person) as client:
        result = await client.call_tool("remember", NOTE)
    assert result.is_error
    assert DASHBOARD in text_of(result)
    assert person.shown == [DASHBOARD]


async def test_a_client_that_cannot_show_urls_after_all_is_told_the_url(stage: Stage) -> None:
    async def fails(context: Any, params: Any) -> ErrorData:
        return ErrorData(code=INTERNAL_ERROR, message="no window to show it in")

    async with (
        stage.server() as server,
        Client(server, mode="legacy", elicitation_callback=fails) as client,
    ):
        result = await client.call_tool("remember", NOTE)
    assert result.is_error
    assert f"at this URL: {DASHBOARD}\n" in text_of(result)


@in_both_eras
async def test_accepting_is_not_approving(stage: Stage, era: Any) -> None:
    async with (
        stage.server(consent_seconds=0.2) as server,
        Client(server, mode=era, elicitation_callback=Person()) as client,
    ):
        result = await client.call_tool("remember", NOTE)
        assert result.is_error
        assert DASHBOARD in text_of(result)


@in_both_eras
async def test_the_user_may_decide_while_the_call_waits_and_the_client_hears_that_it_does(
    stage: Stage, era: Any
) -> None:
    heard: list[tuple[float, float | None]] = []

    async def told(progress: float, total: float | None, message: str | None) -> None:
        heard.append((progress, total))
        stage.approve()

    async with (
        stage.server() as server,
        Client(server, mode=era, elicitation_callback=Person()) as client,
    ):
        result = await client.call_tool("remember", NOTE, progress_callback=told)
    assert not result.is_error, text_of(result)
    assert heard[0] == (0.0, 20.0)


@in_both_eras
async def test_a_user_who_says_no_ends_the_wait(stage: Stage, era: Any) -> None:
    def refuse(url: str) -> None:
        (request,) = stage.local.access_requests()
        stage.local.reject(request.id)

    async with (
        stage.server() as server,
        Client(server, mode=era, elicitation_callback=Person(does=refuse)) as client,
    ):
        result = await client.call_tool("remember", NOTE)
    assert result.is_error
    assert "That did not work: " in text_of(result)


@in_both_eras
async def test_a_user_who_takes_the_approval_back_is_asked_again_by_the_call_after_the_next(
    stage: Stage, era: Any
) -> None:
    async with stage.server() as server, Client(server, mode=era) as client:
        await client.call_tool("tags", {})
        stage.approve()
        assert not (await client.call_tool("remember", NOTE)).is_error
        (request,) = stage.local.access_requests()
        stage.local.revoke(request.id)
        told = await client.call_tool("recall", {"query": "seats"})
        assert told.is_error
        assert "the user took the approval back" in text_of(told)
        assert len(list(stage.local.access_requests())) == 1
        for _ in range(2):
            asked = await client.call_tool("recall", {"query": "seats"})
            assert f"approve its request at this URL: {DASHBOARD}\n" in text_of(asked)
        assert len(list(stage.local.access_requests())) == 2
        stage.approve()
        assert "window" in text_of(await client.call_tool("recall", {"query": "seats"}))


@in_both_eras
async def test_resources_and_prompts_ask_as_well(stage: Stage, era: Any) -> None:
    async with stage.approved() as client:
        created = await client.call_tool("remember", NOTE)
    assert created.structured_content is not None
    uri = f"memory://{created.structured_content['id']}"
    for request in stage.local.access_requests():
        stage.local.revoke(request.id)
    stage.local.access_requests()

    async with stage.server() as server:
        async with Client(server, mode=era) as client:
            for asked in (client.read_resource(uri), client.get_prompt("recall", {"question": "seat"})):
                with pytest.raises(MCPError, match=re.escape(DASHBOARD)):
                    await asked
        person = Person(does=stage.approve)
        async with Client(server, mode=era, elicitation_callback=person) as client:
            (content,) = (await client.read_resource(uri)).contents
            assert "Prefers window seats" in getattr(content, "text", "")
            (message,) = (await client.get_prompt("recall", {"question": "Which seat?"})).messages
            assert "Prefers window seats" in getattr(message.content, "text", "")
    assert person.shown == [DASHBOARD]


async def test_nothing_of_ours_travels_with_the_client(stage: Stage) -> None:
    async with stage.server() as server, Client(server, elicitation_callback=Person()) as client:
        first = await client.session.call_tool("remember", NOTE, allow_input_required=True)
    assert isinstance(first, InputRequiredResult)
    assert first.request_state is None
    assert first.input_requests is not None
    assert list(first.input_requests) == ["approve"]


async def test_where_nobody_knows_the_dashboard_the_agent_is_told_in_words(stage: Stage) -> None:
    async with (
        stage.server(dashboard_url=None) as server,
        Client(server, elicitation_callback=Person()) as client,
    ):
        result = await client.call_tool("remember", NOTE)
    assert "in the Memoram dashboard" in text_of(result)


async def test_a_memory_key_of_nobody_is_an_error_that_says_so(stage: Stage) -> None:
    async with stage.server(memory_key="mk_nobody") as server, Client(server) as client:
        result = await client.call_tool("tags", {})
    assert result.is_error
    assert "mk_nobody" not in text_of(result)
