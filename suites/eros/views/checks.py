"""Checks that several phases share, each of what one phase left behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import journal, oracle
from suites.eros.views.conditions import Outcome, held
from suites.eros.views.deliveries import Deliveries
from suites.eros.views.records import open_days
from suites.eros.views.routing import Flags
from suites.eros.views.steadiness import looks

_MANY = 10  # scores that are never all alike


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


def deliveries(lived: Lived) -> Deliveries:
    """What was delivered in a phase, and what logs say of it."""
    runs = journal.runs(lived.service, lived.begun - timedelta(hours=1), lived.ended)
    return Deliveries(
        lived.begun,
        lived.roster,
        runs,
        lived.drafts,
        lived.schedules,
        lived.effects,
        lived.log("eros.router", "decision"),
        lived.log("eros.orchestrator", "run"),
    )


def observe_pipelines(
    lived: Lived, observe: Observe, metric: str, due: Callable[[str], str]
) -> None:
    """Observe for each schedule that was delivered whether it is of the pipeline that is due.

    The pipeline is the one whose draft it is; a creator whose v5 run failed may have v4's.
    """
    served, problems, delivered = set(), list[str](), deliveries(lived)
    delivered.demand_planned()
    for schedule, wrong in delivered.judged(due):
        creator = schedule.text("creator")
        observe(metric, bool(wrong), at=schedule.moment("stored_at"), creator=creator)
        problems += [f"what {creator} got at {schedule['stored_at']} {wrong}"] if wrong else []
        served.add(creator)
    unserved = sorted(set(lived.roster) - served)
    assert not unserved, f"nothing was delivered to {', '.join(unserved)}"
    assert not problems, f"{len(problems)} deliveries are wrong: {problems[0]}"


def demand_deliveries(lived: Lived) -> None:
    """Raise AssertionError where a run of v5 that succeeded was not delivered, or is in no log.

    What a run took must be what its times say, and a run that failed leaves v4's schedule.
    """
    delivered = deliveries(lived)
    delivered.demand_delivered(lived.served)
    delivered.demand_effects()
    delivered.demand_waiting_counts(lived.served)


def observe_conditions(lived: Lived, observe: Observe, outcomes: list[Outcome], first: int) -> None:
    """Observe at each run, from the ``first`` on, whether a rollback condition of the phase holds.

    Where the controller says that one held, or took v5 back, that is a failure, too.
    """
    for place, (run, names) in enumerate(held(lived.phase, outcomes, lived.baseline), 1):
        if place >= first or names:
            observe("condition_held", bool(names), at=run.at, creator=run.creator)
    logged = lived.log("eros.rollback", "condition")
    lines = [line for line in logged if line.text("phase") == lived.phase]
    shown = ", ".join(f"{line['rule']} at {line['at']}" for line in lines[:3])
    assert not lines, f"the controller saw conditions hold: {shown}"
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


def demand_varied(runs: Sequence[journal.Run]) -> None:
    """Raise AssertionError where a score is odd, or many are the same: nobody scored them."""
    scores = [run.quality for run in runs if run.quality is not None]
    odd = [score for score in scores if not 0 <= score <= 100]
    assert not odd, f"{len(odd)} scores are no points from 0 to 100, as {odd[0]}"
    constant = len(scores) >= _MANY and len(set(scores)) == 1
    assert not constant, f"each of {len(scores)} schedules scores {scores[0]}: a constant"


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
