"""Week 2: assignment takes more issues a run, step by step, and only while all goes well."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError, recount
from suites.pipeline.scenarios.capacity import (
    ASSIGN_STEPS,
    FULL_DAY,
    PROCESS_STEPS,
    SOON,
    CapacityWeek,
    LowRate,
    Step,
    Taken,
    growth,
    least_left,
    low_runs,
    run_lengths,
    signs,
    taken,
)
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.ai_quota import shares_of_quota, told_and_billed
from suites.pipeline.views.channels import heard, posts
from suites.pipeline.views.journal import ASSIGNED, demand
from suites.pipeline.views.people import lines
from suites.pipeline.views.runs import BOT
from suites.pipeline.views.schedules import ASSIGN
from suites.pipeline.views.telemetry import LOW, demand_falling, items, odd, read_run

pytestmark = pytest.mark.week2_assignment

CADENCE = timedelta(hours=2)
OVERHEAD = 60.0  # seconds of a run in which no issue is worked on: checkout, listing, artifacts


# Before the limit goes up


@pytest.mark.criterion("week2_assignment.capacity-arithmetic-before")
def test_week_1_assigns_120_a_day(before: Seen) -> None:
    day = before.days[-1]
    runs = before.journal.scheduled(ASSIGN, *day)
    limits = [int(before.given(run, "pipeline-assign")["limit"]) for run in runs]
    assert sum(limits) == 120, f"{len(limits)} runs of the last day may assign {sum(limits)}"


@pytest.mark.criterion("justification-recorded")
def test_the_increase_is_justified_by_the_figures_of_phase_1(before: Seen) -> None:
    there = [e for e in lines(before.kept, "decisions.jsonl") if e.get("about") == "capacity"]
    there = [e for e in there if e.moment("at") <= before.end]
    entry = demand(there, "decision about capacity from before week 2")[-1]
    assert entry.text("by").strip(), "nobody is named who decided"
    said = entry.inner("figures")
    assigned = items(before.within(), "assignment")
    counted = {
        "assignment_s_per_issue": sum(r.seconds or 0 for r in assigned) / len(assigned),
        "ai_quota_used": max(share for _, share in _ai_shares(before)),
        "github_rate_used": max(_rates(before)),
    }
    figures = {name: said.number(name) for name in counted}
    recount("figures of phase 1", [(entry.moment("at"), figures, counted)], within=0.05).demand(3)


@pytest.mark.criterion("prereq-assignment-duration")
def test_seconds_per_issue(before: Seen, observe: Observe) -> None:
    for record in demand(items(before.within(), "assignment"), "assignment in phase 1"):
        if record.seconds is None:
            raise NoValueError(f"run {record.run} does not say how long #{record.issue} took")
        observe("assignment_seconds_per_issue", record.seconds, at=record.at)


@pytest.mark.criterion("prereq-assignment-duration")
def test_telemetry_is_as_slow_as_the_runs(before: Seen) -> None:
    lengths = demand(run_lengths(before, ASSIGN, "assignment"), "run that assigned anything")
    recount("seconds of work in a run", lengths, within=OVERHEAD).demand(12)


@pytest.mark.criterion("prereq-ai-usage")
def test_ai_quota(before: Seen, observe: Observe) -> None:
    for at, share in _ai_shares(before):
        observe("ai_quota_used", share, at=at)


def _ai_shares(seen: Seen) -> list[tuple[datetime, float]]:
    """The share of the AI quota that each day used."""
    return list(shares_of_quota(seen.kept, seen.telemetry, seen.begin, seen.end))


@pytest.mark.criterion("prereq-ai-usage")
def test_telemetry_adds_up_to_what_was_billed(before: Seen) -> None:
    figures = told_and_billed(before.kept, before.records, before.begin, before.end)
    recount("AI units of a day", figures, within=1).demand(2)


def _rates(seen: Seen) -> list[float]:
    """The share of the rate limit that each run used."""
    left = [least_left(seen, run) for run in seen.runs()]
    return [1 - share for share in left if share is not None]


@pytest.mark.criterion("prereq-github-headroom")
def test_rate_limit(before: Seen, observe: Observe) -> None:
    for run in before.runs():
        left = least_left(before, run)
        if left is not None:
            observe("github_rate_used", 1 - left, at=run.ended, workflow=run.file)


@pytest.mark.criterion("prereq-github-headroom")
def test_what_remains_goes_down_by_the_calls(before: Seen) -> None:
    demand_falling(before.by_run.get(run.id, ()) for run in before.runs())


@pytest.mark.criterion("prereq-zero-critical")
def test_critical_errors(before: Seen, observe: Observe) -> None:
    for run in before.runs():
        if run.file.startswith("ops-"):
            critical = [r for r in read_run(before.telemetry, run.id) if r.severity == "critical"]
            observe("critical_errors", len(critical), at=run.begun, workflow=run.file)


# The steps


@pytest.fixture(scope="session")
def assignment_week(capacity_week: CapacityWeek) -> Seen:
    """What was seen of the week in which the limits go up."""
    return capacity_week.seen


@pytest.mark.criterion("week2_assignment.capacity-arithmetic-after")
def test_the_full_limit_assigns_240_a_day(assignment_week: Seen, runs_taken: list[Taken]) -> None:
    begin, end = assignment_week.days[-1]
    limits = [turn.limit for turn in runs_taken if begin <= turn.run.begun < end]
    assert sum(limits) == 240, f"{len(limits)} runs of the last day may assign {sum(limits)}"
    starts = len(assignment_week.file(ASSIGN).starts(begin, end))
    stated = starts * assignment_week.file(ASSIGN).setting("LIMIT")
    assert stated == 240, f"the workflow file says {starts} starts, {stated} issues a day"


_EACH_STEP = [
    pytest.param(
        step, marks=pytest.mark.criterion(f"week2_assignment.step-d{step.first}-{step.last}")
    )
    for step in ASSIGN_STEPS
]


@pytest.fixture(scope="session")
def runs_taken(assignment_week: Seen) -> list[Taken]:
    """What each scheduled run of the week was allowed, found and did."""
    return taken(assignment_week, ASSIGN, assignment_week.begin, assignment_week.end)


def _of_step(runs: list[Taken], week: Seen, step: Step) -> list[Taken]:
    begin, end = step.times(week.begin)
    return demand([turn for turn in runs if begin <= turn.run.begun < end], "run of this step")


@pytest.mark.parametrize("step", _EACH_STEP, ids=lambda step: f"{step.limit} issues")
def test_limit_of_each_step(
    assignment_week: Seen, runs_taken: list[Taken], step: Step, phase: Stage
) -> None:
    tried = _of_step(runs_taken, assignment_week, step)
    days = {turn.run.begun.date() for turn in tried}
    assert len(days) == step.last - step.first + 1, f"runs of this step are of {len(days)} days"
    other = [turn for turn in tried if turn.limit != step.limit]
    assert not other, f"run {other[0].run.id} has limit {other[0].limit}, not {step.limit}"
    for turn in tried:
        least = min(step.limit, turn.waiting)
        shown = f"run {turn.run.id} took {turn.took} of {turn.waiting} that waited"
        assert least <= turn.took <= step.limit, f"{shown}, its limit is {step.limit}"
    if phase.embedded and not any(turn.took == step.limit for turn in tried):
        raise TooLittleError(f"no run took {step.limit}, so its limit was never felt")


@pytest.mark.criterion("step-no-regression")
def test_no_step_up_over_a_warning(
    before: Seen, assignment_week: Seen, runs_taken: list[Taken], observe: Observe
) -> None:
    limit = 10
    for step, (goes_up, against) in zip(ASSIGN_STEPS, signs(before, assignment_week), strict=True):
        tried = _of_step(runs_taken, assignment_week, step)
        raised = tried[0].limit > limit
        why = "; ".join(against)
        observe("step_up_despite_warning", raised and bool(against), at=goes_up, why=why)
        limit = tried[-1].limit


@pytest.mark.rehearsal_only
@pytest.mark.criterion("step-no-regression")
def test_a_warning_holds_the_next_step(low_rate: LowRate, observe: Observe) -> None:
    demand(_low(low_rate), "run that left little of the rate limit")
    runs = {run.id: run for run in low_rate.seen.runs() if run.ended}
    for record in (record for record in low_rate.seen.records if record.run in runs):
        wrong = odd(record, runs[record.run], BOT)
        assert not wrong, f"the record {record.event} at {record.at} cannot be true: {wrong}"
    for held in low_rate.held:
        raised = held.limit > ASSIGN_STEPS[0].limit or held.batch > PROCESS_STEPS[0].limit
        observe("step_up_despite_warning", raised, at=held.due, why=held.why)
        shown = f"two limits were held because {held.why}, and {held.decided} decisions say so"
        assert held.decided == 2, shown


# What is watched meanwhile


@pytest.fixture(scope="session")
def low_rate_tried(phase: Stage, request: pytest.FixtureRequest) -> LowRate | None:
    """Runs that left little of the rate limit; in a rehearsal only, because that disrupts."""
    return request.getfixturevalue("low_rate") if phase.embedded else None


def _low(tried: LowRate) -> list[datetime]:
    """When runs that left little ended, in the time that was tried."""
    seen = tried.seen
    return [run.ended or run.begun for run in low_runs(seen, seen.begin, seen.end)]


@pytest.mark.criterion("watch-rate-warnings")
def test_a_low_rate_is_told(
    assignment_week: Seen, low_rate_tried: LowRate | None, phase: Stage, observe: Observe
) -> None:
    if low_rate_tried is None:
        messages = heard(phase, assignment_week.begin)
        low_rate_tried = LowRate(assignment_week, tuple(messages))
    told = [message.at for message in posts(list(low_rate_tried.told), "rate: ")]
    low = demand(_low(low_rate_tried), "run that left little of the rate limit; nothing to tell of")
    for ended in low:
        heard_of = any(ended - timedelta(hours=1) <= at <= ended + SOON for at in told)
        observe("unreported_rate_warning", not heard_of, at=ended)
    shown = f"{len(told)} messages, and {len(low)} runs left less than {LOW:.0%}"
    assert len(told) <= len(low), shown


@pytest.mark.criterion("watch-execution-time")
def test_an_issue_takes_no_longer(assignment_week: Seen, observe: Observe) -> None:
    for at, ratio in growth(assignment_week, ASSIGN_STEPS, "assignment"):
        observe("seconds_per_issue_over_step_before", ratio, at=at)


@pytest.mark.criterion("step-no-regression")
def test_open_warnings_of_each_run(assignment_week: Seen, observe: Observe) -> None:
    low = {run.id for run in low_runs(assignment_week, assignment_week.begin, assignment_week.end)}
    longer = dict(growth(assignment_week, ASSIGN_STEPS, "assignment"))
    for run in demand(assignment_week.scheduled(ASSIGN), "scheduled run"):
        slower = [at for at, ratio in longer.items() if at <= run.begun and ratio > 1.2]
        observe("open_capacity_warnings", (run.id in low) + len(slower), at=run.ended)


# The whole day


@pytest.mark.criterion("load-full-day")
def test_a_full_day_leaves_nothing(capacity_week: CapacityWeek, observe: Observe) -> None:
    begin, end = capacity_week.seen.days[FULL_DAY - 1]
    for number in capacity_week.full_day:
        at = capacity_week.seen.journal.issues[number].first(ASSIGNED)
        late = at is None or not begin <= at < end
        observe("unassigned_after_day", late, at=end, issue=number)


@pytest.mark.criterion("load-full-day")
def test_a_full_day_meets_no_refusal_and_no_failure(capacity_week: CapacityWeek) -> None:
    seen, (begin, end) = capacity_week.seen, capacity_week.seen.days[FULL_DAY - 1]
    refused = [r for r in seen.records if r.event == "rate_limited" and begin <= r.at < end]
    assert not refused, f"GitHub refused {len(refused)} calls, the first at {refused[0].at}"
    runs = demand(seen.journal.scheduled(ASSIGN, begin, end), "run that day")
    failed = [run.id for run in runs if not run.good]
    assert not failed, f"runs {failed} did not end well"
    assert len(runs) == 12, f"{len(runs)} runs, not twelve"
    long = [run.id for run in runs if run.ended and run.ended - run.begun >= CADENCE]
    assert not long, f"runs {long} took two hours or more, so the next ones had to wait"
