"""The checks of the daily run that are the same in each of the four weeks.

The modules of the weeks import them, so that each phase has checks of its own.
"""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Stage, TooLittleError
from suites.pipeline.scenarios.daily_week import STAGES, DailyWeek
from suites.pipeline.views.controller import daily_runs, errors
from suites.pipeline.views.daily_figures import Summary, counted
from suites.pipeline.views.daily_stages import STAGE_LABELS, lone_events, shared_issues
from suites.pipeline.views.guidance import page_of
from suites.pipeline.views.journal import ASSIGNED, TRIAGE, demand
from suites.pipeline.views.on_main import versions
from suites.pipeline.views.people import decisions
from suites.pipeline.views.plan_days import DAY
from suites.pipeline.views.runs import BOT, Log, artifact, completed, dry, flags_of
from suites.pipeline.views.schedules import DAILY
from suites.pipeline.views.telemetry import miscounted, odd

__all__ = [
    "check_controller",
    "check_stages",
    "demand_nothing_lost",
    "test_a_daily_run_ends_in_time",
    "test_a_run_takes_what_waits_up_to_its_limit",
    "test_at_midnight_it_only_watches",
    "test_each_day_has_one_run",
    "test_each_record_is_whole",
    "test_flags_go_after_validation",
    "test_nobody_else_works_on_its_issues",
    "test_runs_leave_what_can_be_read",
    "test_summaries_are_true",
    "test_the_batch_is_ten",
    "test_the_limit_is_twenty",
    "test_the_run_starts_at_half_past_six",
    "test_the_statistics_of_each_stage_are_true",
]

MORNING, MIDNIGHT = "30 6 * * *", "0 0 * * *"
LIMITS = {"assignment": ("limit", "20"), "processing": ("batch-size", "10")}
WAITS = {"assignment": TRIAGE, "processing": ASSIGNED}


def _demand_limit(daily_week: DailyWeek, stage: str) -> None:
    flag, limit = LIMITS[stage]
    command = daily_week.file.commands.get(stage)
    assert command, f"main has no step {stage} in {DAILY}"
    stated = flags_of(command).get(flag)
    assert stated == limit, f"main says --{flag}={stated} in the step {stage}"
    for run in daily_week.runs:
        given = daily_week.logs[run.id].flags(STAGES[stage]).get(flag)
        assert given == limit, f"run {run.id} was given --{flag}={given}"


@pytest.mark.criterion("assignment-limit-20")
def test_the_limit_is_twenty(daily_week: DailyWeek) -> None:
    _demand_limit(daily_week, "assignment")


@pytest.mark.criterion("processing-batch-10")
def test_the_batch_is_ten(daily_week: DailyWeek) -> None:
    _demand_limit(daily_week, "processing")


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param("assignment", marks=pytest.mark.criterion("assignment-limit-20")),
        pytest.param("processing", marks=pytest.mark.criterion("processing-batch-10")),
    ],
)
def test_a_run_takes_what_waits_up_to_its_limit(
    daily_week: DailyWeek, phase: Stage, stage: str
) -> None:
    limit, met = int(LIMITS[stage][1]), False
    for run in daily_week.runs:
        mine = [record for record in daily_week.of_run(run) if record.stage == stage]
        begun = demand([r.at for r in mine if r.event == "run_started"], f"begin of {stage}")[0]
        waiting = daily_week.journal.waiting(WAITS[stage], begun)
        took = len({record.issue for record in mine if record.event == "item"})
        shown = f"run {run.id} took {took} of {waiting} that waited for {stage}"
        assert min(limit, waiting) <= took <= limit, f"{shown}, its limit is {limit}"
        met = met or took == limit
    if phase.embedded and not met:
        raise TooLittleError(f"no daily run took {limit}, so its limit was never met")


@pytest.mark.criterion("schedule-0630-utc")
def test_the_run_starts_at_half_past_six(daily_week: DailyWeek) -> None:
    crons = set(daily_week.file.crons)
    with_timetable = daily_week.number in (2, 3)
    allowed = [{MORNING}, {MORNING, MIDNIGHT}] if with_timetable else [{MORNING}]
    assert crons in allowed, f"main has the schedules {sorted(crons) or 'none'}"
    for run in daily_week.runs:
        late = run.begun - run.begun.replace(hour=6, minute=30, second=0, microsecond=0)
        assert timedelta() <= late <= timedelta(minutes=30), f"run {run.id} began at {run.begun}"


