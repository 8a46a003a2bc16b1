"""Everything that Memory API, the second service of a platform, is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memoram_local.services.rate_limits import Limits, RateLimiter
from memoram_local.store.memory_api.keys import Keys
from memoram_local.store.memory_api.memories import Memories
from memoram_local.store.memory_api.organizations import Organizations
from memoram_local.store.memory_api.usage import Usage

if TYPE_CHECKING:
    from memoram_local.clock import Clock
    from memoram_local.randomness import Randomness


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryApi:
    """The parts of the service.

    Attributes:
        organizations: Units of work on organizations.
        keys: Units of work on their keys.
        memories: Units of work on their memories.
        usage: Units of work on counts of their calls.
        limiter: How much they may call.
    """

    organizations: Organizations
    keys: Keys
    memories: Memories
    usage: Usage
    limiter: RateLimiter


def assemble_memory_api(*, clock: Clock, randomness: Randomness) -> MemoryApi:
    """Put the parts together."""
    return MemoryApi(
        organizations=Organizations(clock=clock, randomness=randomness),
        keys=Keys(clock=clock, randomness=randomness),
        memories=Memories(clock=clock, randomness=randomness),
        usage=Usage(),
        limiter=RateLimiter(Limits(), clock=clock),
    )
