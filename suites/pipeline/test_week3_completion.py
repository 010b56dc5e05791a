"""Week 3: how long Copilot takes, by matured cohorts, and what is done about what is overdue."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from statistics import fmean

import pytest

from pytest_rollout import NotReportedError, NoValueError, Observe, Stage, recount
from suites.pipeline.scenarios.overdue import DUE, LATE, Overdue, escalated
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.cohorts import (
    SEVEN_DAYS,
    TWO_DAYS,
    Assignment,
    assignments,
    quantile_bounds,
)
from suites.pipeline.views.journal import demand
from suites.pipeline.views.pulls import demand_merged
from suites.pipeline.views.tracking import Cohort, blockers, newest_report, ratings

pytestmark = pytest.mark.week3_completion

ROUNDED = 0.06  # of an hour: reports round to a tenth


@pytest.fixture(scope="session")
def week(tracked_week: Seen) -> Seen:
    """What was seen of the week, at the end of which a young assignment is blocked."""
    return tracked_week


@pytest.mark.criterion("assignments-have-matured")
def test_enough_assignments_are_old(before: Seen, observe: Observe) -> None:
    made = assignments(before.journal.work)
    old = [assignment for assignment in made if assignment.matured(SEVEN_DAYS, before.end)]
    observe("matured_assignments", len(old), at=before.end)


# The report


def _cohort(week: Seen) -> Cohort:
    """The assignments as they were when the newest report was made."""
    at = newest_report(week).moment("at")
    return Cohort.of(assignments(week.journal.work), at)


@pytest.mark.criterion("metric-time-to-completion")
@pytest.mark.parametrize("name", ["p50", "p80", "p95"])
def test_time_to_completion(week: Seen, name: str) -> None:
    said = newest_report(week).inner("time_to_completion_h")
    hours = demand(_cohort(week).hours(), "completed assignment")
    low, high = quantile_bounds(hours, int(name[1:]) / 100)
    value = said.number(name)
    shown = f"{name} is said to be {value:.2f} h, and it is {low:.2f} h to {high:.2f} h"
    assert low - ROUNDED <= value <= high + ROUNDED, shown


@pytest.mark.criterion("metric-time-to-completion")
def test_the_distribution_is_of_all_that_is_complete(week: Seen) -> None:
    said = newest_report(week)
    count = said.inner("time_to_completion_h").whole("count")
    recount("completed", [(said.moment("at"), count, len(_cohort(week).hours()))]).demand()


@pytest.mark.criterion("metric-rate-by-type")
def test_completion_of_each_type(week: Seen) -> None:
    said, cohort = newest_report(week), _cohort(week)
    told = said.inner("completion").inner("by_type")
    types = sorted({assignment.type for assignment in cohort.made if assignment.type} | set(told))
    samples = [
        (name, {key: told.inner(name).whole(key) for key in counted}, counted)
        for name in types
        for counted in [cohort.figures_of(name)]
    ]
    recount("completion by type", samples).demand(10, varied=True)


@pytest.mark.criterion("metric-rate-by-type")
def test_the_types_add_up(week: Seen) -> None:
    said = newest_report(week).inner("completion")
    by_type = said.inner("by_type")
    if not by_type:
        raise NotReportedError("the tracking report has no types")
    total = said.inner("total")
    sums = {key: sum(by_type.inner(name).whole(key) for name in by_type) for key in total}
    recount("sum of the types", [("total", dict(total), sums)]).demand(5)


@pytest.mark.criterion("metric-blockers")
def test_blockers_by_category(week: Seen) -> None:
    said = newest_report(week)
    counted = blockers(week, said.moment("at"))
    demand(list(counted), "blocked assignment")
    told = {name: said.inner("blockers").whole(name) for name in said.inner("blockers")}
    recount("blockers", [(said.moment("at"), told, counted)]).demand()


@pytest.mark.criterion("metric-blockers")
def test_each_blocked_assignment_has_a_category(week: Seen) -> None:
    blocked = [assignment for assignment in assignments(week.journal.work) if assignment.blocked]
    bare = [
        assignment.issue
        for assignment in demand(blocked, "blocked assignment")
        if not assignment.blocker
    ]
    assert not bare, f"issues {bare} were blocked without a category"


@pytest.mark.criterion("metric-feedback")
def test_feedback_is_rated(week: Seen) -> None:
    said = newest_report(week)
    told = said.inner("feedback")
    given = demand(ratings(week, said.moment("at")), "comment with feedback")
    counted = {"count": len(given), "mean_rating": fmean(given)}
    spread = {name: told.inner("ratings").whole(name) for name in told.inner("ratings")}
    figures = {"count": told.whole("count"), "mean_rating": told.number("mean_rating")}
    at = said.moment("at")
    recount("feedback", [(at, figures, counted)], within=0.006).demand(2)
    by_rating = Counter(str(rating) for rating in given)
    there = {name: count for name, count in spread.items() if count}
    recount("ratings", [(at, there, dict(by_rating))]).demand()


# What was promised


def _all(week: Seen, age: timedelta) -> list[Assignment]:
    """The assignments that are old enough to be judged now."""
    made = [
        assignment
        for assignment in assignments(week.journal.work)
        if assignment.matured(age, week.journal.now)
    ]
    return demand(made, "assignment that is old enough")


@pytest.mark.criterion("sla-80-in-48h")
def test_done_in_48_hours(week: Seen, observe: Observe) -> None:
    for assignment in _all(week, TWO_DAYS):
        observe(
            "copilot_done_in_48h",
            assignment.done_within(TWO_DAYS),
            at=assignment.at,
            issue=assignment.issue,
        )


@pytest.mark.criterion("sla-80-in-48h")
def test_what_is_done_was_merged(week: Seen) -> None:
    demand_merged(week.hub, week.journal.work)


@pytest.mark.criterion("sla-95-in-7d")
def test_done_in_seven_days(week: Seen, observe: Observe) -> None:
    for assignment in _all(week, SEVEN_DAYS):
        observe(
            "copilot_done_in_7d",
            assignment.done_within(SEVEN_DAYS),
            at=assignment.at,
            issue=assignment.issue,
        )


@pytest.mark.criterion("sla-blocked-below-5")
def test_blocked(week: Seen, observe: Observe) -> None:
    for assignment in _all(week, TWO_DAYS):
        observe("copilot_blocked", assignment.blocked, at=assignment.at, issue=assignment.issue)


@pytest.mark.criterion("sla-censoring")
@pytest.mark.parametrize(("age", "key"), [(TWO_DAYS, "matured_48h"), (SEVEN_DAYS, "matured_7d")])
def test_young_assignments_do_not_count(
    week: Seen, age: timedelta, key: str, observe: Observe
) -> None:
    said, cohort = newest_report(week), _cohort(week)
    told = said.inner("completion").inner("total").whole(key)
    counted = len(cohort.matured(age))
    young = [assignment for assignment in cohort.made if not assignment.matured(age, cohort.at)]
    for place, assignment in enumerate(demand(young, "assignment that is too young to count")):
        observe("immature_counted", place < told - counted, at=cohort.at, issue=assignment.issue)
    recount(key, [(cohort.at, told, counted)]).demand()


@pytest.mark.criterion("sla-censoring")
def test_a_young_one_that_is_blocked_does_not_count(week: Seen, phase: Stage) -> None:
    said, cohort = newest_report(week), _cohort(week)
    old = cohort.matured(TWO_DAYS)
    young = [
        assignment for assignment in cohort.made if assignment.blocked and assignment not in old
    ]
    if phase.embedded:
        demand(young, "blocked assignment that is too young to count")
    told = said.inner("completion").inner("total").whole("blocked")
    recount("blocked", [(cohort.at, told, sum(assignment.blocked for assignment in old))]).demand()


# What is overdue


@pytest.fixture(scope="session")
def overdue(phase: Stage, request: pytest.FixtureRequest) -> Overdue:
    """Assignments that took long: those of the rehearsal, or whatever did in the week."""
    if phase.embedded:
        held: Overdue = request.getfixturevalue("copilot_held")
        return held
    return escalated(phase, request.getfixturevalue("week"), ())


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("reminder", marks=pytest.mark.criterion("escalate-day3")),
        pytest.param("notice", marks=pytest.mark.criterion("escalate-day7")),
        pytest.param("review", marks=pytest.mark.criterion("escalate-day14")),
    ],
)
def test_each_step_is_taken_once_when_it_is_due(overdue: Overdue, step: str) -> None:
    due = [assignment for assignment, is_due in overdue.due(step) if is_due]
    if not due:
        raise NoValueError(f"no assignment is so long overdue that a {step} is due")
    for assignment in due:
        times = overdue.times(assignment.issue, step)
        assert len(times) == 1, f"#{assignment.issue} got {len(times)} of {step}, not one"
        late = times[0] - (assignment.at + DUE[step])
        shown = f"#{assignment.issue} got its {step} {late} after it was due"
        assert timedelta(0) <= late <= LATE, shown


@pytest.mark.parametrize(
    "step",
    [
        pytest.param("reminder", marks=pytest.mark.criterion("escalate-day3")),
        pytest.param("notice", marks=pytest.mark.criterion("escalate-day7")),
        pytest.param("review", marks=pytest.mark.criterion("escalate-day14")),
    ],
)
def test_no_step_is_taken_before_it_is_due(overdue: Overdue, step: str) -> None:
    early = [assignment for assignment, is_due in overdue.due(step) if not is_due]
    hasty = [
        assignment.issue
        for assignment in demand(early, "other assignment")
        if overdue.times(assignment.issue, step)
    ]
    assert not hasty, f"issues {hasty} got a {step} that was not due"


@pytest.mark.criterion("escalate-stops-on-completion")
def test_nothing_follows_completion(overdue: Overdue, phase: Stage, observe: Observe) -> None:
    reminded = [
        assignment
        for assignment in overdue.made
        if overdue.times(assignment.issue, "reminder") and assignment.done
    ]
    if phase.embedded:
        assert overdue.late in [assignment.issue for assignment in reminded], (
            "none was completed after a reminder"
        )
    for assignment in demand(reminded, "assignment that was completed after its reminder"):
        for step in ("reminder", "notice", "review"):
            after = [
                at
                for at in overdue.times(assignment.issue, step)
                if assignment.done and at > assignment.done
            ]
            observe("step_after_completion", bool(after), issue=assignment.issue, step=step)


@pytest.mark.criterion("escalate-idempotent")
def test_looks_repeat_no_step(overdue: Overdue, observe: Observe) -> None:
    reminded = [
        assignment.issue
        for assignment in overdue.made
        if overdue.times(assignment.issue, "reminder")
    ]
    issue = demand(reminded, "assignment with a reminder")[0]
    first = overdue.times(issue, "reminder")[0]
    day = [run for run in overdue.looks if first < run.begun <= first + timedelta(days=1)]
    for run in day:
        again = [
            at
            for step in DUE
            for at in overdue.times(issue, step)[1:]
            if run.ended and run.begun <= at <= run.ended
        ]
        observe("repeated_step", len(again), at=run.begun)
