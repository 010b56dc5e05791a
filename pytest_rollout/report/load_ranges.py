"""The spread of each endpoint's latency beside its limits, as SVG."""

from __future__ import annotations

from pytest_rollout.report.load_cuts import CutSeen
from pytest_rollout.report.load_figures import QUANTILES, Distribution, EndpointFigures
from pytest_rollout.report.load_plots import WIDE, Size, disclaim, key
from pytest_rollout.report.load_words import (
    UNCORRECTED,
    LoadReport,
    measured,
    tick_words,
    time_words,
)
from pytest_rollout.report.svg import Drawing, Scale, scale

MOST_ROWS = 12  # endpoints, the slowest first
_TOP, _FOOT, _ROW, _RIGHT = 34, 30, 46, 20
_MARGIN = 6.0
_LETTER = 7  # of a name


def ranges_plot(report: LoadReport, size: Size = WIDE) -> str:
    """Return the latencies of the slowest endpoints, a row each; empty without answers."""
    rows = sorted(
        (endpoint_figures for endpoint_figures in report.shown if endpoint_figures.service_time.n),
        key=_slowest,
    )[:MOST_ROWS]
    if not rows:
        return ""
    limits = [(cut_seen, float(cut_seen.limit_us)) for cut_seen in report.seen if cut_seen.limit_us]
    drawn = [
        time
        for endpoint_figures in rows
        for time in (_latency(report, endpoint_figures), endpoint_figures.service_time)
        if time.n
    ]
    ends = [float(time.at(QUANTILES[name]) or 1) for time in drawn for name in ("p50", "max")]
    left = _MARGIN if size.ticks <= 5 else min(260, 20 + _LETTER * max(map(_length, rows)))
    across = scale([*ends, *(limit for _, limit in limits)], left, size.width - _RIGHT, log=True)
    height = _TOP + _ROW * len(rows) + _FOOT
    drawing = Drawing(size.width, height)
    _axis(drawing, across, height, size)
    for place, row in enumerate(rows):
        _row(drawing, report, row, across, _TOP + _ROW * place)
        for cut_seen, limit in limits:
            if cut_seen.endpoint == row.name:
                _limit(drawing, cut_seen, limit, across, _TOP + _ROW * place)
    following = key(drawing, _MARGIN, "line corrected", measured(report))
    if report.record.open_loop:
        key(drawing, following, "line uncorrected", UNCORRECTED)
    disclaim(drawing, report)
    return drawing.svg(f"Latency of {len(rows)} endpoints, p50 to p99 and the slowest")


def _slowest(endpoint_figures: EndpointFigures) -> tuple[bool, float]:
    times = (
        endpoint_figures.latency if endpoint_figures.latency.n else endpoint_figures.service_time
    )
    return bool(endpoint_figures.name), -(times.at(QUANTILES["p99"]) or 0)


def _length(endpoint_figures: EndpointFigures) -> int:
    return len(_named(endpoint_figures))


def _named(endpoint_figures: EndpointFigures) -> str:
    name = endpoint_figures.name or "all together"
    return name if len(name) <= 34 else f"{name[:33]}…"


def _latency(report: LoadReport, endpoint_figures: EndpointFigures) -> Distribution:
    return endpoint_figures.latency if report.record.open_loop else endpoint_figures.service_time


def _axis(drawing: Drawing, across: Scale, height: int, size: Size) -> None:
    foot = height - _FOOT
    for tick in across.ticks(size.ticks):
        drawing.line(across(tick), _TOP, across(tick), foot, "grid")
        drawing.text(across(tick), foot + 19, tick_words(tick), "middle")
    drawing.line(across.start, foot, across.end, foot, "axis")


def _row(
    drawing: Drawing,
    report: LoadReport,
    endpoint_figures: EndpointFigures,
    across: Scale,
    top: float,
) -> None:
    """A row: the name, the latency with its quantiles, and below it the service time."""
    middle = top + _ROW / 2
    if across.start > _MARGIN:
        drawing.text(across.start - 12, middle + 6, _named(endpoint_figures), "end key")
    else:
        drawing.text(across.start, top + 12, _named(endpoint_figures), "start key")
    latency = _latency(report, endpoint_figures)
    if latency.n:
        at = {name: across(latency.at(q) or 1) for name, q in QUANTILES.items()}
        drawing.line(at["p99"], middle, at["max"], middle, "line tail")
        drawing.line(at["p50"], middle, at["p99"], middle, "line corrected wide-line")
        drawing.line(at["p95"], middle - 6, at["p95"], middle + 6, "line corrected")
        drawing.add("circle", "dot", cx=at["p50"], cy=middle, r=4.0)
        said = ", ".join(
            f"{name} {time_words(value)}"
            for name, value in zip(QUANTILES, latency.spread(), strict=True)
        )
        words = f"{_named(endpoint_figures)} {measured(report)}: {said}"
        drawing.rect((at["p50"] - 6, middle - 8), (at["max"] + 6, middle + 8), "spot", words)
    if report.record.open_loop and endpoint_figures.service_time.n:
        served = [
            across(endpoint_figures.service_time.at(QUANTILES[name]) or 1)
            for name in ("p50", "p99")
        ]
        drawing.line(served[0], middle + 10, served[1], middle + 10, "line uncorrected")


def _limit(drawing: Drawing, cut_seen: CutSeen, limit: float, across: Scale, top: float) -> None:
    x, foot = across(limit), top + _ROW
    drawing.rect((x, top + 4), (across.end, foot - 4), "forbidden")
    drawing.line(x, top + 4, x, foot - 4, "limit")
    fits = x - across.start > 9 * len(cut_seen.line)
    words = f"{cut_seen.cut.rule.take.text} {cut_seen.cut.cut.text}"
    drawing.text(
        x - 5 if fits else x + 5, top + 14, words, f"{'end' if fits else 'start'} limit-words"
    )
