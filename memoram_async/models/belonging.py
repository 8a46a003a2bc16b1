"""An answer belongs to its question."""

from __future__ import annotations

from collections.abc import Mapping

from memoram_async.core.errors import APIResponseError
from memoram_async.core.http import HTTPResponse


def belongs(answered: str | None, asked: str | None) -> bool:
    """Whether an id in an answer is the one that was asked for; ids in hexadecimal have two spellings."""
    return answered is None or asked is None or answered == asked or answered.lower() == asked.lower()


def check_belongs(response: HTTPResponse, model: object, *, operation: str, asked: Mapping[str, str]) -> None:
    """Make sure that an answer is about what was asked for; a member that is None says nothing.

    Raises:
        APIResponseError: It is about something else. Whoever mixes up answers may hand out another user's.
    """
    for name, value in asked.items():
        answered = getattr(model, name)
        if answered != value and not belongs(answered, value):
            break
    else:
        return
    error = APIResponseError(
        f"{operation}: the service answered with something else than was asked for: check any cache or proxy "
        "on the way",
        status=response.status,
        request_id=response.request_id,
    )
    error.info = response.info
    raise error
