"""Assignment started by hand: with a limit to meet, dry, and over what is done already."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError
from suites.pipeline.scenarios.by_hand import Compared, Counted, Trials
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.views.journal import ASSIGNED, TRIAGE, demand
from suites.pipeline.views.people import placeholder
from suites.pipeline.views.runs import BOT, moved
from suites.pipeline.views.telemetry import miscounted, odd

pytestmark = pytest.mark.week1_assignment

LIMIT = 10


def met(phase: Stage, assigning: FirstDays, request: pytest.FixtureRequest) -> list[Counted]:
    """Runs and how many issues waited for each: tried in a rehearsal, else those of the window."""
    if phase.embedded:
        trials: Trials = request.getfixturevalue("assigned_by_hand")
        return trials.outcome("limits", list)
    journal = assigning.journal
    return [
        Counted.of(
            run,
            moved(journal, run, ASSIGNED),
            assigning.records[run.id],
            journal.waiting(TRIAGE, run.begun),
        )
        for run in assigning.runs
    ]


@pytest.mark.criterion("week1_assignment.limit-honoured")
def test_no_run_takes_more_than_its_limit(
    phase: Stage, assigning: FirstDays, request: pytest.FixtureRequest, observe: Observe
) -> None:
    counted = met(phase, assigning, request)
    if not any(count.waiting > LIMIT for count in counted):
        raise TooLittleError(f"never did more than {LIMIT} issues wait, so no run met its limit")
    if phase.embedded and not any(count.failed for count in counted):
        raise TooLittleError("no issue failed, so nothing shows whether a failed one counts")
    assert any(count.took > count.failed for count in counted), "no run assigned anything"
    for count in counted:
        observe("issues_assigned_per_run", count.took, at=count.run.ended, waiting=count.waiting)
        shown = f"run {count.run.id} took {count.took} of {count.waiting} that waited"
        assert count.took >= min(LIMIT, count.waiting), f"{shown}, its limit is {LIMIT}"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("week1_assignment.limit-honoured")
def test_a_start_by_hand_may_say_other_settings(assigned_by_hand: Trials) -> None:
    tried = assigned_by_hand.outcome("inputs", Counted)
    shown = f"told to take 3 of {tried.waiting}, run {tried.run.id} took {tried.took}"
    assert tried.took == 3 < tried.waiting, shown
    assert not tried.said, f"told not to be verbose, run {tried.run.id} says {tried.said}"
    events = {record.event for record in tried.told}
    assert "statistics" not in events, f"run {tried.run.id} left statistics, told to leave none"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("week1_assignment.failure-rate-under-trigger")
def test_a_run_in_which_an_issue_failed_has_failed(assigned_by_hand: Trials) -> None:
    counted = assigned_by_hand.outcome("limits", list)
    for count in demand(
        [count for count in counted if count.failed], "run in which an issue failed"
    ):
        shown = f"run {count.run.id}, in which an issue failed,"
        assert count.run.conclusion == "failure", f"{shown} ended in {count.run.conclusion}"
        ends = [record.result for record in count.told if record.event == "run_ended"]
        assert ends == ["failed"], f"{shown} is said to have ended in {ends}"
        reasons = [record.detail.get("message") for record in count.told if record.event == "error"]
        assert any(not placeholder(said) for said in reasons), f"{shown} left no record of an error"
        wrong = {name for record in count.told for name in odd(record, count.run, BOT)}
        assert not wrong, f"{shown} left records that cannot be true: {', '.join(sorted(wrong))}"
        assert count.kept == len(count.told), f"{shown} left another artifact"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("week1_assignment.statistics-on")
def test_a_start_by_hand_counts_what_failed(assigned_by_hand: Trials) -> None:
    for count in assigned_by_hand.outcome("limits", list):
        figures = demand([r for r in count.told if r.event == "statistics"], "record of statistics")
        wrong = miscounted(figures[0], count.told)
        assert not wrong, f"run {count.run.id} says {wrong}"
    idle = assigned_by_hand.outcome("again", Compared).told
    told = [record for record in idle if record.event == "statistics"]
    assert len(told) == 1, f"a run that had nothing to do left {len(told)} records of statistics"
    wrong = miscounted(told[0], idle)
    assert not wrong, f"run {told[0].run}, which had nothing to do, says {wrong}"


@pytest.mark.criterion("week1_assignment.dry-run-has-no-effects")
def test_a_dry_run_writes_nothing(assigned_by_hand: Trials, phase: Stage, observe: Observe) -> None:
    tried = assigned_by_hand.outcome("dry run", Compared)
    if not tried.next_one_wrote:
        raise NoValueError("the run without dry-run wrote nothing either; let issues wait first")
    for part, changed in tried.wrote.items():
        observe("written_in_dry_run", changed, at=phase.now(), part=part)


@pytest.mark.criterion("week1_assignment.assign-rerun-idempotent")
def test_a_second_run_writes_nothing(
    assigned_by_hand: Trials, phase: Stage, observe: Observe
) -> None:
    tried = assigned_by_hand.outcome("again", Compared)
    assert any(count.took for count in assigned_by_hand.outcome("limits", list)), "nothing was done"
    for part, changed in tried.wrote.items():
        observe("written_by_second_run", changed, at=phase.now(), part=part)


@pytest.mark.criterion("week1_assignment.assign-rerun-idempotent")
def test_each_assigned_issue_has_one_comment(assigned_by_hand: Trials) -> None:
    taken = {n for count in assigned_by_hand.outcome("limits", list) for n in count.moved}
    said = assigned_by_hand.outcome("comments", Counter)
    wrong = {number: said[number] for number in sorted(taken) if said[number] != 1}
    assert taken, "no run assigned anything"
    assert not wrong, f"comments of assignment, by issue: {wrong}"
