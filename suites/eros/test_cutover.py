"""Phase 4: the checklist before the switch, and all creators on v5 after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.eros.checks.running import (
    test_no_run_violates_a_hard_gate,
    test_runs_are_quick,
    test_runs_succeed,
    test_schedules_are_good,
    test_waiting_counts,
    test_what_succeeded_was_delivered,
)
from suites.eros.checks.timed import test_times_are_told_as_they_were
from suites.eros.scenarios.widening import Step, flags_in, served_since
from suites.eros.views.conditions import held, mean
from suites.eros.views.journal import Run, exact, of_v4, runs, served
from suites.eros.views.python_code import unknown_names
from suites.eros.views.records import days_between, logged, noted
from suites.eros.views.said import not_done

__all__ = [
    "test_no_run_violates_a_hard_gate",
    "test_runs_are_quick",
    "test_runs_succeed",
    "test_schedules_are_good",
    "test_times_are_told_as_they_were",
    "test_waiting_counts",
    "test_what_succeeded_was_delivered",
]

pytestmark = pytest.mark.cutover

DAY, WEEK = timedelta(days=1), timedelta(days=7)
CONTROLLER = ("rollback", "eros-rollback")  # by whom flags are changed, where it was not people


# Before the switch


@pytest.mark.criterion("all-37-verified")
def test_each_creator_has_run_on_v5(widened: Step, observe: Observe) -> None:
    ran = runs(widened.service, until=widened.until, pipeline="v5")
    good = [run for run in ran if run.ok and run.ended <= widened.until]
    for name in widened.service.names:
        own = [run for run in good if run.creator == name]
        how = "served" if any(not run.shadow for run in own) else "shadow" if own else "never"
        observe("creator_unverified", not own, at=widened.now, creator=name, how=how)


@pytest.mark.criterion("no-rollback-7d")
def test_no_rollback_in_the_week_before(widened: Step, observe: Observe) -> None:
    until = widened.until
    fired = [line.moment("at") for line in logged(widened.logs, "eros.rollback", "trigger")]
    drilled = set(widened.rollbacks) - set(widened.real_rollbacks)
    real = {*widened.real_rollbacks, *(at for at in fired if at not in drilled)}
    for day in range(7):
        begin, end = until - (day + 1) * DAY, until - day * DAY
        count = sum(begin <= at < end for at in real)
        observe("day_with_rollback", count, at=end, before=f"{day} days")


@pytest.mark.criterion("quality-stable")
def test_quality_did_not_fall(widened: Step, observe: Observe) -> None:
    """The same creators are compared, so that a step's other creators change no mean."""
    until = widened.until
    since = until - WEEK
    lately = served_since(widened.service, until - 2 * DAY, until)
    before = served_since(widened.service, since, until - 2 * DAY)
    first = served_since(widened.service, since, since + DAY)
    v4 = list(of_v4(runs(widened.service, until=until, pipeline="v4")).values())
    sides = {"step before": before, "v4": v4, "week begun": first}
    for name, other in sides.items():
        change = _change(lately, other)
        if change is None:
            not_done(f"nobody was scored both lately and in {name}", "see what ran")
        observe("quality_change", change, against=name)


def _change(now: Sequence[Run], then: Sequence[Run]) -> float | None:
    """How much the mean score of creators has risen, those of both sides only."""
    scores = [_scores(now), _scores(then)]
    both = sorted(scores[0].keys() & scores[1].keys())
    changes = [exact(scores[0][name]) - exact(scores[1][name]) for name in both]
    change = mean(changes)
    return None if change is None else float(change)


def _scores(ran: Sequence[Run]) -> dict[str, float]:
    by_creator: dict[str, list[float]] = {}
    for run in ran:
        if run.quality is not None:
            by_creator.setdefault(run.creator, []).append(run.quality)
    return {name: sum(scores) / len(scores) for name, scores in by_creator.items()}


@pytest.mark.criterion("on-call-briefed")
def test_the_on_call_engineer_was_briefed(widened: Step) -> None:
    notes = noted(widened.records, "signoff") if widened.records.is_file() else []
    briefed = [note for note in notes if note.text("what") == "on-call-briefing"]
    assert briefed, "no briefing of the on-call engineer is on record"
    at, who = briefed[-1].moment("at"), briefed[-1].text("who").strip()
    assert who, "the briefing names nobody"
    assert widened.until - 2 * WEEK <= at <= widened.until, (
        f"the on-call engineer was briefed at {at}; the switch is of {widened.until}"
    )


