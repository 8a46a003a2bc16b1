"""Finding an application's own request for a memory key, in one reading of the list for all who look."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from memoram_async.approvals.polls import owner_digest, read_page
from memoram_async.core.approval_schedule import ApprovalSchedule
from memoram_async.core.deadline import Deadline
from memoram_async.models.access import AccessRequest, AccessStatus
from memoram_async.models.converter import read_model
from memoram_async.runtime.protocol import Runtime
from memoram_async.transport.requester import Requester
from memoram_async.transport.shared_calls import SharedCalls

_OPERATION = "listAccessRequests"


class RequestIndex:
    """The requests of a developer account, by the digest of their memory keys."""

    __slots__ = ("_by_owner",)

    def __init__(self) -> None:
        self._by_owner: dict[bytes, list[dict[str, Any]]] = {}

    def add(self, items: Iterable[tuple[str, str, dict[str, Any]]]) -> None:
        """Take in a page."""
        for _, status, item in items:
            memory_key = item.get("memoryKey")
            if isinstance(memory_key, str) and status in {AccessStatus.APPROVED, AccessStatus.PENDING}:
                self._by_owner.setdefault(owner_digest(memory_key), []).append(item)

    def best(self, owner: bytes, schedule: ApprovalSchedule) -> AccessRequest | None:
        """This application's request that is approved, else the one that the user has not decided yet."""
        ours = [
            request
            for item in self._by_owner.get(owner, ())
            if schedule.board.is_ours(item.get("aiConnectorId"))
            and (request := read_model(item, AccessRequest)) is not None
        ]
        approved = [request for request in ours if request.status == AccessStatus.APPROVED]
        return next(iter(approved or ours), None)

    def has_approved(self, owner: bytes, schedule: ApprovalSchedule) -> bool:
        """Whether nothing better can come on a later page."""
        best = self.best(owner, schedule)
        return best is not None and best.status == AccessStatus.APPROVED


class RequestLookup:
    """The look-ups of a client family."""

    def __init__(self, runtime: Runtime, schedule: ApprovalSchedule) -> None:
        self._schedule = schedule
        self._calls: SharedCalls[RequestIndex] = SharedCalls(runtime)
        self._wanted: dict[object, bytes] = {}

    async def read(self, owner: bytes, api: Requester, deadline: Deadline) -> RequestIndex:
        """The list, as far as it is needed to find this application's request for a memory key.

        Args:
            owner: The digest of the memory key.
            api: Reads the list, if nobody else is reading it already.
            deadline: Until when to wait for another's reading.

        Raises:
            MemoramError: The list could not be read.
        """
        me = object()
        self._wanted[me] = owner
        try:
            return await self._calls.call("list", lambda: self._read(api), deadline, doing=_OPERATION)
        finally:
            self._wanted.pop(me, None)

    async def _read(self, api: Requester) -> RequestIndex:
        """Read the list until everybody who waits for it has an approved request, or to its end."""
        index = RequestIndex()
        cursors: set[str | None] = set()
        cursor: str | None = None
        octets = 0
        while cursor not in cursors:
            cursors.add(cursor)
            response = await api.send(_OPERATION, "GET", "/access-requests", params={"cursor": cursor})
            page = read_page(response, operation=_OPERATION)
            index.add(page.items)
            octets += page.octets
            cursor = page.next_cursor
            if cursor is None or all(
                index.has_approved(owner, self._schedule) for owner in set(self._wanted.values())
            ):
                break
        self._schedule.learn_list(pages=len(cursors), octets=octets, is_whole=cursor is None)
        return index
