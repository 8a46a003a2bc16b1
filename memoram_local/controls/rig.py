"""What a test kit adds to the application of a platform."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from memoram_local.controls.decisions import DecisionGate
from memoram_local.controls.fault_plan import FaultGate
from memoram_local.controls.recording import Recorder

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from memoram_local.controls.decisions import Decisions
    from memoram_local.controls.fault_plan import Faults
    from memoram_local.controls.faults import Bench
    from memoram_local.controls.journal import Journal


@dataclass(frozen=True, slots=True)
class Rig:
    """The kit of one platform, in three layers around its application."""

    journal: Journal
    faults: Faults
    decisions: Decisions
    bench: Bench

    def deciding(self, app: ASGIApp) -> ASGIApp:
        """An application that is asked after the policy has decided what is due."""
        return DecisionGate(app, decisions=self.decisions)

    def failing(self, app: ASGIApp) -> ASGIApp:
        """An application whose answers faults may strike."""
        return FaultGate(app, faults=self.faults, bench=self.bench)

    def recorded(self, app: ASGIApp) -> ASGIApp:
        """An application whose requests are written down."""
        return Recorder(app, journal=self.journal, clock=self.bench.services.clock)
