"""`client.access_requests`: asking users for access to their memories."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from memoram_async.approvals.hub import ApprovalHub, Transitions
from memoram_async.core import defaults
from memoram_async.core.approval_verdicts import ApprovalProgress, refused_to_ask
from memoram_async.core.arguments import (
    check_callback,
    check_idempotency_key,
    check_key_version,
    check_reason,
    check_seconds,
    check_secret_text,
)
from memoram_async.core.errors import ConflictError, InvalidArgumentError
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret, Unshareable, conceal, out_of_sight
from memoram_async.core.urls import check_id
from memoram_async.models.access import AccessCredentials, AccessRequest
from memoram_async.models.belonging import check_belongs
from memoram_async.models.converter import Reading, structure
from memoram_async.models.item_pages import structure_page
from memoram_async.models.page import Page
from memoram_async.resources.approval_watch import AsyncApprovalWatch
from memoram_async.transport.pager import AsyncPager
from memoram_async.transport.requester import Requester


class AsyncAccessRequests(Unshareable):
    """Requests for access, which the user decides on in the dashboard."""

    def __init__(self, requester: Requester, hub: ApprovalHub) -> None:
        self._requester = requester
        self._hub = hub

    async def create(
        self, memory_key: str | Secret, *, reason: str | Secret, idempotency_key: str | None = None
    ) -> AccessRequest:
        """Ask a user for access (contract `createAccessRequest`).

        Args:
            memory_key: Whose memories; from the OAuth answer or from the user.
            reason: What for, in 1 to 255 characters that the user reads when deciding.
            idempotency_key: A key of your own, such as the id of an entry in an outbox: 1 to 255 visible
                ASCII characters. A service that honours keys carries out requests with one key and body
                once. By default each call has a random one.

        Raises:
            InvalidArgumentError: An argument cannot be sent.
            BadRequestError: The service did not accept one of them.
            NotFoundError: No user has this memory key.
            AccessRejected: The user said no before, and it is too early to ask again; see its `until`.
            ConflictError: Too many requests wait for this user already.
            OutcomeUnknownError: The answer was lost; `list` shows whether the request was made.
        """
        # A traceback may show what local variables hold.
        memory_key, reason = conceal(memory_key), out_of_sight(reason)
        reading = Reading(AccessRequest, operation="createAccessRequest")
        try:
            response = await self._requester.send(
                "createAccessRequest",
                "POST",
                "/access-requests",
                json={
                    "memoryKey": check_secret_text(memory_key, name="memory_key"),
                    "reason": check_reason(reason),
                },
                safety=Safety.ONCE,
                read=reading,
                idempotency_key=check_idempotency_key(idempotency_key),
            )
        except ConflictError as error:
            rejected = refused_to_ask(error)
            if rejected is None:
                raise
            raise rejected from error
        return reading.of(response)

    async def get(self, request_id: str) -> AccessRequest:
        """One request and where it stands (contract `getAccessRequest`).

        Raises:
            InvalidArgumentError: `request_id` is not an identifier.
            NotFoundError: There is no such request.
        """
        response = await self._requester.send(
            "getAccessRequest",
            "GET",
            "/access-requests/{requestId}",
            ids={"requestId": check_id(request_id, name="request_id")},
        )
        request = structure(response, response.json(), AccessRequest, operation="getAccessRequest")
        check_belongs(response, request, operation="getAccessRequest", asked={"id": request_id})
        return request

    def list(self) -> AsyncPager[AccessRequest]:
        """Every request that this developer account has made (contract `listAccessRequests`)."""
        return AsyncPager(self._page, self._requester.runtime)

    async def _page(self, cursor: str | None) -> Page[AccessRequest]:
        response = await self._requester.send(
            "listAccessRequests", "GET", "/access-requests", params={"cursor": cursor}
        )
        return structure_page(response, "items", AccessRequest, operation="listAccessRequests")

    async def credentials(self, request_id: str, *, key_version: int | None = None) -> AccessCredentials:
        """What reading and writing the user's memories takes (contract `getAccessCredentials`).

        Args:
            request_id: The request.
            key_version: Ask for this version of the user's key instead of the newest. The service may not
                have it any more, or not know the parameter: look at the `key_version` of the answer.

        Raises:
            InvalidArgumentError: `request_id` is not an identifier.
            PermissionDeniedError: The request is not approved.
            NotFoundError: There is no such request.
        """
        response = await self._requester.send(
            "getAccessCredentials",
            "GET",
            "/access-requests/{requestId}/credentials",
            ids={"requestId": check_id(request_id, name="request_id")},
            params={"key_version": check_key_version(key_version)},
        )
        found = structure(response, response.json(), AccessCredentials, operation="getAccessCredentials")
        return attrs.evolve(found, request_id=request_id)

    async def wait(
        self,
        request_id: str,
        *,
        timeout: float | None = defaults.APPROVAL_TIMEOUT,
        on_status: Callable[[ApprovalProgress], object] | None = None,
    ) -> AccessRequest:
        """Wait until the user approves; goes on with a wait that any process began.

        All waiting of a client and its clones is done together: seldom enough to be fair to the service,
        every 2 seconds at first and every 15 in the end, and by the list where that takes fewer requests.
        Failures that may pass do not end the wait.

        Args:
            request_id: The request.
            timeout: Seconds to wait; None for ever.
            on_status: Called with each status that is new, and when polls keep failing. It must not
                block, and is a plain function.

        Returns:
            The approved request.

        Raises:
            InvalidArgumentError: An argument cannot be used; nothing was sent.
            AccessRejected: The user said no.
            AccessRevoked: The user took an approval back.
            ApprovalTimeout: The user did not decide in time; the request stays open.
            NotFoundError: There is no such request, and not only for a moment.
        """
        return await self._hub.until_approved(
            check_id(request_id, name="request_id"),
            timeout=check_seconds(timeout, name="timeout", optional=True),
            on_status=check_callback(on_status, name="on_status"),
        )

    def watch(self, *request_ids: str) -> AsyncApprovalWatch:
        """Follow what users decide, and whether they take it back; goes on in any process.

        Iterate over it for requests: each as it is found at first, and again whenever its status has changed,
        but never twice with the same one. It ends once all are rejected or revoked. Nothing is sent between
        the steps, and what changes twice between two polls is told once.

        Args:
            request_ids: The requests.

        Raises:
            InvalidArgumentError: There is none, or one is not an identifier.
        """
        if not request_ids:
            raise InvalidArgumentError("watch needs at least one request id")
        ids = dict.fromkeys(check_id(each, name="request_id") for each in request_ids)
        return AsyncApprovalWatch(Transitions(self._hub, ids))
