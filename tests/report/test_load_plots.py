"""Plots of a load: lines lie where their figures are, and no stall is averaged away."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from math import log10
from xml.etree import ElementTree

import pytest
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from pytest_rollout.model.load import EndpointLoad, LoadRecord, LoadSecond
from pytest_rollout.report.load_curve import percentile_plot
from pytest_rollout.report.load_html import to_html
from pytest_rollout.report.load_plots import (
    NARROW,
    WIDE,
    latency_plot,
    throughput_plot,
)
from pytest_rollout.report.load_ranges import ranges_plot
from pytest_rollout.report.load_series import stretches
from pytest_rollout.report.load_words import LoadReport
from pytest_rollout.report.svg import Scale, scale, time_ticks
from tests.report import load_records as given

Drawn = Callable[..., str]


def elements(svg: str, class_: str) -> list[ElementTree.Element]:
    """The elements of a plot with a class."""
    found = ElementTree.fromstring(svg).iter()
    return [one for one in found if one.attrib.get("class", "") == class_]


def points(svg: str, class_: str) -> list[tuple[float, float]]:
    path = elements(svg, class_)[0]  # the key has another one
    found = re.findall(r"[ML]([\d.]+) ([\d.]+)", path.attrib["d"])
    return [(float(x), float(y)) for x, y in found]


def heights(svg: str, tick: str, other: str) -> Callable[[float], float]:
    """What is at a height of a plot, read off two words of its logarithmic axis."""
    places = {one.text: float(one.attrib["y"]) - 4 for one in elements(svg, "end")}
    sizes = {"us": 1, "ms": 1000, "s": 1_000_000}
    low, high = (float(word.split()[0]) * sizes[word.split()[1]] for word in (tick, other))

    def value(height: float) -> float:
        share = (height - places[tick]) / (places[other] - places[tick])
        return float(10 ** (log10(low) + share * (log10(high) - log10(low))))

    return value


def test_each_second_stands_where_its_latency_is() -> None:
    svg = latency_plot(given.report())
    at = heights(svg, "10 ms", "1 s")
    seconds = [
        one
        for one in given.record().seconds
        if one.p95_us is not None and one.second >= given.WARM_S
    ]
    for name in ("p50", "p95", "p99"):
        drawn = points(svg, f"line {name}")
        assert len(drawn) == len(seconds)
        for (_, height), one in zip(drawn, seconds, strict=True):
            assert at(height) == pytest.approx(getattr(one, f"{name}_us"), rel=0.02)


def test_a_limit_is_a_line_and_all_beyond_it_is_shaded() -> None:
    svg = latency_plot(given.report(cuts=(given.cut("< 500ms", "p99"),)))
    at = heights(svg, "10 ms", "1 s")
    (line,) = elements(svg, "limit")
    assert at(float(line.attrib["y1"])) == pytest.approx(500_000, rel=0.02)
    (shaded,) = elements(svg, "forbidden")
    bottom = float(shaded.attrib["y"]) + float(shaded.attrib["height"])
    assert bottom == pytest.approx(float(line.attrib["y1"]), abs=0.2)
    (words,) = elements(svg, "end limit-words")
    assert words.text == "p99 < 500ms"
    assert not elements(latency_plot(given.report(cuts=())), "forbidden")


def test_limits_that_say_the_same_are_one_line() -> None:
    cuts = tuple(given.cut("< 800ms", endpoint=name) for name in ("start", "status"))
    svg = latency_plot(given.report(cuts=(*cuts, given.cut("< 500ms", "p99"))))
    words = [one.text for one in elements(svg, "end limit-words")]
    assert words == ["p99 < 500ms", "p95 < 800ms of 2 endpoints"]
    assert len(elements(svg, "forbidden")) == 2


def test_the_warm_up_is_hatched_and_no_more_than_it() -> None:
    for draw in (latency_plot, throughput_plot):
        svg = draw(given.report())
        (hatched,) = elements(svg, "warm-up")
        spots = elements(svg, "spot")[: given.WARM_S]
        width = sum(float(one.attrib["width"]) for one in spots)
        assert float(hatched.attrib["width"]) == pytest.approx(width, abs=1)
    cold = given.report(record=given.record(warm_up_us=0))
    assert not elements(latency_plot(cold), "warm-up")


def test_a_second_without_an_answer_breaks_the_lines_and_is_marked() -> None:
    svg = latency_plot(given.report())
    assert len(elements(svg, "silent")) == 2  # and the key
    path = elements(svg, "line p99")[0]
    assert path.attrib["d"].count("M") == 2


def test_a_second_in_which_all_failed_is_marked_as_one_without_an_answer() -> None:
    dead = tuple(
        replace(one, failed=one.answered, p50_us=None, p95_us=None, p99_us=None)
        if one.second >= 15
        else one
        for one in given.record().seconds
    )
    svg = latency_plot(given.report(record=given.record(seconds=dead)))
    assert len(elements(svg, "silent")) == 1 + 5 + 1  # the stall, the dead seconds, the key
    few = tuple(replace(one, answered=2, failed=1) for one in given.record().seconds)
    assert not elements(latency_plot(given.report(record=given.record(seconds=few))), "silent")


def test_no_line_leads_through_the_warm_up_but_where_there_is_nothing_else() -> None:
    slow = tuple(
        replace(one, p50_us=90_000_000, p95_us=90_000_000, p99_us=90_000_000)
        if one.second < given.WARM_S
        else one
        for one in given.record().seconds
    )
    svg = latency_plot(given.report(record=given.record(seconds=slow)))
    (hatched,) = elements(svg, "warm-up")
    end = float(hatched.attrib["x"]) + float(hatched.attrib["width"])
    assert min(x for x, _ in points(svg, "line p50")) > end
    assert "100 s" not in svg  # the scale is that of what is drawn
    only = given.record(seconds=slow[: given.WARM_S])
    assert len(points(latency_plot(given.report(record=only)), "line p50")) == given.WARM_S


def test_the_curve_has_the_limit_of_its_only_endpoint() -> None:
    cuts = (given.cut("< 800ms", endpoint="start"),)
    assert not elements(percentile_plot(given.report(cuts=cuts)), "barred")
    alone = given.record(endpoints=given.record().endpoints[:1])
    assert elements(percentile_plot(given.report(record=alone, cuts=cuts)), "barred")


def test_failures_are_bars_of_their_second() -> None:
    failed = [one for one in given.record().seconds if one.failed]
    svg = throughput_plot(given.report())
    assert len(elements(svg, "failed")) == len(failed) + 1  # and the key


def test_what_is_pointed_at_says_its_figures() -> None:
    svg = throughput_plot(given.report())
    spots = elements(svg, "spot")
    one = given.record().seconds[7]
    said = spots[7][0].text or ""
    assert said.startswith("0:07: ")
    assert f"planned {one.planned}/s, started {one.started}/s, answered {one.answered}/s" in said


def test_the_curve_of_the_planned_start_lies_above_the_other() -> None:
    svg = percentile_plot(given.report())
    ends = [points(svg, f"line {name}")[-1] for name in ("corrected", "uncorrected")]
    assert ends[0][1] < ends[1][1]
    assert elements(svg, "hidden")
    (barred,) = elements(svg, "barred")[:1]
    assert float(barred.attrib["height"]) > 0


def test_each_endpoint_has_a_row_with_its_spread_and_its_limit() -> None:
    svg = ranges_plot(given.report(cuts=(given.cut("< 800ms", endpoint="start"),)))
    spots = [one[0].text or "" for one in elements(svg, "spot")]
    assert spots[0].startswith("all together ")
    assert sorted(spot.partition(" from")[0] for spot in spots) == [
        *("all together", "start", "status", "wake-ups"),
    ]
    (limit,) = elements(svg, "limit")
    (shaded,) = elements(svg, "forbidden")
    assert shaded.attrib["x"] == limit.attrib["x1"]
    names = {one.text: float(one.attrib["y"]) for one in elements(svg, "end key")}
    top, foot = float(limit.attrib["y1"]), float(limit.attrib["y2"])
    assert [name for name, y in names.items() if top < y < foot] == ["start"]


def test_of_many_endpoints_the_slowest_are_drawn() -> None:
    ends = tuple(EndpointLoad(f"e{n}", 1, 0, {str(n): 1}, {str(n): 1}) for n in range(1, 40))
    report = given.report(record=given.record(endpoints=ends))
    drawn = [one[0].text or "" for one in elements(ranges_plot(report), "spot")]
    assert len(drawn) == 12
    assert drawn[1].startswith("e39 ")
    assert "The 12 slowest." in to_html(report)


SECONDS = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.one_of(st.none(), st.integers(0, 10**9))),
    max_size=60,
)


@settings(max_examples=40)
@each(SECONDS, st.integers(1, 20))
def test_of_several_seconds_the_worst_latency_stands(
    told: list[tuple[int, int, int | None]], most: int
) -> None:
    seconds = tuple(
        LoadSecond(n, planned, planned, answered, 0, 1, p99, p99, p99)
        for n, (planned, answered, p99) in enumerate(told)
    )
    found = stretches(given.record(seconds=seconds), most)
    assert len(found) <= most
    times = [one.p99_us for one in seconds if one.p99_us is not None]
    assert max((one.p99_us for one in found if one.p99_us is not None), default=None) == max(
        times, default=None
    )
    planned = sum(one.planned * (one.end - one.start) for one in found)
    assert planned == pytest.approx(sum(one.planned for one in seconds))


def test_each_stretch_has_the_worst_of_its_seconds() -> None:
    seconds = given.record().seconds
    found = stretches(given.record(), 4)
    assert [(one.start, one.end) for one in found] == [(0, 5), (5, 10), (10, 15), (15, 20)]
    for one in found:
        inside = seconds[one.start : one.end]
        assert one.p95_us == max(it.p95_us for it in inside if it.p95_us is not None)
        assert one.started == sum(it.started for it in inside) / 5


@settings(max_examples=60)
@each(st.lists(st.floats(1e-3, 1e12), min_size=1, max_size=8), st.booleans())
def test_a_scale_holds_its_values_and_has_round_ticks(values: list[float], log: bool) -> None:
    made = scale(values, 300, 20, log=log)
    assert made.low <= min(values)
    assert made.high >= max(values)
    assert all(20 <= made(value) <= 300 for value in values)
    ticks = made.ticks(7)
    assert 1 <= len(ticks) <= 8
    assert all(made.low * 0.99 <= tick <= made.high * 1.01 for tick in ticks)


@each(st.floats(0.1, 10**6))
def test_times_have_few_ticks(seconds: float) -> None:
    ticks = time_ticks(seconds, 12)
    assert ticks[0] == 0
    assert len(ticks) <= 13
    assert Scale(0, seconds, 0, 100)(ticks[-1]) <= 100


COUNTS = st.dictionaries(st.integers(0, 10**10).map(str), st.integers(0, 9), max_size=4)


@settings(max_examples=40, deadline=None)
@each(COUNTS, COUNTS, SECONDS, st.integers(0, 10**8), st.integers(0, 10**8))
def test_whatever_a_record_holds_is_shown(
    latency: dict[str, int],
    service: dict[str, int],
    told: list[tuple[int, int, int | None]],
    warm_up_us: int,
    duration_us: int,
) -> None:
    seconds = tuple(
        LoadSecond(3 * n, planned, answered, answered, planned, 0, time, time, time)
        for n, (planned, answered, time) in enumerate(told)
    )
    record = given.record(
        endpoints=(EndpointLoad("a", sum(latency.values()), 0, latency, service),),
        seconds=seconds,
        start_delay=service,
        warm_up_us=warm_up_us,
        duration_us=duration_us,
    )
    shows(record)


def shows(record: LoadRecord) -> None:
    report = LoadReport(record, given.profile(), (), (given.cut("< 800ms", "p99"),))
    for draw in (latency_plot, throughput_plot, percentile_plot, ranges_plot):
        for size in (WIDE, NARROW):
            svg = draw(report, size)
            assert "nan" not in svg
            if svg:
                ElementTree.fromstring(svg)
    to_html(report)


def test_a_long_run_stays_small() -> None:
    told = given.record().seconds
    seconds = tuple(replace(told[n % 20], second=n) for n in range(28_800))
    record = given.record(seconds=seconds, duration_us=28_800_000_000)
    assert len(to_html(given.report(record=record))) < 400_000
