"""Week 2: processing takes more issues a run, and keeps pace with assignment."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError, recount
from suites.pipeline.scenarios.capacity import PROCESS_STEPS, Step, Taken, run_lengths, taken
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.cohorts import TWO_DAYS, assignments
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.journal import ASSIGNED, COPILOT, Issue, demand
from suites.pipeline.views.pulls import demand_merged
from suites.pipeline.views.rubric import SAMPLE, read_sheet
from suites.pipeline.views.schedules import DAILY, PROCESS
from suites.pipeline.views.summaries import Summary, summaries
from suites.pipeline.views.telemetry import items
from suites.pipeline.views.transitions import long_in_two_states
from suites.pipeline.views.trend import slopes

pytestmark = pytest.mark.week2_processing

OVERHEAD = 60.0  # seconds of a run in which no issue is worked on: checkout, listing, artifacts


# Before the batch grows


@pytest.mark.criterion("week2_processing.capacity-arithmetic-before")
def test_week_1_processes_30_a_day(before: Seen) -> None:
    runs = before.journal.scheduled(PROCESS, *before.days[-1])
    batches = [int(before.given(run, "pipeline-process")["batch-size"]) for run in runs]
    assert sum(batches) == 30, f"{len(batches)} runs of the last day may process {sum(batches)}"


@pytest.mark.criterion("prereq-processing-duration")
def test_seconds_per_issue(before: Seen, observe: Observe) -> None:
    for record in demand(items(before.within(), "processing"), "processing in phase 1"):
        if record.seconds is None:
            raise NoValueError(f"run {record.run} does not say how long #{record.issue} took")
        observe("processing_seconds_per_issue", record.seconds, at=record.at)


@pytest.mark.criterion("prereq-processing-duration")
def test_telemetry_is_as_slow_as_the_runs(before: Seen) -> None:
    lengths = demand(run_lengths(before, PROCESS, "processing"), "run that processed anything")
    recount("seconds of work in a run", lengths, within=OVERHEAD).demand(6)


@pytest.mark.criterion("prereq-guidance-quality")
def test_people_scored_the_guidance_of_phase_1(before: Seen, observe: Observe) -> None:
    sheet = read_sheet(before.kept, 1)
    for review in sheet.reviews:
        observe("guidance_quality", review.total, at=before.end, issue=review.issue)


@pytest.mark.criterion("prereq-guidance-quality")
def test_what_was_scored_is_guidance_of_phase_1(before: Seen) -> None:
    reviewed = [review.issue for review in read_sheet(before.kept, 1).reviews]
    assert len(set(reviewed)) == len(reviewed) >= SAMPLE, f"the sheet has the issues {reviewed}"
    handed = {m.issue for m in assignments(before.journal.work) if m.at < before.end}
    strange = sorted(set(reviewed) - handed)
    assert not strange, f"issues {strange} of the sheet got no guidance in phase 1"
    empty = [n for n in reviewed if not read_guidance(before.journal.issues[n].body).sections]
    assert not empty, f"issues {empty} were scored and have no guidance"


@pytest.mark.criterion("prereq-copilot-completion")
def test_copilot_finishes_in_time(before: Seen, observe: Observe) -> None:
    for made in assignments(before.journal.work):
        if made.matured(TWO_DAYS, before.end):
            observe("copilot_done_in_48h", made.done_within(TWO_DAYS), at=made.at)


@pytest.mark.criterion("prereq-copilot-completion")
def test_what_is_done_was_merged(before: Seen) -> None:
    demand_merged(before.hub, before.journal.work)


@pytest.mark.criterion("prereq-no-corruption")
def test_no_issue_is_corrupt(before: Seen, observe: Observe) -> None:
    conflicts = _conflicting_branches(before)
    for issue in before.journal.work:
        handed = issue.first(COPILOT)
        if handed and handed < before.end:
            two = long_in_two_states(issue, before.journal.now)
            observe("corrupt_or_conflicting", two or issue.number in conflicts, at=handed)


def _conflicting_branches(seen: Seen) -> set[int]:
    """The issues whose pull request cannot be merged."""
    by_branch = {read_guidance(issue.body).branch: issue.number for issue in seen.journal.work}
    issues = set()
    for row in seen.hub.pages("/pulls", state="all"):
        number = by_branch.get(row["head"]["ref"])
        if number:
            pull = seen.hub.get(f"/pulls/{row['number']}")
            if pull["mergeable"] is False or pull.text("mergeable_state") == "dirty":
                issues.add(number)
    return issues


# The steps


@pytest.mark.criterion("week2_processing.capacity-arithmetic-after")
def test_the_full_batch_processes_60_a_day(processing_week: Seen, runs_taken: list[Taken]) -> None:
    begin, end = processing_week.days[-1]
    batches = [turn.limit for turn in runs_taken if begin <= turn.run.begun < end]
    assert sum(batches) == 60, f"{len(batches)} runs of the last day may process {sum(batches)}"
    file = processing_week.file(PROCESS)
    stated = len(file.starts(begin, end)) * file.setting("BATCH_SIZE")
    assert stated == 60, f"the workflow file comes to {stated} issues a day"


_EACH_STEP = [
    pytest.param(
        step, marks=pytest.mark.criterion(f"week2_processing.step-d{step.first}-{step.last}")
    )
    for step in PROCESS_STEPS
]


@pytest.fixture(scope="session")
def runs_taken(processing_week: Seen) -> list[Taken]:
    """What each scheduled run of the week was allowed, found and did."""
    return taken(processing_week, PROCESS, processing_week.begin, processing_week.end)


@pytest.mark.parametrize("step", _EACH_STEP, ids=lambda step: f"{step.limit} issues")
def test_batch_of_each_step(
    processing_week: Seen, runs_taken: list[Taken], step: Step, phase: Stage
) -> None:
    begin, end = step.times(processing_week.begin)
    tried = [turn for turn in runs_taken if begin <= turn.run.begun < end]
    days = {turn.run.begun.date() for turn in demand(tried, "run of this step")}
    assert len(days) == step.last - step.first + 1, f"runs of this step are of {len(days)} days"
    other = [turn for turn in tried if turn.limit != step.limit]
    assert not other, f"run {other[0].run.id} has batch {other[0].limit}, not {step.limit}"
    for turn in tried:
        least = min(step.limit, turn.waiting)
        shown = f"run {turn.run.id} took {turn.took} of {turn.waiting} that waited"
        assert least <= turn.took <= step.limit, f"{shown}, its batch is {step.limit}"
    if phase.embedded and not any(turn.took == step.limit for turn in tried):
        raise TooLittleError(f"no run took {step.limit}, so its batch was never felt")


@pytest.mark.criterion("throughput-matched")
def test_the_queue_does_not_grow(processing_week: Seen, observe: Observe) -> None:
    series = [
        (end, processing_week.journal.waiting(ASSIGNED, end)) for _, end in processing_week.days
    ]
    handed = [m for m in assignments(processing_week.journal.work) if m.at >= processing_week.begin]
    demand(handed, "issue that was processed in the week, and a queue that nobody works on")
    for at, slope in slopes(series):
        observe("assigned_waiting_slope", slope, at=at)


# What is tracked


@pytest.mark.criterion("watch-copilot-backlog")
def test_the_backlog_is_tracked(processing_week: Seen, observe: Observe) -> None:
    _tracked(processing_week, "copilot_backlog", "day_without_backlog_figure", observe)


@pytest.mark.criterion("watch-copilot-backlog")
def test_the_backlog_is_true(processing_week: Seen) -> None:
    _true(processing_week, "copilot_backlog", lambda there: len(there))


@pytest.mark.criterion("watch-guidance-completeness")
def test_completeness_is_tracked(processing_week: Seen, observe: Observe) -> None:
    _tracked(processing_week, "guidance_complete", "day_without_completeness_figure", observe)


@pytest.mark.criterion("watch-guidance-completeness")
def test_completeness_is_true(processing_week: Seen) -> None:
    _true(processing_week, "guidance_complete", _share_complete)


def _share_complete(there: list[Issue]) -> float:
    complete = sum(read_guidance(issue.body).complete for issue in there)
    return complete / len(there) if there else 1


def _tracked(seen: Seen, name: str, metric: str, observe: Observe) -> None:
    told = summaries(seen.hub, seen.journal, DAILY)
    for begin, end in seen.days:
        days = [summary for summary in told if begin <= summary.at < end]
        observe(metric, not any(summary.number(name) is not None for summary in days), at=end)


def _true(seen: Seen, name: str, count: Callable[[list[Issue]], float]) -> None:
    def counted(summary: Summary) -> float:
        work = seen.journal.work
        return count([issue for issue in work if COPILOT in issue.labels_at(summary.at)])

    told = [
        summary
        for summary in summaries(seen.hub, seen.journal, DAILY)
        if seen.begin <= summary.at < seen.end and summary.number(name) is not None
    ]
    figures = ((summary.at, summary.number(name), counted(summary)) for summary in told)
    recount(name, figures, within=0.005).demand(7)
