"""Every public method works on a real socket: plainly, and in the thread of a running event loop."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING

import pytest

import memoram_sync
from memoram_sync._homes import HOMES
from tests.sync.calls import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sync.scenes import Scene

HAS_NO_CALLERS_OF_ITS_OWN = {"BlockingRuntime"}
CALLED_BY_PYTHON = {"__enter__", "__exit__", "__iter__", "__next__", "__repr__"}

every_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.__name__)


def public_methods() -> set[str]:
    """What callers can call, as the interpreter sees it."""
    return {
        f"{name}.{member}"
        for name, kind in ((name, getattr(memoram_sync, name)) for name in HOMES)
        if inspect.isclass(kind)
        and kind.__module__.startswith("memoram_sync.")
        and name not in HAS_NO_CALLERS_OF_ITS_OWN
        for member, value in vars(kind).items()
        if (callable(value) or isinstance(value, property | classmethod | staticmethod))
        and (member in CALLED_BY_PYTHON or not member.startswith("_"))
    }


def test_every_public_method_has_a_call() -> None:
    assert set[str]().union(*CALLS.values()) == public_methods()


@every_call
def test_in_a_thread_of_its_own(scene: Scene, call: Callable[[Scene], None]) -> None:
    call(scene)


@every_call
@pytest.mark.anyio
async def test_in_the_thread_of_a_running_loop(scene: Scene, call: Callable[[Scene], None]) -> None:
    call(scene)
