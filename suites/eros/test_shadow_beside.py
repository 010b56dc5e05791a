"""What a v5 in trouble does to v4 beside it, what gates reject, and when the controller acts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from statistics import fmean

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.beside_v5 import Beside
from suites.eros.scenarios.live_cases import Happened, demand_seen
from suites.eros.scenarios.weeks import Lived
from suites.eros.views import journal, oracle
from suites.eros.views.checks import verdicts_of
from suites.eros.views.daily_report import wrong_in_report
from suites.eros.views.limit_cases import SHADOW, observe_cases
from suites.eros.views.oracle import same
from suites.eros.views.service import Service

pytestmark = pytest.mark.shadow


@pytest.mark.criterion("v4-unaffected")
def test_v4_delivers_the_same(
    beside_v5: Beside, shadow_week: Lived, observe: Observe, moment: datetime
) -> None:
    if not beside_v5.pairs:
        _observe_week(shadow_week, observe)
        return
    for pair in beside_v5.pairs:
        got = [pair.beside.status, pair.alone.status] == [200, 200]
        alike = got and all(
            asked.answer.text("pipeline") == "v4" and not asked.answer.flag("fallback")
            for asked in (pair.beside, pair.alone)
        )
        alike = alike and pair.beside.answer.text("day") == pair.alone.answer.text("day")
        alike = alike and same(
            pair.beside.answer.each("schedule"), pair.alone.answer.each("schedule")
        )
        labels = {"creator": pair.beside.creator, "v5": pair.trouble}
        observe("v4_differs", not alike, at=moment, **labels)


def _observe_week(week: Lived, observe: Observe) -> None:
    """Drafts of v4 for the same creator and day, beside a v5 that failed and one that did not."""
    failed = {run.request_id for run in week.shadows if not run.ok}
    first: dict[tuple[str, str], tuple[bool, str]] = {}
    compared = 0
    for run in week.runs:
        if run.pipeline != "v4":
            continue
        observe("v4_differs", not (run.delivered and run.ok), at=run.ended, creator=run.creator)
        draft = week.drafts.get(run.run_id)
        if draft is None:
            continue
        key, beside_failure = (run.creator, draft.text("day")), run.request_id in failed
        was_failure, other = first.setdefault(key, (beside_failure, run.run_id))
        if was_failure != beside_failure:
            compared += 1
            alike = same(draft.each("draft"), week.drafts[other].each("draft"))
            observe("v4_differs", not alike, at=run.ended, creator=run.creator, v5="failed")
    if not compared:
        raise NoValueError("no shadow run failed on a day on which another one did not")


@pytest.mark.criterion("v5-runs-in-parallel")
def test_the_shadow_plans_what_v5_would_deliver(beside_v5: Beside, shadow_week: Lived) -> None:
    drafts = beside_v5.drafts or shadow_week.drafts.values()  # v5 delivers in a rehearsal only
    of_v5 = [draft for draft in drafts if draft.text("pipeline") == "v5"]
    plans = Counter((draft.text("creator"), draft.text("day")) for draft in of_v5)
    if max(plans.values(), default=0) < 2:
        raise NoValueError("v5 planned no creator's day twice")
    unlike = oracle.unlike(of_v5)
    assert not unlike, f"in the shadow v5 worked on another input: {unlike[0]}"


@pytest.mark.criterion("v4-latency-unaffected")
def test_nobody_waits_for_v5(
    beside_v5: Beside, shadow_week: Lived, observe: Observe, moment: datetime
) -> None:
    for pair in beside_v5.pairs:
        ratio = pair.beside.waited_s / pair.alone.waited_s
        labels = {"creator": pair.beside.creator, "v5": pair.trouble}
        observe("v4_latency_ratio", ratio, at=moment, **labels)
    if not beside_v5.pairs:
        _observe_means(shadow_week, observe)


def _observe_means(week: Lived, observe: Observe) -> None:
    """What a run of v4 takes on average for each creator: in the week, by in the one before it."""
    before = journal.runs(week.service, week.begun - timedelta(days=7), week.begun, pipeline="v4")
    if not before:
        raise NoValueError("the journal holds no run of v4 from the week before")
    for creator in week.roster:
        now = [run.seconds for run in week.v4.values() if run.creator == creator]
        then = [run.seconds for run in before if run.creator == creator]
        if now and then:
            observe("v4_latency_ratio", fmean(now) / fmean(then), at=week.ended, creator=creator)


@pytest.mark.criterion("gate-false-positives")
def test_the_gate_rejects_what_is_wrong_and_nothing_else(
    beside_v5: Beside, shadow_week: Lived, observe: Observe
) -> None:
    for draft, broken in verdicts_of(shadow_week):
        rejected = draft.text("gate") == "reject"
        if not broken:
            creator = draft.text("creator")
            observe("false_positive", rejected, at=shadow_week.ended, creator=creator)
        else:
            assert rejected, f"the gate lets {', '.join(broken)} pass (run {draft['run_id']})"
    _demand_counted(shadow_week.drafts.values(), shadow_week.roster, shadow_week.comparisons)
    _demand_counted(beside_v5.drafts, shadow_week.roster, beside_v5.pairs_of_day)
    for rule, request in beside_v5.rejected.items():
        runs = journal.runs(beside_v5.service, creator="luna_free")
        ours = [run for run in journal.shadows(runs) if run.request_id == request]
        assert len(ours) == 1, (
            f"request {request} of luna_free, whose draft breaks {rule}, has {len(ours)} shadow "
            "runs of v5 for that creator in the journal, not one"
        )
        run = ours[0]
        assert rule in run.violations, f"a draft that breaks {rule} is not rejected for it"
        assert run.said.text("gate") == "reject"
    for case in beside_v5.judged:
        assert case.found == case.due, (
            f"{case.name}: the gate finds {case.found or 'nothing'}, not {case.due or 'nothing'}"
        )


def _demand_counted(
    drafts: Iterable[Reported], roster: Mapping[str, Reported], pairs: Iterable[Reported]
) -> None:
    """Raise AssertionError where the comparator calls another draft wrongly rejected."""
    wrongly = {
        draft.text("run_id")
        for draft in drafts
        if draft.text("gate") == "reject"
        and not oracle.broken(draft.each("draft"), roster[draft.text("creator")])
    }
    for pair in pairs:
        due = any(pair.inner(name).text("run_id") in wrongly for name in ("v4", "v5"))
        said = pair.flag("false_positive")
        assert said == due, f"comparison {pair['request_id']}: false_positive {said}, not {due}"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("daily-comparison-report")
def test_a_day_on_which_runs_fail_and_break_gates_is_reported(beside_v5: Beside) -> None:
    """Shadow mode was on for a part of the day, not on the next, and for a minute on the third."""
    assert beside_v5.pairs, "no run of v5 failed beside v4"
    runs = {run.run_id: run for run in journal.runs(beside_v5.service)}
    days = [beside_v5.day, beside_v5.day + timedelta(days=2)]
    for day in days:
        wrong = wrong_in_report(beside_v5.reports, day, beside_v5.pairs_of_day, runs)
        assert not wrong, f"report of {day}: {wrong}"
    told = sorted(path.stem for path in beside_v5.reports.glob("*.json"))
    assert told == [str(day) for day in days], f"reports are of {told}, shadow mode of {days}"


@pytest.mark.criterion("v5-failure-rate")
def test_what_succeeded_has_planned_something_and_what_failed_has_failed(
    beside_v5: Beside, shadow_week: Lived
) -> None:
    _demand_planned(shadow_week)
    runs = journal.runs(beside_v5.service)
    beside = {run.request_id: run for run in journal.shadows(runs)}
    compared = {pair.text("request_id") for pair in beside_v5.pairs_of_day}
    for pair in beside_v5.pairs:
        run = beside[pair.beside.answer.text("request_id")]
        told = "a failure" if pair.fails else "a success"
        said = "a success" if run.ok else "a failure"
        assert said == told, f"beside v4 with {pair.trouble} run {run.run_id} is {said}"
        assert run.request_id in compared, f"v5 with {pair.trouble} is compared with nothing"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("shadow-discarded")
def test_a_shadow_in_trouble_leaves_nothing_behind(beside_v5: Beside) -> None:
    shadows = journal.shadows(journal.runs(beside_v5.service))
    left = {
        row.text("run_id")
        for of in ("effects", "schedules")
        for row in beside_v5.service.get(f"/{of}").each(of)
    }
    again = [
        run.run_id
        for run in shadows
        if run.ok and any(agent.whole("timeouts") for agent in run.said.each("agents"))
    ]
    assert again, "no agent of a shadow run was asked again"
    wrote = [run.run_id for run in shadows if run.run_id in left or run.delivered]
    assert not wrote, f"{len(wrote)} shadow runs left something behind, {wrote[0]} first"


def _demand_planned(shadow_week: Lived) -> None:
    """Raise AssertionError where a shadow run is a success and planned nothing."""
    empty = [
        run.run_id
        for run in shadow_week.shadows
        if run.ok
        and not (run.run_id in shadow_week.drafts and shadow_week.drafts[run.run_id].each("draft"))
    ]
    assert not empty, f"{len(empty)} shadow runs are successes and planned nothing: {empty[0]}"


@pytest.mark.criterion("trigger-boundary")
def test_both_sides_of_the_limits_of_shadow_mode(service: Service, observe: Observe) -> None:
    observe_cases(service, observe, "shadow", SHADOW)


@pytest.mark.criterion("trigger-boundary")
def test_the_controller_sees_what_happens(
    both_sides: Sequence[Happened], shadow_week: Lived
) -> None:
    demand_seen(both_sides, shadow_week)


@pytest.mark.criterion("trigger-boundary")
def test_each_regression_is_one(shadow_week: Lived) -> None:
    by_request = {run.request_id: run for run in shadow_week.shadows}
    for pair in shadow_week.comparisons:
        run = by_request[pair.text("request_id")]
        told, counted = pair.flag("regression"), shadow_week.regressed(run)
        assert told == counted, f"comparison {run.request_id}: regression {told}, not {counted}"


@pytest.mark.rehearsal_only  # elsewhere nobody breaks a gate on purpose
@pytest.mark.criterion("trigger-boundary")
def test_a_gate_that_v5_breaks_alone_is_a_regression(beside_v5: Beside) -> None:
    assert beside_v5.rejected, "v5 broke no gate"
    pairs = beside_v5.service.get("/comparisons").each("comparisons")
    said = {pair.text("request_id"): pair.flag("regression") for pair in pairs}
    broken = set(beside_v5.rejected.values())
    for rule, request in beside_v5.rejected.items():
        assert said.get(request) is True, f"v5 broke {rule} beside v4, and that is no regression"
    others = [name for name, told in said.items() if told and name not in broken]
    assert not others, f"{len(others)} comparisons are regressions, and v5 broke no gate"
