"""What becomes of a call."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from tests.worlds import items

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


async def outcome(call: Callable[..., Any], arguments: Mapping[str, Any]) -> BaseException | None:
    """What a call raises, its list read to the end."""
    try:
        answer = call(**arguments)
        if inspect.isawaitable(answer):
            await answer
        elif hasattr(answer, "first_page"):
            await items(answer)
    except Exception as error:  # noqa: BLE001 - which one it is, is the question
        return error
    return None
