"""The rollback fires by itself while requests are under way and more arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_rollout import Reported, Stage, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, evening
from suites.eros.views.journal import Run, runs
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

REQUESTS = 60
EVERY_S = 6


@dataclass(frozen=True, slots=True)
class Surge:
    """What became of requests around a rollback."""

    fired: datetime
    answers: Sequence[Reported]
    runs: Sequence[Run]

    @property
    def under_way(self) -> list[Run]:
        """Runs of v5 that were under way when it fired."""
        return [
            run
            for run in self.runs
            if run.pipeline == "v5" and run.started < self.fired < run.ended
        ]

    @property
    def later(self) -> list[Run]:
        """Runs that began after it fired."""
        return [run for run in self.runs if run.started > self.fired]


@scenario(effect="disrupt", own_target=True)
def surge(phase: Stage) -> Surge:
    """A request each six seconds; the tenth and eleventh of v5 violate a gate, and it fires."""
    service = Service(phase.target("eros").client)
    if not phase.embedded:
        not_done("no rollback fired among requests that were under way", "rehearse it")
    evening(phase)
    service.set_flags(**CONFIGURATIONS["cutover"])
    since = phase.target("eros").clock.now()
    names = service.names
    asked = [
        {
            "creator": names[number % len(names)],
            "at_s": number * EVERY_S,
            "v5": {"seconds": 70, "violations": ["overlap"] if number in (9, 10) else []},
        }
        for number in range(REQUESTS)
    ]
    said = phase.operate("eros", "runs", runs=asked)
    answers = [Reported(answer, "operator step runs") for answer in said["answers"]]
    history = [at for at in service.get("/rollback").each("history") if at.moment("at") >= since]
    if not history:
        not_done("the rollback did not fire while requests were made", "see fires-gate-violations")
    return Surge(history[0].moment("at"), answers, runs(service, since=since))
