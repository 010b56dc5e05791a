"""Week 3: the validator as a program, on both sides of each of its checks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_rollout import Observe, Stage
from suites.pipeline.views.guidance import TYPE, guided
from suites.pipeline.views.journal import COPILOT
from suites.pipeline.views.validator import (
    FORMS,
    State,
    findings,
    issue,
    labelled,
    state_of_forms,
    state_with,
)
from suites.pipeline.views.violations import CHECKS, STALE

pytestmark = pytest.mark.week3_checks

SECOND = timedelta(seconds=1)
MAILED = "alert-email-critical"  # what is found of no check of the plan is critical, and mailed


@pytest.mark.parametrize(
    "check", [pytest.param(c, marks=pytest.mark.criterion(f"detects-{c}")) for c in CHECKS]
)
def test_the_program_finds_it_too(phase: Stage, check: str, observe: Observe) -> None:
    now = phase.now().replace(microsecond=0)
    state = state_with(check, now)
    violations = findings(phase.file("commands"), state, now)
    observe(
        "planted_violation_missed", (check, 1) not in violations, check=check, issue="violation"
    )
    accused = sorted(name for name, number in violations if number > 1)
    why = f"found {', '.join(accused)}" if accused else ""
    observe("planted_violation_missed", bool(accused), check=check, issue="neighbour", why=why)


@pytest.mark.parametrize(
    "check",
    [
        pytest.param(c, marks=pytest.mark.criterion(f"detects-{c}" if c in CHECKS else MAILED))
        for c in FORMS
    ],
)
def test_each_form_of_a_violation_is_found(phase: Stage, check: str) -> None:
    now = phase.now().replace(microsecond=0)
    state, forms = state_of_forms(check, now)
    violations = findings(phase.file("commands"), state, now)
    missed = [form for number, form in forms.items() if (check, number) not in violations]
    assert not missed, f"{check} is not found where there is {', '.join(missed)}"


# Both sides of a week, and of what is sound


@pytest.mark.criterion("stale-boundary")
def test_seven_days_to_the_second(phase: Stage, observe: Observe) -> None:
    since = phase.now().replace(microsecond=0) - timedelta(days=9)
    body = guided("work/issue-7", "work/issue-7.md")
    state = State(
        issues=[issue(7, body, since, COPILOT, TYPE)],
        events={"7": [labelled(7, COPILOT, since)]},
        files={"work/issue-7": ["work/issue-7.md"]},
    )
    for now, stale in ((since + STALE, False), (since + STALE + SECOND, True)):
        called = ("stale-copilot", 7) in findings(phase.file("commands"), state, now)
        observe("stale_boundary_error", called is not stale, late=f"{now - since}")


_SOUND = (
    "- Compare `List<ITEM>` with `Dict<KEY>`",
    "- Keep this as it is:\n```\n<INSERT HERE> {{ name }} TODO\n```",
    "- Explain why 3 < 5 and 7 > 2",
    "- Mail the editors at <editors@example.org>",
    "- Read [the annex](https://example.org/annex)",
)


@pytest.mark.criterion("validator-no-false-positives")
def test_sound_issues_are_left_alone(phase: Stage, observe: Observe) -> None:
    since = phase.now().replace(microsecond=0) - timedelta(days=1)
    issues, events, files = [], {}, {}
    for number in range(1, 52):
        branch = f"work/issue-{number}"
        text = _SOUND[number % 5] if number <= 50 else "- TODO"
        body = guided(branch, f"{branch}.md", text)
        issues.append(issue(number, body, since, COPILOT, TYPE))
        events[str(number)] = [labelled(number, COPILOT, since)]
        files[branch] = [f"{branch}.md"]
    violations = findings(phase.file("commands"), State(issues, events, files), phase.now())
    assert ("template-remnants", 51) in violations, "not even the issue with TODO is found"
    for number in range(1, 51):
        named = sorted(check for check, other in violations if other == number)
        observe("false_positive", bool(named), issue=number, why=", ".join(named))
