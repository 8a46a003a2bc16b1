"""Consent in the middle of a call, in both eras of the protocol.

A client that declared that it shows URLs is given one. From 2026-07-28 on, that is an `InputRequiredResult`,
and the client repeats the call. Before, it is `elicitation/create` in the middle of the call, or error -32042
where there is no way back to the client. Everywhere else, and where the client declined, it is an error that
names the URL, which the model shows to the user.

That the client accepted means that the user was shown the URL, not that access was approved. The call then
waits a while for the user, with progress. No state travels with the client: the grant is found by the user.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError
from mcp.types import ElicitRequest, ElicitRequestURLParams, ElicitResult, InputRequiredResult
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from memoram_async.core.errors import ApprovalRequired, MemoramError
from memoram_async.integrations.mcp.access import MemoryAccess
from memoram_async.memory_store import AsyncMemoryStore

CONSENT_SECONDS: Final = 45.0
"""How long a call waits for the user after the client has shown the URL: many clients give up after 60 s."""

PROGRESS_SECONDS: Final = 5.0
"""How often it tells the client that it still waits."""

ServerContext: TypeAlias = "Context[Any, Any]"

_LINK: Final = "Link your Memoram account, so that this application can ask for access to your memories."
_APPROVE: Final = "Decide whether this application may read and write your memories."


class ConsentMissingError(MemoramError):
    """The user has something to do first, and the client cannot show where: the model has to say it.

    Attributes:
        need: What the user has to do.
    """

    need: ApprovalRequired

    def __init__(self, need: ApprovalRequired) -> None:
        super().__init__(_told(need))
        self.need = need


def _told(need: ApprovalRequired) -> str:
    """What most users come to see of all this."""
    if need.kind == "link":
        state, act = "has not linked a Memoram account, or took the approval back", "link it"
    else:
        state, act = "has not let this application in yet", "approve its request"
    where = "in the Memoram dashboard" if need.url is None else f"at this URL: {need.url}"
    return (
        f"Nothing was done: the user {state}. Ask the user to {act} {where}\n"
        "Then make the same call again: it works as soon as the user has done so."
    )


class Consent:
    """Gets at the memories of whoever calls, asking for consent on the way."""

    def __init__(self, access: MemoryAccess, *, seconds: float = CONSENT_SECONDS) -> None:
        """Consent for the calls of one server.

        Args:
            access: Opens memories.
            seconds: How long to wait for the user after the client has shown the URL.
        """
        self._access = access
        self._seconds = seconds

    async def store(self, ctx: ServerContext) -> AsyncMemoryStore | InputRequiredResult:
        """The caller's memories, or what to answer the client with so that it asks the user.

        Raises:
            ConsentMissingError: The user has to do something first, and the model has to say so.
            UrlElicitationRequiredError: The same, in the words of the protocol up to 2025-11-25.
            MemoramError: The memories cannot be opened, or the user said no.
        """
        user = self._access.user()
        try:
            return await self._access.store(user)
        except ApprovalRequired as error:
            need = error
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return await self._in_rounds(ctx, user, need)
        return await self._in_the_call(ctx, user, need)

    async def _in_rounds(
        self, ctx: ServerContext, user: str, need: ApprovalRequired
    ) -> AsyncMemoryStore | InputRequiredResult:
        answers = [
            answer for answer in (ctx.input_responses or {}).values() if isinstance(answer, ElicitResult)
        ]
        if answers:
            if all(answer.action == "accept" for answer in answers):
                return await self._wait(ctx, user, need)
            raise ConsentMissingError(need)
        if need.url is None or not _shows_urls(ctx):
            raise ConsentMissingError(need)
        params = ElicitRequestURLParams(message=_message(need), url=need.url)
        return InputRequiredResult(input_requests={need.kind: ElicitRequest(params=params)})

    async def _in_the_call(self, ctx: ServerContext, user: str, need: ApprovalRequired) -> AsyncMemoryStore:
        if need.url is None or not _shows_urls(ctx):
            raise ConsentMissingError(need)
        elicitation = uuid.uuid4().hex
        if not ctx.session.can_send_request:
            raise UrlElicitationRequiredError(
                [ElicitRequestURLParams(message=_message(need), url=need.url, elicitation_id=elicitation)],
                message=_message(need),
            )
        try:
            answer = await ctx.elicit_url(_message(need), need.url, elicitation)
        except MCPError:  # what the client declared it cannot do after all
            raise ConsentMissingError(need) from None
        if answer.action != "accept":
            raise ConsentMissingError(need)
        store = await self._wait(ctx, user, need)
        await ctx.session.send_elicit_complete(elicitation, related_request_id=ctx.request_id)
        return store

    async def _wait(self, ctx: ServerContext, user: str, need: ApprovalRequired) -> AsyncMemoryStore:
        try:
            return await _with_progress(
                lambda: self._access.wait(user, need, seconds=self._seconds), ctx, seconds=self._seconds
            )
        except ApprovalRequired as still:
            missing = ConsentMissingError(still)
        raise missing


async def _with_progress(
    work: Callable[[], Awaitable[AsyncMemoryStore]], ctx: ServerContext, *, seconds: float
) -> AsyncMemoryStore:
    """Do some work while the client is told now and then that it goes on."""
    opened: list[AsyncMemoryStore] = []
    failed: list[MemoramError] = []

    async def do() -> None:
        try:
            opened.append(await work())
        except MemoramError as error:  # a task group would wrap it
            failed.append(error)
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(do)
        waited = 0.0
        while True:
            await ctx.report_progress(waited, seconds, "Waiting for the user to decide")
            await anyio.sleep(PROGRESS_SECONDS)
            waited = min(waited + PROGRESS_SECONDS, seconds)
    if failed:
        raise failed[0]
    return opened[0]


def _shows_urls(ctx: ServerContext) -> bool:
    """Whether the client declared that it shows URLs; `elicitation: {}` means forms alone."""
    capabilities = ctx.client_capabilities
    elicitation = None if capabilities is None else capabilities.elicitation
    return elicitation is not None and elicitation.url is not None


def _message(need: ApprovalRequired) -> str:
    return _LINK if need.kind == "link" else _APPROVE
