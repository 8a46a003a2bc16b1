"""Getting access to a user's memories: find or make a request, wait for the user, fetch the key."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import attrs

from memoram_async.access.family_access import FamilyAccess
from memoram_async.approvals.polls import owner_digest
from memoram_async.core.approval_pace import back_off
from memoram_async.core.approval_verdicts import ApprovalProgress, Meaning, meaning_of, verdict
from memoram_async.core.arguments import (
    check_callback,
    check_flag,
    check_reason,
    check_seconds,
    check_secret_text,
)
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import (
    APIStatusError,
    ApprovalRequired,
    AuthenticationError,
    MemoramError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
)
from memoram_async.core.secret import Secret
from memoram_async.core.urls import check_id
from memoram_async.models.access import AccessCredentials, AccessRequest, AccessStatus
from memoram_async.resources.access_requests import AsyncAccessRequests
from memoram_async.transport.requester import Requester

LAG_SECONDS: Final = 10.0
"""How long after an approval the service may go on refusing the credentials."""
CREDENTIALS_SECONDS: Final = 30.0
"""How long passing trouble with them is ridden out at least, however late the user decided."""
SETTLED_SECONDS: Final = 60.0
"""After so long an approval has surely taken effect, even by a clock that is off."""
_PAUSE: Final = 1.0
_MOST_FOREIGN: Final = 8


@attrs.frozen(kw_only=True, eq=False)
class Wish:
    """What a call of `connect` asks for, checked.

    Attributes:
        memory_key: Whose memories.
        owner: Its digest.
        reason: What for.
        timeout: Seconds to wait for the user; None for ever.
        wait: Whether to wait for the user at all.
        request_id: The request to go on with, if it is known.
        on_status: Told of progress.
    """

    memory_key: Secret
    owner: bytes = attrs.field(
        init=False,
        repr=False,
        default=attrs.Factory(lambda wish: owner_digest(wish.memory_key.reveal()), takes_self=True),
    )
    reason: Secret
    timeout: float | None
    wait: bool
    request_id: str | None
    on_status: Callable[[ApprovalProgress], object] | None


def checked_wish(
    *,
    memory_key: object,
    reason: object,
    timeout: object,
    wait: object,
    request_id: object,
    on_status: object,
) -> Wish:
    """What a caller asks for, checked; what is secret comes wrapped.

    Raises:
        InvalidArgumentError: An argument cannot be used.
    """
    return Wish(
        memory_key=check_secret_text(memory_key, name="memory_key"),
        reason=check_reason(reason),
        timeout=check_seconds(timeout, name="timeout", optional=True),
        wait=check_flag(wait, name="wait"),
        request_id=None if request_id is None else check_id(request_id, name="request_id"),
        on_status=check_callback(on_status, name="on_status"),
    )


class _OfAnotherApplication(Exception):  # noqa: N818 - never leaves this module
    def __init__(self, refusal: MemoramError) -> None:
        super().__init__()
        self.refusal = refusal


class Connecting:
    """`connect`, for one client."""

    def __init__(
        self,
        *,
        access: FamilyAccess,
        api: Requester,
        requests: AsyncAccessRequests,
        dashboard_url: str | None,
    ) -> None:
        self._access = access
        self._api = api
        self._requests = requests
        self._runtime = api.runtime
        self._dashboard_url = dashboard_url

    async def connect(self, wish: Wish) -> AccessCredentials:
        """The credentials for a user's memories, once the user has approved."""
        deadline = Deadline.after(wish.timeout, now=self._runtime.now())
        applications = 0
        while True:
            request = await self._request(wish)
            was_approved = request.status == AccessStatus.APPROVED
            try:
                if not was_approved:
                    request = await self._approved(wish, request, deadline)
                    await self._turn()
                return await self._credentials(
                    request, deadline, is_old=was_approved and self._is_old(request)
                )
            except _OfAnotherApplication as other:
                applications += 1
                if wish.request_id is not None or applications >= _MOST_FOREIGN:
                    raise other.refusal from None

    # --- the request ---------------------------------------------------------------------------

    async def _request(self, wish: Wish) -> AccessRequest:
        if wish.request_id is not None:
            request = await self._requests.get(wish.request_id)
        else:
            request = await self._access.asking.call(
                wish.owner, lambda: self._find_or_ask(wish), self._api.transport.deadline(), doing="connect"
            )
        if wish.on_status is not None:
            wish.on_status(
                ApprovalProgress(request_id=request.id, status=request.status, polls=0, next_poll=0.0)
            )
        return request

    async def _find_or_ask(self, wish: Wish) -> AccessRequest:
        """This application's open or approved request, or a new one: users are not asked twice."""
        found = await self._find(wish)
        if found is not None:
            return found
        try:
            request = await self._requests.create(wish.memory_key, reason=wish.reason)
        except OutcomeUnknownError:
            found = await self._find(wish)  # it may have been made all the same
            if found is None:
                raise
            return found
        self._access.hub.schedule.board.own = request.ai_connector_id
        return request

    async def _find(self, wish: Wish) -> AccessRequest | None:
        schedule = self._access.hub.schedule
        index = await self._access.lookup.read(wish.owner, self._api, self._api.transport.deadline())
        while (found := index.best(wish.owner, schedule)) is not None:
            if found.status == AccessStatus.APPROVED or await self._may_be_waited_for(found):
                return found
        return None

    async def _may_be_waited_for(self, request: AccessRequest) -> bool:
        """Whether an open request is this application's; one of each application is looked at, by its id."""
        board, connector = self._access.hub.schedule.board, request.ai_connector_id
        if connector is None or connector == board.own or connector in board.familiar:
            return True
        return await self._access.checking.call(
            connector,
            lambda: self._is_there(request, connector),
            self._api.transport.deadline(),
            doing="getAccessRequest",
        )

    async def _is_there(self, request: AccessRequest, connector: str) -> bool:
        """Whether a request is found by its id, which another application's is not."""
        try:
            await self._requests.get(request.id)
        except NotFoundError as error:
            return not self._may_be_foreign(request, error)
        self._access.hub.schedule.board.familiar.add(connector)
        return True

    async def _approved(self, wish: Wish, request: AccessRequest, deadline: Deadline) -> AccessRequest:
        if not wish.wait:
            raise verdict(request.status, request.id) or self._required(request)
        try:
            return await self._access.hub.until_approved(
                request.id,
                timeout=None if wish.timeout is None else deadline.remaining(self._runtime.now()),
                on_status=wish.on_status,
                owner=wish.owner,
                known=request,
            )
        except NotFoundError as error:
            if wish.request_id is None and self._may_be_foreign(request, error):
                raise _OfAnotherApplication(error) from error
            raise

    def _required(self, request: AccessRequest) -> ApprovalRequired:
        where = (
            "in the dashboard (set dashboard_url or MEMORAM_DASHBOARD_URL to tell users where that is)"
            if self._dashboard_url is None
            else f"at {self._dashboard_url}"
        )
        return ApprovalRequired(
            f"the user has to approve the access request first, {where}; connect again afterwards",
            kind="approve",
            request_id=request.id,
            url=self._dashboard_url,
        )

    # --- the credentials -----------------------------------------------------------------------

    async def _turn(self) -> None:
        runtime = self._runtime
        seconds = self._access.hub.schedule.credentials_in(now=runtime.now())
        if seconds > 0:
            await runtime.sleep(seconds)

    async def _credentials(
        self, request: AccessRequest, deadline: Deadline, *, is_old: bool
    ) -> AccessCredentials:
        """The credentials of an approved request; what may pass is ridden out.

        Raises:
            AccessRevoked: The user took the approval back in between.
            _OfAnotherApplication: They are refused for good, and the request may be another application's.
            MemoramError: They are refused for good.
        """
        runtime = self._runtime
        began = runtime.now()
        patience = max(deadline.at, began + CREDENTIALS_SECONDS)
        lag = began + (0.0 if is_old else LAG_SECONDS)
        failures = 0
        while True:
            try:
                return await self._access.credentials.call(
                    request.id,
                    lambda: self._requests.credentials(request.id),
                    self._api.transport.deadline(),
                    doing="getAccessCredentials",
                )
            except MemoramError as error:
                failures += 1
                now = runtime.now()
                meaning = meaning_of(error)
                if meaning is Meaning.PASSING:
                    pause = back_off(failures, jitter=runtime.random())
                    if isinstance(error, APIStatusError) and error.retry_after is not None:
                        pause = error.retry_after
                    if now + pause > patience:
                        raise
                elif meaning is Meaning.REFUSED or isinstance(error, AuthenticationError):
                    await self._check_still_approved(request)
                    pause = _PAUSE
                    if now >= lag:
                        if self._may_be_foreign(request, error):
                            raise _OfAnotherApplication(error) from error
                        raise
                else:
                    raise
            await runtime.sleep(pause)

    async def _check_still_approved(self, request: AccessRequest) -> None:
        try:
            seen = await self._requests.get(request.id)
        except MemoramError as error:
            if meaning_of(error) is Meaning.FINAL:
                raise
            return
        refusal = verdict(seen.status, request.id)
        if refusal is not None:
            raise refusal

    def _may_be_foreign(self, request: AccessRequest, error: MemoramError) -> bool:
        """Whether the refusal says that another application of the account made the request.

        Its application is remembered, so that its requests are not taken for ours again.
        """
        schedule, connector = self._access.hub.schedule, request.ai_connector_id
        if not isinstance(error, PermissionDeniedError | NotFoundError):
            return False
        if connector is None or connector == schedule.board.own:
            return False
        schedule.board.foreign.add(connector)
        return True

    def _is_old(self, request: AccessRequest) -> bool:
        """Whether a request was decided so long ago that the service has had time to take note."""
        if request.updated_at is None:
            return False
        wall = datetime.fromtimestamp(self._runtime.wall(), UTC)
        return (wall - request.updated_at).total_seconds() > SETTLED_SECONDS
