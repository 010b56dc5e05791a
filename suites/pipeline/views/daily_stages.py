"""Which stage of a daily run changed what, and who else worked on the same issue meanwhile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, IssueEvent, Journal, Run
from suites.pipeline.views.runs import events_within
from suites.pipeline.views.telemetry import Record

STAGE_LABELS = {"monitoring": TRIAGE, "assignment": ASSIGNED, "processing": COPILOT}
_SLACK = timedelta(seconds=5)


def lone_events(
    journal: Journal, telemetry: Iterable[Record], run: Run, label: str = ""
) -> list[IssueEvent]:
    """Labels that the pipeline set while a run lasted, without those of other runs at that time."""
    others = {
        record.issue
        for record in telemetry
        if record.run != run.id
        and record.event == "item"
        and run.begun - _SLACK <= record.at <= (run.ended or run.begun) + _SLACK
    }
    events = events_within(journal, run, label=label)
    return [event for issue, event in events if issue.number not in others]


def _worked(record: Record) -> tuple[datetime, datetime]:
    return record.at - timedelta(seconds=record.seconds or 0), record.at


def shared_issues(telemetry: Iterable[Record], run: Run) -> set[int]:
    """The issues that a run and a run of another workflow worked on at the same time."""
    items = [r for r in telemetry if r.event == "item" and r.stage != "copilot"]
    mine: dict[int | None, list[tuple[datetime, datetime]]] = defaultdict(list)
    for record in items:
        if record.run == run.id:
            mine[record.issue].append(_worked(record))
    shared = set()
    for record in items:
        if record.run != run.id and record.issue is not None and record.issue in mine:
            begun, ended = _worked(record)
            if any(begun < until and since < ended for since, until in mine[record.issue]):
                shared.add(record.issue)
    return shared
