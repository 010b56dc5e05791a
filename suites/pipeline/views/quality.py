"""What is wrong with an issue that was processed: placeholders, gaps, its type, its labels."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from suites.pipeline.views.guidance import finding, read_guidance, remnants
from suites.pipeline.views.journal import Issue
from suites.pipeline.views.transitions import conflicting


def problems(issue: Issue, at: datetime, known: Collection[str]) -> list[str]:
    """Each data quality problem of an issue; ``known`` are the labels of the schemas."""
    types = {label for label in issue.labels if label.startswith("workflow::")}
    defects = remnants(issue.body)
    if not finding(issue.body).strip():
        defects.append("what monitoring found is not in the body any more")
    if not read_guidance(issue.body).complete:
        defects.append("guidance is not complete")
    if len(types) != 1 or not types <= set(known):
        defects.append("no workflow of a schema")
    if conflicting(issue.labels_at(at)):
        defects.append("two states")
    return defects
