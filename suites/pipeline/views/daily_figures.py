"""The figures of a daily summary, and the same counted from GitHub's events and the telemetry."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import NoValueError, Reported
from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import ASSIGNED, BLOCKED, COPILOT, DONE, TRIAGE, Issue, Run
from suites.pipeline.views.runs import artifact
from suites.pipeline.views.telemetry import Record

STANDING = {
    "waiting_triage": TRIAGE,
    "waiting_assigned": ASSIGNED,
    "copilot_backlog": COPILOT,
    "blocked": BLOCKED,
}
PASSED = {
    "discovered_24h": TRIAGE,
    "assigned_24h": ASSIGNED,
    "processed_24h": COPILOT,
    "completed_24h": DONE,
}
WOULD = {
    "would_discover": "monitoring",
    "would_assign": "assignment",
    "would_process": "processing",
}
_DAY, _SECOND = timedelta(hours=24), timedelta(seconds=1)  # GitHub's times are whole seconds


@dataclass(frozen=True)
class Summary:
    """A daily summary as its run left it."""

    at: datetime
    live: tuple[str, ...]
    figures: Reported
    said: Reported

    @classmethod
    def of(cls, hub: Hub, run: Run) -> Summary:
        """The summary of a run; raises NoValueError where it left none."""
        files = artifact(hub, run, "daily-summary")
        if "summary.json" not in files:
            raise NoValueError(f"the artifact daily-summary of run {run.id} has no summary.json")
        said = Reported(json.loads(files["summary.json"]), f"summary.json of run {run.id}")
        return cls(said.moment("at"), tuple(said["live"]), said.inner("figures"), said)

    def demand_of(self, run: Run) -> None:
        """Raise AssertionError where it was not counted in a run, but before or elsewhere."""
        ended = run.ended or self.at
        assert run.begun <= self.at <= ended + _SECOND, (
            f"the summary of run {run.id}, {run.begun} to {ended}, was counted at {self.at}"
        )
        named = self.said.whole("run_id"), self.said.text("date")
        assert named == (run.id, self.at.date().isoformat()), (
            f"the summary of run {run.id} says that it is of run {named[0]} on {named[1]}"
        )


def counted(
    issues: Iterable[Issue], records: Iterable[Record], run: Run, summary: Summary
) -> dict[str, float]:
    """What each figure of a summary comes to, counted anew."""
    issues, records, at = list(issues), list(records), summary.at
    figures: dict[str, float] = {}
    for figure, label in STANDING.items():
        figures[figure] = sum(
            issue.open_at(at) and label in issue.labels_at(at) for issue in issues
        )
    for figure, label in PASSED.items():
        figures[figure] = sum(
            any(at - _DAY < moment <= at for moment in issue.times("labeled", label))
            for issue in issues
        )
    items = [record for record in records if record.event == "item"]
    figures["failed_24h"] = sum(r.result == "failed" and at - _DAY < r.at <= at for r in items)
    at_copilot = [i for i in issues if i.open_at(at) and COPILOT in i.labels_at(at)]
    complete = sum(read_guidance(issue.body).complete for issue in at_copilot)
    figures["guidance_complete"] = complete / len(at_copilot) if at_copilot else 1.0
    for figure, stage in WOULD.items():
        mine = [r for r in items if r.run == run.id and r.stage == stage]
        figures[figure] = sum(record.result == "dry-run" for record in mine)
    return figures
