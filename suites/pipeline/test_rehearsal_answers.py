"""GitHub's answers, on which every gate is judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.scenarios.rehearsal import Rehearsal
from suites.pipeline.views.addresses import OWN, misplaced
from suites.pipeline.views.agreement import told_of_runs
from suites.pipeline.views.answers import (
    LISTS,
    cut,
    filters,
    let_through,
    misread,
    open_ones,
    otherwise,
    refused,
    rows_of,
    single,
    unlimited,
)
from suites.pipeline.views.code_agreement import told_of_code
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.issue_agreement import told_of_issues

pytestmark = pytest.mark.rehearsal


def disagreements(hub: Hub, checkout: Path) -> Iterator[tuple[str, str]]:
    """Each answer that is looked at, and what is wrong with it; empty if nothing."""
    rows = {name: rows_of(hub, listed) for name, listed in LISTS.items()}
    repository = rows["runs"][0]["repository"]
    for name, listed in LISTS.items():
        yield name, misread(hub, *listed.reader, **(listed.asked or {}))
        yield f"pages of {name}", cut(hub, listed, rows[name])
        if listed.alone:
            for row in (rows[name][0], rows[name][-1]):
                yield f"{name} {row[listed.own]}", otherwise(hub, row)
        placed = (misplaced(name, row, repository) for row in rows[name] if name in OWN)
        yield f"addresses of {name}", next(filter(None, placed), "")
    for group, name, given in single(rows):
        yield name, misread(hub, group, name, **given)
    for name in ("issues", "pulls"):
        yield f"open {name}", open_ones(hub, LISTS[name], rows[name])
    yield "limits", unlimited(hub)
    yield "what is not there", refused(hub)
    release = hub.ask("GET", "/releases/latest").json()
    yield "release", misplaced("releases", release, repository)
    yield from told_of_issues(hub, rows)
    yield from told_of_code(hub, rows, checkout, repository)
    yield from told_of_runs(hub, rows)
    for name, asked, kept in filters(rows):
        yield f"{name} by {asked}", let_through(hub, LISTS[name], rows[name], asked, kept)


@pytest.mark.criterion("github-agrees-with-itself")
def test_github_agrees_with_itself(rehearsed: Rehearsal, phase: Stage, observe: Observe) -> None:
    now = phase.now()
    for what, wrong in disagreements(rehearsed.hub, phase.file("checkout")):
        observe("github_disagrees", bool(wrong), at=now, answer=what, why=wrong or "nothing")
