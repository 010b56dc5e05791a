"""Pull requests: what became of the work on the branch of an issue."""

from __future__ import annotations

from collections.abc import Iterable

from suites.pipeline.views.guidance import read_guidance
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import DONE, Issue, demand


def merged_branches(hub: Hub) -> set[str]:
    """The branches of which a pull request was merged."""
    rows = hub.pages("/pulls", state="closed")
    return {str(row["head"]["ref"]) for row in rows if row["merged_at"]}


def demand_merged(hub: Hub, issues: Iterable[Issue]) -> None:
    """Demand that what is called done was merged: a label alone is no work."""
    merged = merged_branches(hub)
    done = [issue for issue in issues if issue.first(DONE)]
    without = [
        issue.number
        for issue in demand(done, "completed assignment")
        if read_guidance(issue.body).branch not in merged
    ]
    shown = f"{len(without)} of {len(done)} issues are called done"
    assert not without, f"{shown} and no pull request of their branch was merged: {without[:9]}"
