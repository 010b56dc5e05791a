"""Drawing plots as SVG: scales with their ticks, and elements; no script, no style of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field
from html import escape
from math import ceil, floor, log10

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.report.text import NAME, clean

_STEPS = (1, 2, 5)
_HATCH = 8  # from one slanted line to the next
_LOG_FROM = 10  # times the smallest value: from there on a scale is logarithmic


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places on the page."""

    low: float
    high: float
    start: float  # the place of the lowest
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Return the place of a value; one beyond the ends stands at the end."""
        low, high, value = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, value = log10(low), log10(high), log10(value)
        return self.start + (self.end - self.start) * (value - low) / (high - low)

    def ticks(self, most: int) -> tuple[float, ...]:
        """Return at most so many round values."""
        return _log_ticks(self.low, self.high, most) if self.log else _ticks(self, most)


def scale(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """Return a scale from zero to beyond all values; with ``log`` from below the smallest.

    It is logarithmic only where values are far apart.
    """
    positive = [value for value in values if value > 0]
    low, high = min(positive, default=1.0), max(positive, default=1.0)
    if log and high / low > _LOG_FROM:
        return Scale(_round_log(low, up=False), _round_log(high * 1.1, up=True), start, end, True)
    step = _step(high * 1.05, 5)
    return Scale(0, ceil(high * 1.05 / step) * step, start, end)


def _step(high: float, most: int) -> float:
    """The smallest round step that is taken at most so often up to a value."""
    power = 10.0 ** floor(log10(high / most))
    return next(base * power for base in (*_STEPS, 10) if base * power * most >= high * (1 - 1e-9))


def _ticks(of: Scale, most: int) -> tuple[float, ...]:
    step = _step(of.high - of.low, most)
    first, last = ceil(of.low / step - 1e-9), floor(of.high / step + 1e-9)
    return tuple(step * n for n in range(first, last + 1))


def _round_log(value: float, *, up: bool) -> float:
    power = 10.0 ** floor(log10(value))
    steps = [step * power for step in (*_STEPS, 10)]
    if up:
        return next(step for step in steps if step >= value * (1 - 1e-9))
    return max(step for step in steps if step <= value * (1 + 1e-9))


def _log_ticks(low: float, high: float, most: int) -> tuple[float, ...]:
    decades = range(floor(log10(low) + 1e-9), ceil(log10(high) - 1e-9) + 1)
    for steps in (_STEPS, (1, 3), (1,)):
        ticks = [step * 10.0**decade for decade in decades for step in steps]
        inside = tuple(tick for tick in ticks if low * 0.999 <= tick <= high * 1.001)
        if len(inside) <= most:
            return inside
    every = ceil(len(inside) / most)
    return inside[::every]


TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400)


def time_ticks(seconds: float, most: int) -> tuple[float, ...]:
    """Return round times from zero to a duration, at most so many."""
    step = next((step for step in TIME_STEPS_S if seconds / step <= most), TIME_STEPS_S[-1])
    return tuple(float(step * n) for n in range(floor(seconds / step + 1e-9) + 1))


def clock_words(seconds: float) -> str:
    """Return a time since the begin: ``0:30``, ``1:00:00``."""
    hours, rest = divmod(round(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


@dataclass(slots=True)
class Drawing:
    """A plot that is being drawn; later elements lie over earlier ones."""

    width: int
    height: int
    parts: list[str] = field(default_factory=list)

    def add(self, tag: str, class_: str, words: str = "", **attributes: object) -> None:
        """Draw an element; ``words`` are shown when it is pointed at."""
        given = "".join(f' {name}="{_attribute(value)}"' for name, value in attributes.items())
        title = f"<title>{_safe(words)}</title>" if words else ""
        self.parts.append(f'<{tag} class="{escape(class_)}"{given}>{title}</{tag}>')

    def text(self, x: float, y: float, words: str, class_: str) -> None:
        """Write words; their class says which end of them is at the place."""
        place = f'x="{x:.1f}" y="{y:.1f}"'
        self.parts.append(f'<text {place} class="{escape(class_)}">{_safe(words)}</text>')

    def rect(
        self,
        corner: tuple[float, float],
        opposite: tuple[float, float],
        class_: str,
        words: str = "",
    ) -> None:
        """Draw a filled rectangle between two corners; nothing where it would have no size."""
        (left, top), (right, bottom) = corner, opposite
        if right > left and bottom > top:
            place = {"x": float(left), "y": float(top)}
            size = {"width": float(right - left), "height": float(bottom - top)}
            self.add("rect", class_, words, **place, **size)

    def hatched(self, corner: tuple[float, float], opposite: tuple[float, float]) -> None:
        """Draw a rectangle of slanted lines between two corners."""
        (left, top), (right, bottom) = corner, opposite
        height, lines = bottom - top, []
        foot = left - height
        while foot < right:
            begin, end = max(left, foot), min(right, foot + height)
            if end > begin:
                lines.append(f"M{begin:.1f} {bottom - (begin - foot):.1f}")
                lines.append(f"L{end:.1f} {bottom - (end - foot):.1f}")
            foot += _HATCH
        if lines:
            self.add("path", "hatch", d=" ".join(lines))

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        """Draw a straight line."""
        self.add("line", class_, x1=float(x1), y1=float(y1), x2=float(x2), y2=float(y2))

    def path(self, points: Sequence[tuple[float, float] | None], class_: str) -> None:
        """Draw a line through points, broken where there is none; a lone point is a dot."""
        drawn = " ".join(_pieces(points))
        if drawn:
            self.add("path", class_, d=drawn)

    def area(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        """Fill what lies inside of points."""
        if len(points) > 2:
            self.add("path", class_, d=" ".join(_pieces(points)) + " Z")

    def svg(self, label: str, class_: str = "plot", style: str = "") -> str:
        """Return the drawing; ``label`` says what it shows to those who cannot see it.

        ``style`` is a sheet for one that stands in no page.
        """
        box = f'viewBox="0 0 {self.width} {self.height}" class="{escape(class_)}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img"'
        inside = "\n".join([f"<style>{style}</style>", *self.parts] if style else self.parts)
        return f'{head} aria-label="{_attribute(label)}">\n{inside}\n</svg>'


def _pieces(points: Sequence[tuple[float, float] | None]) -> Iterator[str]:
    """The commands of a path."""
    start = True
    for place, point in enumerate(points):
        if point is None:
            start = True
            continue
        lone = start and (place + 1 == len(points) or points[place + 1] is None)
        yield f"{'M' if start else 'L'}{point[0]:.1f} {point[1]:.1f}" + (" h0" if lone else "")
        start = False


def _attribute(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.1f}"
    return escape(clean(str(value)), quote=True)


def _safe(words: str) -> str:
    return escape(clean(words[:NAME]), quote=False)
