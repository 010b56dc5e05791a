"""The moments at which a guardrail may trip, found in one pass over its slots.

What a scope reaches moves on with time: slots come in at one end, and leave at the other. Two
tallies of the same take go along, one with what is lost filled with what helps, one with what
harms. At a moment at which nothing comes in and nothing leaves, nothing can change.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_rollout import calendar
from pytest_rollout.judge.moving import moving_of
from pytest_rollout.judge.series import Series, Sides
from pytest_rollout.judge.slices import Reach, least, needed
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.rule import Rule, Scope, ScopeKind, Take


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a group at a moment, as its slice would be judged then."""

    at_us: int
    trips: bool  # on what was seen
    lost: bool  # if what was lost was bad
    few: bool  # too little to judge, with nothing lost
    empty: bool  # nothing is in reach


def in_one_pass(rule: Rule) -> bool:
    """Return whether one pass tells how a rule's looks at each of its slots end."""
    return rule.versus is None and rule.per is None


def standings(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> Iterator[Standing]:
    """Yield how a group stands at those of some moments at which that may change, in order."""
    series = sides.own
    needs = [needed(rule, scope, group) for scope in rule.scopes]
    windows = [
        _Window(rule, scope, need, series, moments, reach, terms)
        for scope, need in zip(rule.scopes, needs, strict=True)
    ]
    for moment in _changes(series, moments, windows):
        yield _deciding(windows, moment).standing(moment)


def _deciding(windows: Sequence[_Window], moment: int) -> _Window:
    """The first scope with enough in it, or with what nobody knows, else the one with most."""
    for window in windows:
        window.move(moment)
        if window.n >= window.need or window.unknown:
            return window
    return max(windows, key=lambda window: window.n)


def _changes(series: Series, moments: Sequence[int], windows: Sequence[_Window]) -> Sequence[int]:
    """The first of some moments, and those before which a slot came into a scope or left it."""
    if len(moments) <= 2 * len(series.times):
        return moments
    edges = {moments[0], *series.times}
    for window in windows:
        edges.update(window.edges())
    places = {bisect_left(moments, edge) for edge in edges}
    return [moments[place] for place in sorted(places) if place < len(moments)]


class _Window:
    """What one scope reaches of a group's slots, while time goes on."""

    def __init__(
        self,
        rule: Rule,
        scope: Scope,
        need: int,
        series: Series,
        moments: Sequence[int],
        reach: Reach,
        terms: Terms,
    ) -> None:
        if scope.kind in (ScopeKind.RUN, ScopeKind.AGE):
            series = series.of_run(reach.run)
        self.need, self.unknown = need, 0  # unknown: holes that stand for nobody knows how much
        self._scope, self._reach, self._series = scope, reach, series
        self._bounds: tuple[int | None, int] | None = None
        self._ends = _closings(scope, reach, moments)
        self._next = 0  # of the ends
        self._first = self._beyond = 0  # what is inside stands between these places
        self._helped = moving_of(rule, scope, terms)
        holed = any(isinstance(seen.value, Hole) for seen in series.items)
        self._harmed = moving_of(rule, scope, terms) if holed else None
        self._holes = self._filled = 0
        self._certain = rule.take.take in (Take.MIN, Take.MAX)  # whatever is not known
        self._least = least(rule, 1)

    @property
    def n(self) -> int:
        """How many opportunities are in it; a hole is at least one."""
        return self._helped.n

    def edges(self) -> Iterator[int]:
        """Yield the times at which something comes in or leaves, besides those of the slots."""
        if self._scope.kind in (ScopeKind.SPAN, ScopeKind.AGE):
            yield from (time + self._scope.span_us for time in self._series.times)
        yield from self._ends

    def move(self, at_us: int) -> None:
        """Take in what the scope reaches at a moment, and let go what it no longer does."""
        items, times, last = self._series.items, self._series.times, self._scope.last
        start, end = self._reached(at_us)
        counted = self._scope.kind is ScopeKind.LAST
        if not self._beyond:  # what has left before the first moment never comes in
            left = bisect_right(times, end) - last if counted else 0
            if start is not None:
                left = bisect_right(times, min(start, end))
            self._first = self._beyond = max(0, left)
        while self._beyond < len(times) and times[self._beyond] <= end:
            self._count(items[self._beyond], 1)
            self._beyond += 1
        while self._first < self._beyond and (
            self._first < self._beyond - last
            if counted
            else start is not None and times[self._first] <= start
        ):
            self._count(items[self._first], -1)
            self._first += 1

    def _reached(self, at_us: int) -> tuple[int | None, int]:
        """The bounds at a moment; of days and nights those of before until the next is over."""
        if self._scope.kind not in calendar.CLOSED:
            return self._reach.bounds(self._scope, at_us)
        passed = bisect_right(self._ends, at_us, lo=self._next)
        if self._bounds is None or passed > self._next:
            self._bounds = self._reach.bounds(self._scope, at_us)
        self._next = passed
        return self._bounds

    def _count(self, seen: Seen, sign: int) -> None:
        """Count a slot in, or out again."""
        held = seen.value
        if not isinstance(held, Hole):
            for value, count in held:
                self._helped.add(value, sign * count, seen.slot)
                if self._harmed is not None:
                    self._harmed.add(value, sign * count, seen.slot)
            return
        assert self._harmed is not None
        n = sign * (1 if held.n is None else held.n)
        self._holes, self._filled = self._holes + sign, self._filled + n
        self.unknown += sign * (held.n is None)
        self._helped.fill(n, seen.slot, harmful=False)
        self._harmed.fill(n, seen.slot, harmful=True)

    def standing(self, at_us: int) -> Standing:
        """Return how it stands, by what is inside."""
        enough = self.n >= self.need
        told, might = True, False
        if self._holes:
            assert self._harmed is not None
            known = self.n - self._filled >= self._least
            told = known and (self._certain or not self.unknown)
            might = self.unknown > 0 or (enough and self._harmed.fails())
        trips = enough and told and self._helped.fails()
        few = not enough and not self._holes
        return Standing(at_us, trips, might, few, self._first == self._beyond)


def _closings(scope: Scope, reach: Reach, moments: Sequence[int]) -> Sequence[int]:
    """Return when the days or nights of a scope close, from the first of some moments on."""
    unit = calendar.CLOSED.get(scope.kind)
    if unit is None:
        return ()
    closed = calendar.closed_since(unit, reach.zone, reach.nights, moments[0], moments[-1])
    return [bucket.end_us for bucket in closed]
