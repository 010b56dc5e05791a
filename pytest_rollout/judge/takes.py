"""The takes: one tally each. A new one is a class here and a row of the table."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from math import ceil, lcm

from pytest_rollout.judge import kernels
from pytest_rollout.judge.intervals import Interval, band, most, outward, share_interval
from pytest_rollout.judge.tally import BEYOND, Point, Tally, Terms, extreme
from pytest_rollout.model.evidence import Hole, Seen, Slot
from pytest_rollout.model.rule import Rule, Scope, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict

Weighted = list[tuple[Fraction, int, Slot]]


class _Count(Tally):
    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        pass

    def value(self) -> Fraction:
        return Fraction(self.n)


class _Sum(Tally):
    """Whole numbers are added, a denominator at a time: many times faster than fractions."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._sums: dict[int, int] = {}
        self._first: Slot | None = None  # that contributed something

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        above, below = value.numerator, value.denominator
        self._sums[below] = self._sums.get(below, 0) + above * count
        if above and self._first is None:
            self._first = slot

    def value(self) -> Fraction:
        return sum((Fraction(above, below) for below, above in self._sums.items()), Fraction(0))

    def slot(self) -> Slot | None:
        return self._first


class _Mean(_Sum):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._kept: list[tuple[Fraction, int]] | None = [] if rule.confidence else None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        super().take(value, count, slot)
        if self._kept is not None:
            self._kept.append((value, count))

    def value(self) -> Fraction:
        return super().value() / self.n

    def slot(self) -> Slot | None:
        return None

    def interval(self) -> Interval | None:
        """Betting bounds, of values within the stated range."""
        range_ = self.rule.range
        if range_ is None or not self._kept:
            return None
        width = range_.high - range_.low
        unit = [(float((value - range_.low) / width), count) for value, count in self._kept]
        low = kernels.mean_low(unit, self.terms.level)
        high = 1 - kernels.mean_low([(1 - value, n) for value, n in unit], self.terms.level)
        scale, least = float(width), float(range_.low)
        return Interval(
            outward(low * scale + least, up=False),
            outward(high * scale + least, up=True),
            "betting",
        )


class _Extremum(Tally):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._largest = rule.take.take is Take.MAX
        self._value: Fraction | None = None
        self._slot: Slot | None = None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        known = self._value
        if known is None or (value > known if self._largest else value < known):
            self._value, self._slot = value, slot

    def value(self) -> Fraction | None:
        return self._value

    def slot(self) -> Slot | None:
        return self._slot


class _Last(Tally):
    """The newest slot; of a distribution its mean."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._slot: Slot | None = None
        self._sum, self._weight = Fraction(0), 0

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if slot != self._slot:
            self._slot, self._sum, self._weight = slot, Fraction(0), 0
        self._sum += value * count
        self._weight += count

    def value(self) -> Fraction | None:
        return self._sum / self._weight if self._weight else None

    def slot(self) -> Slot | None:
        return self._slot


class _Increase(Tally):
    """How much a counter grew that may restart: 100, 140, 0, 5 is 45."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._last: Fraction | None = None
        self._grown = Fraction(0)
        self._slot: Slot | None = None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if self._last is not None:
            restarted = value < self._last
            self._grown += value if restarted else value - self._last
        self._last, self._slot = value, slot

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        """A lost reading hides growth without limit, or none at all beyond what is seen."""
        self.n += count
        if self.rule.bands.passes.upward is not harmful:
            self._grown += BEYOND

    def value(self) -> Fraction | None:
        return self._grown if self.n > 1 else None

    def slot(self) -> Slot | None:
        return self._slot


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
        return kernels.watched_log_e(good, bad, share) >= -math.log(level)
    windows = rule.confidence.windows
    if scope.kind is ScopeKind.LAST and len(rule.scopes) == 1:
        return kernels.moving_trips(good, bad, scope.last, windows, share, level)
    return kernels.binomial_cdf(good, good + bad, share) <= level / max(1, windows)


class _Share(_Outcomes):
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


class _Rate(_Share):
    """The mean of outcomes between 0 and 1."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._sums = _Sum(rule, scope, terms)

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if value.numerator:
            self._sums.take(value, count, slot)
            self._inside += count

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        self.add(Fraction(self.rule.bands.passes.upward is not harmful), count, slot)

    def value(self) -> Fraction:
        return self._sums.value() / self.n

    def slot(self) -> Slot | None:
        return self._sums.slot()


class _Quantile(_Outcomes):
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


class _Tolerated(Tally):
    """Each sample by itself; bad ones are counted, in all and one after the other."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._bad = self._row = self._most = 0
        self._first: Slot | None = None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if band(self.rule.bands, value) in (Verdict.PASS, Verdict.WARN):
            self._row = 0
            return
        self._bad, self._row = self._bad + count, self._row + count
        self._most, self._first = max(self._most, self._row), self._first or slot

    def value(self) -> Fraction:
        return Fraction(self._bad)

    def slot(self) -> Slot | None:
        return self._first

    def fails(self) -> bool:
        limits = self.rule.tolerate
        assert limits is not None
        in_a_row = limits.in_a_row is not None and self._most > limits.in_a_row
        return self._bad > limits.failures or in_a_row

    @staticmethod
    def allowed(rule: Rule, n: int, level: float) -> int | None:
        assert rule.tolerate is not None
        return min(n, rule.tolerate.failures)


_TALLIES: dict[Take, type[Tally]] = {
    Take.COUNT: _Count,
    Take.SUM: _Sum,
    Take.MEAN: _Mean,
    Take.MIN: _Extremum,
    Take.MAX: _Extremum,
    Take.LAST: _Last,
    Take.INCREASE: _Increase,
    Take.RATE: _Rate,
    Take.SHARE: _Share,
    Take.QUANTILE: _Quantile,
}


def kind_of(rule: Rule) -> type[Tally]:
    """Return the sort of tally that a rule keeps."""
    return _TALLIES[rule.take.take] if rule.tolerate is None else _Tolerated


def tally_of(rule: Rule, scope: Scope, terms: Terms) -> Tally:
    """Return a new tally for a rule."""
    return kind_of(rule)(rule, scope, terms)


def tallied(
    rule: Rule, seen: Iterable[Seen], scope: Scope, terms: Terms, *, harmful: bool | None = None
) -> Tally:
    """Return the tally of some slots: holes are left out, or filled with what harms or helps."""
    tally = tally_of(rule, scope, terms)
    take = tally.take
    n = 0
    for item in seen:
        held = item.value
        if not isinstance(held, Hole):
            for value, count in held:
                n += count
                take(value, count, item.slot)
        elif harmful is not None:
            tally.fill(1 if held.n is None else held.n, item.slot, harmful=harmful)
    tally.n += n
    return tally


def filled(rule: Rule, seen: Iterable[Seen], *, harmful: bool | None) -> Iterable[Seen]:
    """Return slots whose holes hold the value that harms, or helps, most; as they are for None."""
    if harmful is None:
        return seen
    value = extreme(rule, harmful=harmful)
    return [
        replace(item, value=((value, item.value.n or 1),)) if isinstance(item.value, Hole) else item
        for item in seen
    ]


def weighted(seen: Iterable[Seen]) -> Weighted:
    """Return the values of the slots that hold one, with their counts, in their order."""
    return [
        (value, count, item.slot)
        for item in seen
        if not isinstance(item.value, Hole)
        for value, count in item.value
    ]


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
