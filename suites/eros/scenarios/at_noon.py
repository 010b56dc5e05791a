"""v5 is switched off in the middle of a day, and the jobs of the day and of days after it go on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from pytest_rollout import Observe, Reported, Stage, reported, scenario
from suites.eros.scenarios.rollback_drills import CONFIGURATIONS, DRILL, OFF, controller
from suites.eros.views import oracle
from suites.eros.views.journal import Run, runs
from suites.eros.views.routing import ADOPTERS
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

CAME = ("job", "request", "fallback")  # how a run comes about
_NOON = time(12)
_DAY, _UNDER_WAY = timedelta(days=1), timedelta(seconds=20)
_HANGS = "alexia"  # whose job at noon hangs, so that v4 steps in once v5 is off


@dataclass(frozen=True, slots=True)
class Noon:
    """What ran on a day before v5 was switched off, and each run that began after it."""

    configuration: str
    way: str
    at: datetime  # when it was switched off
    earlier: Sequence[Run]
    later: Sequence[Run]
    jobs: Sequence[Reported]  # that were due after it
    drafts: Sequence[Reported]  # of the day and those after it
    schedules: Mapping[str, Reported]  # by request, that were stored after it

    def came(self, run: Run) -> str:
        """How a run came about."""
        if run.fallback:
            return "fallback"
        return "request" if run.said["job"] is None else "job"


def off_at_noon(phase: Stage, configuration: str, way: str, days: int = 1) -> Noon:
    """Switch v5 off while a job of noon is under way; so many days later, what ran since."""
    service, clock = Service(phase.target("eros").client), phase.target("eros").clock
    service.set_flags(**CONFIGURATIONS[configuration])
    midnight = datetime.combine(clock.now().date(), time(), UTC) + _DAY
    due = _at_noon(service, midnight)
    clock.to(due - _UNDER_WAY)
    phase.operate("eros", "disturb", pipeline="v5", creator=_HANGS, times=1, fails="hang")
    clock.to(due + _UNDER_WAY)
    _OFF[way](phase, service)
    at = clock.now()
    for name in ADOPTERS:
        reported(service.generate(name)).text("pipeline")
    phase.operate("eros", "disturb", times=0)
    clock.to(at + days * _DAY)
    ran = runs(service, since=midnight)
    jobs = service.get("/jobs", since=at, until=at + days * _DAY - timedelta(hours=1))
    stored = service.get("/schedules", since=at).each("schedules")
    return Noon(
        configuration,
        way,
        at,
        [run for run in ran if run.started <= at],
        [run for run in ran if run.started > at],
        jobs.each("executions"),
        service.get("/drafts", since=midnight).each("drafts"),
        {schedule.text("request_id"): schedule for schedule in stored},
    )


def _at_noon(service: Service, midnight: datetime) -> datetime:
    """When the first job of a creator is due after noon."""
    own = [job for job in service.get("/jobs").each("jobs") if job.text("creator") == _HANGS]
    times = sorted(time.fromisoformat(job.text("at")) for job in own)
    later = [at for at in times if at >= _NOON]
    if not later:
        not_done(f"no job of {_HANGS} is due after noon", "see which jobs there are")
    return datetime.combine(midnight.date(), later[0], UTC)


def _by_flag(_: Stage, service: Service) -> None:
    service.set_flags(**OFF)


def _by_program(phase: Stage, _: Service) -> None:
    controller(phase, "trigger", "--reason", DRILL, "--by", "Olga")


def _by_request(_: Stage, service: Service) -> None:
    service.post("/rollback", {"reason": DRILL, "by": "Olga"})


_OFF: Mapping[str, Callable[[Stage, Service], None]] = {
    "flag": _by_flag,
    "program": _by_program,
    "request": _by_request,
}


@scenario(effect="disrupt", own_target=True)
def at_noon(phase: Stage) -> Sequence[Noon]:
    """In configurations of the plan v5 is switched off at noon in each way, once for some days."""
    if not phase.embedded:
        not_done("v5 was not switched off in the middle of a day here", "rehearse it")
    service = Service(phase.target("eros").client)
    noons = []
    for configuration, way, days in (
        ("shadow", "flag", 1),
        ("canary", "flag", 1),
        ("cutover", "flag", 5),
        ("percent50", "program", 1),
        ("cutover", "request", 1),
    ):
        noons.append(off_at_noon(phase, configuration, way, days))
        service.post("/rollback/reset", {"by": "Olga", "reason": "the drill is over"})
    return noons


def observe_later(noon: Noon, observe: Observe, metric: str, **labels: str) -> None:
    """Observe of each run that began after v5 was off whether v5 made it, however it came about.

    Raises AssertionError where a job got no schedule of v4, or v4 plans another day again.
    """
    where = f"in {noon.configuration}, after {noon.way} off"
    assert any(run.pipeline == "v5" for run in noon.earlier), f"{where}: v5 ran for nobody before"
    seen = {noon.came(run) for run in noon.later}
    due = CAME if noon.configuration != "shadow" else CAME[:2]  # a shadow run has no fallback
    lacking = [how for how in due if how not in seen]
    assert not lacking, f"{where}: no run came about by {', '.join(lacking)}, so it shows nothing"
    for run in noon.later:
        about = {**labels, "way": noon.way, "configuration": noon.configuration}
        observe(metric, run.pipeline == "v5", at=run.started, came=noon.came(run), **about)
    on_v5 = [run for run in noon.later if run.pipeline == "v5"]
    shown = ", ".join(f"{run.run_id} ({noon.came(run)}, {run.started:%d %H:%M})" for run in on_v5)
    assert not on_v5, f"{where}: {len(on_v5)} runs of v5 began: {shown:.200}"
    for job in noon.jobs:
        stored = noon.schedules.get(job.text("request_id"))
        got = "nothing" if stored is None else stored.text("pipeline")
        assert got == "v4", f"{where}: the job {job['job']} due at {job['due']} delivered {got}"
    for problem in (
        *oracle.unlike(noon.drafts),
        *oracle.copied(noon.drafts),
        *oracle.repeated(noon.drafts),
    ):
        raise AssertionError(f"{where}: {problem}")
