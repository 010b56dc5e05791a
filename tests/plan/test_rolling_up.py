"""What a criterion may roll up, and what the plan's author is told otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.model.plan import Gate, Plan, RollsUp
from pytest_rollout.plan.load import parse

TEXT = """\
plan: demo
phases:
  - id: one
    criteria:
      - {id: ready, kind: demo, gate: entry}
      - {id: works, kind: demo}
  - id: two
    criteria:
      - {id: all, kind: demo, ROLLS}
      - {id: other, kind: demo, gate: entry}
  - id: three
    criteria:
      - {id: late, kind: demo, rolls_up: two.all}
"""


def problems(rolls: str, text: str = TEXT) -> list[str]:
    loaded = parse(text.replace("ROLLS", rolls), Path("rollout.yaml"), "rollout.yaml")
    return [str(problem) for problem in loaded.problems]


def loaded(rolls: str) -> Plan:
    found = parse(TEXT.replace("ROLLS", rolls), Path("rollout.yaml"), "rollout.yaml").plan
    assert found is not None
    return found


def test_names_lead_to_the_gates_that_state_them() -> None:
    rolls = "rolls_up: [one.ready, one.works, one/exit, two.other], valid_for: 7d"
    assert problems(rolls) == []
    phase = loaded(rolls).phase("two")
    assert phase is not None
    assert phase.criteria[0].rolls_up == (
        RollsUp("one", Gate.ENTRY, "ready"),
        RollsUp("one", Gate.EXIT, "works"),
        RollsUp("one", Gate.EXIT),
        RollsUp("two", Gate.ENTRY, "other"),
    )


WRONG = {
    "on.works": "unknown phase `on` (did you mean `one`?)",
    "one.work": "phase one has no criterion `work` (did you mean `works`?)",
    "one": "'one' is no criterion and no gate (rolls_up: [PHASE.CRITERION, PHASE/exit])",
    "one/middle": "'one/middle' is no criterion and no gate",
    "demo.one.works": "'demo.one.works' is no criterion and no gate",
    "two.all": "two.all belongs to its own gate (make a group of it",
    "three/exit": "three/exit and two/exit roll up each other, in a circle",
    "three/entry": "three/entry states no criterion, so it is never GO",
    "[]": "names nothing",
    "[one.works, one.works]": "states one.works twice",
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_name_is_told_with_its_line(name: str) -> None:
    (told,) = problems(f"rolls_up: {name}")
    assert told.startswith("rollout.yaml:9: criterion all: `rolls_up`")
    assert WRONG[name] in told


def test_a_gate_that_is_decided_later_cannot_be_read() -> None:
    text = TEXT.replace("rolls_up: two.all", "gate: exit")
    (told,) = problems("rolls_up: three.late", text)
    assert "three.late is decided after two/exit (gates are decided in the plan's order" in told


def test_a_group_is_another_thing() -> None:
    (told,) = problems(
        "of: [works], rolls_up: one.works".replace("works]", "more]"),
        TEXT.replace(
            "gate: entry}\n  - id: three",
            "gate: exit}\n      - {id: more, kind: demo}\n  - id: three",
        ),
    )
    assert "`rolls_up` with `of`" in told


def test_what_is_rolled_up_is_waived_where_it_was_found() -> None:
    waiver = """\
waivers:
  - {phase: two, criterion: all, reason: r, author: A, approver: B, until: 2030-01-01}
"""
    text = TEXT.replace("ROLLS", "rolls_up: one.works")
    found = parse(text, Path("rollout.yaml"), "rollout.yaml", {"waivers.yaml": waiver})
    (told,) = map(str, found.problems)
    assert told.startswith("waivers.yaml:2: `all` rolls up findings of other gates")
