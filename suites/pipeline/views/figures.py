"""What dashboards and reports show, computed anew from telemetry, timelines and runs."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime, timedelta

from suites.pipeline.scenarios.weeks import Seen
from suites.pipeline.views.journal import ASSIGNED, COPILOT, DONE, STATES, TRIAGE, days
from suites.pipeline.views.telemetry import Record

Figures = dict[str, float]
SECOND = timedelta(seconds=1)  # a day's last one
_LINE = re.compile(r"^- ([a-z_0-9]+): (-?\d+(?:\.\d+)?)\s*$", re.MULTILINE)


def lines_of_report(text: str) -> Figures:
    """The figures of a report, whose lines are `- NAME: NUMBER`."""
    return {name: float(number) for name, number in _LINE.findall(text)}


def week_figures(seen: Seen, begin: datetime, end: datetime) -> Figures:
    """What a week came to, by timelines, runs and telemetry."""
    labels = {"discovered": TRIAGE, "assigned": ASSIGNED, "processed": COPILOT, "completed": DONE}
    figures: Figures = {
        name: sum(
            any(begin <= at < end for at in issue.times("labeled", label))
            for issue in seen.journal.work
        )
        for name, label in labels.items()
    }
    runs = [run for run in seen.journal.runs if begin <= run.begun < end]
    figures["failed_items"] = sum(
        r.event == "item" and r.result == "failed" and begin <= r.at < end for r in seen.records
    )
    figures["runs"] = len(runs)
    figures["failed_runs"] = sum(run.conclusion == "failure" for run in runs)
    return figures


def _items(records: tuple[Record, ...], result: str) -> list[Record]:
    return [r for r in records if r.event == "item" and r.result == result]


def issue_flow(seen: Seen) -> Figures:
    """How many issues passed each stage."""
    pairs = {(r.stage, r.issue) for r in _items(seen.records, "ok")}
    return dict(Counter(stage for stage, _ in pairs))


def specialist_workload(seen: Seen) -> Figures:
    """How many issues each specialist has."""
    pairs = {
        (str(r.detail.get("specialist")), r.issue)
        for r in _items(seen.records, "ok")
        if r.stage == "processing"
    }
    return dict(Counter(name for name, _ in pairs))


def label_distribution(seen: Seen, begin: datetime, count: int) -> Figures:
    """How many open issues had each label at the end of each day."""
    counts: Figures = {}
    for since, end in days(begin, count):
        for label in (TRIAGE, *STATES):
            at = end - SECOND
            waiting = _done(seen, at) if label == DONE else seen.journal.waiting(label, at)
            counts[f"{since.date()} {label}"] = waiting
    return counts


def _done(seen: Seen, moment: datetime) -> int:
    return sum(DONE in issue.labels_at(moment) for issue in seen.journal.work)


def completed(seen: Seen, begin: datetime, count: int) -> Figures:
    """How many issues were complete at the end of each day."""
    return {str(since.date()): _done(seen, end - SECOND) for since, end in days(begin, count)}


def api_calls(seen: Seen) -> Figures:
    """How many calls the records of each day have."""
    calls: Figures = {}
    for record in seen.records:
        day = str(record.at.date())
        calls[day] = calls.get(day, 0) + record.api_calls
    return calls


def least_remaining(seen: Seen) -> Figures:
    """What was left of the rate limit each day, at the least."""
    least: Figures = {}
    for record in seen.records:
        if record.rate_remaining is not None:
            day = str(record.at.date())
            least[day] = min(least.get(day, record.rate_remaining), record.rate_remaining)
    return least


def errors(seen: Seen) -> Figures:
    """How many records of each stage failed, or tell of an error."""
    return dict(
        Counter(
            r.stage
            for r in seen.records
            if (r.event == "item" and r.result == "failed") or r.event in ("error", "rate_limited")
        )
    )
