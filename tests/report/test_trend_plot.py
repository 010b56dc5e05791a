"""The trend of nights: each value where it is, what was not measured as such, hostile words."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from pytest_rollout.report.trend_plot import (
    TrendBand,
    TrendCut,
    TrendMark,
    TrendPoint,
    trend,
    trend_line,
)
from tests.report.report_hostile import HOSTILE

BAND, CUT = TrendBand(57, 63, 60, "baseline v1"), TrendCut(70, True, "p95 < 70ms")
POINTS = tuple(
    TrendPoint(f"11-{n + 1:02}", 60 + n % 5, 58 + n % 5, 62 + n % 5, says="v2") for n in range(20)
)


def elements(svg: str, class_: str) -> list[ElementTree.Element]:
    found = ElementTree.fromstring(svg).iter()
    return [one for one in found if one.attrib.get("class", "") == class_]


def test_each_value_has_its_place_between_the_ends_of_its_interval() -> None:
    svg = trend(POINTS, BAND, CUT)
    values = [one for one in elements(svg, "value") if float(one.attrib["cy"]) > 20]
    intervals = elements(svg, "interval")
    assert len(values) == len(intervals) == 20
    for value, interval in zip(values, intervals, strict=True):
        ends = float(interval.attrib["y2"]), float(interval.attrib["y1"])
        assert ends[0] < float(value.attrib["cy"]) < ends[1]
        assert float(value.attrib["cy"]) == pytest.approx(sum(ends) / 2, abs=0.2)


def test_band_and_limit_lie_where_they_are() -> None:
    svg = trend(POINTS, BAND, CUT)
    (band,) = [one for one in elements(svg, "band") if float(one.attrib["y"]) > 20]
    (limit,) = elements(svg, "limit")
    (forbidden,) = elements(svg, "forbidden")
    per_unit = float(band.attrib["height"]) / 6
    assert float(band.attrib["y"]) - float(limit.attrib["y1"]) == pytest.approx(7 * per_unit, 0.01)
    assert float(forbidden.attrib["y"]) < float(limit.attrib["y1"])
    low = trend(POINTS, BAND, replace(CUT, limit=55, above_is_bad=False))
    (forbidden,), (limit,) = elements(low, "forbidden"), elements(low, "limit")
    assert float(forbidden.attrib["y"]) == pytest.approx(float(limit.attrib["y1"]), abs=0.2)


def test_a_limit_far_away_does_not_flatten_the_values() -> None:
    svg = trend(POINTS, BAND, TrendCut(5000, True, "p95 < 5s"))
    assert not elements(svg, "limit")
    (words,) = elements(svg, "end limit-words")
    assert words.text == "p95 < 5s, beyond this plot"


def test_a_night_without_a_value_is_marked_and_breaks_the_line() -> None:
    points = (*POINTS[:5], TrendPoint("11-06", None, says="not to be believed"), *POINTS[6:])
    svg = trend(points, BAND, CUT)
    assert len(elements(svg, "nothing")) == 2  # and the key
    (line,) = elements(svg, "between")
    assert line.attrib["d"].count("M") == 2
    spots = [one[0].text for one in elements(svg, "spot")]
    assert spots[5] == "11-06: no value; not to be believed"
    assert spots[4] == "11-05: 64 (62 to 66); v2"
    assert not elements(trend(POINTS), "nothing")


@pytest.mark.parametrize("mark", TrendMark)
def test_marks_are_drawn_where_there_are_some(mark: TrendMark) -> None:
    points = (*POINTS[:9], replace(POINTS[9], marks=(mark,)), *POINTS[10:])
    assert len(elements(trend(points, BAND, CUT), mark.value)) == 2  # and the key
    assert not elements(trend(POINTS, BAND, CUT), mark.value)


def test_a_line_says_the_last_value_and_fits() -> None:
    points = (*POINTS[:19], replace(POINTS[19], marks=(TrendMark.ALARM,)))
    line = trend_line(points, BAND, 100, said=lambda value: f"{value:g} ms")
    assert line.endswith("last 64 ms (62 ms to 66 ms), 1 alarm, baseline v1 57 ms to 63 ms")
    for width in (40, 60, 80, 120):
        assert len(trend_line(points, BAND, width)) <= width
    assert trend_line([]) == "0 nights with a value"
    assert trend([]) == ""


def test_a_plot_that_stands_alone_has_its_style() -> None:
    alone = trend(POINTS, standalone=True)
    ElementTree.fromstring(alone)
    assert "prefers-color-scheme: dark" in alone
    assert "<style" not in trend(POINTS)


FLOATS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32))


@settings(max_examples=60)
@each(st.lists(st.tuples(FLOATS, FLOATS, FLOATS), max_size=8), st.floats(-1e9, 1e9))
def test_whatever_values_are_is_drawn(
    told: list[tuple[float | None, float | None, float | None]], limit: float
) -> None:
    points = [TrendPoint("d", value, low, high) for value, low, high in told]
    svg = trend(points, None, TrendCut(limit))
    trend_line(points)
    if svg:
        ElementTree.fromstring(svg)
        assert not re.search(r'="(nan|inf|-inf)"', svg)


def test_hostile_words_stay_words() -> None:
    points = [TrendPoint(HOSTILE, 1.0, 0.5, 1.5, (TrendMark.CHANGE,), HOSTILE)]
    svg = trend(points, TrendBand(0, 2, 1, HOSTILE), TrendCut(1.2, True, HOSTILE), label=HOSTILE)
    tree = ElementTree.fromstring(svg)
    assert "img" not in {one.tag.rpartition("}")[2] for one in tree.iter()}
    assert trend_line(points, TrendBand(0, 2, 1, HOSTILE)).isprintable()
