"""Following what users decide."""

from __future__ import annotations

from memoram_async.approvals.hub import Transitions
from memoram_async.core.secret import Unshareable
from memoram_async.models.access import AccessRequest


class AsyncApprovalWatch(Unshareable):
    """The changes of some access requests, one after another; from `access_requests.watch`."""

    __slots__ = ("__weakref__", "_transitions")

    def __init__(self, transitions: Transitions) -> None:
        self._transitions = transitions

    def __aiter__(self) -> AsyncApprovalWatch:
        return self

    async def __anext__(self) -> AccessRequest:
        """The next request whose status is new.

        Raises:
            MemoramError: One of the requests cannot be followed; the next step goes on with the others.
        """
        request = await self._transitions.next()
        if request is None:
            raise StopAsyncIteration
        return request
