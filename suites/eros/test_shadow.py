"""A week of shadow mode: what was set, who was served, what ran beside, what was written down."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Reported, recount
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import journal
from suites.eros.views.checks import (
    deliveries,
    demand_flag,
    demand_varied,
    observe_conditions,
    observe_pipelines,
    observe_so_far,
    observe_task,
)
from suites.eros.views.daily_report import wrong_in_report
from suites.eros.views.deliveries import WRITES
from suites.eros.views.journal import Run
from suites.eros.views.oracle import same
from suites.eros.views.records import noted
from suites.eros.views.service import Service

pytestmark = pytest.mark.shadow

_SOON = timedelta(seconds=5)
DAILY = ["review-report", "investigate-failures", "document-quality"]


@pytest.mark.criterion("nothing-live-yet")
def test_v5_serves_nobody_before_the_week(service: Service) -> None:
    _, decided = service.decide(service.names)
    live = [decision.text("creator") for decision in decided if decision.text("target") != "v4"]
    assert len(decided) == 37, f"the router decides for {len(decided)} creators, not 37"
    assert live == [], f"v5 serves {live}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param(name, value, marks=pytest.mark.criterion(f"config-{slug}"), id=slug)
        for slug, name, value in (
            ("enabled", "EROS_V5_ENABLED", True),
            ("shadow-mode", "EROS_V5_SHADOW_MODE", True),
            ("percentage", "EROS_V5_PERCENTAGE", 0),
            ("creators", "EROS_V5_CREATORS", []),
        )
    ],
)
def test_a_flag_stays_as_configured(shadow_week: Lived, name: str, expected: object) -> None:
    demand_flag(shadow_week, name, expected)


@pytest.mark.criterion("all-37-on-v4")
def test_v4_serves_everybody(shadow_week: Lived, observe: Observe) -> None:
    observe_pipelines(shadow_week, observe, "not_v4", lambda _: "v4")
    targets = {line.text("target") for line in shadow_week.log("eros.router", "decision")}
    assert targets == {"v4"}, f"the router sent requests to {sorted(targets)}"
    of_v5 = {run.request_id: shadow_week.drafts.get(run.run_id) for run in shadow_week.shadows}
    for schedule in shadow_week.schedules:
        draft, items = of_v5.get(schedule.text("request_id")), schedule.each("schedule")
        if draft is not None:
            who = schedule.text("creator")
            assert not same(items, draft.each("draft")), f"{who} got the schedule of v5"


@pytest.mark.criterion("roster-size")
def test_the_roster_holds_37(shadow_week: Lived) -> None:
    names = [creator.text("name") for creator in shadow_week.service.roster]
    twice = [name for name, times in Counter(names).items() if times > 1]
    assert len(names) == 37, f"the roster holds {len(names)} creators"
    assert not twice, f"twice on the roster: {twice}"


@pytest.mark.criterion("v5-runs-in-parallel")
def test_v5_runs_beside_each_run_of_v4(shadow_week: Lived, observe: Observe) -> None:
    beside = {run.request_id: run for run in shadow_week.shadows}
    for run in shadow_week.runs:
        if run.pipeline != "v4":
            continue
        other = beside.get(run.request_id)
        ran = other is not None and other.creator == run.creator and other.started < run.ended
        if ran and other is not None and other.ok:  # the tool server saw it work
            worked = [each.run_id for each in (run, other) if each.ok]
            calls = [shadow_week.tool_calls.get(run_id) or {} for run_id in worked]
            ran = all(each.get(tool) for each in calls for tool in WRITES)  # in v5 replaced
            ran = ran and _same_day(shadow_week, run.run_id, other.run_id)
        observe("without_shadow", not ran, at=run.ended, creator=run.creator)


def _same_day(week: Lived, left: str, right: str) -> bool:
    """Whether the drafts of two runs are for the same day."""
    drafts = [week.drafts[run] for run in (left, right) if run in week.drafts]
    return len({draft.text("day") for draft in drafts}) <= 1


@pytest.mark.criterion("shadow-discarded")
def test_a_shadow_run_leaves_nothing_behind(shadow_week: Lived, observe: Observe) -> None:
    done = Counter(effect.text("run_id") for effect in shadow_week.effects)
    stored = Counter(schedule.text("run_id") for schedule in shadow_week.schedules)
    served = [run for run in shadow_week.runs if run.delivered and run.pipeline == "v4"]
    silent = [run.run_id for run in served if not done[run.run_id]]
    assert not silent, f"{len(silent)} runs were delivered without an effect on record"
    deliveries(shadow_week).demand_effects()
    for run in shadow_week.shadows:
        left = done[run.run_id] + stored[run.run_id] + run.delivered
        observe("shadow_effect", left, at=run.ended, creator=run.creator)


@pytest.mark.criterion("shadow-logged")
def test_each_shadow_run_is_logged(shadow_week: Lived, observe: Observe) -> None:
    logged = {
        (line.text("request_id"), line.text("v5_run"))
        for line in shadow_week.log("eros.comparator", "comparison")
    }
    for run in shadow_week.shadows:
        known = (run.request_id, run.run_id) in logged
        observe("shadow_unlogged", not known, at=run.ended, creator=run.creator)


# Reports


@pytest.mark.criterion("daily-comparison-report")
def test_each_day_has_its_report(shadow_week: Lived, observe: Observe) -> None:
    if not shadow_week.comparisons:
        raise NoValueError("nothing was compared, so no report can be right")
    runs = {run.run_id: run for run in journal.runs(shadow_week.service, until=shadow_week.ended)}
    logged = {line.text("day") for line in shadow_week.log("eros.comparator", "report")}
    for day in shadow_week.days:
        wrong = wrong_in_report(shadow_week.reports, day, shadow_week.comparisons, runs)
        observe("day_without_report", bool(wrong), at=shadow_week.ended, day=day.isoformat())
        assert not wrong or wrong == "no report", f"report of {day}: {wrong}"
        assert day.isoformat() in logged, f"eros.comparator says nothing of the report of {day}"


# Success criteria


@pytest.mark.criterion("v5-failure-rate")
def test_shadow_runs_fail_seldom(shadow_week: Lived, observe: Observe) -> None:
    for run in shadow_week.shadows:
        observe("shadow_failure", not run.ok, at=run.ended, creator=run.creator)
    counted = {run.request_id: int(not run.ok) for run in shadow_week.shadows}
    compared = {
        pair.text("request_id"): int(pair.inner("v5").text("outcome") != "ok")
        for pair in shadow_week.comparisons
    }
    pairs = [(name, compared[name], failed) for name, failed in counted.items() if name in compared]
    recount("failures of v5", pairs).demand(at_least=1)


@pytest.mark.criterion("quality-diff")
@pytest.mark.criterion("quality-diff-tail")
def test_v5_scores_about_as_high(shadow_week: Lived, observe: Observe) -> None:
    v4 = shadow_week.v4
    compared = {pair.text("request_id"): pair for pair in shadow_week.comparisons}
    differences = []
    for run in shadow_week.shadows:
        other = v4.get(run.request_id)
        if other is None or other.quality is None or run.quality is None:
            continue
        diff = round(run.quality - other.quality, 6)
        observe("quality_diff", diff, at=run.ended, creator=run.creator)
        if run.request_id in compared:
            differences.append(
                (run.ended, compared[run.request_id].number_or_none("quality_diff"), diff)
            )
    recount("difference in quality", differences, within=0.051).demand(at_least=1)
    demand_varied(shadow_week.shadows)


@pytest.mark.criterion("comparison-coverage")
def test_every_creator_is_compared(shadow_week: Lived, observe: Observe) -> None:
    if not shadow_week.comparisons:
        raise NoValueError("nothing was compared")
    compared = {pair.text("creator") for pair in shadow_week.comparisons}
    for name in shadow_week.roster:
        observe("creator_uncompared", name not in compared, at=shadow_week.ended, creator=name)


@pytest.mark.criterion("comparison-count")
def test_comparisons_are_made(shadow_week: Lived, observe: Observe) -> None:
    beside = {run.request_id: run for run in shadow_week.shadows}
    v4 = shadow_week.v4
    counted = set()
    for pair in shadow_week.comparisons:
        request = pair.text("request_id")
        real = request in beside and request in v4 and request not in counted
        assert real, f"comparison {request} is of no pair of runs, or counted twice"
        wrong = mistold(pair, v4[request], beside[request])
        assert not wrong, f"comparison {request}: {wrong}"
        counted.add(request)
        observe("comparison", 1, at=pair.moment("at"), creator=beside[request].creator)


_FIELDS = ("outcome", "quality", "duration_s", "mcp_calls")  # of a run, here and in the journal


def mistold(pair: Reported, v4: Run, v5: Run) -> str:
    """What a comparison says otherwise than the journal says of its two runs; empty: nothing."""
    if pair.text("creator") != v5.creator or v4.creator != v5.creator:
        return f"it is of {pair['creator']}, the runs are of {v4.creator} and {v5.creator}"
    over = max(v4.ended, v5.ended)
    if abs(pair.moment("at") - over) > _SOON:
        return f"it is of {pair['at']}, both runs were over at {over}"
    for run in (v4, v5):
        told = pair.inner(run.pipeline)
        said: dict[str, object] = {"violations": sorted(map(str, told["violations"]))}
        said |= {name: told[name] for name in ("run_id", *_FIELDS)} | {"agents": told["agents"]}
        known: dict[str, object] = {"violations": sorted(run.violations), "run_id": run.run_id}
        known |= {name: run.said[name] for name in _FIELDS}
        known["agents"] = len(run.said.each("agents"))
        for name, value in known.items():
            if said[name] != value:
                return f"{name} of {run.pipeline} is {said[name]}, the journal says {value}"
    return ""


# Guardrails


@pytest.mark.criterion("no-rollback-trigger")
def test_no_condition_held(shadow_week: Lived, observe: Observe) -> None:
    outcomes = shadow_week.outcomes()
    for run, outcome in zip(shadow_week.shadows, outcomes, strict=True):
        observe("hard_gate_regression", outcome.regression, at=run.ended, creator=run.creator)
    observe_so_far(shadow_week, observe, outcomes)
    observe_conditions(shadow_week, observe, outcomes, first=20)


# What people did


@pytest.mark.parametrize(
    "task", [pytest.param(name, marks=pytest.mark.criterion(f"daily-{name}")) for name in DAILY]
)
def test_a_daily_task_is_done(shadow_week: Lived, observe: Observe, task: str) -> None:
    observe_task(shadow_week, observe, task)


@pytest.mark.criterion("issues-fixed-before-phase1")
def test_no_issue_is_open(shadow_week: Lived) -> None:
    demand_no_open_issue(shadow_week)


def demand_no_open_issue(week: Lived) -> None:
    """Raise AssertionError where an issue of shadow mode is open at the end of the week."""
    issues = [issue for issue in noted(week.records, "issue") if issue.text("label") == "shadow"]
    failed = [run for run in week.shadows if not run.ok]
    if failed and not issues:
        raise NoValueError(f"{len(failed)} shadow runs failed and nobody wrote down an issue")
    newest = {issue.text("id"): issue for issue in issues}
    left = [name for name, issue in newest.items() if issue.text("state") != "closed"]
    assert not left, f"open: {', '.join(left)}"
