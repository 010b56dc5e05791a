"""Week 4: everything is live, nobody steps in, and nothing piles up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_rollout import NoValueError, Observe
from suites.pipeline.scenarios.live_pipeline import BATCH, Followed, FullWeek
from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Run, demand
from suites.pipeline.views.rubric import WEIGHTS, Review, read_sheet
from suites.pipeline.views.runs import dry, events_within, flags_of, moved
from suites.pipeline.views.schedules import ASSIGN, DAILY, PROCESS
from suites.pipeline.views.telemetry import labels_told
from suites.pipeline.views.trend import slopes

pytestmark = pytest.mark.week4_pipeline

STAGES = {  # the command of each stage, and the label by which its work is known
    "monitoring": ("pipeline-monitor", TRIAGE),
    "assignment": ("pipeline-assign", ASSIGNED),
    "processing": ("pipeline-process", COPILOT),
}
AT_0630 = timedelta(hours=6, minutes=30)
LONGEST = timedelta(minutes=15)


@pytest.mark.criterion("week3-stages-live")
def test_week_3_ran_two_stages_for_real(before: Seen) -> None:
    begin, end = before.days[-1]
    runs = before.journal.scheduled(DAILY, begin + timedelta(hours=6), end)
    run = demand(runs, f"daily run on {begin.date()}")[-1]
    is_dry = {name: dry(before.given(run, command)) for name, (command, _) in STAGES.items()}
    expected = {"monitoring": False, "assignment": False, "processing": True}
    assert is_dry == expected, f"of the last daily run of week 3 dry were {is_dry}"


# The daily run


def _daily(seen: Seen) -> list[Run]:
    """The daily runs of a time that ended."""
    return demand([run for run in seen.scheduled(DAILY) if run.ended], "daily run of the week")


@pytest.mark.criterion("dry-run-flags-removed")
@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_live(
    live_week: Seen, followed: Followed, stage: str, observe: Observe
) -> None:
    command, label = STAGES[stage]
    lines = [line for line in live_week.file(DAILY).commands.values() if command in line]
    flagged = any(dry(flags_of(line)) for line in demand(lines, f"{command} in {DAILY}"))
    runs = [*_daily(live_week), *(run for run, _ in followed.found)]
    told = [run.id for run in runs if dry(live_week.given(run, command))]
    wrote = any(moved(followed.seen.journal, run, label) for run in runs)
    why = f"flag in the file: {flagged}; dry runs: {told}; wrote {label}: {wrote}"
    observe("stage_still_dry", flagged or bool(told) or not wrote, stage=stage, why=why)


@pytest.mark.criterion("full-pipeline-once-daily")
def test_the_file_starts_it_once_a_day(live_week: Seen) -> None:
    begin, end = live_week.days[-1]
    starts = live_week.file(DAILY).starts(begin, end)
    assert starts == [begin + AT_0630], f"{DAILY} starts at {[f'{s:%H:%M}' for s in starts]}"


@pytest.mark.criterion("full-pipeline-once-daily")
def test_it_ran_once_on_each_day(live_week: Seen) -> None:
    for begin, end in live_week.days:
        runs = live_week.journal.scheduled(DAILY, begin, end)
        times = [f"{run.begun:%H:%M}" for run in runs]
        late = timedelta(minutes=30)
        right = len(runs) == 1 and timedelta() <= runs[0].begun - begin - AT_0630 <= late
        assert right, f"on {begin.date()} the daily run started at {times or 'no time'}"


@pytest.mark.criterion("individual-schedules-kept")
@pytest.mark.parametrize("file", [ASSIGN, PROCESS])
def test_the_schedules_of_their_own_are_kept(live_week: Seen, file: str) -> None:
    assert live_week.file(file).crons, f"{file} has no active schedule"
    for begin, end in live_week.days:
        due = live_week.file(file).starts(begin, end)
        runs = live_week.journal.scheduled(file, begin, end)
        assert len(runs) == len(due), f"{file} started {len(runs)} times on {begin.date()}"


@pytest.mark.criterion("e2e-no-manual")
def test_an_item_gets_through_in_one_run(followed: Followed, observe: Observe) -> None:
    pairs = demand(list(followed.found), "daily run that could get all through that it discovered")
    run, issues = max(pairs, key=lambda pair: len(pair[1]))
    assert run.good, f"run {run.id} ended in {run.conclusion}"
    reached = moved(followed.seen.journal, run, COPILOT)
    for number in issues:
        issue = followed.seen.journal.issues[number]
        assert number in reached, f"run {run.id} discovered #{number}, which did not reach Copilot"
        assert "Copilot" in issue.assignees or issue.closed, f"#{number} is not Copilot's"
        observe("manual_intervention", len(issue.by_people), at=run.ended, issue=number)


@pytest.mark.criterion("e2e-no-manual")
def test_every_stage_of_that_run_is_the_pipeline_s(followed: Followed) -> None:
    run, issues = demand(
        list(followed.found), "daily run that could get all through that it discovered"
    )[0]
    made = {
        label: {issue.number for issue, _ in events_within(followed.seen.journal, run, label=label)}
        for _, label in STAGES.values()
    }
    for label, numbers in made.items():
        lost = sorted(set(issues) - numbers)
        assert not lost, f"issues {lost} did not get {label} from the pipeline in run {run.id}"


# The flow


@pytest.mark.criterion("continuous-flow")
def test_telemetry_follows_each_item(live_week: Seen, observe: Observe) -> None:
    told: dict[int, dict[str, datetime]] = {}
    for record in live_week.records:
        if record.event == "item" and record.issue and record.result == "ok":
            told.setdefault(record.issue, {})[record.stage] = record.at
    stages = ("monitoring", "assignment", "processing", "copilot")
    for issue in live_week.journal.work:
        handed = issue.first(COPILOT)
        if handed and live_week.begin <= handed < live_week.end:
            there = told.get(issue.number, {})
            times = [there[stage] for stage in stages if stage in there]
            broken = len(times) < len(stages) or times != sorted(times)
            missing = ", ".join(stage for stage in stages if stage not in there)
            observe("broken_chain", broken, at=handed, issue=issue.number, missing=missing)


@pytest.mark.criterion("continuous-flow")
def test_the_timelines_say_when_as_telemetry_does(live_week: Seen) -> None:
    apart = []
    for record in live_week.within():
        if record.event != "item" or record.result != "ok" or record.stage not in STAGES:
            continue
        issue = live_week.journal.issues.get(record.issue or 0)
        times = issue.times("labeled", STAGES[record.stage][1]) if issue else []
        if not any(abs(record.at - at) <= timedelta(minutes=2) for at in times):
            apart.append(f"#{record.issue} {record.stage} at {record.at}")
    assert not apart, f"{len(apart)} records have no event beside them: {', '.join(apart[:3])}"


@pytest.mark.criterion("continuous-flow")
def test_the_issues_are_labelled_as_telemetry_says(live_week: Seen) -> None:
    for record in live_week.within():
        issue = live_week.journal.issues.get(record.issue or 0)
        if issue is not None:
            lacking = sorted(labels_told(record) - issue.labels)
            assert not lacking, f"telemetry says #{issue.number} got {', '.join(lacking)}"


def _waiting(seen: Seen, moment: datetime) -> int:
    return sum(seen.journal.waiting(label, moment) for label in (TRIAGE, ASSIGNED))


@pytest.mark.criterion("no-backlog-growth")
def test_nothing_piles_up(live_week: Seen, observe: Observe) -> None:
    demand(live_week.scheduled(PROCESS), "processing in the week")
    series = [(end, _waiting(live_week, end)) for _, end in live_week.days]
    for at, slope in slopes(series):
        observe("backlog_slope", slope, at=at)


@pytest.mark.criterion("no-backlog-growth")
def test_no_more_waits_in_the_end_than_one_batch_beyond_the_begin(live_week: Seen) -> None:
    begun, ended = _waiting(live_week, live_week.begin), _waiting(live_week, live_week.end)
    assert ended <= begun + BATCH, f"{begun} issues waited at first, {ended} in the end"


# Quality


@pytest.mark.criterion("quality-stable")
@pytest.mark.parametrize("number", [3, 4])
def test_guidance_of_both_weeks(live_week: Seen, number: int, observe: Observe) -> None:
    for review in read_sheet(live_week.kept, number).reviews:
        score = _score(live_week, review)
        observe("guidance_score", score, week=number, issue=review.issue)


def _score(seen: Seen, review: Review) -> float:
    """The weighted total of a review; a part that the text lacks scores nothing."""
    issue = seen.journal.issues.get(review.issue)
    if issue is None:
        raise NoValueError(f"#{review.issue} of the review sheet is no issue")
    there = read_guidance(issue.body).sections
    missing = [part for part in WEIGHTS if part not in review.scores]
    if missing:
        raise NoValueError(f"#{review.issue} has no score for {', '.join(missing)}")
    return sum(review.scores[p] * weight for p, weight in WEIGHTS.items() if p in there) / 100


# As much as can be processed


@pytest.mark.criterion("load-full-week")
def test_a_full_week_leaves_one_batch_at_most(full_week: FullWeek, observe: Observe) -> None:
    assert full_week.appeared >= 420, f"{full_week.appeared} issues appeared, not 420"
    observe("waiting_at_end", full_week.waiting, at=full_week.seen.end)


@pytest.mark.criterion("load-full-week")
def test_the_daily_run_keeps_its_time(full_week: FullWeek) -> None:
    for run in _daily(full_week.seen):
        lasted = (run.ended or run.begun) - run.begun
        assert lasted <= LONGEST, f"the daily run of {run.begun.date()} lasted {lasted}"
