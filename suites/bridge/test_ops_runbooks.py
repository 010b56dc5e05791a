"""Runbooks: what each of the nine says, and what became of it in a drill."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout import Observe
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.drills import Drilled
from suites.bridge.views.papers import RULES, RUNBOOKS, document, git, structured
from suites.bridge.views.runbooks import CASES, SECTIONS, Known, runbooks, section_problem
from suites.bridge.views.said import not_done

pytestmark = pytest.mark.bridge_ops

MOST_DAYS = 90


def each(*prefixes: str) -> list[object]:
    """The nine cases, each for the criteria that are its own."""
    return [
        pytest.param(
            case, marks=pytest.mark.criterion(*(f"{prefix}-{case}" for prefix in prefixes)), id=case
        )
        for case in CASES
    ]


@pytest.mark.parametrize("case", each("runbook"))
def test_a_runbook_can_be_followed(
    case: str, repository: Path, known: Known, observe: Observe
) -> None:
    """Each section says something, and what it names is really there."""
    said = runbooks(repository).get(case)
    problems = {
        section: section_problem(section, said, known)
        if said is not None
        else "there is no such runbook"
        for section in SECTIONS
    }
    observe_each(observe, "runbook_section_missing", problems, runbook=case)


@pytest.mark.criterion("runbook-set-published")
def test_the_runbooks_are_published(repository: Path, today: datetime) -> None:
    """The file is in its place, under version control, with a section for each case."""
    published = runbooks(repository)
    assert set(published) >= set(CASES), (
        f"there is no runbook for {sorted(set(CASES) - set(published))}"
    )
    changed = git(repository, "status", "--porcelain", "--", RUNBOOKS)
    assert not changed, f"{RUNBOOKS} differs from what was committed"
    made = git(repository, "log", "-1", "--format=%cI", "--", RUNBOOKS)
    assert made, "it was never committed"
    late = datetime.fromisoformat(made) - today
    assert late <= timedelta(minutes=1), f"it was committed at {made}, which is still to come"
    rules = {rule.text("name") for rule in structured(repository, RULES).each("rules")}
    named = set(re.findall(r"alert\s+`([^`]+)`", document(repository, RUNBOOKS), re.IGNORECASE))
    assert named <= rules, f"there is no alert {sorted(named - rules)}"


@pytest.mark.parametrize("case", each("drill", "runbook"))
def test_a_drill_shows_the_symptom_and_ends_it(
    case: str, drilled: Mapping[str, Drilled], observe: Observe
) -> None:
    drill = drilled.get(case)
    if drill is None:
        not_done(f"nobody drilled {case}", "drill it")
    observe_each(observe, "drill_failed", drill.problems(MOST_DAYS), runbook=case)


@pytest.mark.criterion("drill-evidence-log")
def test_each_runbook_was_drilled(drilled: Mapping[str, Drilled], observe: Observe) -> None:
    problems = {
        case: drilled[case].entry_problem(MOST_DAYS) if case in drilled else "there is no entry"
        for case in CASES
    }
    observe_each(observe, "runbook_without_drill", problems)
