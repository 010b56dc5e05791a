"""Properties as evidence: the falsifying example is kept, flakiness settles nothing."""

from __future__ import annotations

import pytest

from tests.session.project import Project


@pytest.fixture
def properties(project: Project) -> Project:
    """A project whose `works` is a property."""
    project.change(
        '@pytest.mark.parametrize("part", ["a", "b"])\ndef test_works(part):\n    pass',
        "@given(st.integers(0, 1000))\ndef test_works(observe, number):\n    pass",
    )
    text = (project.root / "suites/demo/test_canary.py").read_text()
    project.tests(f"from hypothesis import given, strategies as st\n{text}")
    return project


def body(project: Project, *lines: str) -> None:
    """Give the property another body."""
    head = "def test_works(observe, number):\n"
    text = "".join(f"    {line}\n" for line in lines)
    project.change(f"{head}    pass\n", f"{head}{text}")


def test_a_property_that_holds_is_evidence(properties: Project, how: list[str]) -> None:
    assert properties.run("-m", "canary", *how).ret == 0


def test_the_falsifying_example_is_the_reason(properties: Project, how: list[str]) -> None:
    body(properties, "assert number < 7, 'too many'")
    assert properties.run("-m", "canary", *how).ret == 10
    reason = properties.reason("works")
    assert "too many" in reason
    assert "number=7" in reason


def test_a_flaky_property_is_inconclusive(properties: Project) -> None:
    body(properties, "seen.append(number)", "assert len(seen) != 20")
    text = (properties.root / "suites/demo/test_canary.py").read_text()
    properties.tests(f"seen = []\n{text}")
    assert properties.run("-m", "canary").ret == 11
    assert properties.verdicts()["works"] == "inconclusive"


def test_what_a_property_observes_counts_when_it_holds(properties: Project) -> None:
    body(properties, "observe('errors', 0, at=2_000)")
    assert properties.run("-m", "canary").ret == 0
    (errors,) = (one for one in properties.decision()["criteria"] if one["allowed"])
    assert errors["samples"] > 3


def test_what_it_observes_while_failing_is_a_hole(properties: Project) -> None:
    body(properties, "observe('errors', 0, at=2_000)", "assert number < 7")
    properties.change('criterion("works")', 'criterion("nice")')
    properties.change("id: works, ", "id: works, severity: optional, ", "suites/demo/rollout.yaml")
    assert properties.run("-m", "canary").ret == 11
    assert properties.verdicts()["errors"] == "inconclusive"
