"""What a resource needs to send: the service's address, its credentials and a transport."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import attrs

from memoram_async.core.deadline import Deadline
from memoram_async.core.http import HTTPResponse
from memoram_async.core.retry import Safety
from memoram_async.core.secret import Secret
from memoram_async.core.urls import expand
from memoram_async.runtime.protocol import Runtime
from memoram_async.transport.call import Call, Credentials, Peer
from memoram_async.transport.transport import Transport

if TYPE_CHECKING:  # imported for the first refusal
    from memoram_async.core.answers import MeaningOf


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Requester:
    """Sends the operations of one service for one client.

    Attributes:
        base_url: The service's address.
        credentials: What to authenticate with; None for none.
        transport: What carries the calls.
        peer: The service's memory of idempotency keys; None if it keeps none.
        deadline: When calls give up; None for when the client's total timeout expires.
        meaning: How the service words its refusals, where it says more than a status.
    """

    base_url: str
    credentials: Credentials | None
    transport: Transport
    peer: Peer | None = None
    deadline: Deadline | None = None
    meaning: MeaningOf | None = None

    @property
    def runtime(self) -> Runtime:
        """The world that this client runs in."""
        return self.transport.runtime

    def until(self, deadline: Deadline) -> Requester:
        """The same, whose calls give up at that moment."""
        return attrs.evolve(self, deadline=deadline)

    async def send(
        self,
        operation: str,
        method: str,
        template: str,
        *,
        ids: Mapping[str, str] | None = None,
        params: Mapping[str, object] | None = None,
        json: object = None,
        form: Mapping[str, str | Secret] | None = None,
        safety: Safety = Safety.IDEMPOTENT,
        read: Callable[[HTTPResponse], object] | None = None,
        idempotency_key: str | None = None,
    ) -> HTTPResponse:
        """Send one operation; ids fill the path's template, parameters that are None are left out."""
        return await self.transport.call(
            Call(
                operation=operation,
                method=method,
                url=self.base_url + expand(template, **(ids or {})),
                template=template,
                params=params or {},
                json=json,
                form=form,
                safety=safety,
                credentials=self.credentials,
                peer=self.peer,
                meaning=self.meaning,
                read=read,
                idempotency_key=idempotency_key,
            ),
            deadline=self.deadline,
        )
