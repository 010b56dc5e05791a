"""Phase 7 on the real system: before it, on its first day, and as its weeks left it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import NoValueError, Reported, Stage, reported, scenario
from suites.eros.scenarios.learning_told import CREATOR, TOLD, not_refused, told
from suites.eros.views.journal import Run, runs
from suites.eros.views.learning_history import Version, versions
from suites.eros.views.learning_log import AGENTS, Weeks, happened, log_of
from suites.eros.views.records import lines, logged
from suites.eros.views.reflecting import Done, call
from suites.eros.views.service import Service

FREE = "luna_free"  # a free page
FLAGS = ("ENABLED", "SHADOW_MODE", "PERCENTAGE", "CREATORS", "AUTO_FALLBACK")


@dataclass(frozen=True, slots=True)
class Before:
    """The system as Phase 7 finds it."""

    now: datetime
    decisions: Mapping[str, str]  # creator to pipeline
    served: Mapping[str, set[str]]  # creator to the pipelines of the last day
    ran_on: Sequence[int]  # runs of v5 on each of the last seven days, today first
    rollbacks: frozenset[datetime]  # by the controller, and by its log
    repository: Path
    program: Path
    status: Done


@scenario()
def before_learning(phase: Stage) -> Before:
    """What stands before day 1; nothing is changed."""
    phase.operate("eros", "learn", days=0)
    service, now = Service(phase.target("eros").client), phase.now()
    days = [
        _served(service, now - timedelta(days=ago + 1), now - timedelta(days=ago))
        for ago in range(7)
    ]
    served: dict[str, set[str]] = {name: set() for name in service.names}
    for run in days[0]:
        if run.delivered:
            served.setdefault(run.creator, set()).add(run.pipeline)
    made_up = [f"synthetic-{number}" for number in range(2000)]  # some of each bucket
    _, decisions = service.decide([*service.names, *made_up])
    return Before(
        now=now,
        decisions={decision.text("creator"): decision.text("target") for decision in decisions},
        served=served,
        ran_on=[sum(run.pipeline == "v5" for run in day) for day in days],
        rollbacks=_rollbacks(phase, service),
        repository=phase.file("repository"),
        program=phase.file("reflect"),
        status=call(phase.file("reflect"), "status"),
    )


def _served(service: Service, since: datetime, until: datetime, **only: object) -> tuple[Run, ...]:
    """The runs that began in a stretch of time, but for those of the shadow."""
    return runs(service, since, until, shadow="false", **only)


def _rollbacks(phase: Stage, service: Service) -> frozenset[datetime]:
    """When the controller went back, by its own history and by its log."""
    known = {rollback.moment("at") for rollback in service.get("/rollback").each("history")}
    written = logged(phase.file("logs"), "eros.rollback", "trigger")
    return frozenset(known | {line.moment("at") for line in written})


@dataclass(frozen=True, slots=True)
class FirstDay:
    """What day 1 showed: the status before and after, and the signals of each try."""

    before: Done
    after: Done  # as JSON
    words: Done  # as people read it
    bare: Done  # as JSON, with the flags alone in its environment
    findings: Mapping[str, Sequence[Reported]]  # of the validation, by session
    statuses: Mapping[str, int]  # of HTTP, by session
    unrefused: Sequence[str]  # what is odd, and was not refused with a word why
    corrected: str  # what the user who corrected something said
    sessions: Mapping[str, str]  # what was tried: the session's name
    log: Sequence[Reported]  # the whole log, before and after
    history: Sequence[Version]

    def signals(self, tried: str, source: str) -> list[Reported]:
        """The signals of one source that a try left."""
        signals = happened(self.log, "signal")
        mine = [signal for signal in signals if signal.text("session") == self.sessions[tried]]
        return [signal for signal in mine if signal.text("source") == source]


@scenario(effect="change")
def first_day(phase: Stage) -> FirstDay:
    """A schedule is validated, as it is and with a finding; a user corrects it."""
    phase.operate("eros", "learn", days=0)
    client, program = phase.target("eros").client, phase.file("reflect")
    stamp = f"{phase.now():%Y%m%dT%H%M%S}"
    tries = ("clean", "overlapping", "two rules", "three rules", *TOLD, "odd")
    sessions = {tried: f"suite-{tried.replace(' ', '-')}-{stamp}" for tried in tries}
    says = f"A trial of the rollout's checks, to be declined ({stamp})"
    before = call(program, "status", "--json")
    service = Service(client)
    schedule = _schedule(service, phase.now())
    answers = {
        "clean": _validate(client, sessions["clean"], schedule),
        "overlapping": _validate(client, sessions["overlapping"], overlapping(schedule)),
        "two rules": _validate(client, sessions["two rules"], _too_many(service, CREATOR)),
        "three rules": _validate(
            client, sessions["three rules"], _too_many(service, FREE, "paid"), FREE
        ),
        **told(client, sessions, says),
    }
    odd = tuple(not_refused(client, sessions["odd"], schedule))
    validated = ("clean", "overlapping", "two rules", "three rules")
    findings = {name: reported(answers[name]).each("findings") for name in validated}
    return FirstDay(
        before=before,
        after=call(program, "status", "--json"),
        words=call(program, "status"),
        bare=call(program, "status", "--json", environ=_bare(client, phase)),
        findings=findings,
        statuses={name: answer.status_code for name, answer in answers.items()},
        unrefused=odd,
        corrected=says,
        sessions=sessions,
        log=log_of(phase.file("logs")),
        history=versions(phase.file("repository")),
    )


def _schedule(service: Service, now: datetime) -> list[dict[str, Any]]:
    """The newest schedule of a creator: a test that nobody is served by."""
    stored = service.get("/schedules", since=now - timedelta(days=1), creator=CREATOR)
    made = stored.each("schedules")
    if not made:
        raise NoValueError(f"no schedule of {CREATOR} was stored in the last day")
    items = made[-1].each("schedule")
    if len(items) < 2:
        raise NoValueError(f"the schedule of {CREATOR} has {len(items)} items, two are needed")
    return [dict(item) for item in items]


def overlapping(schedule: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The schedule with its second item at the time of the first."""
    first, second, *rest = schedule
    return [dict(item) for item in (first, {**second, "at": first["at"]}, *rest)]


