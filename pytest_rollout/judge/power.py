"""What a verdict on few samples is worth: what a pass would have caught, what would decide."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil

from pytest_rollout.judge import kernels
from pytest_rollout.judge.assess import Assessed
from pytest_rollout.judge.bounds import inside, outward, share_interval
from pytest_rollout.judge.numbers import decimal
from pytest_rollout.model.rule import Rule, Take
from pytest_rollout.model.verdict import Verdict

_MOST = 1_000_000


def catches(rule: Rule, n: int, level: float) -> str | None:
    """The share of bad samples that 19 times in 20 would have kept it from passing.

    Of samples that are independent of each other; None where badness is no matter of a share.
    """
    allowed = _bad_allowed(rule, n, level)
    if allowed is None:
        return None
    share = outward(kernels.missed_share(allowed, n), up=True)
    percent = decimal(Fraction(ceil(share * 1000), 10))
    return (
        f"if {percent} % or more were bad, 19 of 20 such runs would not have passed, "
        "where samples are independent of each other"
    )


def _bad_allowed(rule: Rule, n: int, level: float) -> int | None:
    """The most bad samples of ``n`` with which the rule still passes."""
    if rule.versus is not None:
        return None
    if rule.tolerate is not None:
        return min(n, rule.tolerate.failures)
    passes = rule.bands.passes
    match rule.take.take:
        case Take.QUANTILE:
            assert rule.take.quantile is not None
            q = float(rule.take.quantile)
            if level:
                edge = (
                    kernels.rank_low(n, q, level)
                    if passes.upward
                    else kernels.rank_high(n, q, level)
                )
                return edge - 1 if passes.upward else n - edge
            rank = max(1, ceil(rule.take.quantile * n))
            return rank - 1 if passes.upward else n - rank
        case Take.RATE | Take.SHARE:
            return _most(n, lambda bad: _share_passes(rule, bad, n, level))
        case _:
            return None


def _share_passes(rule: Rule, bad: int, n: int, level: float) -> bool:
    passes = rule.bands.passes
    inside_ = n - bad if passes.upward else bad
    if level:
        return inside(passes, share_interval(inside_, n, level))
    return passes.holds(Fraction(inside_, n))


def _most(limit: int, holds: Callable[[int], bool]) -> int | None:
    """The largest number up to a limit that holds, where smaller ones do too."""
    if not holds(0):
        return None
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if holds(middle) else (low, middle - 1)
    return low


def more(rule: Rule, found: Assessed, level: float) -> str | None:
    """How many more good samples would make it pass, where a bound leaves it open."""
    if found.verdict is not Verdict.INCONCLUSIVE or rule.versus is not None or not level:
        return None
    if rule.take.take not in (Take.RATE, Take.SHARE):
        return None
    n = found.point.n
    passes = rule.bands.passes
    seen = round(found.point.value * n)
    bad = n - seen if passes.upward else seen
    need = least(lambda k: _share_passes(rule, bad, n + k, level))
    if need is None:
        return None
    samples = "sample, if good," if need == 1 else "samples, all good,"
    return f"{need} more {samples} would make it pass"


def least(holds: Callable[[int], bool]) -> int | None:
    """The smallest number that holds, where larger ones do too; None where none in reach does."""
    high = 1
    while not holds(high):
        high *= 2
        if high > _MOST:
            return None
    low = high // 2
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
