"""Plots of what was measured: samples over time against the limits of their rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from math import floor, log10
from statistics import median

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Finding, Labels, Part
from pytest_rollout.model.rule import Cut
from pytest_rollout.model.story import Curve, CurvePoint, Drawn, Measured
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.fact_words import amount
from pytest_rollout.report.svg import Drawing, Scale
from pytest_rollout.report.time_axis import TimeAxis

MOST_MULTIPLES = 6  # groups of one rule that are drawn
_WIDTH, _HEIGHT = 400, 170
_LEFT, _RIGHT, _TOP, _FOOT = 56, 12, 14, 26
_HALF_A_TIME = 24
_INSET = 10  # of the first and last sample
_SAID = {Drawn.SHARE: "share so far", Drawn.TOTAL: "sum so far", Drawn.VALUES: "each sample"}
_FEWEST_PAIRS = 3  # of fewer samples nobody can say what is usual
_SAME = 1e-9
_GAP = 3  # times the usual distance of two samples
_GAP_SHARE = 0.08  # of the axis; a shorter gap cannot be seen
_DOTS = 60  # of more samples only the line is drawn

_Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Multiple:
    """The plot of one group, with its words."""

    title: str
    svg: str
    says: str


def multiples(measured: Measured, finding: Finding, zone: str) -> tuple[Multiple, ...]:
    """Return a plot for each group, the worst first; none of a group that saw nothing."""
    verdicts = {part.subject.labels: part for part in finding.parts}
    drawn = [curve for curve in measured.curves if list(_known(curve.points))]
    drawn.sort(key=lambda curve: _rank(verdicts.get(curve.group)))
    shown = (_multiple(measured, curve, verdicts.get(curve.group), zone) for curve in drawn)
    return tuple(curve for curve, _ in zip(shown, range(MOST_MULTIPLES), strict=False))


def _rank(part: Part | None) -> int:
    return part.verdict.rank if part else len(Verdict)


def _multiple(measured: Measured, curve: Curve, part: Part | None, zone: str) -> Multiple:
    title = _name(curve.group) or measured.metric
    says = f"{measured.metric}, {_SAID[measured.drawn]}, {curve.samples:,} samples"
    if curve.value is not None:
        says = f"{_taken(measured, curve)}; {says}"
    plot = _Plot(measured, curve, zone)
    if plot.gaps:
        says += "; dashed: no sample there"
    return Multiple(title, plot.draw(f"{title}: {says}", part), says)


def _taken(measured: Measured, curve: Curve) -> str:
    """What was judged; with the newest sample where that is another one."""
    judged = f"{measured.take} {amount(str(curve.value), measured.unit, '')}"
    newest = list(_known(curve.points))[-1]
    same = measured.drawn is not Drawn.VALUES or abs(newest - float(curve.value or 0)) < _SAME
    later = "" if same else f", newest {amount(f'{newest:.6g}', measured.unit, '')}"
    return f"{judged} was judged{later}"


def _name(group: Labels) -> str:
    return ", ".join(f"{label} {value}" for label, value in group)


def _known(points: Sequence[CurvePoint]) -> Iterator[float]:
    yield from (point.value for point in points if point.value is not None)


class _Plot:
    """The plot of one curve."""

    def __init__(self, measured: Measured, curve: Curve, zone: str) -> None:
        self.measured, self.curve = measured, curve
        instants = [point.at_us for point in curve.points]
        self.x = TimeAxis.over(instants, _LEFT + _INSET, _WIDTH - _RIGHT - _INSET, zone)
        cuts = [cut for cut in (measured.passes, measured.fails) if cut is not None]
        self.cuts = cuts[:1] if len(cuts) == 2 and cuts[0].limit == cuts[1].limit else cuts
        self.y = _scale([*_known(curve.points), *(float(cut.limit) for cut in self.cuts)])
        self.places = [
            None if point.value is None else (self.x(point.at_us), self.y(point.value))
            for point in curve.points
        ]
        self.known = [place for place in self.places if place is not None]
        self.gaps = _gaps(self.known, self.x.right - self.x.left)
        self.drawing = Drawing(_WIDTH, _HEIGHT)

    def draw(self, label: str, part: Part | None) -> str:
        """Return the plot as SVG."""
        self._forbidden()
        self._axes()
        self._interval()
        self._holes()
        self._line()
        self._limits()
        if part is not None and part.verdict is Verdict.FAIL:
            self._offender()
        return self.drawing.svg(label)

    def _forbidden(self) -> None:
        """Shade the side on which a value is a breach."""
        fails = self.measured.fails
        if fails is not None:
            low, upward = float(fails.limit), fails.upward
        elif self.measured.passes is not None:
            low, upward = float(self.measured.passes.limit), not self.measured.passes.upward
        else:
            return
        edge = _TOP if upward else _HEIGHT - _FOOT
        top, bottom = sorted((self.y(low), float(edge)))
        self.drawing.rect((_LEFT, top), (_WIDTH - _RIGHT, bottom), "forbidden")

    def _axes(self) -> None:
        for value in self.y.ticks(4):
            at = self.y(value)
            self.drawing.line(_LEFT, at, _WIDTH - _RIGHT, at, "grid")
            self.drawing.text(_LEFT - 6, at + 4, self._said(value), "end")
        for at, words in self.x.ticks(4):
            self.drawing.line(at, _HEIGHT - _FOOT, at, _HEIGHT - _FOOT + 4, "tick")
            # Words in the middle of the last tick would be cut off at the edge.
            last = at > _WIDTH - _RIGHT - _HALF_A_TIME
            self.drawing.text(at, _HEIGHT - 8, words, "end" if last else "middle")

    def _said(self, value: float) -> str:
        if self.measured.drawn is Drawn.SHARE:
            return f"{value * 100:.4g} %"
        return amount(f"{value:.6g}", self.measured.unit, "")

    def _interval(self) -> None:
        points = [point for point in self.curve.points if point.low is not None]
        upper = [(self.x(point.at_us), self.y(point.high or 0.0)) for point in points]
        lower = [(self.x(point.at_us), self.y(point.low or 0.0)) for point in reversed(points)]
        self.drawing.area([*upper, *lower], "interval")

    def _holes(self) -> None:
        for point in self.curve.points:
            if point.value is None:
                at = self.x(point.at_us)
                words = "not known"
                self.drawing.rect((at - 1.5, _TOP), (at + 1.5, _HEIGHT - _FOOT), "silent", words)

    def _line(self) -> None:
        broken: list[_Place | None] = []
        for place in self.places:
            broken += [None, place] if place in self.gaps else [place]
        self.drawing.path(broken, "line seen")
        for after, before in self.gaps.items():
            self.drawing.path([before, after], "line seen gap")
        if len(self.known) <= _DOTS:
            for at, value in self.known:
                self.drawing.add("circle", "dot seen", cx=at, cy=value, r=2.5)

    def _limits(self) -> None:
        for cut in self.cuts:
            at = self.y(float(cut.limit))
            self.drawing.line(_LEFT, at, _WIDTH - _RIGHT, at, "limit")
            words = self._cut_words(cut)
            below = at < _TOP + 18
            self.drawing.text(
                _WIDTH - _RIGHT - 4, at + (14 if below else -5), words, "end limit-words"
            )

    def _cut_words(self, cut: Cut) -> str:
        asks = cut is self.measured.passes
        return f"{'allowed' if asks else 'breach'} {cut.text}"

    def _offender(self) -> None:
        """Ring the sample that decided."""
        at_us, value = self.curve.taken_at_us, self.curve.value
        if self.measured.drawn is not Drawn.VALUES or value is None:
            return
        known = [point for point in self.curve.points if point.value is not None]
        offenders = [point for point in known if _near(point, value, at_us)]
        for point in offenders[:1]:
            at, high = self.x(point.at_us), self.y(point.value or 0.0)
            self.drawing.add("circle", "offender", cx=at, cy=high, r=7.0)


def _gaps(places: Sequence[_Place], width: float) -> dict[_Place, _Place]:
    """The places that follow a stretch without samples, each with the one before it."""
    pairs = list(pairwise(places))
    if len(pairs) < _FEWEST_PAIRS:
        return {}
    usual = median(after[0] - before[0] for before, after in pairs)
    least = max(_GAP * usual, _GAP_SHARE * width)
    return {after: before for before, after in pairs if after[0] - before[0] > least}


def _near(point: CurvePoint, value: Fraction, at_us: int | None) -> bool:
    same = point.value is not None and abs(point.value - float(value)) < _SAME
    return same and at_us in (None, point.at_us)


def _scale(values: list[float]) -> Scale:
    """A scale over all values and limits, with room around them; zero is in it where near."""
    low, high = min(values), max(values)
    if low > 0 and low < (high - low) * 2:
        low = 0.0
    if low == high:
        low, high = (low - 1, high + 1) if low else (0.0, 1.0)
    step = 10.0 ** floor(log10((high - low) / 4))
    room = (high - low) * 0.12
    low = low if low == 0 else floor((low - room) / step) * step
    return Scale(low, high + room, _HEIGHT - _FOOT, _TOP)
