"""Processing started by hand: with a batch to meet, with an issue that fails, and one that dies."""

from __future__ import annotations

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError
from suites.pipeline.scenarios.by_hand import Counted, Trials
from suites.pipeline.scenarios.first_days import FirstDays
from suites.pipeline.scenarios.processing_by_hand import Broken, Crashed
from suites.pipeline.views.journal import ASSIGNED, COPILOT
from suites.pipeline.views.runs import moved
from suites.pipeline.views.telemetry import items

pytestmark = pytest.mark.week1_processing

BATCH = 5


def met(phase: Stage, processing: FirstDays, request: pytest.FixtureRequest) -> list[Counted]:
    """Runs and how many issues waited for each: tried in a rehearsal, else those of the window."""
    if phase.embedded:
        trials: Trials = request.getfixturevalue("processed_by_hand")
        return trials.outcome("limits", list)
    journal = processing.journal
    return [
        Counted.of(
            run,
            moved(journal, run, COPILOT),
            processing.records[run.id],
            journal.waiting(ASSIGNED, run.begun),
        )
        for run in processing.runs
    ]


@pytest.mark.criterion("week1_processing.batch-honoured")
def test_no_run_takes_more_than_its_batch(
    phase: Stage, processing: FirstDays, request: pytest.FixtureRequest, observe: Observe
) -> None:
    counted = met(phase, processing, request)
    if not any(count.waiting > BATCH for count in counted):
        raise TooLittleError(f"never did more than {BATCH} issues wait, so no run met its batch")
    if phase.embedded and not any(count.failed for count in counted):
        raise TooLittleError("no issue failed, so nothing shows whether a failed one counts")
    assert any(count.took > count.failed for count in counted), "no run processed anything"
    for count in counted:
        observe("issues_processed_per_run", count.took, at=count.run.ended, waiting=count.waiting)
        shown = f"run {count.run.id} took {count.took} of {count.waiting} that waited"
        assert count.took >= min(BATCH, count.waiting), f"{shown}, its limit is {BATCH}"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("week1_processing.continue-on-error")
def test_without_it_the_first_failure_ends_the_run(processed_by_hand: Trials) -> None:
    stopped, other = processed_by_hand.outcome("inputs", list)
    shown = f"run {stopped.run.id}, told to stop at a failure, took {stopped.took} issues"
    assert (stopped.took, stopped.failed) == (1, 1), f"{shown}, of which {stopped.failed} failed"
    assert stopped.run.conclusion == "failure", f"it ended in {stopped.run.conclusion}"
    assert other.run.good, f"run {other.run.id} goes on, and ended in {other.run.conclusion}"
    shown = f"told to take 2 of {other.waiting}, run {other.run.id} took {other.took}"
    assert other.took == 2 < other.waiting, shown
    for count in (stopped, other):
        assert not count.said, f"told not to be verbose, run {count.run.id} says {count.said}"


def with_a_failure(
    phase: Stage, processing: FirstDays, request: pytest.FixtureRequest
) -> list[Broken]:
    """Batches of which an issue failed: tried in a rehearsal, else those of the window."""
    if phase.embedded:
        trials: Trials = request.getfixturevalue("processed_by_hand")
        return [trials.outcome("failing item", Broken)]
    batches = []
    for run in processing.runs:
        told = items(processing.records[run.id], "processing")
        failed = [record.issue for record in told if record.result == "failed"]
        batch = tuple(record.issue for record in told if record.issue is not None)
        if failed and failed[0] is not None:
            reached = frozenset(moved(processing.journal, run, COPILOT))
            log = processing.logs[run.id]
            batches.append(Broken(failed[0], batch, reached, tuple(told), log))
    return batches


@pytest.mark.criterion("week1_processing.continue-on-error")
def test_a_failure_does_not_stop_the_batch(
    phase: Stage, processing: FirstDays, request: pytest.FixtureRequest, observe: Observe
) -> None:
    stated = processing.file.settings.get("CONTINUE_ON_ERROR")
    assert stated == "true", f"main has CONTINUE_ON_ERROR: {stated}"
    batches = with_a_failure(phase, processing, request)
    if not batches:
        raise NoValueError("no issue failed, so nothing shows what a failure does to its batch")
    for batch in batches:
        told = {record.issue for record in batch.records if record.result == "failed"}
        records = {record.issue: record.result for record in batch.records}
        shown = f"the log says {batch.log.results}, telemetry {records}"
        assert batch.log.results.items() >= records.items(), shown
        for number in batch.batch:
            lost = number not in told if number == batch.failed else number not in batch.reached
            observe("lost_after_error", lost, at=phase.now(), issue=number)


@pytest.mark.criterion("week1_processing.process-rerun-idempotent")
def test_a_second_run_does_nothing_twice(
    processed_by_hand: Trials, phase: Stage, observe: Observe
) -> None:
    crashed = processed_by_hand.outcome("crash", Crashed)
    once = {
        "guidance": crashed.guidances,
        "assignment": crashed.assignments,
        "comment": crashed.comments,
    }
    for part, count in once.items():
        observe("written_by_second_run", count != 1, at=phase.now(), part=part, times=count)
    for part, changed in crashed.again.items():
        observe("written_by_second_run", changed, at=phase.now(), part=f"{part}, once more")


@pytest.mark.rehearsal_only
@pytest.mark.criterion("week1_processing.copilot-assignments-correct")
def test_copilot_is_given_what_is_ready(processed_by_hand: Trials) -> None:
    runs = processed_by_hand.outcome("refused", list)
    assert runs[-1].at_copilot, "GitHub took all calls of the last run, and gave Copilot nothing"
    assert len(runs) > 1, "GitHub refused nothing"
    for run in runs:
        shown = f"where GitHub took {run.calls} calls, Copilot was given an issue without"
        assert not (run.at_copilot and run.lacks), f"{shown} {run.lacks}"
