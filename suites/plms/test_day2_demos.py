"""Day 2: the demos can fail: each refuses a wrong answer, and names it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_rollout import DemoOutput, Stage
from suites.plms.scenarios.demos import DEMOS
from suites.plms.scenarios.lying_service import LIES, unrefused

pytestmark = pytest.mark.day2


@pytest.mark.criterion("output-matches")
@pytest.mark.parametrize("lie", LIES)
def test_demo_refuses_a_wrong_answer(
    lied_to: Mapping[str, DemoOutput], phase: Stage, lie: str
) -> None:
    """Of demos that a target has for itself only this is known: they must not end well."""
    told, shown = LIES[lie], lied_to[lie]
    wrong = unrefused(told, shown) if phase.embedded or shown.status == 0 else ""
    assert not wrong, f"where {lie}, {DEMOS[told.demo]} {wrong}"
