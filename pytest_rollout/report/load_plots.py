"""Plots of a load record over time as SVG: latency and throughput."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.report.load_cuts import CutSeen
from pytest_rollout.report.load_figures import SECOND_US
from pytest_rollout.report.load_series import Stretch, stretches
from pytest_rollout.report.load_words import (
    NO_TIMES,
    NOT_BELIEVED,
    LoadReport,
    measured,
    tick_words,
    time_words,
)
from pytest_rollout.report.svg import Drawing, Scale, clock_words, scale, time_ticks

MOST_LIMITS = 4  # lines of limits in one plot
_TOP, _FOOT, _RIGHT = 34, 30, 14
_FILLED = ("planned", "failed", "silent")  # areas; the others are lines
_LINES = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a plot is drawn, and how much of it."""

    width: int
    height: int
    left: int  # room for the words of the axis
    points: int  # at most, along the time
    ticks: int


WIDE = Size(1120, 300, 58, 280, 12)
NARROW = Size(400, 260, 50, 90, 5)


def latency_plot(report: LoadReport, size: Size = WIDE) -> str:
    """Return the latency over time with its limits; empty where no second has an answer."""
    points = stretches(report.record, size.points)
    drawn = [point for point in points if point.start >= warm(report)]
    if not any(time for stretch in drawn for time in _times(stretch)):
        drawn = list(points)  # all that there is, in the warm-up
    known = [time for stretch in drawn for time in _times(stretch) if time is not None]
    if not known:
        return ""
    limits = lines_of(report)
    values = [*known, *(limit for _, limit in limits)]
    up = scale(values, size.height - _FOOT, _TOP, log=True)
    plot = _Plot(report, size, points, up)
    plot.warm_up()
    plot.limits(limits)
    silent = plot.silent()
    plot.axes(tick_words)
    for place, name in enumerate(_LINES):
        line = [
            None if (time := _times(stretch)[place]) is None else (plot.x(stretch.middle), up(time))
            for stretch in drawn
        ]
        plot.drawing.path(line, f"line {name}")
    plot.limit_words(limits)
    plot.legend([*((f"line {name}", name) for name in _LINES), *silent])
    plot.pointed(_latency_said)
    worst = max(known)
    label = f"Latency over time {measured(report)}; at worst {time_words(worst)}"
    return plot.drawing.svg(label)


def throughput_plot(report: LoadReport, size: Size = WIDE) -> str:
    """Return what was planned, started, answered and failed a second; empty without seconds."""
    points = stretches(report.record, size.points)
    if not points:
        return ""
    values = [
        value
        for stretch in points
        for value in (stretch.planned, stretch.started, stretch.answered)
    ]
    up = scale(values, size.height - _FOOT, _TOP)
    plot = _Plot(report, size, points, up)
    plot.axes(lambda rate: f"{rate:g}/s")
    base = [(plot.x(points[-1].end), up(0)), (plot.x(0), up(0))]
    plot.drawing.area(
        [*_steps(points, plot, [stretch.planned for stretch in points]), *base], "planned"
    )
    plot.warm_up()
    for point in points:
        plot.drawing.rect(
            (plot.x(point.start), up(point.failed)), (plot.x(point.end), up(0)), "failed"
        )
    started = _steps(points, plot, [stretch.started for stretch in points])
    plot.drawing.path(list(started), "line started")
    line = [(plot.x(stretch.middle), up(stretch.answered)) for stretch in points]
    plot.drawing.path(line, "line answered")
    keys = {"planned": "planned", "line started": "started", "line answered": "answered"}
    plot.legend([*keys.items(), ("failed", "failed")], times=False)
    plot.pointed(_throughput_said)
    return plot.drawing.svg("Arrivals planned and started, answers and failures, a second")


def lines_of(report: LoadReport) -> list[tuple[str, float]]:
    """Return the limits that are drawn over time with their words, each once."""
    same: dict[tuple[str, str], list[tuple[CutSeen, float]]] = {}
    for cut_seen, limit in limits_of(report):
        rule = cut_seen.cut.rule
        same.setdefault((rule.take.text, rule.bands.passes.text), []).append((cut_seen, limit))
    return [
        (
            of[0][0].line if len(of) == 1 else f"{take} {text} of {len(of)} endpoints",
            of[0][1],
        )
        for (take, text), of in same.items()
    ][:MOST_LIMITS]


def limits_of(report: LoadReport) -> list[tuple[CutSeen, float]]:
    """Return the limits of latency that are drawn: of all together first, the lowest first."""
    limits = [(cut_seen, cut_seen.limit_us) for cut_seen in report.seen if cut_seen.limit_us]
    chosen = [(cut_seen, float(limit)) for cut_seen, limit in limits if limit is not None]
    return sorted(chosen, key=lambda pair: (bool(pair[0].endpoint), pair[1]))


def _times(stretch: Stretch) -> tuple[int | None, int | None, int | None]:
    return stretch.p50_us, stretch.p95_us, stretch.p99_us


def _steps(
    points: Sequence[Stretch], plot: _Plot, rates: Sequence[float]
) -> Iterator[tuple[float, float]]:
    for point, rate in zip(points, rates, strict=True):
        yield from ((plot.x(point.start), plot.up(rate)), (plot.x(point.end), plot.up(rate)))


