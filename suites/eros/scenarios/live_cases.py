"""The triggers of a phase on runs that happen: when the controller logs that one holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pytest_rollout import Stage, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, evening
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import journal
from suites.eros.views.conditions import held
from suites.eros.views.contract import demand_answer
from suites.eros.views.limit_cases import ADOPTERS, CANARY, SHADOW, Case
from suites.eros.views.records import logged
from suites.eros.views.service import Service

_APART_S = 310  # so that five minutes never hold two runs
_TRIED: Mapping[str, tuple[Sequence[Case], Sequence[str]]] = {
    "shadow": (SHADOW, ("4 of 20 fail", "5 of 20 fail", "the first regression")),
    "canary": (CANARY, ("9 of 10 succeed", "8 of 10 succeed", "the first violation")),
    "early_adopters": (
        ADOPTERS,
        (
            "9 of 10 of each",
            "8 of 10 of one, all of two others",
            "the first violation of one",
            "10 points less",
            "10.1 points less",
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Happened:
    """A case that was lived through."""

    name: str
    due: datetime | None  # when a trigger began to hold, by the runs
    seen: datetime | None  # when the controller first said so


@scenario(effect="disrupt", own_target=True)
def live_cases(phase: Stage) -> Sequence[Happened]:
    """Cases at both sides of the phase's limits happen, each in an evening of its own."""
    service = Service(phase.target("eros").client)
    name = phase.id.rpartition(".")[2]
    cases, wanted = _TRIED[name]
    baselines = {who: of for case in cases for who, of in case.baselines.items()}
    if baselines:
        _score(phase, service, baselines)
    return [_happened(phase, service, name, case) for case in cases if case.name in wanted]


def _score(phase: Stage, service: Service, baselines: Mapping[str, float]) -> None:
    """Have v4 score so for each creator, beside the shadow."""
    evening(phase)
    service.set_flags(**CONFIGURATIONS["shadow"])
    runs = [
        {"creator": name, "v4": {"quality": score + more}, "v5": {"quality": score}}
        for name, score in baselines.items()
        for more in (-1, 1)
    ]
    phase.operate("eros", "runs", runs=runs)
    service.set_flags(enabled="false")


def _happened(phase: Stage, service: Service, name: str, case: Case) -> Happened:
    evening(phase)
    service.post("/rollback/reset", {"by": "Olga", "reason": "the next case"})
    service.set_flags(enabled="false")
    service.set_flags(**CONFIGURATIONS[name])
    since = phase.target("eros").clock.now()
    phase.operate("eros", "runs", runs=[_told(run) for run in case.runs])
    ended = _ended(service, name, since)
    said = [
        line.moment("at")
        for line in logged(phase.file("logs"), "eros.rollback", "condition")
        if line.moment("at") >= since and line.text("phase") == name
    ]
    due = None if case.at_run is None else ended[case.at_run]
    return Happened(case.name, due, said[0] if said else None)


def _told(run: Mapping[str, Any]) -> dict[str, Any]:
    """A run of a case, as the operator takes it."""
    v5: dict[str, Any] = {"seconds": 60, "violations": run.get("violations", [])}
    v5 |= (
        {"fails": "raise"}
        if run.get("outcome") == "failed"
        else {"quality": run.get("quality", 85)}
    )
    about = {"creator": run.get("creator", "alexia"), "after_s": _APART_S}
    return {**about, "v5": v5, "v4": {"seconds": 60, "quality": 85}}


def _ended(service: Service, name: str, since: datetime) -> list[datetime]:
    """When the runs of v5 since a moment were over: in shadow mode when they were compared."""
    if name == "shadow":
        pairs = service.get("/comparisons", since=since).each("comparisons")
        return [pair.moment("at") for pair in pairs]
    return [run.ended for run in journal.served(journal.runs(service, since=since))]


def demand_seen(cases: Sequence[Happened], week: Lived) -> None:
    """Raise AssertionError where the controller saw a trigger hold at another time than it did.

    The week of the phase is a case, too: outside of a rehearsal it is the only one.
    """
    demand_answer("/rollback", week.service.client.get("/rollback").json())
    wrong = [
        f"{case.name}: a trigger holds {_when(case.due)}, the controller says {_when(case.seen)}"
        for case in (*cases, _of_week(week))
        if case.due != case.seen
    ]
    assert not wrong, "; ".join(wrong)


def _of_week(week: Lived) -> Happened:
    outcomes = week.outcomes()
    if week.phase == "shadow":  # there a run counts once it was compared
        compared = {pair.text("request_id"): pair.moment("at") for pair in week.comparisons}
        outcomes = [
            replace(outcome, at=compared.get(run.request_id, outcome.at))
            for run, outcome in zip(week.shadows, outcomes, strict=True)
        ]
    due = [run.at for run, names in held(week.phase, outcomes, week.baseline) if names]
    lines = week.log("eros.rollback", "condition")
    said = [line.moment("at") for line in lines if line.text("phase") == week.phase]
    return Happened("the week", due[0] if due else None, said[0] if said else None)


def _when(moment: datetime | None) -> str:
    return "never" if moment is None else f"from {moment} on"
