"""Which phases are rehearsed together: those whose findings a criterion reads, however far."""

from __future__ import annotations

import pytest

from pytest_rollout.drill.phase_groups import judged, reach
from tests.evidence.runs import plan_of

PLAN = """\
plan: p
phases:
  - id: one
    criteria: [{id: up, kind: demo, gate: entry}, {id: fast, kind: demo}]
  - id: two
    criteria: [{id: held, kind: demo, rolls_up: one.fast}, {id: own, kind: demo}]
  - id: three
    criteria:
      - {id: all, kind: demo, rolls_up: two/exit}
      - {id: some, kind: demo, rolls_up: one.up}
      - {id: both, kind: demo, of: [some, alone]}
      - {id: alone, kind: demo}
    guardrails: [{id: rail, metric: m, take: max, fail: "> 0"}]
"""


@pytest.mark.parametrize(
    ("names", "phases"),
    [
        (["all"], ["one", "two", "three"]),
        (["some"], ["one", "three"]),
        (["both"], ["one", "three"]),
        (["alone", "rail"], ["three"]),
    ],
)
def test_a_phase_is_rehearsed_with_what_it_reads(names: list[str], phases: list[str]) -> None:
    plan = plan_of(PLAN)
    assert [one.id for one in reach(plan, plan.phases[2], names)] == phases


def test_what_needs_other_phases_is_not_judged_by_a_rehearsal_without_them() -> None:
    plan = plan_of(PLAN)
    one, two, three = plan.phases
    assert judged(plan, three, [three]) == {"alone", "rail"}
    assert judged(plan, three, [one, three]) == {"some", "both", "alone", "rail"}
    assert "all" in judged(plan, three, [one, two, three])
