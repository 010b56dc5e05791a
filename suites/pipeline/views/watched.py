"""Every series that a guardrail of the plan judges, so that a watch can ask for each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby

from pytest_rollout import Sample
from suites.pipeline.views import series
from suites.pipeline.views.daily_stages import shared_issues
from suites.pipeline.views.journal import COPILOT
from suites.pipeline.views.quality import problems
from suites.pipeline.views.runs import completed, moved
from suites.pipeline.views.schedules import ASSIGN, DAILY, PROCESS
from suites.pipeline.views.schemas import schema_labels
from suites.pipeline.views.series import Sources
from suites.pipeline.views.telemetry import LOW, items

LONGER = 1.2  # times as long as on the day before, an issue takes noticeably longer


def run_failed(sources: Sources) -> Iterator[Sample]:
    """Whether each scheduled run of assignment failed."""
    for run in completed(sources.journal.scheduled(ASSIGN)):
        yield Sample(run.ended or run.begun, not run.good, {"run": str(run.id)})


def item_failed(sources: Sources) -> Iterator[Sample]:
    """Whether each issue failed that a scheduled run of processing took."""
    for run in completed(sources.journal.scheduled(PROCESS)):
        handed = moved(sources.journal, run, COPILOT)
        mine = [record for record in sources.telemetry if record.run == run.id]
        for record in items(mine, "processing"):
            failed = record.result != "ok" or record.issue not in handed
            yield Sample(record.at, failed, {"issue": str(record.issue)})


def quality_findings(sources: Sources) -> Iterator[Sample]:
    """How many problems each issue has that a scheduled run processed."""
    known = schema_labels(sources.checkout)
    for run in completed(sources.journal.scheduled(PROCESS)):
        for number in sorted(moved(sources.journal, run, COPILOT)):
            at = run.ended or run.begun
            defects = problems(sources.journal.issues[number], at, known)
            yield Sample(at, len(defects), {"issue": str(number)})


def daily_seconds(sources: Sources) -> Iterator[Sample]:
    """How long each daily run took."""
    for run in completed(sources.journal.scheduled(DAILY)):
        ended = run.ended or run.begun
        yield Sample(ended, (ended - run.begun).total_seconds(), {"run": str(run.id)})


def daily_conflicts(sources: Sources) -> Iterator[Sample]:
    """How many issues each daily run worked on while another workflow did, too."""
    for run in completed(sources.journal.scheduled(DAILY)):
        shared = shared_issues(sources.telemetry, run)
        yield Sample(run.ended or run.begun, len(shared), {"run": str(run.id)})


def capacity_warnings(sources: Sources) -> Iterator[Sample]:
    """The warnings after each run of assignment: little of the rate limit left, longer issues."""
    worked = [r for r in items(sources.telemetry, "assignment") if r.seconds is not None]
    days = {day: list(mine) for day, mine in groupby(worked, key=lambda record: record.at.date())}
    means = {day: sum(r.seconds or 0 for r in mine) / len(mine) for day, mine in days.items()}
    for run in completed(sources.journal.scheduled(ASSIGN)):
        used = [r.rate_used for r in sources.telemetry if r.run == run.id]
        low = any(share is not None and 1 - share < LOW for share in used)
        day, earlier = run.begun.date(), [day for day in means if day < run.begun.date()]
        longer = bool(earlier) and day in means and means[day] > LONGER * means[max(earlier)]
        yield Sample(run.ended or run.begun, low + longer, {"run": str(run.id)})


SERIES: Mapping[str, Callable[[Sources], Iterator[Sample]]] = {
    "run_failed": run_failed,
    "item_failed": item_failed,
    "data_quality_findings": quality_findings,
    "daily_run_s": daily_seconds,
    "issues_in_two_workflows_at_once": daily_conflicts,
    "open_capacity_warnings": capacity_warnings,
    **series.SERIES,
}
