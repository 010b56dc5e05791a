"""Samples over time as a line of eight heights, for terminals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_rollout.model.story import Curve, Drawn, Measured

_HEIGHTS = "▁▂▃▄▅▆▇█"
_WIDTH = 40
_MOST = 3  # groups


def spark_lines(measured: Iterable[Measured]) -> Iterator[str]:
    """Yield a line for each of the first groups: ``▁▂█  0 to 10, 480 samples``."""
    for rule in measured:
        curves = sorted(rule.curves, key=lambda curve: -curve.samples)
        for curve in curves[:_MOST]:
            line = spark_line(curve)
            if line:
                yield f"{line}  {_said(rule, curve)}"


def spark_line(curve: Curve) -> str:
    """Return the largest value of each stretch as a height, ``?`` where it is not known."""
    known = [point.value for point in curve.points if point.value is not None]
    if len(known) < 2:
        return ""
    low, high = min(known), max(known)
    return "".join(_height(part, low, high) for part in _stretches(curve))


def _stretches(curve: Curve) -> Iterator[Sequence[float | None]]:
    points = curve.points
    width = min(_WIDTH, len(points))
    for number in range(width):
        first, last = number * len(points) // width, (number + 1) * len(points) // width
        yield [point.value for point in points[first:last]]


def _height(values: Sequence[float | None], low: float, high: float) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return "?"
    share = (max(known) - low) / (high - low) if high > low else 0.0
    return _HEIGHTS[min(len(_HEIGHTS) - 1, int(share * len(_HEIGHTS)))]


def _said(measured: Measured, curve: Curve) -> str:
    known = [point.value for point in curve.points if point.value is not None]
    low, high = (f"{value:.4g}{measured.unit}" for value in (min(known), max(known)))
    if measured.drawn is Drawn.SHARE:
        low, high = (f"{value * 100:.3g} %" for value in (min(known), max(known)))
    group = ", ".join(value for _, value in curve.group)
    of = f"{group}: " if group else ""
    return f"{of}{low} to {high}, {curve.samples:,} samples"
