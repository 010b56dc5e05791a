"""How near each value came to its limit, as bars: what passed by little shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.rule import Cut
from pytest_rollout.model.story import Drawn, Measured
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.fact_words import amount
from pytest_rollout.report.svg import Drawing

MOST = 40
_WIDTH, _HEIGHT = 160, 12
_LIMIT_AT = 0.8  # of the width: values beyond the limit have room


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A value that passed, and how much of its limit it used up."""

    id: str
    group: str
    value: str
    allowed: str
    used: float  # of the limit; 1 is at it
    svg: str


def near_misses(
    findings: Iterable[Finding], measured: Mapping[str, tuple[Measured, ...]]
) -> tuple[NearMiss, ...]:
    """Return the values that passed, the nearest to its limit first."""
    misses = [miss for finding in findings for miss in _of(finding, measured.get(finding.id, ()))]
    misses.sort(key=lambda miss: -miss.used)
    return tuple(misses[:MOST])


def _of(finding: Finding, measured: tuple[Measured, ...]) -> Iterator[NearMiss]:
    rule = next((figure for figure in measured if figure.passes is not None), None)
    cut = rule.passes if rule else None
    if rule is None or cut is None or finding.verdict not in (Verdict.PASS, Verdict.WARN):
        return
    nearest: tuple[float, Part] | None = None
    for part in finding.parts:
        used = _used(part, cut, share=rule.drawn is Drawn.SHARE)
        if used is not None and (nearest is None or used > nearest[0]):
            nearest = used, part
    if nearest is not None:
        used, part = nearest
        assert part.estimate is not None
        value = amount(part.estimate.value, part.estimate.unit, cut.unit)
        yield NearMiss(finding.id, part.subject.name, value, cut.text, used, _bar(used))


def _used(part: Part, cut: Cut, *, share: bool) -> float | None:
    """How much of a limit a value uses up; None where there is no measure of that.

    Of a share that must be large it is the error budget that is used up.
    """
    if part.estimate is None:
        return None
    try:
        value = Fraction(part.estimate.value)
    except (ValueError, ZeroDivisionError):
        return None
    if cut.limit <= 0 or value < 0:
        return None
    if not cut.upward:
        return float(value / cut.limit)
    if share and cut.limit < 1:
        return float((1 - value) / (1 - cut.limit))
    return float(cut.limit / value) if value > 0 else None


def _bar(used: float) -> str:
    drawing = Drawing(_WIDTH, _HEIGHT)
    limit = _WIDTH * _LIMIT_AT
    drawing.rect((0, 2), (_WIDTH, _HEIGHT - 2), "track")
    drawing.rect((0, 2), (min(used, 1 / _LIMIT_AT) * limit, _HEIGHT - 2), "used")
    drawing.line(limit, 0, limit, _HEIGHT, "limit")
    return drawing.svg(f"{used * 100:.0f} % of the limit is used up", class_="bar")
