"""Tallies of a window that moves: what is oldest leaves it by a negative count.

Where a take adds up, to add so many less is to take them out again. The others know here which
samples are left. What is not compared is only asked whether it fails, so an order statistic does
not keep values then: it counts those that would fail.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from fractions import Fraction

from pytest_rollout.judge.intervals import band
from pytest_rollout.judge.outcomes import Quantile
from pytest_rollout.judge.takes import Extremum, Increase, Last, Tolerated, kind_of, weighted
from pytest_rollout.judge.tally import BEYOND, Tally, Terms, extreme
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.rule import Rule, Scope, Take
from pytest_rollout.model.verdict import Verdict


class _Quantile(Quantile):
    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if band(self.rule.bands, value) is Verdict.FAIL:
            self._bad_ones += count


class _Extremum(Extremum):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._bad = 0
        self._one_is_enough = self._largest is not rule.bands.passes.upward

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if band(self.rule.bands, value) is Verdict.FAIL:
            self._bad += count

    def fails(self) -> bool:
        return self._bad > 0 and (self._one_is_enough or self._bad == self.n)


class _Last(Last):
    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if count > 0:  # the newest one only leaves where nothing else is left
            super().take(value, count, slot)


class _Increase(Increase):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._steps: deque[Fraction] = deque()  # by how much each reading grew from the one before

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        if count > 0:
            before = self._grown
            super().take(value, count, slot)
            self._steps.append(self._grown - before)
            return
        self._steps.popleft()
        if not self._steps:
            self._last = None
            return
        self._grown -= self._steps[0]
        self._steps[0] = Fraction(0)

    def fill(self, count: int, slot: Slot, *, harmful: bool) -> None:
        super().fill(count, slot, harmful=harmful)
        if count < 0 and self.rule.bands.passes.upward is not harmful:
            self._grown -= 2 * BEYOND  # which was added once more


class _Tolerated(Tolerated):
    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        limits = rule.tolerate
        assert limits is not None
        self._limit = limits.in_a_row
        self._rows: deque[int] = deque()  # bad ones that follow each other
        self._long = 0  # rows beyond the limit
        self._open = False  # whether the newest sample belongs to the newest row

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        bad = band(self.rule.bands, value) not in (Verdict.PASS, Verdict.WARN)
        if bad:
            self._bad += count
            if count > 0 and not (self._open and self._rows):
                self._rows.append(0)
            self._lengthen(-1 if count > 0 else 0, count)
        if count > 0:
            self._open = bad

    def _lengthen(self, place: int, count: int) -> None:
        before = self._rows[place]
        self._rows[place] = before + count
        if self._limit is not None:
            self._long += (before + count > self._limit) - (before > self._limit)
        if not self._rows[place]:
            self._rows.popleft()

    def fails(self) -> bool:
        limits = self.rule.tolerate
        assert limits is not None
        return self._bad > limits.failures or self._long > 0


class _Best(Extremum):
    """The smallest or largest of a window, and of what came in after it, and so on."""

    def __init__(self, rule: Rule, scope: Scope, terms: Terms) -> None:
        super().__init__(rule, scope, terms)
        self._best: deque[tuple[Fraction, int]] = deque()  # with how many samples up to each

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        best = self._best
        if count < 0:
            first, left = best.popleft()
            if left + count:
                best.appendleft((first, left + count))
            return
        while best and (best[-1][0] <= value if self._largest else best[-1][0] >= value):
            count += best.pop()[1]
        best.append((value, count))

    def value(self) -> Fraction | None:
        return self._best[0][0] if self._best else None


class _Ranked(Quantile):
    """A quantile of a window by how many samples there are of each value.

    The counts stand in a tree of sums (Fenwick 1994), so that to change one and to find a rank
    takes as many steps as the number of different values has binary digits.
    """

    def __init__(self, rule: Rule, scope: Scope, terms: Terms, seen: Iterable[Seen]) -> None:
        super().__init__(rule, scope, terms)
        found = {value for value, _, _ in weighted(seen)}
        found |= {extreme(rule, harmful=harmful) for harmful in (True, False)}
        self._different = sorted(found)
        self._place = {value: place for place, value in enumerate(self._different, 1)}
        self._sums = [0] * (len(found) + 1)

    def take(self, value: Fraction, count: int, slot: Slot) -> None:
        place = self._place[value]
        while place < len(self._sums):
            self._sums[place] += count
            place += place & -place

    def value(self) -> Fraction:
        place, left = 0, self._rank()
        step = 1 << len(self._sums).bit_length()
        while step := step >> 1:
            further = place + step
            if further < len(self._sums) and self._sums[further] < left:
                place, left = further, left - self._sums[further]
        return self._different[place]


_MOVING: dict[Take, type[Tally]] = {
    Take.MIN: _Extremum,
    Take.MAX: _Extremum,
    Take.LAST: _Last,
    Take.INCREASE: _Increase,
    Take.QUANTILE: _Quantile,
}


def moving_of(rule: Rule, scope: Scope, terms: Terms, seen: Iterable[Seen]) -> Tally:
    """Return a new tally for a rule, of slots that will come in, in order, and leave.

    It knows how much it holds, and whether it fails; of a comparison its value instead.
    """
    take = rule.take.take
    if rule.tolerate is not None:
        return _Tolerated(rule, scope, terms)
    if rule.versus is not None and take is Take.QUANTILE:
        return _Ranked(rule, scope, terms, seen)
    if rule.versus is not None and take in (Take.MIN, Take.MAX):
        return _Best(rule, scope, terms)
    return _MOVING.get(take, kind_of(rule))(rule, scope, terms)
