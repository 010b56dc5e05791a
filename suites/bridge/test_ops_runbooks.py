"""Runbooks: what each of the nine says, and what became of it in a drill."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from suites.bridge.scenarios.drills import Drilled
from suites.bridge.views.runbooks import CASES, SECTIONS, Drill, Known, runbooks, section_problem

from pytest_rollout import Observe, Stage
from suites.bridge.views.said import not_done

pytestmark = pytest.mark.bridge_ops

MOST_DAYS = 90


def each(prefix: str) -> list[object]:
    """The nine cases, each for its own criterion."""
    return [
        pytest.param(case, marks=pytest.mark.criterion(f"{prefix}-{case}"), id=case)
        for case in CASES
    ]


@pytest.mark.parametrize("case", each("runbook"))
def test_a_runbook_can_be_followed(
    case: str, repository: Path, known: Known, observe: Observe
) -> None:
    """Each section says something, and what it names is really there."""
    said = runbooks(repository).get(case)
    for section in SECTIONS:
        problem = section_problem(section, said, known) if said else "there is no such runbook"
        observe("runbook_section_missing", bool(problem), runbook=case, section=section)
        assert not problem, f"{case}, {section}: {problem}"


@pytest.mark.criterion("runbook-set-published")
def test_the_runbooks_are_published(repository: Path) -> None:
    """The file is in its place, under version control, with a section for each case."""
    from suites.bridge.views.papers import RUNBOOKS, git

    found = runbooks(repository)
    assert set(found) >= set(CASES), f"there is no runbook for {sorted(set(CASES) - set(found))}"
    changed = git(repository, "status", "--porcelain", "--", RUNBOOKS)
    assert not changed, f"{RUNBOOKS} differs from what was committed"
    assert git(repository, "log", "-1", "--format=%H", "--", RUNBOOKS), "it was never committed"


@pytest.mark.parametrize("case", each("drill"))
def test_a_drill_shows_the_symptom_and_ends_it(
    case: str, drilled: Mapping[str, Drilled], observe: Observe
) -> None:
    drill = drilled.get(case)
    if drill is None:
        not_done(f"nobody drilled {case}", "drill it")
    for moment, problem in drill.problems().items():
        observe("drill_failed", bool(problem), runbook=case, moment=moment)
        assert not problem, f"{case}, {moment}: {problem}"


@pytest.mark.criterion("drill-evidence-log")
def test_each_runbook_was_drilled(
    phase: Stage, drill_log: Mapping[str, Drill], observe: Observe
) -> None:
    now = phase.now()
    for case in CASES:
        drill = drill_log.get(case)
        problem = drill.problem(now, MOST_DAYS) if drill else "there is no entry"
        observe("runbook_without_drill", bool(problem), runbook=case)
        assert not problem, f"{case}: {problem}"
