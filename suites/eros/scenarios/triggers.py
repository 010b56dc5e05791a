"""Rollbacks by itself: each rule is brought to its limit, then beyond it, on runs that happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pytest_rollout import Message, Reported, Stage, read_inbox, reported, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, controller, evening, on_v5
from suites.eros.views.conditions import held
from suites.eros.views.journal import Run, runs, served
from suites.eros.views.records import logged
from suites.eros.views.said import not_done
from suites.eros.views.service import Service, unrefused
from suites.eros.views.trigger_cases import RULES

_GOOD = {"seconds": 70, "quality": 85, "violations": [], "after_s": 20}
_BROKEN = {"violations": ["overlap"]}
Rows = Sequence[Mapping[str, Any]]
# At the limit, and one run beyond it.
LIMITS: Mapping[str, tuple[Rows, Rows]] = {
    "success": (
        [
            *[{"seconds": 10, "after_s": 4}] * 17,
            *[{"fails": "raise", "seconds": 10, "after_s": 4}] * 3,
        ],
        [{"fails": "raise", "seconds": 10}] * 2,
    ),
    "latency": ([{"seconds": 180}] * 4 + [{"seconds": 181}] * 2, [{"seconds": 181}]),
    "gates": ([{}] * 9 + [_BROKEN], [_BROKEN]),
    "quality": ([{"quality": 70}] * 10, [{"quality": 69}] * 2),
}

# The configuration in which each rule is tried: every step of the rollout has its turn.
IN = dict(zip(LIMITS, ("percent25", "percent50", "percent75", "cutover"), strict=True))


@dataclass(frozen=True, slots=True)
class Fired:
    """What came of one rule: the runs, whether it fired, and what was then."""

    rule: str
    since: datetime  # when v5 was switched on
    runs: Sequence[Run]
    stood: Reported  # what the controller said once the limit was reached
    due: datetime | None  # when the rule held first, by the runs
    history: Sequence[Reported]  # rollbacks since v5 was switched on
    flags: Reported
    after: Mapping[str, bool]  # each creator, and whether v5 would run for it
    served: str  # the pipeline that made the next schedule
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Lacking:
    """What the controller says after too few runs."""

    runs: int
    counted: int  # runs, by the controller
    active: bool
    judged: bool


@dataclass(frozen=True, slots=True)
class Triggered:
    """What came of each rule, and what it took to come back."""

    fired: Mapping[str, Fired]
    lacking: Sequence[Lacking]
    first: Sequence[Run]  # the too few runs
    unjudged: Sequence[Reported]  # lines of the log: rules that had too few runs
    conditions: Sequence[Reported]  # lines of the log: triggers of a phase's own that held
    quiet: Sequence[Reported]  # what the controller says before any run, and after the last reset
    stayed: Mapping[str, bool]  # what was tried, and whether v5 was on then
    back: frozenset[str]  # who is on v5 once somebody reset it and switched it on
    kept: Sequence[Reported]  # the rollbacks that are on record after every reset


@scenario(effect="disrupt", own_target=True)
def triggered(phase: Stage) -> Triggered:
    """Each rule fires in turn; before it is reset for the next one, v5 is tried to come back."""
    service = Service(phase.target("eros").client)
    if not phase.embedded:
        not_done("the automatic rollback was not tried here", "rehearse it, or drill it apart")
    evening(phase)
    quiet = [service.get("/rollback")]
    lacking = _too_few(phase, service)
    first = served(runs(service))
    fired: dict[str, Fired] = {}
    stayed: Mapping[str, bool] = {}
    back = frozenset[str]()
    for rule in RULES:
        fired[rule] = _fire(phase, service, rule)
        if rule == "success":
            stayed = _stays(phase, service)
        alone, back = _reset(service)
        stayed = {**stayed, f"a reset of {rule} alone": alone}
    quiet.append(service.get("/rollback"))
    logs, kept = phase.file("logs"), quiet[-1].each("history")
    unjudged = logged(logs, "eros.rollback", "not-evaluable")
    conditions = logged(logs, "eros.rollback", "condition")
    return Triggered(fired, lacking, first, unjudged, conditions, quiet, stayed, back, kept)


def _switch_on(service: Service, configuration: str = "cutover") -> None:
    service.set_flags(**CONFIGURATIONS[configuration])


def _run(phase: Stage, rows: Rows) -> None:
    names = ("alexia", "grace_bennett", "luna_free")
    given = [
        {
            "creator": names[number % 3],
            "after_s": row.get("after_s", 20),
            "v5": {**_GOOD, **row},
        }
        for number, row in enumerate(rows)
    ]
    for run in given:
        run["v5"].pop("after_s", None)
    phase.operate("eros", "runs", runs=given)


def _too_few(phase: Stage, service: Service) -> Sequence[Lacking]:
    """Runs fail one by one, ten minutes apart, until there are nine."""
    _switch_on(service)
    lacking = []
    for number in range(1, 10):
        _run(phase, [{"fails": "raise", "seconds": 30, "after_s": 600}])
        said = service.get("/rollback")
        rule = said.inner("rules").inner("success")
        lacking.append(
            Lacking(number, rule.whole("runs"), said.flag("active"), rule.flag("evaluable"))
        )
    service.set_flags(enabled="false")
    return lacking


def _fire(phase: Stage, service: Service, rule: str) -> Fired:
    _switch_on(service, IN[rule])
    since = phase.target("eros").clock.now()
    at_limit, beyond = LIMITS[rule]
    _run(phase, at_limit)
    stood = service.get("/rollback")
    _run(phase, beyond)
    after = on_v5(service)
    served_by = reported(service.generate("alexia")).text("pipeline")
    now = phase.target("eros").clock.now()
    journal = [run for run in served(runs(service, since=since)) if run.started >= since]
    due = [run.at for run, conditions in _held(journal) if RULES[rule] in conditions]
    rollbacks = [
        rollback
        for rollback in service.get("/rollback").each("history")
        if rollback.moment("at") >= since
    ]
    messages = [
        message for message in read_inbox(phase.file("inbox")) if since <= message.at <= now
    ]
    return Fired(
        rule,
        since,
        journal,
        stood,
        due[0] if due else None,
        rollbacks,
        service.get("/flags"),
        after,
        served_by,
        messages,
    )


def _held(journal: Sequence[Run]) -> list[tuple[Any, tuple[str, ...]]]:
    return list(held("percent25", [run.outcome() for run in journal]))


def _stays(phase: Stage, service: Service) -> Mapping[str, bool]:
    """Whether anybody is on v5 after good runs, a day, a wish and a new start of the program."""
    back = {}
    _run(phase, [{}] * 10)
    back["ten good runs"] = any(on_v5(service).values())
    since = phase.target("eros").clock.now()
    phase.operate("eros", "days", count=1)
    back["a day of good runs"] = any(on_v5(service).values())
    back["a day of jobs"] = any(run.pipeline == "v5" for run in runs(service, since=since))
    asked = service.client.post("/flags", json={"EROS_V5_ENABLED": "true", "by": "Olga"})
    back["switched on without a reset"] = bool(unrefused(asked, 409)) or any(
        on_v5(service).values()
    )
    for body in ({"by": "Olga"}, {"reason": "nobody says who"}):
        reset = service.client.post("/rollback/reset", json=body)
        back[f"a reset with nothing but {min(body)}"] = bool(unrefused(reset, 400)) or any(
            on_v5(service).values()
        )
    status = controller(phase, "status")
    back["read anew from its files"] = not status.flag("active")
    return back


def _reset(service: Service) -> tuple[bool, frozenset[str]]:
    """Whether anybody is on v5 by the reset alone, and who is once it is switched on."""
    service.post("/rollback/reset", {"by": "Olga", "reason": "the drill of a rule is over"})
    alone = any(on_v5(service).values())
    _switch_on(service)
    return alone, frozenset(creator for creator, on in on_v5(service).items() if on)
