"""What tests do with a platform: faults, policies, a journal, snapshots, a proxy that breaks connections.

Everything is loaded when it is first used, because pytest loads this package's plugin in every run, also
where nobody needs a platform.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memoram_local.controls.controls import Snapshot
    from memoram_local.controls.fault_plan import ArmedFault, Faults
    from memoram_local.controls.faults import (
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
    from memoram_local.controls.hang_up import ConnectionDropped
    from memoram_local.controls.journal import Journal, JournalEntry, RequestNotSeenError
    from memoram_local.controls.operations import OPERATIONS, UnknownRouteError
    from memoram_local.controls.policies import (
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
    from memoram_local.controls.seed import Seeded, SeedError
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
    "memoram_local.controls.faults",
    "memoram_local.controls.fault_plan",
    "memoram_local.controls.hang_up",
    "memoram_local.controls.journal",
    "memoram_local.controls.operations",
    "memoram_local.controls.policies",
    "memoram_local.controls.seed",
    "memoram_local.controls.controls",
    "memoram_local.testing.proxy",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            members = vars(import_module(module))
            if name in members:
                return members[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
