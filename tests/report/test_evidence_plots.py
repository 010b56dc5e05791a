"""Plots of samples: one for each group of which anything is known."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from pytest_rollout.model.rule import Cut
from pytest_rollout.model.story import Curve, CurvePoint, Drawn, Measured
from pytest_rollout.report.evidence_plots import multiples
from tests.report.report_parts import criterion

FINDING = criterion("success")


def measured(*values: float | None) -> Measured:
    points = tuple(CurvePoint(n * 60_000_000, value) for n, value in enumerate(values))
    cut = Cut(">=", Fraction(95, 100), ">= 0.95")
    return Measured("ok", "rate", Drawn.SHARE, "", cut, None, (Curve((), points, len(points)),))


@pytest.mark.parametrize(("values", "plots"), [((0.0, 0.0), 1), ((1.0,), 1), ((None, None), 0)])
def test_what_is_known_is_drawn_also_where_all_of_it_is_zero(
    values: tuple[float | None, ...], plots: int
) -> None:
    assert len(multiples(measured(*values), FINDING, "UTC")) == plots


def test_no_time_is_cut_off_at_the_edge() -> None:
    points = tuple(CurvePoint(n * 15_000_000, 1.0) for n in range(5))
    told = replace(measured(), curves=(Curve((), points, len(points)),))
    (plot,) = multiples(told, FINDING, "UTC")
    width = float(re.findall(r'viewBox="0 0 (\d+) ', plot.svg)[0])
    words = r'<text x="([\d.]+)" y="[\d.]+" class="(\w+)">(\d\d:\d\d:\d\d)</text>'
    at, anchor, _ = re.findall(words, plot.svg)[-1]
    assert float(at) + (0 if anchor == "end" else 26) <= width


def test_a_stretch_without_samples_is_dashed_and_an_even_row_is_not() -> None:
    def gaps(*minutes: int) -> int:
        points = tuple(CurvePoint(minute * 60_000_000, 1.0) for minute in minutes)
        told = replace(measured(), curves=(Curve((), points, len(points)),))
        (plot,) = multiples(told, FINDING, "UTC")
        return plot.svg.count('class="line seen gap"')

    assert gaps(0, 1, 2, 3, 12, 13) == 1
    assert gaps(0, 1, 2, 3, 4, 5) == 0


def test_a_newest_sample_that_was_not_the_judged_one_is_told() -> None:
    def says(*values: float) -> str:
        points = tuple(CurvePoint(n * 60_000_000, value) for n, value in enumerate(values))
        curve = Curve((), points, len(points), Fraction(46, 100))
        told = Measured("rate", "last", Drawn.VALUES, "", None, None, (curve,))
        (plot,) = multiples(told, FINDING, "UTC")
        return plot.says

    assert says(0, 0.46, 0).startswith("last 0.46 was judged, newest 0; ")
    assert says(0, 0.46).startswith("last 0.46 was judged; ")
