"""The percentile curve of a load record as SVG: both kinds of latency."""

from __future__ import annotations

from itertools import pairwise

from pytest_rollout.report.load_cuts import CutSeen
from pytest_rollout.report.load_figures import Distribution
from pytest_rollout.report.load_plots import (
    MOST_LIMITS,
    WIDE,
    Size,
    disclaim,
    key,
    limits_of,
)
from pytest_rollout.report.load_words import CORRECTED, UNCORRECTED, LoadReport, tick_words
from pytest_rollout.report.svg import Drawing, Scale, scale

_TOP, _FOOT, _RIGHT = 34, 30, 14


def percentile_plot(report: LoadReport, size: Size = WIDE) -> str:
    """Return both latencies over the share of requests that took less; empty without answers."""
    corrected, uncorrected = report.total.latency, report.total.service_time
    if not report.record.open_loop:
        corrected = Distribution()
    curves = [distribution for distribution in (corrected, uncorrected) if distribution.n]
    if not curves:
        return ""
    whole = ("", report.endpoints[0].name) if len(report.endpoints) == 1 else ("",)
    about = [
        (cut_seen, limit) for cut_seen, limit in limits_of(report) if cut_seen.endpoint in whole
    ]
    limits = about[:MOST_LIMITS]
    values = [
        float(value) for curve in curves for value in (curve.values[0] or 1, curve.values[-1])
    ]
    up = scale([*values, *(limit for _, limit in limits)], size.height - _FOOT, _TOP, log=True)
    most = max(curve.n for curve in curves)
    across = Scale(1, max(10.0, float(most)), size.left, size.width - _RIGHT, log=True)
    drawing = Drawing(size.width, size.height)
    _curve_axes(drawing, size, up, across)
    lines = [
        _curve(distribution, across, up, size.points) for distribution in (corrected, uncorrected)
    ]
    drawing.area([*lines[0], *reversed(lines[1])] if all(lines) else [], "hidden")
    for cut_seen, limit in limits:
        _curve_limit(drawing, cut_seen, limit, across, up)
    drawing.path(lines[1], "line uncorrected")
    drawing.path(lines[0], "line corrected")
    left = float(size.left)
    kinds = (("corrected", CORRECTED), ("uncorrected", UNCORRECTED))
    for line, (name, words) in zip(lines, kinds, strict=True):
        left = key(drawing, left, f"line {name}", words) if line else left
    disclaim(drawing, report)
    return drawing.svg(f"Latency by percentile of {most:,} requests, of both kinds")


def _curve_axes(drawing: Drawing, size: Size, up: Scale, across: Scale) -> None:
    foot, right = size.height - _FOOT, size.width - _RIGHT
    for tick in up.ticks(7):
        drawing.line(size.left, up(tick), right, up(tick), "grid")
        drawing.text(size.left - 8, up(tick) + 4, tick_words(tick), "end")
    for words, share in _SHARES:
        if share <= across.high:
            drawing.line(across(share), _TOP, across(share), foot, "grid")
            if size.ticks > 5 or share in (1, 10, 100, 1000, 10_000, 100_000):
                drawing.text(across(share), foot + 19, words, "middle")
    drawing.line(size.left, foot, right, foot, "axis")


_SHARES = (
    *(("0 %", 1), ("50 %", 2), ("90 %", 10), ("95 %", 20), ("99 %", 100), ("99.9 %", 1000)),
    *(("99.99 %", 10_000), ("99.999 %", 100_000), ("99.9999 %", 1_000_000)),
)


def _curve(times: Distribution, across: Scale, up: Scale, most: int) -> list[tuple[float, float]]:
    """The steps of a curve; those that cannot be told apart are drawn once."""
    points: list[tuple[float, float]] = []
    ends = [(across(share), up(value)) for share, value in times.curve()]
    if times.n:
        ends.append((across(float(times.n)), up(times.values[-1])))
    for point, following in pairwise([*ends, (across.end, -1.0)]):
        near = points and following[0] - points[-1][0] < (across.end - across.start) / (2 * most)
        if not near or following[1] == -1.0:
            points.append(point)
    return points


def _curve_limit(
    drawing: Drawing, cut_seen: CutSeen, limit: float, across: Scale, up: Scale
) -> None:
    """Draw the limit of one percentile: the curve must not pass above it there."""
    quantile = cut_seen.cut.rule.take.quantile
    share = across.high if quantile is None or quantile == 1 else float(1 / (1 - quantile))
    x, y = across(share), up(limit)
    drawing.rect((x - 9, _TOP), (x + 9, y), "barred")
    drawing.line(x - 9, y, x + 9, y, "limit")
    to_left = x > (across.start + across.end) / 2
    side = (x - 14, "end") if to_left else (x + 14, "start")
    drawing.text(side[0], _TOP + 14, cut_seen.line, f"{side[1]} limit-words")
