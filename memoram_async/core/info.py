"""What is worth knowing of how a call went, without anything that it carried."""

from __future__ import annotations

import attrs

import memoram_async as sdk


@attrs.frozen(kw_only=True)
class ResponseInfo:
    """How a call went.

    Attributes:
        operation: The contract's name for what was asked, such as `getMemoryBlob`.
        status: The HTTP status of the last answer; None if none came.
        request_id: The service's id of the last request, to quote in a report.
        attempts: How many requests were sent, the token exchange not counted.
        elapsed: Seconds from the call to its end, retries and waiting included.
        rate_limit: How this application stands with the service's rate limit, if the last answer said.
        processing_time: Seconds that the service says it worked on the last request, if it said.
        replayed: Whether the service recognized a write that it had carried out before, and gave its first
            answer again.
    """

    operation: str
    status: int | None = None
    request_id: str | None = None
    attempts: int = 0
    elapsed: float = 0.0
    replayed: bool = False
    rate_limit: sdk.RateLimit | None = None
    processing_time: float | None = None

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> dict[str, object]:
        """What pydantic takes for one where a model has such a field, as when MCP makes a tool."""
        return {"type": "is-instance", "cls": cls}
