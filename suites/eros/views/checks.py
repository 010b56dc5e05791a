"""Checks that several phases share, each of what one phase left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import journal, oracle
from suites.eros.views.conditions import Outcome, held
from suites.eros.views.records import open_days
from suites.eros.views.routing import Flags
from suites.eros.views.steadiness import looks


def demand_flag(lived: Lived, name: str, expected: object) -> None:
    """Raise AssertionError where a flag had another value at any time of the phase.

    Read are the settings in force, every change, and what each routing decision saw.
    """
    now = _value(lived.service.get("/flags"), name)
    assert now == expected, f"{name} is {now!r}, not {expected!r}"
    for change in lived.changes:
        if change.moment("at") < lived.ended:
            texts = {key: str(text) for key, text in change.inner("after").items() if text}
            set_to = Flags.of(texts).typed()[name]
            assert set_to == expected, f"{name} was set to {set_to!r} at {change['at']}"
    decisions = lived.log("eros.router", "decision")
    if not decisions:
        raise NoValueError(f"no routing decision was logged in {lived.phase}")
    for decision in decisions:
        seen = _value(decision.inner("flags"), name)
        assert seen == expected, f"at {decision['at']} the router saw {name} as {seen!r}"


def _value(flags: Mapping[str, object], name: str) -> object:
    value = flags[name]
    return sorted(map(str, value)) if isinstance(value, list) else value


def observe_pipelines(
    lived: Lived, observe: Observe, metric: str, due: Callable[[str], str]
) -> None:
    """Observe for each schedule that was delivered whether it is of the pipeline that is due.

    The pipeline is the one whose draft it is; a creator whose v5 run failed may have v4's.
    """
    known = journal.runs(lived.service, lived.begun - timedelta(hours=1), lived.ended)
    by_run = {run.run_id: run for run in known}
    failed = {run.request_id for run in known if run.pipeline == "v5" and not run.ok}
    seen = set()
    for schedule in lived.schedules:
        creator, run = schedule.text("creator"), by_run.get(schedule.text("run_id"))
        if run is not None and run.started < lived.begun:
            continue  # it was asked for before the phase began
        wanted = due(creator)
        if wanted == "v5" and schedule.text("request_id") in failed:
            wanted = "v4"
        right = run is not None and run.pipeline == wanted == schedule.text("pipeline")
        right = right and made_by_its_run(lived, schedule)
        observe(metric, not right, at=schedule.moment("stored_at"), creator=creator)
        seen.add(creator)
    unserved = sorted(set(lived.roster) - seen)
    assert not unserved, f"nothing was delivered to {', '.join(unserved)}"


def made_by_its_run(lived: Lived, schedule: Reported) -> bool:
    """Whether a schedule is what its run drafted, and keeps every hard gate."""
    draft = lived.drafts.get(schedule.text("run_id"))
    creator = lived.roster.get(schedule.text("creator"))
    if draft is None or creator is None:
        return False
    items = schedule.each("schedule")
    whole = oracle.within(items, draft.each("draft"), creator)
    return whole and not oracle.broken(items, creator)


def demand_deliveries(lived: Lived) -> None:
    """Raise AssertionError where a run of v5 that succeeded was not delivered, or is in no log.

    What a run took must be what its times say, and a run that failed leaves v4's schedule.
    """
    stored = {schedule.text("run_id") for schedule in lived.schedules}
    saved = {run.request_id for run in lived.runs if run.fallback and run.delivered}
    logged = {line.text("run_id") for line in lived.log("eros.orchestrator", "run")}
    for run in lived.served:
        if run.ok:
            there = run.delivered and run.run_id in stored
            assert there, f"run {run.run_id} succeeded, and nobody got its schedule"
        else:
            assert run.request_id in saved, f"run {run.run_id} failed, and v4 did not step in"
        told = run.told_seconds
        right = told is None or abs(told - run.seconds) < 0.05
        assert right, f"run {run.run_id} took {run.seconds:g} s, the journal says {told}"
        assert run.run_id in logged or told is None, f"run {run.run_id} is in no log"


def observe_conditions(lived: Lived, observe: Observe, outcomes: list[Outcome], first: int) -> None:
    """Observe at each run, from the ``first`` on, whether a rollback condition of the phase holds.

    Where the controller says that one held, or took v5 back, that is a failure, too.
    """
    for place, (run, names) in enumerate(held(lived.phase, outcomes, lived.baseline), 1):
        if place >= first or names:
            observe("condition_held", bool(names), at=run.at, creator=run.creator)
    logged = lived.log("eros.rollback", "condition")
    said = [line for line in logged if line.text("phase") == lived.phase]
    shown = ", ".join(f"{line['rule']} at {line['at']}" for line in said[:3])
    assert not said, f"the controller saw conditions hold: {shown}"
    assert not lived.rollbacks, f"v5 was taken back at {lived.rollbacks[0].isoformat()}"


def observe_so_far(lived: Lived, observe: Observe, outcomes: list[Outcome]) -> None:
    """Observe what a watch is told: how many conditions hold in the runs so far."""
    for run, names in held(lived.phase, outcomes, lived.baseline):
        observe("conditions_held", len(names), at=run.at)


def observe_served(lived: Lived, observe: Observe) -> None:
    """Observe success, time, score and violations of each run of v5 that was to serve."""
    for run in lived.served:
        observe("v5_success", run.ok, at=run.ended, creator=run.creator)
        observe("v5_latency_s", run.seconds, at=run.ended, creator=run.creator)
        broken = len(lived.broken(run))
        observe("hard_gate_violations", broken, at=run.ended, creator=run.creator)
        observe("hard_gate_violated", broken > 0, at=run.ended, creator=run.creator)
        if run.quality is not None:
            labels = {"creator": run.creator, "pipeline": "v5"}
            observe("quality_score", run.quality, at=run.ended, **labels)


def observe_steadiness(week: Lived, observe: Observe, creator: str) -> None:
    """Observe every six hours whether v5 is unstable for a creator."""
    own = [run for run in week.served if run.creator == creator]
    if not own:
        raise NoValueError(f"v5 did not serve {creator}")
    changed = [change.moment("at") for change in week.changes]
    upsets: list[datetime] = [*changed, *week.rollbacks]
    broken = [run.ended for run in own if week.broken(run)]
    for at, unstable in looks(own, [*upsets, *broken], week.begun, week.ended):
        observe("unstable", unstable, at=at, creator=creator)


def observe_task(lived: Lived, observe: Observe, task: str) -> None:
    """Observe for each day whether a daily task was left without a record."""
    for day, is_open in open_days(lived.records, lived.phase, task, lived.days):
        at = datetime.combine(day, time(23, 59), UTC)
        observe("task_open", is_open, at=at, task=task, day=day.isoformat())


def verdicts_of(lived: Lived) -> Iterator[tuple[Reported, tuple[str, ...]]]:
    """Each draft of the phase, with the hard gates that it breaks by the rules themselves."""
    for draft in lived.drafts.values():
        creator = lived.roster.get(draft.text("creator"))
        if creator is None:
            raise NoValueError(f"{draft['creator']} is not on the roster")
        yield draft, oracle.broken(draft.each("draft"), creator)
