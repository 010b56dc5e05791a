"""What one scope reaches of a group's slots, while time goes on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from pytest_rollout import calendar
from pytest_rollout.judge.moving import moving_of
from pytest_rollout.judge.series import Series
from pytest_rollout.judge.slices import Reach
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.rule import Rule, Scope, ScopeKind


class Window:
    """What is in it, and two tallies of it: what is lost filled with what helps, and what harms.

    It only moves on: slots come in at one end, and leave at the other.
    """

    def __init__(
        self,
        rule: Rule,
        scope: Scope,
        series: Series,
        moments: Sequence[int],
        reach: Reach,
        terms: Terms,
    ) -> None:
        if scope.kind in (ScopeKind.RUN, ScopeKind.AGE):
            series = series.of_run(reach.run)
        self._scope, self._reach, self._series = scope, reach, series
        self._bounds: tuple[int | None, int] | None = None
        self._ends = _closings(scope, reach, moments)
        self._next = 0  # of the ends
        self._first = self._beyond = 0  # what is inside stands between these places
        self.holes = self.unknown = 0  # unknown: those that stand for nobody knows how much
        self.filled = 0  # opportunities that holes stand for, each at least one
        holed = any(isinstance(seen.value, Hole) for seen in series.items)
        self.helped = moving_of(rule, scope, terms, series.items)
        self.harmed = moving_of(rule, scope, terms, series.items) if holed else self.helped

    @property
    def n(self) -> int:
        """How many opportunities are in it; a hole is at least one."""
        return self.helped.n

    @property
    def empty(self) -> bool:
        """Whether no slot is in it."""
        return self._first == self._beyond

    def edges(self) -> Iterator[int]:
        """Yield the times at which something comes in or leaves, or just may."""
        yield from self._series.times
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
                self.helped.add(value, sign * count, seen.slot)
                if self.harmed is not self.helped:
                    self.harmed.add(value, sign * count, seen.slot)
            return
        n = sign * (1 if held.n is None else held.n)
        self.holes, self.filled = self.holes + sign, self.filled + n
        self.unknown += sign * (held.n is None)
        self.helped.fill(n, seen.slot, harmful=False)
        self.harmed.fill(n, seen.slot, harmful=True)


def _closings(scope: Scope, reach: Reach, moments: Sequence[int]) -> Sequence[int]:
    """Return when the days or nights of a scope close, from the first of some moments on."""
    unit = calendar.CLOSED.get(scope.kind)
    if unit is None:
        return ()
    closed = calendar.closed_since(unit, reach.zone, reach.nights, moments[0], moments[-1])
    return [bucket.end_us for bucket in closed]
