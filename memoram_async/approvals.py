"""Waiting until the user approves: the shell around `core.approval.ApprovalWait`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from memoram_async.core.approval import CREDENTIALS_LAG, LONGEST_POLL, ApprovalWait
from memoram_async.core.arguments import check_seconds
from memoram_async.core.deadline import Deadline
from memoram_async.core.errors import MemoramError, PermissionDeniedError
from memoram_async.models.access import AccessStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from memoram_async.core.secret import Secret
    from memoram_async.models.access import AccessCredentials, AccessRequest
    from memoram_async.runtime.protocol import Runtime
    from memoram_async.transport.pager import AsyncPager


async def wait_until_approved(
    runtime: Runtime,
    get: Callable[[str, Deadline], Coroutine[Any, Any, AccessRequest]],
    request_id: str,
    *,
    timeout: float | None,
    on_status: Callable[[str], object] | None = None,
    last_status: str | None = None,
    just_created: bool = False,
) -> AccessRequest:
    """Poll one request until the user has decided; see `AsyncAccessRequests.wait_until_approved`."""
    check_seconds(timeout, name="timeout", optional=True)
    began = runtime.now()
    deadline = Deadline.after(timeout, now=began)
    wait = ApprovalWait(request_id=request_id, began=began, last_status=last_status)
    delay = wait.first_delay(just_created=just_created)
    while True:
        remaining = deadline.remaining(runtime.now())
        if delay >= remaining:
            await runtime.sleep(remaining)
            raise wait.timed_out()
        await runtime.sleep(delay)
        before = wait.last_status
        poll = deadline.earlier(Deadline.after(LONGEST_POLL, now=runtime.now()))
        try:
            request = await runtime.within(poll, get(request_id, poll), doing="getAccessRequest")
        except MemoramError as error:
            delay = wait.failed(error, now=runtime.now(), jitter=runtime.random())
            continue
        if on_status is not None and request.status != before:
            on_status(request.status)
        pause = wait.saw(request.status, now=runtime.now(), jitter=runtime.random())
        if pause is None:
            return request
        delay = pause


async def find_open_request(requests: AsyncPager[AccessRequest], memory_key: Secret) -> AccessRequest | None:
    """The request for this memory key that is approved, else the one that the user has not decided yet."""
    pending: AccessRequest | None = None
    async for request in requests:
        if request.memory_key is not None and request.memory_key.reveal() == memory_key.reveal():
            if request.status == AccessStatus.APPROVED:
                return request
            if request.status == AccessStatus.PENDING:
                pending = pending or request
    return pending


async def fetch_credentials(
    runtime: Runtime,
    request_id: str,
    *,
    credentials: Callable[[str], Coroutine[Any, Any, AccessCredentials]],
    get: Callable[[str], Coroutine[Any, Any, AccessRequest]],
) -> AccessCredentials:
    """The credentials of an approved request; the service may need a moment after the approval.

    Raises:
        AccessRevoked: The user took the approval back in between.
        PermissionDeniedError: The service keeps refusing.
    """
    lag = Deadline.after(CREDENTIALS_LAG, now=runtime.now())
    wait = ApprovalWait(request_id=request_id, began=runtime.now())
    while True:
        try:
            return await credentials(request_id)
        except PermissionDeniedError:
            if lag.expired(runtime.now()):
                raise
        request = await get(request_id)
        wait.saw(request.status, now=runtime.now(), jitter=runtime.random())
        await runtime.sleep(lag.cap(1.0, now=runtime.now()))
