"""docs/explanation/coverage.svg: how often each line was wrong, as a multiple of its level."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from benchmarks.coverage.line import Result

_LEFT, _STEP, _TOP = 480, 19, 44


def picture(results: Sequence[Result]) -> str:
    """Return docs/explanation/coverage.svg."""
    height = _TOP + _STEP * len(results) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="880" height="{height}" '
        'font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="8" y="16" font-size="13">How often it was wrong, as a multiple of how often '
        "it may be</text>",
    ]
    for mark in (0.01, 0.1, 1, 10):
        x, colour = _place(mark), "#333" if mark == 1 else "#ccc"
        ends = f'x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP - 8}" y2="{height - 8}"'
        parts.append(f'<line {ends} stroke="{colour}"/>')
        parts.append(f'<text x="{x:.0f}" y="{_TOP - 12}" text-anchor="middle">{mark:g}</text>')
    for index, result in enumerate(results):
        parts += _drawn(result, _TOP + _STEP * index + 8, _place)
    return "\n".join([*parts, "</svg>\n"])


def _place(multiple: float) -> float:
    return _LEFT + 110 * (2 + math.log10(max(0.01, min(multiple, 30))))


def _drawn(result: Result, y: int, place: Callable[[float], float]) -> Iterator[str]:
    line = result.line
    colour = "#007a5e" if result.holds else "#c0392b"
    low, at, high = (
        place(x / line.level) for x in (result.bounds[0], result.rate, result.bounds[1])
    )
    name = line.name.replace("&", "&amp;").replace("<", "&lt;")
    yield f'<text x="8" y="{y + 4}">{name}</text>'
    yield f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y}" y2="{y}" stroke="{colour}"/>'
    yield f'<circle cx="{at:.1f}" cy="{y}" r="4" fill="{colour}"/>'