@pytest.mark.criterion("schedule-0630-utc")
def test_at_midnight_it_only_watches(daily_week: DailyWeek) -> None:
    at_midnight = [run for run in completed(daily_week.scheduled) if run.begun.hour == 0]
    if MIDNIGHT in daily_week.file.crons:
        demand(at_midnight, "run at midnight, of which main has a schedule")
    for run in at_midnight:
        log = Log.of(daily_week.hub, run)
        assert run.good, f"run {run.id} of {run.begun} ended in {run.conclusion}"
        worked = [stage for stage in LIMITS if log.ran(STAGES[stage])]
        assert not worked, f"run {run.id} of {run.begun} had {', '.join(worked)}, too"


@pytest.mark.criterion("runs-every-day")
def test_each_day_has_one_run(daily_week: DailyWeek, observe: Observe) -> None:
    for day in daily_week.days:
        runs = [run for run in daily_week.runs if day <= run.begun < day + DAY]
        observe("day_without_one_run", len(runs) != 1, at=day + DAY / 2, runs=len(runs))


@pytest.mark.criterion("summary-accurate")
def test_summaries_are_true(daily_week: DailyWeek, phase: Stage, observe: Observe) -> None:
    moved: dict[str, set[float]] = defaultdict(set)
    for run in daily_week.runs:
        summary = Summary.of(daily_week.hub, run)
        summary.demand_of(run)
        truly = counted(daily_week.journal.work, daily_week.telemetry, run, summary)
        for figure, value in truly.items():
            said = summary.figures.number(figure)
            moved[figure].add(value)
            observe(
                "summary_figure_wrong",
                abs(said - value) > 1e-6,
                at=summary.at,
                figure=figure,
                said=said,
                counted=value,
            )
    if len(set().union(*moved.values())) < 3:
        raise NoValueError("the figures never moved, so agreeing with them shows nothing")
    still = [figure for figure in ("failed_24h", "guidance_complete") if len(moved[figure]) < 2]
    if phase.embedded and still:
        raise TooLittleError(f"{', '.join(still)} never moved, so nothing shows that it is counted")


@pytest.mark.criterion("no-schedule-conflicts")
def test_nobody_else_works_on_its_issues(daily_week: DailyWeek, observe: Observe) -> None:
    for run in daily_week.runs:
        shared = shared_issues(daily_week.telemetry, run)
        observe("issues_in_two_workflows_at_once", len(shared), at=run.ended, run=run.id)


@pytest.mark.criterion("telemetry-artifacts")
def test_runs_leave_what_can_be_read(daily_week: DailyWeek, phase: Stage, observe: Observe) -> None:
    """Of the run of midnight too, which only monitors: the next one must not take its place."""
    for run in completed(daily_week.scheduled):
        try:
            kept = artifact(daily_week.hub, run, "telemetry").get(f"{run.id}.jsonl", b"")
            lines = [json.loads(line) for line in kept.splitlines() if line.strip()]
            readable = bool(lines) and all(line["run_id"] == run.id for line in lines)
            here = phase.file("telemetry") / f"{run.id}.jsonl"
            readable = readable and here.is_file() and here.read_bytes() == kept
        except (NoValueError, ValueError, KeyError):
            readable = False
        observe("run_without_readable_artifact", not readable, at=run.ended, run=run.id)


@pytest.mark.criterion("telemetry-artifacts")
def test_each_record_is_whole(daily_week: DailyWeek) -> None:
    begin, end = daily_week.span
    runs = {run.id: run for run in completed(daily_week.journal.runs)}
    told = [r for r in daily_week.telemetry if begin <= r.at < end and r.run in runs]
    for record in demand(told, "record of a run that ended"):
        wrong = odd(record, runs[record.run], BOT)
        shown = f"the record {record.event} of {record.workflow} at {record.at}"
        assert not wrong, f"{shown} cannot be true: {', '.join(wrong)}"


