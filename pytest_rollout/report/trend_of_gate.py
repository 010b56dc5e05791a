"""How a gate was answered before: its last evaluations, and how key values went over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import exact
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.story import Drawn, Evaluation, Measured
from pytest_rollout.report.fact_words import amount, wall
from pytest_rollout.report.svg import Drawing, Scale

MOST_METRICS = 6
_WIDTH, _HEIGHT = 160, 28


@dataclass(frozen=True, slots=True)
class MetricTrend:
    """The value of a criterion over the evaluations, the newest last."""

    id: str
    lowest: str
    highest: str
    last: str
    svg: str


@dataclass(frozen=True, slots=True)
class GateTrend:
    """Evaluations as rows, the newest first, and the trend of key values."""

    rows: tuple[tuple[str, str, str, str], ...]  # decided, release, answer, tally
    metrics: tuple[MetricTrend, ...]


def trend_of_gate(
    decision: Decision,
    evaluations: Sequence[Evaluation],
    measured: Mapping[str, tuple[Measured, ...]],
) -> GateTrend | None:
    """Return the trend; None where the gate was evaluated once.

    ``measured`` tells the unit of each criterion's values.
    """
    if len(evaluations) < 2:
        return None
    rows = tuple(
        (
            wall(evaluation.decided_at, decision.timezone),
            evaluation.release or "unknown",
            evaluation.answer.value,
            ", ".join(
                f"{n} {name.replace('_', ' ')}" for name, n in evaluation.verdicts.items() if n
            ),
        )
        for evaluation in reversed(evaluations)
    )
    key = sorted(decision.criteria, key=_importance)
    trends = (_trend(finding.id, evaluations, measured.get(finding.id, ())) for finding in key)
    return GateTrend(rows, tuple(trend for trend in trends if trend is not None)[:MOST_METRICS])


def _importance(finding: Finding) -> tuple[int, bool]:
    return finding.verdict.rank, finding.severity != "hard"


def _trend(
    id_: str, evaluations: Sequence[Evaluation], measured: tuple[Measured, ...]
) -> MetricTrend | None:
    values = []
    for evaluation in evaluations:
        if id_ in evaluation.values:
            try:
                values.append(exact(evaluation.values[id_]))
            except ValueError:
                continue
    if len(values) < 2:
        return None
    lowest, highest, last = (
        _said(value, measured) for value in (min(values), max(values), values[-1])
    )
    line = sparkline([float(value) for value in values])
    return MetricTrend(id_, lowest, highest, last, line)


def _said(value: Fraction, measured: tuple[Measured, ...]) -> str:
    """A value for people: a share in percent, all others with their unit."""
    share = any(rule.drawn is Drawn.SHARE for rule in measured)
    unit = next((rule.unit for rule in measured), "")
    return amount(decimal(value * 100), "%", "") if share else amount(decimal(value), unit, "")


def sparkline(values: Sequence[float | None], label: str = "") -> str:
    """Return values as a small line; the last one is a dot."""
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    if low == high:
        low, high = low - 1, high + 1
    y = Scale(low, high, _HEIGHT - 4, 4)
    step = (_WIDTH - 8) / max(1, len(values) - 1)
    places = [
        None if value is None else (4 + number * step, y(value))
        for number, value in enumerate(values)
    ]
    drawing = Drawing(_WIDTH, _HEIGHT)
    drawing.path(places, "line seen")
    last = next(place for place in reversed(places) if place is not None)
    drawing.add("circle", "dot seen", cx=last[0], cy=last[1], r=2.5)
    words = label or f"{len(known)} values, from {known[0]:.6g} to {known[-1]:.6g}"
    return drawing.svg(words, class_="spark")