def _latency_said(stretch: Stretch) -> str:
    times = zip(_LINES, _times(stretch), strict=True)
    return ", ".join(f"{name} {time_words(time)}" for name, time in times)


def _throughput_said(stretch: Stretch) -> str:
    counts = {
        "planned": stretch.planned,
        "started": stretch.started,
        "answered": stretch.answered,
        "failed": stretch.failed,
    }
    return ", ".join(f"{name} {rate:.3g}/s" for name, rate in counts.items())


class _Plot:
    """What plots over time share."""

    def __init__(
        self, report: LoadReport, size: Size, points: Sequence[Stretch], up: Scale
    ) -> None:
        self.report, self.size, self.points, self.up = report, size, points, up
        self.end = max(points[-1].end, report.record.duration_us / SECOND_US)
        self.x = Scale(0, self.end, size.left, size.width - _RIGHT)
        self.drawing = Drawing(size.width, size.height)
        self.foot = size.height - _FOOT

    def warm_up(self) -> None:
        """Hatch the time that is not judged."""
        end = self.report.record.warm_up_us / SECOND_US
        if end:
            corners = (self.x(0), _TOP), (self.x(end), self.foot)
            self.drawing.rect(*corners, "warm-up")
            self.drawing.hatched(*corners)

    def axes(self, said: Callable[[float], str]) -> None:
        """Draw the grid with its words, and where the planned end is."""
        drawing = self.drawing
        for tick in self.up.ticks(7):
            drawing.line(self.size.left, self.up(tick), self.x(self.end), self.up(tick), "grid")
            drawing.text(self.size.left - 8, self.up(tick) + 4, said(tick), "end")
        for tick in time_ticks(self.end, self.size.ticks):
            drawing.line(self.x(tick), self.foot, self.x(tick), self.foot + 5, "tick")
            drawing.text(self.x(tick), self.foot + 19, clock_words(tick), "middle")
        drawing.line(self.size.left, self.foot, self.x(self.end), self.foot, "axis")
        planned_end = self.report.record.duration_us / SECOND_US
        if planned_end < self.end:
            drawing.line(self.x(planned_end), _TOP, self.x(planned_end), self.foot, "ended")
        if self.report.record.warm_up_us and self.x(warm(self.report)) - self.size.left > 60:
            drawing.text(self.size.left + 6, self.foot - 8, "warm-up", "start dim")

    def limits(self, limits: Sequence[tuple[str, float]]) -> None:
        """Shade what lies beyond each limit."""
        for _, limit in limits:
            corners = (self.size.left, _TOP), (self.x(self.end), self.up(limit))
            self.drawing.rect(*corners, "forbidden")

    def limit_words(self, limits: Sequence[tuple[str, float]]) -> None:
        """Draw each limit as a line with its words."""
        for words, limit in limits:
            height = self.up(limit)
            self.drawing.line(self.size.left, height, self.x(self.end), height, "limit")
            self.drawing.text(self.x(self.end) - 6, height - 5, words, "end limit-words")

    def silent(self) -> list[tuple[str, str]]:
        """Mark the time in which arrivals were due and all failed, or none ended; its key."""
        marked = []
        for point in self.points:
            if point.answered <= point.failed and (point.planned or point.started or point.failed):
                corners = (self.x(point.start), _TOP), (self.x(point.end), self.foot)
                self.drawing.rect(*corners, "silent")
                marked = [("silent", "no good answer")]
        return marked

    def legend(self, lines: Sequence[tuple[str, str]], *, times: bool = True) -> None:
        """Draw above the plot which line is which."""
        left = float(self.size.left)
        for class_, words in lines:
            left = key(self.drawing, left, class_, words)
        disclaim(self.drawing, self.report, times=times)

    def pointed(self, said: Callable[[Stretch], str]) -> None:
        """Say the figures of the time that is pointed at."""
        for point in self.points:
            corners = (self.x(point.start), _TOP), (self.x(point.end), self.foot)
            longer = point.end - point.start > 1
            until = f" to {clock_words(point.end)}, worst" if longer else ""
            self.drawing.rect(*corners, "spot", f"{clock_words(point.start)}{until}: {said(point)}")


def key(drawing: Drawing, left: float, class_: str, words: str) -> float:
    """Draw above a plot what something in it is; the place of the next one."""
    if class_ in _FILLED:
        drawing.rect((left, 8), (left + 18, 18), class_)
    else:
        drawing.path(((left, 13), (left + 18, 13)), class_)
    drawing.text(left + 24, 17, words, "start key")
    return left + 40 + 7 * len(words)


def disclaim(drawing: Drawing, report: LoadReport, *, times: bool = True) -> None:
    """Write into a plot that it is not to be believed: it may be shown without its page."""
    words = NOT_BELIEVED if not report.believed else NO_TIMES if times and report.of_times else ""
    if words:
        drawing.text(drawing.width - _RIGHT, _TOP + 14, words, "end doubt")


def warm(report: LoadReport) -> float:
    """Return how many seconds the warm-up lasts."""
    return report.record.warm_up_us / SECOND_US