@pytest.mark.criterion("rollback-tested")
@pytest.mark.parametrize("way", ["flag", "controller", "automatic"])
def test_the_rollback_was_drilled(widened: Step, way: str, observe: Observe) -> None:
    """A record counts only with what it is of: v5 was off, and no decision went to it."""
    recorded = noted(widened.records, "drill") if widened.records.is_file() else []
    drills = [
        drill
        for drill in recorded
        if drill.text("way") == way and drill.moment("at") <= widened.until
    ]
    if not drills:
        not_done(f"no drill by {way} is on record", "do it, and write it down")
    end = drills[-1].moment("at")
    off = [change for change in widened.changes if _goes_off(widened, change, end, way)]
    worked = drills[-1].flag("passed") and bool(off)
    if off:
        since = off[-1].moment("at")
        on = [change.moment("at") for change in widened.changes if change.moment("at") > since]
        until = min([*on, end])
        then = [decision for decision in widened.decisions if since < decision.moment("at") < until]
        worked = worked and all(decision.text("target") == "v4" for decision in then)
    observe("drill_worked", worked, way=way)


def _goes_off(step: Step, change: Reported, end: datetime, way: str) -> bool:
    """Whether a change of flags switched v5 off in the hour before ``end``, in that way."""
    at = change.moment("at")
    if not end - timedelta(hours=1) <= at <= end:
        return False
    if flags_in(change, "after").enabled or not flags_in(change, "before").enabled:
        return False
    if change.text("by") not in CONTROLLER:
        return way == "flag"
    history = step.service.get("/rollback").each("history")
    fired = {
        rollback.text("by") == "automatic" for rollback in history if rollback.moment("at") == at
    }
    return fired == {way == "automatic"}


# After the switch


def demand(step: Step, flag: str, value: object) -> None:
    """Raise AssertionError where a flag is otherwise now, or was at a decision since the switch."""
    stands = step.service.get("/flags")[flag]
    assert stands == value, f"{flag} is {stands!r}, not {value!r}"
    since = [decision.inner("flags") for decision in step.decisions_since]
    if not since:
        not_done("no request was routed since the switch", "let jobs run")
    other = [flags[flag] for flags in since if flags[flag] != value]
    assert not other, f"{len(other)} decisions were made with {flag} {other[0]!r}, not {value!r}"


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        pytest.param("EROS_V5_ENABLED", True, marks=pytest.mark.criterion("config-enabled")),
        pytest.param(
            "EROS_V5_SHADOW_MODE", False, marks=pytest.mark.criterion("config-shadow-mode")
        ),
        pytest.param("EROS_V5_PERCENTAGE", 100, marks=pytest.mark.criterion("config-percentage")),
        pytest.param("EROS_V5_CREATORS", [], marks=pytest.mark.criterion("config-creators")),
    ],
)
def test_the_flag_is_as_the_plan_says(widened: Step, flag: str, value: object) -> None:
    demand(widened, flag, value)


@pytest.mark.criterion("all-traffic-on-v5")
def test_v5_serves_everybody(widened: Step, observe: Observe) -> None:
    since = max(widened.begun, widened.now - DAY)
    journal = runs(widened.service, since=since)
    on_v5 = {run.creator for run in served(journal)}
    on_v4 = {run.creator for run in journal if run.pipeline == "v4" and not run.fallback}
    _, decided = widened.service.decide(widened.service.names)
    says = {decision.text("creator"): decision.text("target") for decision in decided}
    for name in widened.service.names:
        wrong = name not in on_v5 or name in on_v4 or says.get(name) != "v5"
        observe("creator_not_on_v5", wrong, at=widened.now, creator=name)


@pytest.mark.criterion("all-traffic-on-v5")
def test_everybody_gets_what_v5_drafted(widened: Step) -> None:
    widened.deliveries.demand_served(widened.due, days_between(widened.begun, widened.now))


@pytest.mark.criterion("all-traffic-on-v5")
def test_the_code_of_v5_would_load(phase: Stage) -> None:
    path = phase.file("repository") / "python/v5/orchestrator.py"
    assert path.is_file(), "python/v5/orchestrator.py is not in the repository"
    odd = unknown_names(path.read_text(encoding="utf-8"))
    assert not odd, f"{path.name} would not load: nothing is called {', '.join(odd)}"


@pytest.mark.criterion("stable-7d-at-100")
def test_the_week_holds(widened: Step, observe: Observe) -> None:
    for at, holds in widened.steady():
        observe("step_holds", holds, at=at)


@pytest.mark.criterion("stable-7d-at-100")
def test_no_condition_of_the_rollback_held_in_the_week(widened: Step, observe: Observe) -> None:
    for run, conditions in held(widened.name, widened.outcomes()):
        observe("conditions_held", len(conditions), at=run.at)
    fired = [at for at in widened.rollbacks if at >= widened.begun]
    assert not fired, f"v5 was rolled back at {fired[0]}, {len(fired)} times since the switch"
