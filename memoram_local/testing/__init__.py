"""What tests do with a platform: faults, policies, a journal, snapshots, a proxy that breaks connections.

Everything is loaded when it is first used, because pytest loads this package's plugin in every run, also
where nobody needs a platform.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memoram_local.testing.controls import Snapshot
    from memoram_local.testing.fault_plan import ArmedFault, Faults
    from memoram_local.testing.faults import (
        Bench,
        Delay,
        DropAfterCommit,
        DropBeforeCommit,
        ExpireTokens,
        Fault,
        NotJSON,
        OtherShape,
        Redirect,
        Skew,
        StaleRead,
        Status,
        Truncate,
    )
    from memoram_local.testing.hang_up import ConnectionDropped
    from memoram_local.testing.journal import Journal, JournalEntry, RequestNotSeenError
    from memoram_local.testing.operations import OPERATIONS, UnknownRouteError
    from memoram_local.testing.policies import (
        AfterPolls,
        AfterSeconds,
        AutoApprove,
        AutoReject,
        ByHand,
        Pending,
        PerApp,
        PerUser,
        Policy,
    )
    from memoram_local.testing.proxy import (
        BlackHole,
        Drip,
        FaultProxy,
        HalfClose,
        Lag,
        Mode,
        Pass,
        Reset,
        TruncateAfter,
    )
    from memoram_local.testing.seed import Seeded, SeedError

__all__ = [
    "OPERATIONS",
    "AfterPolls",
    "AfterSeconds",
    "ArmedFault",
    "AutoApprove",
    "AutoReject",
    "Bench",
    "BlackHole",
    "ByHand",
    "ConnectionDropped",
    "Delay",
    "Drip",
    "DropAfterCommit",
    "DropBeforeCommit",
    "ExpireTokens",
    "Fault",
    "FaultProxy",
    "Faults",
    "HalfClose",
    "Journal",
    "JournalEntry",
    "Lag",
    "Mode",
    "NotJSON",
    "OtherShape",
    "Pass",
    "Pending",
    "PerApp",
    "PerUser",
    "Policy",
    "Redirect",
    "RequestNotSeenError",
    "Reset",
    "SeedError",
    "Seeded",
    "Skew",
    "Snapshot",
    "StaleRead",
    "Status",
    "Truncate",
    "TruncateAfter",
    "UnknownRouteError",
]

_MODULES = (
    "faults",
    "fault_plan",
    "hang_up",
    "journal",
    "operations",
    "policies",
    "proxy",
    "seed",
    "controls",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            members = vars(import_module(f"{__name__}.{module}"))
            if name in members:
                return members[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
