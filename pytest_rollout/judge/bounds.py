"""Bounds on what was taken, at a stated confidence; rounded outward, so that text is truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

from pytest_rollout.judge import kernels
from pytest_rollout.judge.estimate import Weighted, ordered
from pytest_rollout.model.rule import Cut, Range, Rule, ScopeKind, Take, Taking

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Interval:
    """What a value lies above and below, each but for a chance of the level; None is open."""

    low: Fraction | None
    high: Fraction | None
    method: str


def outward(value: float, *, up: bool) -> Fraction:
    """Six digits that are no better than the value."""
    rounding = ROUND_CEILING if up else ROUND_FLOOR
    return Fraction(Context(prec=_DIGITS, rounding=rounding).create_decimal(Decimal(value)))


def interval(values: Weighted, taking: Taking, a: float, range_: Range | None) -> Interval | str:
    """The bounds of a taken value, or why there are none."""
    n = sum(count for _, count, _ in values)
    match taking.take:
        case Take.RATE:
            if any(value not in (0, 1) for value, _, _ in values):
                return "a rate has a bound where every outcome is 0 or 1"
            return share_interval(sum(count for value, count, _ in values if value), n, a)
        case Take.SHARE:
            assert taking.share_of is not None
            holds = taking.share_of.holds
            return share_interval(sum(c for value, c, _ in values if holds(value)), n, a)
        case Take.QUANTILE:
            return _quantile(values, n, taking, a)
        case _:
            assert range_ is not None
            return _mean(values, a, range_)


def share_interval(s: int, n: int, a: float) -> Interval:
    """The exact bounds of a share of ``n`` independent outcomes."""
    low = outward(kernels.share_low(s, n, a), up=False)
    return Interval(low, outward(kernels.share_high(s, n, a), up=True), "Clopper-Pearson")


def _quantile(values: Weighted, n: int, taking: Taking, a: float) -> Interval:
    assert taking.quantile is not None
    q = float(taking.quantile)
    low, high = kernels.rank_low(n, q, a), kernels.rank_high(n, q, a)
    by_size = ordered(values)
    return Interval(
        _ranked(by_size, low) if low >= 1 else None,
        _ranked(by_size, high) if high <= n else None,
        "order statistics",
    )


def _ranked(by_size: Weighted, rank: int) -> Fraction:
    passed = 0
    for value, count, _ in by_size:
        passed += count
        if passed >= rank:
            return value
    raise AssertionError("a rank lies within n")


def _mean(values: Weighted, a: float, range_: Range) -> Interval | str:
    width = range_.high - range_.low
    if any(not range_.low <= value <= range_.high for value, _, _ in values):
        return "a value lies outside of the stated range"
    unit = [(float((value - range_.low) / width), count) for value, count, _ in values]
    low = kernels.mean_low(unit, a)
    high = 1 - kernels.mean_low([(1 - value, count) for value, count in unit], a)
    scale = (float(width), float(range_.low))
    return Interval(
        outward(low * scale[0] + scale[1], up=False),
        outward(high * scale[0] + scale[1], up=True),
        "betting",
    )


def outcomes(rule: Rule, values: Weighted) -> tuple[int, int, float] | str:
    """What a watched rule counts: good ones, bad ones, and the share of good ones it asks for."""
    fail = rule.bands.fail
    assert fail is not None
    taking = rule.take
    limit = float(fail.limit)
    match taking.take:
        case Take.RATE | Take.SHARE:
            if taking.share_of is not None:
                inside = _count(values, taking.share_of)
            elif any(value not in (0, 1) for value, _, _ in values):
                return "a rate is watched where every outcome is 0 or 1"
            else:
                inside = sum(count for value, count, _ in values if value)
            outside = sum(count for _, count, _ in values) - inside
            return (outside, inside, 1 - limit) if fail.upward else (inside, outside, limit)
        case _:
            assert taking.quantile is not None
            bad = _count(values, fail)
            good = sum(count for _, count, _ in values) - bad
            q = float(taking.quantile)
            return good, bad, q if fail.upward else 1 - q


def _count(values: Weighted, cut: Cut) -> int:
    return sum(count for value, count, _ in values if cut.holds(value))


def alarms(rule: Rule, values: Weighted, kind: ScopeKind, a: float) -> bool | str:
    """Whether a watched rule trips: with a chance of at most ``a`` on a healthy service.

    Since an anchor by an e-value; over the last samples by what all windows together can hold
    (:func:`kernels.moving_trips`); over any other moving window by the binomial distribution,
    its level shared out over the windows that the plan says the phase can hold.
    """
    counted = outcomes(rule, values)
    if isinstance(counted, str):
        return counted
    return trips(rule, counted, kind, a)


def trips(rule: Rule, counted: tuple[int, int, float], kind: ScopeKind, a: float) -> bool:
    """Whether good and bad outcomes, against the share of good ones that is asked for, trip it."""
    assert rule.confidence is not None
    good, bad, share = counted
    if not 0 < share < 1:
        return bad > 0 if share >= 1 else False
    if kind in (ScopeKind.SINCE, ScopeKind.RUN):
        return kernels.watched_log_e(good, bad, share) >= -math.log(a)
    windows = rule.confidence.windows
    if kind is ScopeKind.LAST and len(rule.scopes) == 1:
        return kernels.moving_trips(good, bad, rule.scopes[0].last, windows, share, a)
    return kernels.binomial_cdf(good, good + bad, share) <= a / max(1, windows)


def enough(cuts: Sequence[Cut | None], seen: Interval) -> bool:
    """Whether the whole interval satisfies every cut."""
    return all(cut is None or inside(cut, seen) for cut in cuts)


def inside(cut: Cut, seen: Interval) -> bool:
    """Whether the whole of an interval satisfies a cut."""
    end = seen.low if cut.upward else seen.high
    return end is not None and cut.holds(end)


def touches(cut: Cut, seen: Interval) -> bool:
    """Whether some of an interval satisfies a cut."""
    end = seen.high if cut.upward else seen.low
    return end is None or cut.holds(end)
