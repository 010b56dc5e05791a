"""Requests under one setting of the flags after another, and what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from pathlib import Path

import httpx

from pytest_rollout import NoValueError, Reported, Stage, reported, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, evening
from suites.eros.views import journal
from suites.eros.views.journal import Run
from suites.eros.views.records import logged, noted
from suites.eros.views.routing import Flags
from suites.eros.views.service import Service, unrefused

LIVE = {"ENABLED": "true", "SHADOW_MODE": "false", "PERCENTAGE": "100", "CREATORS": ""}
SHADOW = {**LIVE, "SHADOW_MODE": "true", "CREATORS": "alexia"}
LISTED = {**LIVE, "PERCENTAGE": "0", "CREATORS": "alexia"}
PARTS = ("shadow", "list", "percentage", "fallback on", "saved", "fallback off", "off")
HALF = {**LIVE, "PERCENTAGE": "50", "CREATORS": "alexia,luna_free"}


@dataclass(frozen=True, slots=True)
class Request:
    """A request for a schedule that the suite made, and the answer that it got."""

    creator: str
    flags: Flags  # in force when it was made
    status: int
    answer: Reported
    why: str  # for which part of the trial
    request_id: str  # that it was asked with


@dataclass(frozen=True)
class Trials:
    """What the trials left behind."""

    service: Service
    logs: Path
    requests: tuple[Request, ...]
    monitoring: Mapping[str, Reported] = field(default_factory=dict)  # by the part of the trial
    again: tuple[httpx.Response, ...] = ()  # the first request once more: its creator's, another's
    odd: Mapping[str, str] = field(default_factory=dict)  # what nobody can take: what is wrong then
    jobs: tuple[Reported, ...] = ()  # of a creator, on the day after; v5 failed in the first one

    @cached_property
    def runs(self) -> tuple[Run, ...]:
        """The whole journal."""
        return journal.runs(self.service)

    @cached_property
    def by_request(self) -> dict[str, list[Run]]:
        """The runs of each request."""
        requests: dict[str, list[Run]] = {}
        for run in self.runs:
            requests.setdefault(run.request_id, []).append(run)
        return requests

    @cached_property
    def drafts(self) -> dict[str, Reported]:
        """What each run planned, by the run."""
        drafts = self.service.get("/drafts").each("drafts")
        return {draft.text("run_id"): draft for draft in drafts}

    @cached_property
    def decisions(self) -> list[Reported]:
        """What the router logged."""
        return logged(self.logs, "eros.router", "decision")

    def of(self, *parts: str) -> list[Request]:
        """The requests of some parts of the trial; raises NoValueError where there are none."""
        made = [request for request in self.requests if request.why in parts]
        if not made:
            named = " or ".join(parts)
            raise NoValueError(f"no request was made for {named}; try it where nobody is served")
        return made


def texts(flags: Mapping[str, str]) -> dict[str, str]:
    """Flags by the names of their variables."""
    return {f"EROS_V5_{name}": value for name, value in flags.items()}


@scenario(effect="change")
def flag_trials(phase: Stage) -> Trials:
    """Requests in shadow mode, of a list, of a percentage, and with a v5 that fails."""
    service = Service(phase.target("eros").client)
    if not phase.embedded:  # no trial on creators who are served
        return Trials(service, phase.file("logs"), ())
    return _tried(phase, service)


def _tried(phase: Stage, service: Service) -> Trials:
    evening(phase)  # a job would run as bad as a request was to
    odd = dict(_odd(service))
    for flags in (*CONFIGURATIONS.values(), {**LIVE, "PERCENTAGE": "0"}):
        service.set_flags(**flags)
    service.client.put("/flags", json={"EROS_V5_CREATORS": "alexia"})  # nobody says who, or why
    made: list[Request] = []
    said: dict[str, Reported] = {}
    names = sorted(service.names)
    for why, flags in (("shadow", SHADOW), ("list", LISTED), ("percentage", HALF)):
        made += _asked(service, ["alexia", *names[:12]], flags, why)
    first = made[0]
    again = [service.generate(name, first.request_id) for name in (first.creator, "luna_free")]
    _anew(service, {**LIVE, "AUTO_FALLBACK": "true"})
    phase.operate("eros", "disturb", pipeline="v5", times=5, fails="raise")
    made += _asked(service, names[:5], LIVE, "fallback on")
    made += _asked(service, names[5:9], LIVE, "saved")
    _anew(service, {**LIVE, "AUTO_FALLBACK": None})
    phase.operate("eros", "disturb", pipeline="v5", times=1, fails="raise")
    made += _asked(service, names[:1], LIVE, "fallback unset")
    _anew(service, LIVE)  # the controller counts anew, so that it lets the trial go on
    made += _asked(service, names[9:20], LIVE, "saved")
    said["saved"] = service.get("/monitoring", last=20)
    _anew(service, {**LIVE, "AUTO_FALLBACK": "false"})
    phase.operate("eros", "disturb", pipeline="v5", times=5, fails="raise")
    made += _asked(service, names[:5], {**LIVE, "AUTO_FALLBACK": "false"}, "fallback off")
    said["fallback off"] = service.get("/monitoring", last=5)
    _anew(service, {**LIVE, "ENABLED": "false", "AUTO_FALLBACK": "true"})
    made += _asked(service, names[:6], {**LIVE, "ENABLED": "false"}, "off")
    jobs = tuple(_a_job_fails(phase, service, names[0]))
    return Trials(service, phase.file("logs"), tuple(made), said, tuple(again), odd, jobs)


def _a_job_fails(phase: Stage, service: Service, creator: str) -> Iterator[Reported]:
    """The jobs of a creator up to the next noon; v5 fails in the first, and nobody steps in."""
    clock = phase.target("eros").clock
    begun = clock.now()
    _anew(service, {**LIVE, "AUTO_FALLBACK": "false"})
    phase.operate("eros", "disturb", pipeline="v5", times=1, creator=creator, fails="raise")
    clock.advance(timedelta(hours=17).total_seconds())  # 20:00 to 13:00
    answer = service.get("/jobs", since=begun)
    own = {job.text("job") for job in answer.each("jobs") if job["creator"] == creator}
    yield from (execution for execution in answer.each("executions") if execution["job"] in own)


def _odd(service: Service) -> Iterator[tuple[str, str]]:
    """Requests and flags that nobody can take, and what is wrong with the refusal of each."""
    cases: tuple[tuple[str, object, int], ...] = (
        ("/flags", ["no object"], 400),
        ("/flags", {"EROS_V6_ENABLED": "true"}, 400),
        ("/flags", {"EROS_V5_PERCENTAGE": 25}, 400),
        ("/flags", {"EROS_V5_CREATORS": "alexia\nEROS_V5_ENABLED=true"}, 400),
        ("/generate", {}, 400),
        ("/generate", {"creator": ""}, 400),
        ("/generate", {"creator": "alexia", "request_id": 5}, 400),
        ("/generate", {"creator": "nobody"}, 404),
    )
    before = service.get("/flags")["raw"]
    for path, body, status in cases:
        yield f"POST {path} {body}", unrefused(service.client.post(path, json=body), status)
    after = service.get("/flags")["raw"]
    yield "a refused change", "" if after == before else f"made all the same: {after}"


def _anew(service: Service, flags: Mapping[str, str | None]) -> None:
    """Switch v5 off, and then to some flags: what ran before counts for no rollback."""
    service.set_flags(enabled="false")
    service.set_flags(**flags)


def _asked(
    service: Service, creators: Iterable[str], flags: Mapping[str, str], why: str
) -> Iterator[Request]:
    service.set_flags(**flags)
    in_force = Flags.of(texts(flags))
    for creator in creators:
        id_ = f"suite-{why.replace(' ', '-')}-{creator}"
        response = service.generate(creator, id_)
        yield Request(creator, in_force, response.status_code, _read(response), why, id_)


def _read(response: httpx.Response) -> Reported:
    return reported(response, any_status=True)


@dataclass(frozen=True, slots=True)
class Flip:
    """Decisions and deliveries before and right after the kill switch goes off."""

    before: tuple[str, ...]  # targets while v5 is on
    after: tuple[str, ...]  # targets from the very next decision on


DRILL = "creator-of-the-drill"  # nobody on the roster, so that nobody is served by a trial


@scenario(effect="change")
def flips(phase: Stage) -> tuple[Flip, ...]:
    """The kill switch goes off several times; in a rehearsal creators are served meanwhile."""
    service = Service(phase.target("eros").client)
    kept = service.get("/flags").inner("raw")
    names = [DRILL, "alexia"] if phase.embedded else [DRILL]
    try:
        return tuple(_flipped(service, names, serve=phase.embedded) for _ in range(5))
    finally:
        listed = ("ENABLED", "SHADOW_MODE", "PERCENTAGE", "CREATORS")
        service.set_flags(**{name: kept.get(f"EROS_V5_{name}") for name in listed})


def _flipped(service: Service, names: list[str], *, serve: bool) -> Flip:
    service.set_flags(**{**LISTED, "CREATORS": ",".join(names)})
    before = _targets(service, names, serve=serve)
    service.set_flags(enabled="false")
    return Flip(before, _targets(service, names, serve=serve, times=2))


def _targets(service: Service, names: list[str], *, serve: bool, times: int = 1) -> tuple[str, ...]:
    targets = []
    for _ in range(times):
        _, decided = service.decide(names)
        targets += [decision.text("target") for decision in decided]
    if serve:
        targets.append(_read(service.generate("alexia")).text("pipeline"))
    return tuple(targets)


@dataclass(frozen=True, slots=True)
class Order:
    """What was configured and delivered, and which gates were decided by then."""

    changes: tuple[Reported, ...]
    gates: tuple[Reported, ...]
    delivered: tuple[Reported, ...]
    names: tuple[str, ...]


@scenario(own_target=True)
def phases_in_order(phase: Stage) -> Order:
    """Shadow mode passes, with its gate, and the canary begins."""
    service = Service(phase.target("eros").client)
    phase.operate("eros", "rollout", before="canary")
    phase.operate("eros", "phase", id="canary", days=1)
    records = phase.file("records")
    gates = tuple(noted(records, "gate")) if records.exists() else ()
    return Order(
        service.get("/flags/changes").each("changes"),
        gates,
        service.get("/schedules").each("schedules"),
        tuple(service.names),
    )
