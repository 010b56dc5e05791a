"""The series that the guardrails of the rollback judge, read off what happened.

The checks of a run observe them, and `rollout watch` asks for them through `asks.series`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from pytest_rollout import NoValueError, Sample
from suites.pipeline.views.cohorts import TWO_DAYS, assignments
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import TRIAGE, Journal, Run
from suites.pipeline.views.people import decisions
from suites.pipeline.views.plan_days import DAY, midnight
from suites.pipeline.views.runs import completed
from suites.pipeline.views.schedules import ASSIGN, DAILY, FOLDER, PROCESS
from suites.pipeline.views.telemetry import Record, read_all
from suites.pipeline.views.transitions import conflicting

NAMES = {ASSIGN: "assignment", PROCESS: "processing", DAILY: "daily"}
COMPLAINT = "complaint"


@dataclass(frozen=True)
class Sources:
    """Where the series are read."""

    hub: Hub
    telemetry_folder: Path
    records: Path
    now: datetime
    checkout: Path

    @cached_property
    def journal(self) -> Journal:
        """Issues and runs."""
        return self.hub.journal(self.now)

    @cached_property
    def telemetry(self) -> list[Record]:
        """All telemetry."""
        return read_all(self.telemetry_folder)


def rate_remaining(sources: Sources) -> Iterator[Sample]:
    """How many requests each answer left to the pipeline's account."""
    for record in sources.telemetry:
        if record.rate_remaining is not None:
            yield Sample(record.at, record.rate_remaining)


def run_failed(sources: Sources) -> Iterator[Sample]:
    """Whether each run of the three workflows failed; cancelled and skipped ones do not count."""
    for run in sources.journal.runs:
        if run.file in NAMES and run.ended:
            counts = "yes" if run in completed([run]) else "no"
            yield Sample(run.ended, not run.good, {"workflow": NAMES[run.file], "counts": counts})


def conflicting_states(sources: Sources) -> Iterator[Sample]:
    """How many issues had two states whenever a run had ended, and no other was at work."""
    runs = [run for run in sources.journal.runs if run.file in NAMES and run.ended]
    for run in runs:
        at = run.ended or run.begun
        busy = any(_works_at(other, at) for other in runs if other.id != run.id)
        count = sum(conflicting(issue.labels_at(at)) for issue in sources.journal.work)
        yield Sample(at, count, {"during": "run" if busy else "rest"})


def _works_at(run: Run, at: datetime) -> bool:
    return run.begun <= at and (run.ended is None or at < run.ended)


def security_alerts(sources: Sources) -> Iterator[Sample]:
    """How many alerts are open now, about workflows and about anything else."""
    paths = [
        row["most_recent_instance"]["location"]["path"]
        for row in sources.hub.pages("/code-scanning/alerts", state="open")
    ]
    paths += [
        row["dependency"]["manifest_path"]
        for row in sources.hub.pages("/dependabot/alerts", state="open")
    ]
    about = sum(path.startswith(f"{FOLDER}/") for path in paths)
    yield Sample(sources.now, about, {"scope": "workflow"})
    yield Sample(sources.now, len(paths) - about, {"scope": "other"})


def completed_in_48h(sources: Sources) -> Iterator[Sample]:
    """Whether each assignment to Copilot was complete when its 48 hours ended."""
    for made in assignments(sources.journal.work):
        if made.matured(TWO_DAYS, sources.now):
            yield Sample(made.at + TWO_DAYS, made.done_within(TWO_DAYS))


def complaints(sources: Sources) -> Iterator[Sample]:
    """How many complaints came on each day since the first run, days without any included."""
    times = [
        moment
        for issue in sources.journal.issues.values()
        for moment in issue.times("labeled", COMPLAINT)[:1]
    ]
    if not sources.journal.runs:
        raise NoValueError("no run is on record, so nobody knows since when users may complain")
    day = midnight(sources.journal.runs[0].begun.date())
    while day < sources.now:
        ends = min(day + DAY, sources.now)
        count = sum(day <= moment < day + DAY for moment in times)
        yield Sample(ends - timedelta(seconds=1), count)
        day += DAY


def needed_a_person(sources: Sources) -> Iterator[Sample]:
    """Whether a person stepped in, for each issue that the pipeline handled."""
    for issue in sources.journal.work:
        moved = [event for event in issue.events if event.subject != TRIAGE]
        if moved:
            yield Sample(moved[-1].at, bool(issue.by_people))


def pivot_declared(sources: Sources) -> Iterator[Sample]:
    """What the stakeholders said of each time that they were asked about priorities."""
    for entry in decisions(sources.records):
        if entry.about == "priorities":
            yield Sample(entry.at, entry.decision != "unchanged")


SERIES: Mapping[str, Callable[[Sources], Iterator[Sample]]] = {
    "github_rate_remaining": rate_remaining,
    "workflow_run_failed": run_failed,
    "issues_with_conflicting_states": conflicting_states,
    "open_security_alerts": security_alerts,
    "copilot_completed_in_48h": completed_in_48h,
    "user_complaints": complaints,
    "needed_a_person": needed_a_person,
    "strategic_pivot_declared": pivot_declared,
}
