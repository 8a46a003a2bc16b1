"""Who decides access requests, and when, while no person does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from memoram_local.store.access_requests import AccessRequest

Answer = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Pending:
    """An access request that waits for its decision.

    Attributes:
        request: The request.
        age: Seconds of the platform's clock since it was made, to the millisecond.
        polls: How often its application has looked at it, the look included that is answered next.
    """

    request: AccessRequest
    age: float
    polls: int


Policy = Callable[[Pending], "Answer | None"]
"""Decides a pending access request, or answers None to leave it for later.

It is asked before every request that could see its decision, so nothing happens in the background.
"""


@dataclass(frozen=True, slots=True)
class ByHand:
    """Nobody decides but `approve`, `reject` and the dashboard."""

    def __call__(self, pending: Pending) -> Answer | None:
        """Never."""
        del pending
        return None


@dataclass(frozen=True, slots=True)
class AutoApprove:
    """Every request is approved as soon as its application looks again; the answer to asking is pending."""

    def __call__(self, pending: Pending) -> Answer | None:
        """At once."""
        del pending
        return "approve"


@dataclass(frozen=True, slots=True)
class AutoReject:
    """Every request is rejected as soon as its application looks again; the answer to asking is pending."""

    def __call__(self, pending: Pending) -> Answer | None:
        """At once."""
        del pending
        return "reject"


@dataclass(frozen=True, slots=True)
class AfterSeconds:
    """A request is decided when it has that age.

    Attributes:
        seconds: Of the platform's clock.
        then: The decision.
    """

    seconds: float
    then: Answer = "approve"

    def __call__(self, pending: Pending) -> Answer | None:
        """Once it is old enough."""
        return self.then if pending.age >= self.seconds else None


@dataclass(frozen=True, slots=True)
class AfterPolls:
    """A request is decided when its application looks at it for the nth time.

    A look is an answer to getAccessRequest or listAccessRequests that shows it.

    Attributes:
        polls: Which look is the first to see the decision, counted from 1.
        then: The decision.
    """

    polls: int
    then: Answer = "approve"

    def __call__(self, pending: Pending) -> Answer | None:
        """Once it was looked at often enough."""
        return self.then if pending.polls >= self.polls else None


@dataclass(frozen=True, slots=True)
class PerApp:
    """Each application has a policy of its own.

    Attributes:
        policies: By the application's id.
        otherwise: For all others.
    """

    policies: Mapping[str, Policy]
    otherwise: Policy = field(default_factory=ByHand)

    def __call__(self, pending: Pending) -> Answer | None:
        """As the application's policy says."""
        return self.policies.get(pending.request.app_id, self.otherwise)(pending)


@dataclass(frozen=True, slots=True)
class PerUser:
    """Each user has a policy of its own.

    Attributes:
        policies: By the user's id.
        otherwise: For all others.
    """

    policies: Mapping[str, Policy]
    otherwise: Policy = field(default_factory=ByHand)

    def __call__(self, pending: Pending) -> Answer | None:
        """As the user's policy says."""
        return self.policies.get(pending.request.user_id, self.otherwise)(pending)
