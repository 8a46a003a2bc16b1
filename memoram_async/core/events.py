"""What hooks are told: the course of a call, never its contents."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True, eq=False)
class Attempt:
    """One request of a call; the same object in each hook that concerns it.

    Attributes:
        operation: The contract's name for what is asked, such as `getMemoryBlob`.
        method: The HTTP method.
        url: The address without its query.
        template: The path with the names of its ids in place of them, such as `/tags/{tagId}`; None for
            a free request.
        number: 1 for the first request of a call, 2 for its first repetition.
    """

    operation: str
    method: str
    url: str
    template: str | None
    number: int


@attrs.frozen(kw_only=True)
class Outcome:
    """How one request ended.

    Attributes:
        status: The HTTP status; None if no answer came.
        request_id: The service's id of the request.
        error: The name of the error's class if no answer came.
        elapsed: Seconds from sending to the end of the answer.
    """

    status: int | None = None
    request_id: str | None = None
    error: str | None = None
    elapsed: float
