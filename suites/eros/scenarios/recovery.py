"""After a rollback: the cause is found, shadow mode shows the fix, the rollout goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from pytest_rollout import Reported, Stage, scenario
from suites.eros.scenarios.widening import flags_in
from suites.eros.views.records import noted
from suites.eros.views.routing import Flags
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

ORDER = (
    "shadow",
    "canary",
    "early_adopters",
    "percent25",
    "percent50",
    "percent75",
    "cutover",
)


@dataclass(frozen=True)
class Recovery:
    """The newest rollback that was no drill, and what was done after it."""

    service: Service
    records: Path

    @cached_property
    def drills(self) -> Sequence[Reported]:
        """Drills that people recorded."""
        return noted(self.records, "drill") if self.records.is_file() else []

    @cached_property
    def rolled_back(self) -> Reported:
        """The newest rollback that fired by itself; raises NoValueError where none did."""
        history = self.service.get("/rollback").each("history")
        by_itself = [rollback for rollback in history if rollback.text("by") == "automatic"]
        real = [rollback for rollback in by_itself if not self._is_drill(rollback.moment("at"))]
        if not real:
            not_done("no rollback has fired", "nothing had to be put right; rehearse it")
        return real[-1]

    def _is_drill(self, fired: datetime) -> bool:
        """Whether somebody recorded a drill of it within the hour."""
        drilled = [drill.moment("at") for drill in self.drills if drill.text("way") == "automatic"]
        return any(fired <= at <= fired + timedelta(hours=1) for at in drilled)

    @property
    def at(self) -> datetime:
        """When it fired."""
        return self.rolled_back.moment("at")

    @cached_property
    def returned(self) -> Reported:
        """The change of flags that brought creators back to v5; raises NoValueError without."""
        changes = self.service.get("/flags/changes").each("changes")
        serving = [
            change
            for change in changes
            if change.moment("at") > self.at and _serves(flags_in(change, "after"))
        ]
        if not serving:
            not_done("no creator is back on v5", "fix it, validate it in shadow mode, and go on")
        return serving[0]

    @cached_property
    def stable(self) -> str:
        """The last phase, in the plan's order, that was accepted before it fired."""
        passed = {
            gate.text("phase")
            for gate in noted(self.records, "gate")
            if gate.text("verdict") == "GO" and gate.moment("at") <= self.at
        }
        accepted = [name for name in ORDER if name in passed]
        if not accepted:
            not_done("no phase was accepted before the rollback", "see what is on record")
        return accepted[-1]


def _serves(flags: Flags) -> bool:
    """Whether these flags put a creator on v5."""
    return flags.enabled and not flags.shadow and bool(flags.percentage or flags.creators)


@scenario(own_target=True)
def recovered(phase: Stage) -> Recovery:
    """At 50 percent two runs violate a gate, v5 is rolled back, and people put it right."""
    service = Service(phase.target("eros").client)
    phase.operate("eros", "rollout", before="percent50")
    phase.operate("eros", "phase", id="percent50", days=0)
    broken = {"creator": "alexia", "v5": {"violations": ["overlap"]}}
    sound = {"creator": "alexia", "v5": {"seconds": 70, "quality": 85}}
    phase.operate("eros", "runs", runs=[sound] * 10 + [broken] * 2)
    phase.operate("eros", "recover", failed="percent50")
    return Recovery(service, phase.file("records"))
