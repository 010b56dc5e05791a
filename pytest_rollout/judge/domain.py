"""The values that a rule can take: any other is a hole in its slot."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pytest_rollout.judge.series import opportunities
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.numbers import exact_text
from pytest_rollout.model.rule import Rule, Take


def admitted(rule: Rule, seen: Sequence[Seen], *, other: bool = False) -> list[Seen]:
    """Return slots with a hole for each value that the rule cannot take."""
    return [_admitted(rule, item, other=other) for item in seen]


def _admitted(rule: Rule, item: Seen, *, other: bool) -> Seen:
    if isinstance(item.value, Hole):
        return item
    for value, count in item.value:
        reason = _refused(rule, value, count, other=other)
        if reason is not None:
            hole = Hole(reason, opportunities(item))
            return Seen(item.slot, hole, item.seen_us, item.run, item.release)
    return item


def _refused(rule: Rule, value: Fraction, count: int, *, other: bool) -> Reason | None:
    """Why a rule cannot take a value; None where it can."""
    take = rule.take.take
    if take is Take.RATE:
        if not 0 <= value.numerator <= value.denominator:
            return Reason("hole.no-outcome", {"value": exact_text(value)})
        if rule.confidence is not None and value.denominator != 1:
            return Reason("hole.no-whole-outcome", {"value": exact_text(value)})
    elif take is Take.INCREASE and (value < 0 or count != 1):
        return Reason("hole.no-reading", {"value": exact_text(value)})
    if rule.range is not None and not rule.range.low <= value <= rule.range.high:
        low, high = exact_text(rule.range.low), exact_text(rule.range.high)
        return Reason("hole.out-of-range", {"value": exact_text(value), "low": low, "high": high})
    versus = rule.versus
    if versus is not None and versus.ratio and take is not Take.SHARE:
        bounded = rule.confidence is not None and rule.nightly is None
        if value < 0 or (bounded and value == 0):
            return Reason("hole.no-ratio", {"value": exact_text(value), "other": other})
    return None
