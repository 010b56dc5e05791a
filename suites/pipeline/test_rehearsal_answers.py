"""GitHub's answers, on which every gate is judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.scenarios.rehearsal import Rehearsal
from suites.pipeline.views.agreement import told_apart
from suites.pipeline.views.answers import (
    LISTS,
    cut,
    filters,
    let_through,
    misread,
    otherwise,
    rows_of,
    single,
)
from suites.pipeline.views.hub import Hub

pytestmark = pytest.mark.rehearsal


def disagreements(hub: Hub) -> Iterator[tuple[str, str]]:
    """Each answer that is looked at, and what is wrong with it; empty if nothing."""
    rows = {name: rows_of(hub, listed) for name, listed in LISTS.items()}
    for name, listed in LISTS.items():
        yield name, misread(hub, *listed.reader, **(listed.asked or {}))
        yield f"pages of {name}", cut(hub, listed, rows[name])
        if listed.alone:
            for row in (rows[name][0], rows[name][-1]):
                yield f"{name} {row[listed.own]}", otherwise(hub, row)
    for group, name, given in single(rows):
        yield name, misread(hub, group, name, **given)
    yield from told_apart(hub, rows)
    for name, asked, kept in filters(rows):
        yield f"{name} by {asked}", let_through(hub, LISTS[name], rows[name], asked, kept)


@pytest.mark.criterion("github-agrees-with-itself")
def test_github_agrees_with_itself(rehearsed: Rehearsal, phase: Stage, observe: Observe) -> None:
    now = phase.now()
    for what, wrong in disagreements(rehearsed.hub):
        observe("github_disagrees", bool(wrong), at=now, answer=what, why=wrong or "nothing")
