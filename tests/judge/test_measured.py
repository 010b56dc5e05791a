"""Curves of what rules judged: the right samples, and of many the smallest and largest."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from pytest_rollout.judge import Case, decide
from pytest_rollout.judge.measured import MOST_POINTS, measured, thinned
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.mutation import wilson
from pytest_rollout.model.plan import Criterion, Gate, Guardrail
from pytest_rollout.model.story import CurvePoint, Drawn, Measured
from tests.judge.worlds import AT, NINE, SECOND, plan_of, samples, world_of

RULES = """\
    criteria:
      - {id: queue, kind: load, says: Short, metric: queue, take: max, pass: "< 10",
         each: {lane: [a, b]}}
      - {id: errors, kind: slo, says: Few, metric: failed, take: rate, pass: "< 0.5", need: 2}
      - {id: quick, kind: slo, says: Quick, metric: ms, take: {share: "< 500"}, pass: ">= 0.5"}
      - {id: lost, kind: kpi, says: None, metric: lost, take: sum, pass: "<= 0"}
    guardrails:
      - {id: deep, says: Deep, metric: queue, take: max, fail: "> 20"}
"""


def judged(slug: str, *seen: Seen) -> Measured:
    plan = plan_of(RULES)
    phase = plan.phases[0]
    case = Case(plan, phase, world_of(plan, seen), AT)
    decision = decide(case, Gate.EXIT)
    finding = next(
        one for one in (*decision.criteria, *decision.guardrails) if one.id == f"p.one.{slug}"
    )
    every: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    stated = next(one for one in every if one.id == slug)
    (only,) = measured(case, stated, finding)
    return only


def test_each_group_has_a_curve_of_its_own_samples() -> None:
    seen = (*samples(3, 12, series="queue", lane="a"), *samples(1, series="queue", lane="b"))
    curves = {curve.group: curve for curve in judged("queue", *seen).curves}
    first = curves[(("lane", "a"),)]
    assert [point.value for point in first.points] == [3, 12]
    assert first.value == Fraction(12)
    assert first.samples == 2
    assert [point.value for point in curves[(("lane", "b"),)].points] == [1]


def test_a_rate_is_drawn_as_the_share_by_then_with_its_interval() -> None:
    only = judged("errors", *samples(0, 1, 0, 0, series="failed"))
    assert only.drawn is Drawn.SHARE
    (curve,) = only.curves
    assert [point.value for point in curve.points] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 4])
    last = curve.points[-1]
    assert (last.low, last.high) == pytest.approx(wilson(1, 4))


def test_a_sum_is_drawn_as_the_total_by_then() -> None:
    only = judged("lost", *samples(0, 2, 1, series="lost"))
    assert [point.value for point in only.curves[0].points] == [0, 2, 3]


def test_a_hole_has_no_value() -> None:
    (item,) = samples(1, series="lost")
    hole = replace(item, value=Hole("gone"))
    only = judged("lost", hole)
    assert [point.value for point in only.curves[0].points] == [None]


def test_a_guardrail_states_only_what_is_a_breach() -> None:
    only = judged("deep", *samples(1, series="queue", lane="a"))
    assert only.passes is None
    assert only.fails is not None
    assert only.fails.text == "> 20"


def test_a_share_is_of_the_samples_that_its_cut_holds_for() -> None:
    only = judged("quick", *samples(30, 700, 40, 50, series="ms"))
    assert only.drawn is Drawn.SHARE
    shares = [point.value for point in only.curves[0].points]
    assert shares == pytest.approx([1, 1 / 2, 2 / 3, 3 / 4])


def test_of_many_points_the_smallest_the_largest_and_a_hole_are_kept() -> None:
    points = [CurvePoint(NINE + n * SECOND, float(n % 7)) for n in range(5_000)]
    points[1234] = CurvePoint(points[1234].at_us, 99.0)
    points[2345] = CurvePoint(points[2345].at_us, -99.0)
    points[3456] = CurvePoint(points[3456].at_us, None)
    kept = list(thinned(points))
    assert len(kept) <= MOST_POINTS
    values = [point.value for point in kept]
    assert {99.0, -99.0, None} <= set(values)
    assert [point.at_us for point in kept] == sorted(point.at_us for point in kept)
