"""What people prepared for the full service, and when its milestones were reached."""

from __future__ import annotations

from datetime import date

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pas.scenarios.schedule import Weeks
from suites.pas.views.documents import PRD, requirements_lack
from suites.pas.views.lines import day_of, of_kind
from suites.pas.views.people import records

pytestmark = pytest.mark.pas_phase4

BEGINS = date(2025, 12, 8)  # the first day of the phase
MILESTONES = {
    5: ("scheduler", date(2025, 12, 12)),
    6: ("receipts", date(2025, 12, 19)),
    7: ("executors", date(2025, 12, 26)),
    8: ("quality-gates", date(2026, 1, 2)),
}


@pytest.mark.criterion("prd-exists")
def test_the_requirements_are_written_down(phase: Stage, observe: Observe) -> None:
    left = requirements_lack(phase.file("checkout"))
    reviewed = of_kind(records(phase), "review", what="pas-prd")
    observe("prd_present", not left and bool(reviewed))
    assert not left, f"{PRD} is not in the repository, or not about {', '.join(left)}"
    assert reviewed, f"nobody recorded a review of {PRD}"


@pytest.mark.criterion("design-review-done")
def test_the_architecture_was_reviewed(phase: Stage) -> None:
    reviews = of_kind(records(phase), "review", what="pas-architecture", role="Engineering")
    assert reviews, "Engineering recorded no review of the architecture"
    first = min(reviews, key=day_of)
    assert first.text("who"), "nobody is named who reviewed it"
    assert day_of(first) <= BEGINS, f"it was reviewed on {day_of(first)}, after the work began"


@pytest.mark.criterion("resources-allocated")
def test_two_people_are_assigned(phase: Stage) -> None:
    assignments = of_kind(records(phase), "assignment", what="full-pas")
    people = {assignment.text("role"): assignment.text("who") for assignment in assignments}
    missing = [role for role in ("senior engineer", "architect") if not people.get(role)]
    assert not missing, f"no {' and no '.join(missing)} is assigned"
    assert people["senior engineer"] != people["architect"], f"{people['architect']} is both"


def _reached(weeks: Weeks, week: int) -> None:
    """Raise AssertionError where the milestone of a week was reached too late, or not at all."""
    what, last = MILESTONES[week]
    milestones = of_kind(weeks.rows, "milestone", week=week, what=what)
    if not milestones:
        raise NoValueError(f"nobody recorded that the {what} of week {week} is reached")
    day = min(day_of(milestone) for milestone in milestones)
    assert day <= last, f"the {what} of week {week} was reached on {day}, after {last}"


@pytest.mark.criterion("week-5-scheduler")
def test_the_scheduler_was_reached(weeks: Weeks) -> None:
    _reached(weeks, 5)


@pytest.mark.criterion("week-6-receipts")
def test_lasting_receipts_were_reached(weeks: Weeks) -> None:
    _reached(weeks, 6)


@pytest.mark.criterion("week-7-executors")
def test_the_executors_were_reached(weeks: Weeks) -> None:
    _reached(weeks, 7)


@pytest.mark.criterion("week-8-quality-gates")
def test_quality_gates_were_reached(weeks: Weeks) -> None:
    _reached(weeks, 8)
