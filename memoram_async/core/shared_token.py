"""A token that several processes share: when to take it over, and how long to wait for another's.

No I/O and no clock, as in `core.token`. Times of day are the machines' own, so they are trusted no
further than a token's lifetime.
"""

from __future__ import annotations

from typing import Final

import attrs

from memoram_async.core.secret import Secret
from memoram_async.core.token import early_seconds

STORE_LEASE_SECONDS: Final = 35.0
"""How long a process may be alone in exchanging the API key: longer than an exchange may take."""

STORE_SECONDS: Final = 2.0
"""How long a token store may take for one operation before it counts as down."""

STORE_PAUSE_SECONDS: Final = 5.0
"""How long a store that was down is left alone."""

POSTPONE_SECONDS: Final = 1.0
"""How long a process whose token still serves leaves a refresh to another one before it looks again."""

_PATIENCE: Final = 10.0
_FIRST_LOOK: Final = 0.05
_LAST_LOOK: Final = 0.25
_SLOWING: Final = 1.5


@attrs.frozen(kw_only=True, eq=False)
class SharedToken:
    """A token as it lies in a store.

    Attributes:
        token: The token.
        issued: When it was asked for, in seconds since the epoch.
        lifetime: Seconds it lives, counted from then.
    """

    token: Secret
    issued: float
    lifetime: float

    def age(self, wall: float) -> float:
        """Seconds since it was asked for; a clock that is behind makes no token younger than new."""
        return max(0.0, wall - self.issued)

    def remaining(self, wall: float) -> float:
        """Seconds it still lives, 0 or less if it has ended."""
        return self.lifetime - self.age(wall)

    def is_fresh(self, wall: float) -> bool:
        """Whether nobody need refresh it yet, whatever their jitter."""
        return self.remaining(wall) > early_seconds(self.lifetime, jitter=0.0)


def patience(remaining: float, *, jitter: float) -> float:
    """Seconds to wait for another process's exchange before making one's own.

    Each process waits for a time of its own, so that when the one that held the lease has died, the first
    to run out of patience serves the rest.

    Args:
        remaining: Seconds that the waiting call has left, of which half are kept for an exchange.
        jitter: A random number in [0, 1).
    """
    return min(_PATIENCE, remaining / 2) * (0.5 + jitter / 2)


def look_delay(looks: int, *, jitter: float) -> float:
    """Seconds until the next look into the store, after so many looks.

    Args:
        looks: How often it was looked into in vain, 1 or more.
        jitter: A random number in [0, 1).
    """
    return min(_LAST_LOOK, _FIRST_LOOK * _SLOWING ** min(looks - 1, 10)) * (0.75 + jitter / 2)
