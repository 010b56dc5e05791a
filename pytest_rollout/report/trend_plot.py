"""The trend of a figure over the nights, as SVG and as a line of a terminal; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib.resources import files
from math import ceil, isfinite

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.report.load_live import sparkline
from pytest_rollout.report.svg import Drawing, Scale
from pytest_rollout.report.text import count

_LEFT, _RIGHT, _TOP, _FOOT = 66, 14, 34, 40
_MARGIN = 0.08  # of the height, above and below all values
_RADIUS = 3.5
_LEAST_LINE = 24  # columns for the marks of a line
_WORD = 74  # width of a date


class TrendMark(StrEnum):
    """What is worth saying of a night."""

    CHANGE = "change"  # a change point: from here on values are of another level
    ALARM = "alarm"  # the rule said that it is worse than the baseline
    CONFIRMED = "confirmed"  # an alarm that a second run confirmed
    REFUTED = "refuted"  # one that a second run did not


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One night. Without a value nothing that can be believed was measured in it."""

    at: str  # as it is written below the plot: a day
    value: float | None
    low: float | None = None  # its interval
    high: float | None = None
    marks: tuple[TrendMark, ...] = ()
    says: str = ""  # shown when the point is pointed at: release, run, why there is no value


@dataclass(frozen=True, slots=True)
class TrendBand:
    """Where values of the baseline lie."""

    low: float
    high: float
    middle: float | None = None
    says: str = "baseline"


@dataclass(frozen=True, slots=True)
class TrendCut:
    """The limit that the plan states."""

    limit: float
    above_is_bad: bool = True
    says: str = "limit"


@cache
def style() -> str:
    """Return the style sheet of trends, which pages have in their own."""
    return (files("pytest_rollout.report") / "templates/trend.css").read_text(encoding="utf-8")


def _number(value: float) -> str:
    return f"{value:.4g}"


def trend(
    points: Sequence[TrendPoint],
    band: TrendBand | None = None,
    cut: TrendCut | None = None,
    width: int = 960,
    height: int = 280,
    *,
    label: str = "Trend",
    said: Callable[[float], str] = _number,
    standalone: bool = False,
) -> str:
    """Return the plot of points, oldest first; empty where there is none.

    ``said`` gives the words of a value. ``standalone`` puts the style into the plot, for a file
    of its own; a page has it in its own sheet.
    """
    if not points:
        return ""
    up = _heights(points, band, cut, height)
    across = Scale(-0.5, len(points) - 0.5, _LEFT, width - _RIGHT)
    drawing = Drawing(width, height)
    _ground(drawing, band, cut, across, up)
    _axes(drawing, points, across, up, said)
    _changes(drawing, points, across, up)
    _values(drawing, points, across, up)
    if cut is not None:
        _limit(drawing, cut, across, up)
    _key(drawing, points, band)
    for place, point in enumerate(points):
        corners = (across(place - 0.5), float(_TOP)), (across(place + 0.5), up.start)
        drawing.rect(*corners, "spot", _pointed(point, said))
    summary = ", ".join(_summary(points, band, said))
    return drawing.svg(f"{label}: {summary}", "trend", style() if standalone else "")


def trend_line(
    points: Sequence[TrendPoint],
    band: TrendBand | None = None,
    width: int = 80,
    *,
    said: Callable[[float], str] = _number,
) -> str:
    """Return the trend as one line: marks of eight heights, and what they come to."""
    parts = _summary(points, band, said)
    while len(parts) > 1 and sum(map(len, parts)) + 2 * len(parts) + _LEAST_LINE > width:
        parts.pop()
    words = ", ".join(parts)
    drawn = sparkline([_known(point.value) for point in points], max(8, width - len(words) - 2))
    return f"{drawn}  {words}" if drawn else words


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _summary(
    points: Sequence[TrendPoint], band: TrendBand | None, said: Callable[[float], str]
) -> list[str]:
    """What a trend comes to, the most important first."""
    known = [point for point in points if _known(point.value) is not None]
    parts = [f"last {said(known[-1].value or 0)}{_interval(known[-1], said)}"] if known else []
    for mark, word in ((TrendMark.ALARM, "alarm"), (TrendMark.CHANGE, "change point")):
        marked = sum(mark in point.marks for point in points)
        parts += [count(marked, word)] if marked else []
    if band is not None:
        parts.append(f"{band.says} {said(band.low)} to {said(band.high)}")
    return [*parts, f"{count(len(known), 'night')} with a value"]


def _interval(trend_point: TrendPoint, said: Callable[[float], str]) -> str:
    low, high = _known(trend_point.low), _known(trend_point.high)
    return "" if low is None or high is None else f" ({said(low)} to {said(high)})"


def _pointed(trend_point: TrendPoint, said: Callable[[float], str]) -> str:
    value = _known(trend_point.value)
    seen = "no value" if value is None else f"{said(value)}{_interval(trend_point, said)}"
    marks = "".join(f", {mark.value}" for mark in trend_point.marks)
    return f"{trend_point.at}: {seen}{marks}" + (
        f"; {trend_point.says}" if trend_point.says else ""
    )


