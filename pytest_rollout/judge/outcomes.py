"""The takes of outcomes: rates, shares and quantiles, which can be watched with a confidence."""

from __future__ import annotations

import math
from fractions import Fraction
from math import ceil, lcm

from pytest_rollout.judge import kernels
from pytest_rollout.judge.intervals import Interval, band, most, share_interval
from pytest_rollout.judge.tally import ExactSum, Point, Tally, Terms
from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.rule import Rule, Scope, ScopeKind
from pytest_rollout.model.verdict import Verdict

Weighted = list[tuple[Fraction, int, Slot]]
_ROUNDED = 1e-6  # more than what rounding does to logarithms of ratios


class _Outcomes(Tally):
    """What can be watched: each sample is good or bad, against a share of good ones."""

    def asked(self) -> tuple[int, int, float]:
        """Return the good ones, the bad ones, and the share of good ones asked for."""
        raise NotImplementedError

    def fails(self) -> bool:
        if self.rule.confidence is None or not self.terms.watched:
            return super().fails()
        return alarm(self.rule, self.scope, self.asked(), self.terms.level)


def alarm(rule: Rule, scope: Scope, counted: tuple[int, int, float], level: float) -> bool:
    """Return whether a watched rule trips: of a healthy service with a chance of at most ``level``.

    ``counted`` are the good ones, the bad ones, and the share of good ones asked for. Since an
    anchor by an e-value; over the last samples by what all windows together can hold; over any
    other moving window by the binomial distribution, its level shared out over the windows.
    """
    good, bad, share = counted
    assert rule.confidence is not None
    if not 0 < share < 1:
        return bad > 0 if share >= 1 else False
    if scope.kind in (ScopeKind.SINCE, ScopeKind.RUN):
        wanted = -math.log(level)
        if kernels.watched_most(good, bad, share) < wanted - _ROUNDED:  # as at most looks
            return False
        return kernels.watched_log_e(good, bad, share) >= wanted
    windows = rule.confidence.windows
    if scope.kind is ScopeKind.LAST and len(rule.scopes) == 1:
        return kernels.moving_trips(good, bad, scope.last, windows, share, level)
    return kernels.binomial_cdf(good, good + bad, share) <= level / max(1, windows)


class Share(_Outcomes):
    """The share of samples inside a cut."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._inside = 0

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        assert self.rule.take.share_of is not None
        if self.rule.take.share_of.holds(value):
            self._inside += count

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        self.n += count
        if self.rule.bands.passes.upward is not harmful:
            self._inside += count

    def value(self) -> Fraction:
        return Fraction(self._inside, self.n)

    def interval(self) -> Interval:
        return share_interval(self._inside, self.n, self.terms.level)

    def asked(self) -> tuple[int, int, float]:
        fail = self.rule.bands.fail
        assert fail is not None
        inside, limit = self._inside, float(fail.limit)
        outside = self.n - inside
        return (outside, inside, 1 - limit) if fail.upward else (inside, outside, limit)

    @staticmethod
    def allowed(rule: Rule, n: int, level: float) -> int | None:
        return most(n, lambda bad: share_passes(rule, bad, n, level))


class Rate(Share):
    """The mean of outcomes between 0 and 1."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._sum = ExactSum()

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if value.numerator:
            self._sum.add(value, count, slot)
            self._inside += count

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        self.add(Fraction(self.rule.bands.passes.upward is not harmful), count, slot)

    def value(self) -> Fraction:
        return self._sum.value / self.n

    def slot(self) -> Slot | None:
        return self._sum.first


class Quantile(_Outcomes):
    """Nearest rank: of ten, the median is the fifth."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._values: Weighted = []
        self._judged = 0  # values that were held against the cut so far
        self._bad_ones = 0

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        self._values.append((value, count, slot))

    @property
    def _bad(self) -> int:
        """How many are on the failing side of the cut."""
        for value, count, _ in self._values[self._judged :]:
            if band(self.rule.bands, value) is Verdict.FAIL:
                self._bad_ones += count
        self._judged = len(self._values)
        return self._bad_ones

    def _ranked(self, rank: int) -> tuple[Fraction, Slot]:
        passed = 0
        for value, count, slot in ordered(self._values):
            passed += count
            if passed >= rank:
                return value, slot
        raise AssertionError("a rank lies within n")

    def _rank(self) -> int:
        quantile = self.rule.take.quantile
        assert quantile is not None
        return max(1, ceil(quantile * self.n))

    def point(self) -> Point | None:
        if not self.n:
            return None
        value, slot = self._ranked(self._rank())
        return Point(value, self.n, slot)

    def interval(self) -> Interval:
        """Order statistics; the side for which there are too few samples is open."""
        assert self.rule.take.quantile is not None
        q, a = float(self.rule.take.quantile), self.terms.level
        low, high = kernels.rank_low(self.n, q, a), kernels.rank_high(self.n, q, a)
        return Interval(
            self._ranked(low)[0] if low >= 1 else None,
            self._ranked(high)[0] if high <= self.n else None,
            "order statistics",
        )

    def fails(self) -> bool:
        """Without sorting: the quantile fails where its rank lies among the bad ones."""
        if self.rule.confidence is not None:
            return super().fails()
        rank = self._rank()
        if self.rule.bands.passes.upward:
            return bool(self.n) and self._bad >= rank
        return self.n - self._bad < rank

    def asked(self) -> tuple[int, int, float]:
        assert self.rule.take.quantile is not None
        q = float(self.rule.take.quantile)
        share = 1 - q if self.rule.bands.passes.upward else q
        return self.n - self._bad, self._bad, share

    @staticmethod
    def allowed(rule: Rule, n: int, level: float) -> int | None:
        assert rule.take.quantile is not None
        upward, q = rule.bands.passes.upward, float(rule.take.quantile)
        if level:
            edge = kernels.rank_low(n, q, level) if upward else kernels.rank_high(n, q, level)
            return edge - 1 if upward else n - edge
        rank = max(1, ceil(rule.take.quantile * n))
        return rank - 1 if upward else n - rank


def ordered(values: Weighted) -> Weighted:
    """Return the values by size; equal ones in the order in which they came."""
    scale = lcm(*{value.denominator for value, _, _ in values})
    return sorted(values, key=lambda item: item[0].numerator * (scale // item[0].denominator))


def share_passes(rule: Rule, bad: int, n: int, level: float) -> bool:
    """Return whether a rate or share passes with so many bad samples of ``n``."""
    passes = rule.bands.passes
    inside = n - bad if passes.upward else bad
    if level:
        return share_interval(inside, n, level).inside(passes)
    return passes.holds(Fraction(inside, n))
