"""Controls of a criterion: names of a catalogue, each once."""

from __future__ import annotations

import pytest

from pytest_rollout.plan.spec.plan_keys import PlanKeys
from tests.plan.places import PLAN, read

STATED = "criteria: [{id: all-demos, kind: demo, controls: %s}]"


def controls(value: str) -> tuple[list[str], tuple[str, ...]]:
    """The problems of a plan whose first criterion names controls, and what it names."""
    text = PLAN.replace("criteria: [{id: all-demos, kind: demo}]", STATED % value)
    loaded = read(PlanKeys, text)
    found = loaded.plan.phases[0].criteria[0].controls if loaded.plan else ()
    return [str(problem) for problem in loaded.problems], found


@pytest.mark.parametrize(
    "name", ["SOC2-CC8.1", '"ISO27001:A.8.32"', "NIST/SA-11(2)", "org/soc2/cc8.1@v2"]
)
def test_names_of_catalogues_are_taken_as_they_are(name: str) -> None:
    assert controls(f"[{name}, X-1]") == ([], (name.strip('"'), "X-1"))


def test_one_name_needs_no_list() -> None:
    assert controls("SOC2-CC8.1") == ([], ("SOC2-CC8.1",))


@pytest.mark.parametrize("name", ['"two words"', '"-x"', '"a\\n"', "x" * 81, '"<b>"'])
def test_what_is_no_name_is_told_with_its_line(name: str) -> None:
    (problem,) = controls(f"[{name}]")[0]
    line = 1 + PLAN[: PLAN.index("criteria: [{id: all-demos")].count("\n")
    assert problem.startswith(f"rollout.yaml:{line}: criterion all-demos: ")
    assert "is no name of a control" in problem


def test_a_control_is_named_once() -> None:
    (problem,) = controls("[A-1, B-2, A-1]")[0]
    assert "the control A-1 is named twice" in problem