@pytest.mark.criterion("telemetry-artifacts")
def test_the_statistics_of_each_stage_are_true(daily_week: DailyWeek) -> None:
    for run in daily_week.runs:
        mine = daily_week.of_run(run)
        figures = {record.stage: record for record in mine if record.event == "statistics"}
        assert figures.keys() >= {*STAGES, "summary"}, f"run {run.id} has those of {[*figures]}"
        for stage in STAGES:
            wrong = miscounted(figures[stage], mine)
            assert not wrong, f"the statistics of {stage} in run {run.id} say {wrong}"
        summary = Summary.of(daily_week.hub, run).figures
        for name in ("copilot_backlog", "guidance_complete"):
            told, said = figures["summary"].detail.get(name), summary.number(name)
            assert told == said, f"run {run.id} says {name} {told}, and its summary {said}"


@pytest.mark.criterion("execution-time-15min")
def test_a_daily_run_ends_in_time(daily_week: DailyWeek, observe: Observe) -> None:
    for run in daily_week.runs:
        assert run.ended is not None
        observe("daily_run_s", (run.ended - run.begun).total_seconds(), at=run.ended, run=run.id)


def check_controller(phase: Stage, observe: Observe) -> None:
    """Observe for each case whether the controller decides otherwise than the plan."""
    now = phase.now()
    for case, wrong, decision in errors(phase.file("commands"), daily_runs()):
        observe("trigger_boundary_error", wrong, at=now, case=case.words, decides=decision)


@pytest.mark.criterion("flag-removal-after-validation")
def test_flags_go_after_validation(daily_week: DailyWeek, phase: Stage, observe: Observe) -> None:
    validated: dict[str, datetime] = {}
    for entry in decisions(phase.file("records")):
        if entry.about.startswith("validated "):
            validated.setdefault(entry.about.removeprefix("validated "), entry.at)
    before: set[str] = set(STAGES)
    for version in reversed(versions(daily_week.hub, DAILY)):
        commands = version.file.commands
        still = {stage for stage in STAGES if dry(flags_of(commands.get(stage, "")))}
        for stage in sorted(before - still):
            at = validated.get(stage)
            observe(
                "flag_removed_unvalidated",
                at is None or at > version.at,
                at=daily_week.journal.now,
                stage=stage,
                removed=f"{version.at:%Y-%m-%d %H:%M}",
            )
        before = still


def demand_nothing_lost(daily_week: DailyWeek) -> None:
    """Demand that what a dry run would have done was done later, by a run that is live.

    What a dry run takes away without a trace on GitHub would be missing for ever.
    """
    pages = {page_of(issue.body) for issue in daily_week.journal.work}
    lost = []
    for run in daily_week.runs:
        for record in daily_week.of_run(run):
            if record.event != "item" or record.result != "dry-run":
                continue
            if daily_week.journal.now - record.at < DAY:  # it may still come
                continue
            issue = daily_week.journal.issues.get(record.issue or 0)
            times = issue.times("labeled", STAGE_LABELS[record.stage]) if issue else []
            page = record.detail.get("page")
            if page not in pages and not any(at > record.at for at in times):
                lost.append(f"{record.stage} of {page or f'#{record.issue}'} at {record.at}")
    assert not lost, f"a dry run would have done, and nobody did later: {'; '.join(lost[:3])}"


def check_stages(daily_week: DailyWeek, live: list[str], observe: Observe) -> None:
    """Observe for each daily run whether other stages were live than those of its week."""
    worked: set[str] = set()
    for run in daily_week.runs:
        log = daily_week.logs[run.id]
        by_log = [stage for stage, command in STAGES.items() if not dry(log.flags(command))]
        summary = Summary.of(daily_week.hub, run)
        records = daily_week.of_run(run)
        changed = {
            stage
            for stage, label in STAGE_LABELS.items()
            if lone_events(daily_week.journal, daily_week.telemetry, run, label)
        }
        told = {r.stage for r in records if r.event == "item" and r.result == "ok"} & set(STAGES)
        worked |= changed
        wrong = by_log != live or list(summary.live) != live or not changed | told <= set(live)
        observe(
            "stages_live_otherwise",
            wrong,
            at=run.ended,
            run=run.id,
            live=", ".join(by_log) or "none",
        )
    silent = [stage for stage in live if stage not in worked]
    if silent:
        raise NoValueError(f"in no daily run did {', '.join(silent)} change anything on GitHub")
    demand_nothing_lost(daily_week)
