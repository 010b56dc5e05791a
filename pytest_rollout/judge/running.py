"""Running totals since an anchor, so that a long watch is judged in one pass over its slots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from math import ceil

from pytest_rollout.judge.assess import Terms, band
from pytest_rollout.judge.bounds import outcomes, trips
from pytest_rollout.judge.slices import Slice, event_time
from pytest_rollout.model.evidence import Hole, Slot
from pytest_rollout.model.rule import Rule, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict

_EXTREME = (Take.MIN, Take.MAX)
_TOTALLED = (*_EXTREME, Take.COUNT, Take.SUM, Take.MEAN, Take.RATE, Take.SHARE, Take.QUANTILE)


@dataclass(frozen=True, slots=True)
class Suspect:
    """A moment that has to be judged, because the rule might trip at it."""

    at_us: int
    trips: bool  # on what was seen
    lost: bool  # if what was lost was bad


def only_grows(rule: Rule) -> bool:
    """Whether what a rule looks at only ever grows, and totals tell what it comes to."""
    anchored = len(rule.scopes) == 1 and rule.scopes[0].kind is ScopeKind.SINCE
    totalled = rule.take.take in _TOTALLED and rule.tolerate is None
    return anchored and totalled and rule.versus is None and rule.bands.fail is not None


def suspects(rule: Rule, slice_: Slice, terms: Terms) -> Iterator[Suspect]:
    """The moments at which such a rule might trip; at no other does it, whatever was lost.

    ``slice_`` is what it looks at in the end.
    """
    totals = _Totals(rule, slice_.need, terms.level)
    for moment, items in groupby(slice_.seen, key=event_time):
        for item in items:
            if isinstance(item.value, Hole):
                totals.lose(item.value.n)
                continue
            for value, count in item.value:
                totals.take(value, count, item.slot)
        found = Suspect(moment, totals.may_trip(), totals.may_have_tripped())
        if found.trips or found.lost:
            yield found


class _Totals:
    """What a rule takes of the slots so far."""

    def __init__(self, rule: Rule, need: int, level: float) -> None:
        self._rule, self._need, self._level = rule, need, level
        self._counts = rule.confidence is not None or rule.take.take in (Take.SHARE, Take.QUANTILE)
        self._unclear = False  # there are values that the rule cannot take
        self._unknown = False  # something was lost of which nobody knows how much
        self._n = self._lost = 0
        self._sum = Fraction(0)
        self._ends: tuple[Fraction, Fraction] | None = None
        self._good = self._bad = 0

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        """Take in a value that was seen some times."""
        self._n += count
        if self._counts:
            counted = outcomes(self._rule, [(value, count, slot)])
            if isinstance(counted, str):
                self._unclear = True
                return
            self._good, self._bad = self._good + counted[0], self._bad + counted[1]
            return
        self._unclear |= self._rule.take.take is Take.RATE and not 0 <= value <= 1
        self._sum += value * count
        low, high = self._ends or (value, value)
        self._ends = min(low, value), max(high, value)

    def lose(self, n: int | None) -> None:
        """Take in that some values were lost."""
        self._unknown |= n is None
        self._lost += 1 if n is None else n

    def may_trip(self) -> bool:
        """Whether it fails even if all that was lost was good."""
        if self._unclear or (self._unknown and self._rule.take.take not in _EXTREME):
            return self._unclear
        return self._n + self._lost >= self._need and self._fails(harmful=False)

    def may_have_tripped(self) -> bool:
        """Whether something was lost, and it fails if that was bad."""
        if self._unclear or self._unknown or not self._lost:
            return self._unclear or self._unknown
        return self._n + self._lost >= self._need and self._fails(harmful=True)

    def _fails(self, *, harmful: bool) -> bool:
        """Whether it fails with what was lost filled in."""
        if self._counts:
            worse = self._lost if harmful else 0
            return self._outcomes_fail(self._good + self._lost - worse, self._bad + worse)
        value = self._filled(harmful=harmful)
        if value is None:
            return harmful
        return band(self._rule.bands, value) is Verdict.FAIL

    def _filled(self, *, harmful: bool) -> Fraction | None:
        """What is taken, None where what was lost alone decides it."""
        n = self._n + self._lost
        match self._rule.take.take:
            case Take.COUNT:
                return Fraction(n)
            case Take.RATE:
                good = self._rule.bands.passes.upward is not harmful
                return (self._sum + good * self._lost) / n if n else None
            case _ if not self._n or (self._lost and harmful):
                return None
            case Take.MIN | Take.MAX as take:
                return self._ends[take is Take.MAX] if self._ends else None
            case _ if self._lost:
                return None
            case Take.SUM:
                return self._sum
            case _:
                return self._sum / n

    def _outcomes_fail(self, good: int, bad: int) -> bool:
        fail, quantile = self._rule.bands.fail, self._rule.take.quantile
        assert fail is not None
        if self._rule.confidence is not None:
            asked = outcomes(self._rule, [])
            assert not isinstance(asked, str)
            return trips(self._rule, (good, bad, asked[2]), ScopeKind.SINCE, self._level)
        if quantile is None:
            n = good + bad
            return bool(n) and fail.holds(Fraction(bad if fail.upward else good, n))
        rank = max(1, ceil(quantile * (good + bad)))
        return good < rank if fail.upward else bad >= rank
