"""Which faults strike which requests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from memoram_local.controls.faults import Bench, Fault, StaleRead
from memoram_local.controls.operations import checked, operation_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from memoram_local.controls.history import History

STRUCK: Final = "memoram_local.faults"
"""Where a scope keeps the names of the faults that struck its request."""

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class _When:
    nth: int | None
    every: int | None
    times: int | None

    def strikes(self, call: int, fired: int) -> bool:
        if self.times is not None and fired >= self.times:
            return False
        if self.nth is not None:
            return call >= self.nth
        return self.every is None or call % self.every == 0


class ArmedFault:
    """A fault that waits for its requests. As a context manager it is removed at the end of the block.

    Attributes:
        fault: The fault.
        route: The operation whose requests it strikes; None for all operations.
        calls: How many requests of its route there were since it was added.
        fired: How many of them it struck.
    """

    def __init__(self, fault: Fault, *, route: str | None, when: _When, plan: Faults) -> None:
        self.fault = fault
        self.route = route
        self.calls = 0
        self.fired = 0
        self._when = when
        self._plan = plan

    def __repr__(self) -> str:
        return f"<{self.fault} on {self.route or 'all routes'}: {self.fired} of {self.calls} requests>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.remove()

    def remove(self) -> None:
        """Disarm it; a second time does nothing."""
        self._plan.remove(self)

    def meets(self, operation: str) -> bool:
        """Count a request, and say whether it is struck."""
        if self.route not in {None, operation}:
            return False
        self.calls += 1
        if not self._when.strikes(self.calls, self.fired):
            return False
        self.fired += 1
        return True


class Faults:
    """The faults of one platform. All its methods may be called from any thread, at any time.

    Example:
        >>> from memoram_local import MemoramLocal
        >>> from memoram_local.testing import Status
        >>> with MemoramLocal(password_profile="fast") as local:
        ...     armed = local.faults.add(Status(503, retry_after=2), route="createMemoryBlob", nth=1)
        ...     armed.fired
        0
    """

    def __init__(self, history: History) -> None:
        self._history = history
        self._lock = threading.Lock()
        self._armed: list[ArmedFault] = []

    def add(
        self,
        fault: Fault,
        *,
        route: str | None = None,
        nth: int | None = None,
        every: int | None = None,
        times: int | None = None,
    ) -> ArmedFault:
        """Arm a fault. With neither `nth` nor `every` it strikes each request.

        Where several strike one request, those added first are met first.

        Args:
            fault: What goes wrong.
            route: The contract's operationId; None for all operations.
            nth: Strike the nth request of the route from now on, counted from 1, and as many after it as
                `times` says.
            every: Strike each request whose number this divides.
            times: How many requests to strike; 1 by default with `nth`, without it all.

        Raises:
            UnknownRouteError: No operation has this name; the message lists those that there are.
            ValueError: A number is below 1, or both `nth` and `every` are given.
        """
        if nth is not None and every is not None:
            raise ValueError("nth and every exclude each other")
        for name, number in (("nth", nth), ("every", every), ("times", times)):
            if number is not None and number < 1:
                raise ValueError(f"{name} counts from 1")
        if times is None and nth is not None:
            times = 1
        when = _When(nth=nth, every=every, times=times)
        armed = ArmedFault(fault, route=None if route is None else checked(route), when=when, plan=self)
        with self._lock:
            self._armed.append(armed)
            self._look_back()
        return armed

    def remove(self, armed: ArmedFault) -> None:
        """Disarm a fault; one that is not armed is no error."""
        with self._lock:
            self._armed = [other for other in self._armed if other is not armed]
            self._look_back()

    def clear(self) -> None:
        """Disarm all faults."""
        with self._lock:
            self._armed = []
            self._look_back()

    def __iter__(self) -> Iterator[ArmedFault]:
        return iter(list(self._armed))

    def __len__(self) -> int:
        return len(self._armed)

    def striking(self, operation: str) -> list[Fault]:
        """Count a request of an operation, and take the faults that it meets."""
        with self._lock:
            return [armed.fault for armed in self._armed if armed.meets(operation)]

    def _look_back(self) -> None:
        was_kept = self._history.is_kept
        self._history.is_kept = any(isinstance(armed.fault, StaleRead) for armed in self._armed)
        if was_kept and not self._history.is_kept:
            self._history.forget()


class FaultGate:
    """Lets faults strike requests, as plain ASGI middleware."""

    def __init__(self, app: ASGIApp, *, faults: Faults, bench: Bench) -> None:
        self._app = app
        self._faults = faults
        self._bench = bench

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or answer it badly."""
        if scope["type"] != "http" or not self._faults:
            await self._app(scope, receive, send)
            return
        operation = operation_of(scope["method"], scope["path"])
        struck = [] if operation is None else self._faults.striking(operation.name)
        app = self._app if scope["method"] in _READING else self._noticed
        if struck:
            scope[STRUCK] = tuple(type(fault).__name__ for fault in struck)
        for fault in reversed(struck):
            app = fault.around(app, self._bench)
        await app(scope, receive, send)

    async def _noticed(self, scope: Scope, receive: Receive, send: Send) -> None:
        history = self._bench.history
        before = await history.state()
        status = 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if status < 400:
                    # Before the client knows that its write was done, lest it reads without it being kept.
                    history.keep(before)
            await send(message)

        await self._app(scope, receive, send_and_see)
