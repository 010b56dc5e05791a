"""What a phase requires: known phases only, and another release only where it requires one."""

from __future__ import annotations

import pytest

from pytest_rollout.plan.spec.plan_keys import PlanKeys
from tests.plan.places import PLAN, read


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ("requires: [day9]", "phase day3 requires unknown phase `day9` (did you mean"),
        ("requires: [day3]", "phase day3 requires itself"),
        ("requires: [day2]\n    any_release: [day4]", "names `day4`, which it does not require"),
    ],
)
def test_what_cannot_be_required_is_told_with_its_line(stated: str, said: str) -> None:
    problems = read(PlanKeys, PLAN.replace("requires: [day2]", stated)).problems
    assert any(said in str(problem) for problem in problems), problems


def test_another_release_will_do_where_the_plan_says_so() -> None:
    text = PLAN.replace("requires: [day2]", "requires: [day2]\n    any_release: [day2]")
    plan = read(PlanKeys, text).plan
    assert plan is not None
    phase = plan.phase("day3")
    assert phase is not None
    assert (phase.requires, phase.any_release) == (("day2",), ("day2",))
