"""The takes: one tally each. A new one is a class here and a row of the table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction

from pytest_rollout.judge import kernels
from pytest_rollout.judge.intervals import Interval, band, outward
from pytest_rollout.judge.outcomes import Quantile, Rate, Share, Weighted
from pytest_rollout.judge.tally import BEYOND, ExactSum, Tally, Terms, extreme
from pytest_rollout.model.evidence import Hole, Seen, Slot
from pytest_rollout.model.rule import Rule, Scope, Take
from pytest_rollout.model.verdict import Verdict


class _Count(Tally):
    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        pass

    def value(self) -> Fraction:
        return Fraction(self.n)


class _Sum(Tally):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._sum = ExactSum()

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        self._sum.add(value, count, slot)

    def value(self) -> Fraction:
        return self._sum.value

    def slot(self) -> Slot | None:
        return self._sum.first


class _Mean(_Sum):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._kept: dict[Fraction, int] | None = {} if rule.confidence else None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        super().take(value, count, slot)
        if self._kept is not None:
            self._kept[value] = self._kept.get(value, 0) + count

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
        unit = [(float((value - range_.low) / width), count) for value, count in self._kept.items()]
        low = kernels.mean_low(unit, self.terms.level)
        high = 1 - kernels.mean_low([(1 - value, n) for value, n in unit], self.terms.level)
        scale, least = float(width), float(range_.low)
        return Interval(
            outward(low * scale + least, up=False),
            outward(high * scale + least, up=True),
            "betting",
        )


class Extremum(Tally):
    """The smallest, or the largest."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._largest = rule.take.take is Take.MAX
        self._value: Fraction | None = None
        self._slot: Slot | None = None

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        current = self._value
        if current is None or (value > current if self._largest else value < current):
            self._value, self._slot = value, slot

    def value(self) -> Fraction | None:
        return self._value

    def slot(self) -> Slot | None:
        return self._slot


class Last(Tally):
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


class Increase(Tally):
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


class Tolerated(Tally):
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
    Take.MIN: Extremum,
    Take.MAX: Extremum,
    Take.LAST: Last,
    Take.INCREASE: Increase,
    Take.RATE: Rate,
    Take.SHARE: Share,
    Take.QUANTILE: Quantile,
}


def kind_of(rule: Rule) -> type[Tally]:
    """Return the sort of tally that a rule keeps."""
    return _TALLIES[rule.take.take] if rule.tolerate is None else Tolerated


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
