"""Assignment started by hand: with a limit to meet, dry, and over what is done already."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError
from suites.pipeline.scenarios.by_hand import Compared, Counted, Trials, moved_in
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, TRIAGE
from suites.pipeline.views.runs import BOT, moved
from suites.pipeline.views.telemetry import items

pytestmark = pytest.mark.week1_assignment

LIMIT, MARK = 10, "<!-- pipeline:assigned -->"


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
            items(assigning.records[run.id], "assignment"),
            journal.waiting(TRIAGE, run.begun),
        )
        for run in assigning.runs
    ]


@pytest.mark.criterion("week1_assignment.limit-honoured")
def test_no_run_takes_more_than_its_limit(
    phase: Stage, assigning: FirstDays, request: pytest.FixtureRequest, observe: Observe
) -> None:
    counted = met(phase, assigning, request)
    if not any(one.waiting > LIMIT for one in counted):
        raise TooLittleError(f"never did more than {LIMIT} issues wait, so no run met its limit")
    if phase.embedded and not any(one.failed for one in counted):
        raise TooLittleError("no issue failed, so nothing shows whether a failed one counts")
    assert any(one.took > one.failed for one in counted), "no run assigned anything"
    for one in counted:
        observe("issues_assigned_per_run", one.took, at=one.run.ended, waiting=one.waiting)
        shown = f"run {one.run.id} took {one.took} of {one.waiting} that waited"
        assert one.took >= min(LIMIT, one.waiting), f"{shown}, its limit is {LIMIT}"


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
    assert any(one.took for one in assigned_by_hand.outcome("limits", list)), "nothing was done"
    for part, changed in tried.wrote.items():
        observe("written_by_second_run", changed, at=phase.now(), part=part)


@pytest.mark.criterion("week1_assignment.assign-rerun-idempotent")
def test_each_assigned_issue_has_one_comment(assigned_by_hand: Trials, phase: Stage) -> None:
    counted, hub = assigned_by_hand.outcome("limits", list), Hub.of(phase)
    taken = {number for one in counted for number in moved_in(hub, one.run, ASSIGNED)}
    said = Counter(
        int(row["issue_url"].rpartition("/")[2])
        for row in hub.pages("/issues/comments")
        if row["user"]["login"] == BOT and row["body"].startswith(MARK)
    )
    wrong = {number: said[number] for number in sorted(taken) if said[number] != 1}
    assert taken, "no run assigned anything"
    assert not wrong, f"comments of assignment, by issue: {wrong}"
