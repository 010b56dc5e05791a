"""Boundary pairs: a threshold that stands elsewhere is told from either side."""

from __future__ import annotations

import pytest

from pytest_rollout import Kpi, Side, boundary_pair, boundary_slips

RATE = Kpi("test_pass_rate", 0.95)
DIFFS = Kpi("schema_diff_count", 0, at_most=True)
BUILD = Kpi("build_success", 1)


@pytest.mark.parametrize(
    ("kpi", "step", "keeps", "breaks"),
    [(RATE, 0.01, 0.95, 0.94), (DIFFS, 1, 0, 1), (BUILD, 1, 1, 0), (Kpi("r", 0.3), 0.1, 0.3, 0.2)],
)
def test_a_pair_is_the_threshold_and_one_step_beyond(
    kpi: Kpi, step: float, keeps: float, breaks: float
) -> None:
    assert boundary_pair(kpi, step) == (
        Side(kpi, keeps, may_pass=True),
        Side(kpi, breaks, may_pass=False),
    )


@pytest.mark.parametrize(
    ("threshold", "slips"),
    [
        (0.95, []),
        (0.85, ["test_pass_rate 0.94 was let through, although test_pass_rate >= 0.95"]),
        (0.98, ["test_pass_rate 0.95 was blocked, although test_pass_rate >= 0.95"]),
    ],
)
def test_a_gate_with_another_threshold_is_told(threshold: float, slips: list[str]) -> None:
    found = boundary_slips(boundary_pair(RATE, 0.01), lambda side: side.value >= threshold)
    assert found == [f"{slip} is what is promised" for slip in slips]


def test_a_gate_that_excludes_its_threshold_is_told() -> None:
    (slip,) = boundary_slips(boundary_pair(RATE, 0.01), lambda side: side.value > 0.95)
    assert slip.startswith("test_pass_rate 0.95 was blocked")


@pytest.mark.parametrize("passed", [True, False])
def test_a_gate_that_does_the_same_with_both_sides_is_told(*, passed: bool) -> None:
    assert len(boundary_slips(boundary_pair(DIFFS, 1), lambda _: passed)) == 1


def test_what_nobody_knows_shows_nothing() -> None:
    slips = boundary_slips(boundary_pair(BUILD, 1), lambda _: None)
    assert len(slips) == 2
    assert slips[0].startswith("build_success 1 was neither let through nor blocked")


def test_half_a_boundary_is_refused() -> None:
    keeps, _ = boundary_pair(RATE, 0.01)
    with pytest.raises(ValueError, match=r"only one side of test_pass_rate >= 0\.95"):
        boundary_slips([keeps, *boundary_pair(DIFFS, 1)], lambda _: True)


@pytest.mark.parametrize("step", [0, -0.01, float("nan"), float("inf")])
def test_a_step_leads_somewhere(step: float) -> None:
    with pytest.raises(ValueError, match="it must be more than 0"):
        boundary_pair(RATE, step)