def _heights(
    points: Sequence[TrendPoint], band: TrendBand | None, cut: TrendCut | None, height: int
) -> Scale:
    """Heights for all values; a limit that is far from them is left out of it."""
    ends = (end for point in points for end in (point.value, point.low, point.high))
    values = [end for end in map(_known, ends) if end is not None]
    values += [band.low, band.high] if band else []
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = (high - low) or abs(high) or 1.0
    if cut is not None and low - 2 * room <= cut.limit <= high + 2 * room:
        low, high = min(low, cut.limit), max(high, cut.limit)
    margin = ((high - low) or abs(high) or 1.0) * _MARGIN
    least = 0.0 if low >= 0 and low - margin < 0 else low - margin
    return Scale(least, high + margin, height - _FOOT, _TOP)


def _ground(
    drawing: Drawing, band: TrendBand | None, cut: TrendCut | None, across: Scale, up: Scale
) -> None:
    left, right = across.start, across.end
    if cut is not None:
        edges = (up.end, up(cut.limit)) if cut.above_is_bad else (up(cut.limit), up.start)
        drawing.rect((left, edges[0]), (right, edges[1]), "forbidden")
    if band is not None:
        drawing.rect((left, up(band.high)), (right, up(band.low)), "band")
        if band.middle is not None:
            drawing.line(left, up(band.middle), right, up(band.middle), "band-middle")


def _limit(drawing: Drawing, cut: TrendCut, across: Scale, up: Scale) -> None:
    """The line of a limit; only its words where it lies outside the plot."""
    if up.low <= cut.limit <= up.high:
        drawing.line(across.start, up(cut.limit), across.end, up(cut.limit), "limit")
        drawing.text(across.end - 6, up(cut.limit) - 5, cut.says, "end limit-words")
    else:
        height = up.end + 14 if cut.limit > up.high else up.start - 8
        drawing.text(across.end - 6, height, f"{cut.says}, beyond this plot", "end limit-words")


def _axes(
    drawing: Drawing,
    points: Sequence[TrendPoint],
    across: Scale,
    up: Scale,
    said: Callable[[float], str],
) -> None:
    for tick in up.ticks(6):
        drawing.line(across.start, up(tick), across.end, up(tick), "grid")
        drawing.text(across.start - 8, up(tick) + 4, said(tick), "end")
    drawing.line(across.start, up.start, across.end, up.start, "axis")
    every = max(1, ceil(len(points) * _WORD / (across.end - across.start)))
    for place in range(0, len(points), every):
        drawing.line(across(place), up.start, across(place), up.start + 5, "tick")
        drawing.text(across(place), up.start + 20, points[place].at, "middle")


def _changes(drawing: Drawing, points: Sequence[TrendPoint], across: Scale, up: Scale) -> None:
    for place, point in enumerate(points):
        if TrendMark.CHANGE in point.marks:
            x = across(place - 0.5)
            drawing.line(x, up.end, x, up.start, "change")


def _values(drawing: Drawing, points: Sequence[TrendPoint], across: Scale, up: Scale) -> None:
    drawing.path(list(_line(points, across, up)), "between")
    for place, point in enumerate(points):
        x, value = across(place), _known(point.value)
        low, high = _known(point.low), _known(point.high)
        if low is not None and high is not None:
            drawing.line(x, up(low), x, up(high), "interval")
        if value is None:
            foot = up.start - 8
            cross = [
                (x - 3, foot - 3),
                (x + 3, foot + 3),
                None,
                (x - 3, foot + 3),
                (x + 3, foot - 3),
            ]
            drawing.path(cross, "nothing")
            continue
        drawing.add("circle", "value", cx=x, cy=up(value), r=_radius(across))
        for mark in point.marks:
            if mark is not TrendMark.CHANGE:
                drawing.add("circle", mark.value, cx=x, cy=up(value), r=_radius(across) + 4.0)


def _radius(across: Scale) -> float:
    return min(_RADIUS, max(1.5, (across(1) - across(0)) / 2.5))


def _line(
    points: Sequence[TrendPoint], across: Scale, up: Scale
) -> Iterator[tuple[float, float] | None]:
    for place, point in enumerate(points):
        value = _known(point.value)
        yield None if value is None else (across(place), up(value))


def _key(drawing: Drawing, points: Sequence[TrendPoint], band: TrendBand | None) -> None:
    left = float(_LEFT)
    drawing.add("circle", "value", cx=left + 6, cy=13.0, r=_RADIUS)
    left = _word(drawing, left, "a night")
    if band is not None:
        drawing.rect((left, 8), (left + 16, 18), "band")
        left = _word(drawing, left + 6, band.says)
    marks = {mark for point in points for mark in point.marks}
    for mark in TrendMark:
        if mark in marks and mark is TrendMark.CHANGE:
            drawing.line(left + 6, 6, left + 6, 20, "change")
            left = _word(drawing, left, "change point")
        elif mark in marks:
            drawing.add("circle", mark.value, cx=left + 6, cy=13.0, r=_RADIUS + 2.0)
            left = _word(drawing, left, mark.value)
    if any(_known(point.value) is None for point in points):
        drawing.path(
            [(left + 3, 10), (left + 9, 16), None, (left + 3, 16), (left + 9, 10)], "nothing"
        )
        _word(drawing, left, "no value")


def _word(drawing: Drawing, left: float, words: str) -> float:
    drawing.text(left + 16, 17, words, "start key")
    return left + 34 + 7 * len(words)