def _too_many(service: Service, creator: str, audience: str = "all") -> list[dict[str, Any]]:
    """One item more than a creator's day may have, two of them at the same time."""
    limits = {member.text("name"): member.whole("daily_limit") for member in service.roster}
    return [
        {
            "at": f"2026-01-05T{6 + max(number, 1):02}:00:00Z",
            "minutes": 45,
            "kind": "post",
            "audience": audience if number == 0 else "all",
        }
        for number in range(limits[creator] + 1)
    ]


def _validate(
    client: httpx.Client, session: str, schedule: object, creator: str = CREATOR
) -> httpx.Response:
    body = {"session": session, "creator": creator, "schedule": schedule}
    return client.post("/validate", json=body)


def _bare(client: httpx.Client, phase: Stage) -> dict[str, str]:
    """An environment that holds the flags of the cutover, and what any program needs."""
    raw = reported(client.get("/flags")).inner("raw")
    flags = {f"EROS_V5_{name}": raw.get(f"EROS_V5_{name}") for name in FLAGS}
    kept = {name: text for name, text in flags.items() if text is not None}
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(phase.file("logs")), **kept}


@dataclass(frozen=True, slots=True)
class Learnt:
    """Phase 7 as some of its days left it: history, logs, records and the status."""

    now: datetime
    status: Done
    history: Sequence[Version]
    log: Sequence[Reported]  # as it was before this suite asked for the status
    records: Sequence[Reported]
    days: int  # that are due
    repository: Path
    _weeks: list[Weeks] = field(default_factory=list)

    @property
    def begun(self) -> datetime:
        """When day 1 began, by the status."""
        return self.status.said().moment("applied_since")

    @property
    def weeks(self) -> Weeks:
        """Its days and weeks; raises NoValueError where those that are due are not over."""
        if not self._weeks:
            weeks = Weeks(self.begun)
            weeks.demand(self.days, self.now)
            self._weeks.append(weeks)
        return self._weeks[0]

    @property
    def window(self) -> tuple[datetime, datetime]:
        """From day 1 to the end of the last day that is due."""
        return self.weeks.begun, self.weeks.day(self.days)[1]


def learnt(phase: Stage, days: int) -> Learnt:
    """Phase 7 after so many days, as it stands."""
    phase.operate("eros", "learn", days=days)
    log = log_of(phase.file("logs"))
    repository = phase.file("repository")
    return Learnt(
        now=phase.target("eros").clock.now(),
        status=call(phase.file("reflect"), "status", "--json"),
        history=versions(repository),
        log=log,
        records=[*lines(phase.file("records"), "record of people")],
        days=days,
        repository=repository,
    )


@scenario()
def two_weeks(phase: Stage) -> Learnt:
    """The two weeks in which people reflect by hand."""
    return learnt(phase, 14)


@scenario()
def four_weeks(phase: Stage) -> Learnt:
    """The four weeks of Phase 7."""
    return learnt(phase, 28)


@dataclass(frozen=True, slots=True)
class AgentRuns:
    """Served runs of v5 from a week before day 1 on, and which files their agents loaded."""

    runs: Sequence[Run]
    accesses: Mapping[tuple[str, str], Sequence[Reported]]  # by run and agent
    begun: datetime


@scenario()
def agent_runs(phase: Stage, four_weeks: Learnt) -> AgentRuns:
    """The run journal and the agents' log of five weeks."""
    service, begun = Service(phase.target("eros").client), four_weeks.begun
    start = begun - timedelta(days=7)
    days = [start + timedelta(days=number) for number in range(7 + four_weeks.days)]
    ran = [
        run for day in days for run in _served(service, day, day + timedelta(days=1), pipeline="v5")
    ]
    accesses: dict[tuple[str, str], list[Reported]] = {}
    logs = phase.file("logs")
    there = (logs / f"{AGENTS}.jsonl").is_file()  # not before the first access
    for access in happened(log_of(logs, AGENTS) if there else [], "access"):
        accesses.setdefault((access.text("run_id"), access.text("agent")), []).append(access)
    return AgentRuns(ran, accesses, begun)


@scenario()
def learning_resumed(phase: Stage, four_weeks: Learnt) -> Learnt:
    """Learning after somebody took it back; in a rehearsal once its four weeks were read."""
    assert four_weeks.log, "the four weeks left no log"
    phase.operate("eros", "roll-back-learning")
    return learnt(phase, four_weeks.days)


@scenario()
def manual_begun(phase: Stage) -> Reported:
    """The status as people begin to reflect by hand."""
    phase.operate("eros", "learn", days=1)
    log = happened(log_of(phase.file("logs")), "status")
    done = call(phase.file("reflect"), "status", "--json")
    begun = done.said().moment("applied_since")
    first = [look for look in log if begun <= look.moment("at") < begun + timedelta(days=1)]
    return first[-1].inner("answered") if first else done.said()
