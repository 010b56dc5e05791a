"""The moments at which a guardrail may trip, found in one pass over its slots.

What a scope reaches moves on with time: slots come in at one end, and leave at the other. Two
tallies of the same take go along, one with what is lost filled with what helps, one with what
harms. At a moment at which nothing comes in and nothing leaves, nothing can change.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_rollout.judge.intervals import band
from pytest_rollout.judge.series import Series, Sides
from pytest_rollout.judge.slices import Reach, Slice, fixed_side, least, needed
from pytest_rollout.judge.sliding import Window
from pytest_rollout.judge.tally import Tally, Terms
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.rule import Rule, Scope, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict

_ALL = Scope(ScopeKind.LAST, 1, last=2**63)  # of a side that the plan fixes


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a group at a moment, as its slice would be judged then."""

    at_us: int
    trips: bool  # on what was seen
    lost: bool  # if what was lost was bad
    few: bool  # too little to judge, with nothing lost
    empty: bool = False  # nothing is in reach
    slice_: Slice | None = None  # that it was found of, where it is at hand


def in_one_pass(rule: Rule) -> bool:
    """Return whether one pass tells how a rule's looks at each of its slots end."""
    return rule.per is None and rule.nightly is None and rule.in_theorem


def standings(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> Iterator[Standing]:
    """Yield how a group stands at those of some moments at which that may change, in order."""
    ways = [_Way(rule, scope, group, sides, moments, reach, terms) for scope in rule.scopes]
    for moment in _changes(sides, moments, ways):
        yield _deciding(ways, moment).standing(moment)


def _deciding(ways: Sequence[_Way], moment: int) -> _Way:
    """The first scope with enough in it, or with what nobody knows, else the one with most."""
    for way in ways:
        way.own.move(moment)
        if way.own.n >= way.need or way.own.unknown:
            return way
    return max(ways, key=lambda way: way.own.n)


def _changes(sides: Sides, moments: Sequence[int], ways: Sequence[_Way]) -> Sequence[int]:
    """The first of some moments, and those before which a slot came into a scope or left it."""
    if len(moments) <= 2 * len(sides.own.times):
        return moments
    edges = {moments[0]}
    for way in ways:
        edges.update(way.edges())
    places = {bisect_left(moments, edge) for edge in edges}
    return [moments[place] for place in sorted(places) if place < len(moments)]


class _Way:
    """One scope, by which a group may be judged: its own side, and what it is compared with."""

    def __init__(
        self,
        rule: Rule,
        scope: Scope,
        group: Labels,
        sides: Sides,
        moments: Sequence[int],
        reach: Reach,
        terms: Terms,
    ) -> None:
        self.need = needed(rule, scope, group)
        self.own = Window(rule, scope, sides.own, moments, reach, terms)
        self._rule = rule
        self._certain = rule.take.take in (Take.MIN, Take.MAX)  # whatever is not known
        self._least = least(rule, 1)
        self._other: Window | None = None
        if rule.versus is not None:
            fixed = fixed_side(rule.versus, sides, reach)
            other, over = sides.other, scope
            if fixed is not None:  # it is all there from the first moment on
                other, over = Series(fixed, [moments[0]] * len(fixed)), _ALL
            self._other = Window(rule, over, other, moments, reach, terms)

    def edges(self) -> Iterator[int]:
        """Yield the times at which something comes into its windows or leaves, or just may."""
        yield from self.own.edges()
        if self._other is not None:
            yield from self._other.edges()

    def standing(self, at_us: int) -> Standing:
        """Return how the group stands, by what is inside."""
        own = self.own
        enough = own.n >= self.need
        told = enough
        if own.holes:
            known = own.n - own.filled >= self._least
            told = enough and known and (self._certain or not own.unknown)
        few = not enough and not own.holes
        if self._other is not None:
            return self._compared(self._other, at_us, told=told, few=few)
        trips = told and own.helped.fails()
        might = own.holes > 0 and (own.unknown > 0 or (enough and own.harmed.fails()))
        return Standing(at_us, trips, might, few, own.empty)

    def _compared(self, other: Window, at_us: int, *, told: bool, few: bool) -> Standing:
        """How it stands beside the other side, whose holes nothing is put in the place of."""
        other.move(at_us)
        own, enough = self.own, self.own.n >= self.need
        beside = other.n >= self.need and not other.holes
        base = other.helped.value() if other.n > other.filled else None
        undefined = self._ratio and base is not None and base <= 0 and enough and beside
        trips = told and beside and self._apart(own.helped, base) is Verdict.FAIL
        if other.holes or undefined:
            might = own.n > 0
        else:
            might = own.holes > 0 and (
                own.unknown > 0
                or (enough and self._apart(own.harmed, base) in (None, Verdict.FAIL))
            )
        return Standing(at_us, trips, might, few, own.empty)

    @property
    def _ratio(self) -> bool:
        return self._rule.versus is not None and self._rule.versus.ratio

    def _apart(self, tally: Tally, base: Fraction | None) -> Verdict | None:
        """Where the difference, or the ratio, to the other side lies; None where there is none."""
        value = tally.value() if tally.n else None
        if value is None or base is None or (self._ratio and base <= 0):
            return None
        return band(self._rule.bands, value / base if self._ratio else value - base)
