"""The limits of Phase 7, at both sides, as the plan's own rules judge them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import AT, judged, seen

PLAN = Path(__file__).parents[2] / "suites/eros/rollout.yaml"
JUDGED = ("metric", "where", "take", "pass", "warn", "fail", "need", "unit", "versus")
LAST: dict[
    str, tuple[list[float], list[float]]
] = {  # criterion: values that pass, values that do not
    "learning_manual.step2-min-5": ([5, 6], [4, 0]),
    "learning_auto.two-weeks-by-hand": ([5, 9], [4]),
    "learning.high-below-5": ([4, 0], [5, 6]),
    "learning.medium-at-least-5": ([5, 15], [4]),
    "learning.medium-at-most-15": ([15, 5], [16]),
    "learning.done-10": ([10, 11], [9]),
    "learning.steady-review": ([7, 2.5], [7.1, 8]),
    "learning.steady-promote": ([31], [31.1, 32]),
    "learning.steady-audit": ([92], [92.1, 93]),
}
DAYS = {  # of sums over fourteen days: a count that passes, and one that does not
    "learning_manual.step2-at-least-5": (5, 4),
    "learning_manual.step2-at-most-10": (10, 11),
}
NEEDS = {  # of 0 and 1: how many slots there must be
    "learning_day1.prereq-7d-stable": 7,
    "learning_day1.status-format": 18,
    "learning_manual.step2-daily-reflect": 10,
    "learning_manual.step2-reviewed": 5,
    "learning_manual.step2-no-incorrect": 5,
    "learning_manual.step2-stats-updating": 30,
    "learning_manual.step3-not-before-day-15": 14,
    "learning_auto.step3-quality-maintained": 5,
    "learning_auto.rollback-findable": 3,
    "learning_auto.rollback-revert": 3,
    "learning.incorrect-0": 10,
    "learning.weekly-check": 4,
    "learning.status-consistent": 20,
    "learning.done-auto-stable": 5,
    "learning.done-no-rollbacks": 4,
}


@cache
def stated() -> dict[str, dict[str, Any]]:
    """The criteria of the plan, by phase and id."""
    plan = yaml.safe_load(PLAN.read_text(encoding="utf-8"))
    return {
        f"{phase['id']}.{criterion['id']}": criterion
        for phase in plan["phases"]
        for criterion in phase["criteria"]
    }


def verdict(name: str, *values: object) -> Verdict:
    """What a criterion says of a series whose values are an hour apart, the last one now."""
    rule = {key: stated()[name][key] for key in JUDGED if key in stated()[name]}
    metric, labels = rule["metric"], rule.get("where", {})
    text = ", ".join(
        f"{key}: {yaml.safe_dump(value, default_flow_style=True).strip()}"
        for key, value in rule.items()
    )
    text = text.replace("\n...", "")
    observed = [
        seen(value, 3600 - 10 * back, metric, **labels)
        for back, value in enumerate(reversed(values))
    ]
    return judged(text, observed, AT).verdict


@pytest.mark.parametrize("name", LAST)
def test_a_limit_has_two_sides(name: str) -> None:
    good, bad = LAST[name]
    assert {value: verdict(name, value) for value in good} == dict.fromkeys(good, Verdict.PASS)
    assert {value: verdict(name, value) for value in bad} == dict.fromkeys(bad, Verdict.FAIL)


@pytest.mark.parametrize("name", DAYS)
def test_a_sum_of_days_has_two_sides(name: str) -> None:
    good, bad = DAYS[name]
    assert verdict(name, *[0] * 13, good) is Verdict.PASS
    assert verdict(name, *[0] * 13, bad) is Verdict.FAIL
    assert verdict(name, *[0] * 12, good) is not Verdict.PASS, "thirteen days are not two weeks"


@pytest.mark.parametrize("name", NEEDS)
def test_nothing_passes_with_too_little(name: str) -> None:
    need = NEEDS[name]
    assert verdict(name, *[0] * need) is Verdict.PASS
    assert verdict(name, *[0] * (need - 1), 1) is Verdict.FAIL
    assert verdict(name, *[0] * (need - 1)) is Verdict.INCONCLUSIVE
    assert verdict(name) is Verdict.MISSING


def test_four_weeks_must_all_be_stable() -> None:
    assert verdict("learning.done-4-weeks", 1, 1, 1, 1) is Verdict.PASS
    assert verdict("learning.done-4-weeks", 1, 0, 1, 1) is Verdict.FAIL
    assert verdict("learning.done-4-weeks", 1, 1, 1) is Verdict.INCONCLUSIVE


def test_quality_may_fall_by_a_point_and_no_more() -> None:
    assert verdict("learning.quality-trend", 0.2, -1, 0.3) is Verdict.PASS
    assert verdict("learning.quality-trend", 0.2, -1.01, 0.3) is Verdict.FAIL
    assert verdict("learning.quality-trend", 0.2, 0.3) is Verdict.INCONCLUSIVE


def test_every_agent_of_twenty_runs_loads_what_was_learnt() -> None:
    assert verdict("learning.application-100", *[0] * 20) is Verdict.PASS
    assert verdict("learning.application-100", *[0] * 99, 1) is Verdict.FAIL
    assert verdict("learning.application-100", *[0] * 19) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("confidence", "source", "due"),
    [(10, 10, Verdict.PASS), (9, 10, Verdict.FAIL), (10, 9, Verdict.FAIL)],
)
def test_ten_are_counted_by_confidence_and_by_source(
    confidence: int, source: int, due: Verdict
) -> None:
    rule = 'metric: m, each: {by: [confidence, source]}, take: last, pass: ">= 10"'
    stated_rule = stated()["learning.learnings-10"]
    assert (stated_rule["each"], stated_rule["pass"]) == ({"by": ["confidence", "source"]}, ">= 10")
    observed = [seen(confidence, by="confidence"), seen(source, by="source")]
    assert judged(rule, observed).verdict is due
