"""The five checks of quality, done anew on issues as the API has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from suites.pipeline.views.guidance import read_guidance, remnants
from suites.pipeline.views.journal import ASSIGNED, COPILOT, DONE, TRIAGE, Issue

CHECKS = (
    "label-drift",
    "orphaned-copilot",
    "stale-copilot",
    "template-remnants",
    "broken-refs",
)
CRITICAL = ("broken-refs", "conflicting-states")
STALE = timedelta(days=7)
COMPLAINT, TRACKED = "complaint", "quality::tracking"  # labels of what is no work of the pipeline


def severity_of(check: str) -> str:
    """How bad a finding of a check is."""
    return "critical" if check in CRITICAL else "warning"


@dataclass(frozen=True)
class References:
    """The branches that are there, and the files of each that was asked for."""

    branches: frozenset[str]
    files: Mapping[tuple[str, str], bool]  # whether a file is on a branch


def concerned(check: str, issue: Issue) -> bool:
    """Whether a check has something to say of an issue at all."""
    match check:
        case "label-drift":
            return ASSIGNED in issue.labels
        case "orphaned-copilot" | "stale-copilot":
            return COPILOT in issue.labels
        case "template-remnants":
            return bool(issue.body) and not issue.closed
    return bool(issue.labels & {COPILOT, DONE}) and bool(read_guidance(issue.body).branch)


def violates(check: str, issue: Issue, now: datetime, there: References) -> bool:
    """Whether an issue violates a check."""
    guidance = read_guidance(issue.body)
    match check:
        case "label-drift":
            return {ASSIGNED, TRIAGE} <= issue.labels
        case "orphaned-copilot":
            return COPILOT in issue.labels and not guidance.sections
        case "stale-copilot":
            spans = issue.spans(COPILOT, now)
            return COPILOT in issue.labels and bool(spans) and now - spans[-1][0] > STALE
        case "template-remnants":
            return bool(remnants(issue.body))
    if not guidance.branch:
        return False
    file = (guidance.branch, guidance.file)
    return guidance.branch not in there.branches or not there.files.get(file, False)
