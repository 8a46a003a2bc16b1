"""What the calls of `connect` of a client family share."""

from __future__ import annotations

from memoram_async.access.request_lookup import RequestLookup
from memoram_async.approvals.hub import ApprovalHub
from memoram_async.models.access import AccessCredentials, AccessRequest
from memoram_async.runtime.protocol import Runtime
from memoram_async.transport.shared_calls import SharedCalls


class FamilyAccess:
    """Looking for requests, making them and fetching credentials: each once, however many ask."""

    def __init__(self, runtime: Runtime, hub: ApprovalHub) -> None:
        self.hub = hub
        self.lookup = RequestLookup(runtime, hub.schedule)
        self.checking: SharedCalls[bool] = SharedCalls(runtime)
        self.asking: SharedCalls[AccessRequest] = SharedCalls(runtime)
        self.credentials: SharedCalls[AccessCredentials] = SharedCalls(runtime)
