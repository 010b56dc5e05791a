"""The moments at which a guardrail may trip, found in one pass over its slots.

What a scope reaches moves on with time: slots come in at one end, and leave at the other. Two
tallies of the same take go along, one with what is lost filled with what helps, one with what
harms. At a moment at which nothing comes in and nothing leaves, nothing can change.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_rollout.judge.intervals import band
from pytest_rollout.judge.series import Series, Sides
from pytest_rollout.judge.slices import Reach, Slice, fixed_side, least, needed
from pytest_rollout.judge.sliding import Window
from pytest_rollout.judge.tally import Tally, Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.rule import Bands, Rule, Scope, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict

_ALL = Scope(ScopeKind.LAST, 1, last=2**63)  # of a side that the plan fixes


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a group at a moment, as its slice would be judged then."""

    at_us: int
    trips: bool  # on what was seen
    lost: bool  # if what was lost was bad
    few: bool  # too little to judge, with nothing lost
    good: bool = False  # it is judged, on what is all there, and does not fail
    empty: bool = False  # nothing is in reach
    slice_: Slice | None = None  # that it was found of, where it is at hand


def in_one_pass(rule: Rule) -> bool:
    """Return whether one pass tells how a rule's looks at each of its slots end."""
    return rule.per is None and rule.nightly is None and rule.in_theorem


def ends_in_one_pass(rule: Rule) -> bool:
    """Return whether one pass tells how a criterion's looks end, with their bounds if it has any.

    Bounds of a mean, of a quantile and of a comparison are of all values, so each has its own look.
    """
    counted = rule.versus is None and rule.take.take in (Take.RATE, Take.SHARE)
    return in_one_pass(rule) and (rule.confidence is None or counted)


def standings(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> Iterator[Standing]:
    """Yield how a group stands at each of some moments, in order."""
    ways = _ways(rule, group, sides, moments, reach, terms)
    return (_deciding(ways, moment).standing(moment) for moment in moments)


def changes(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> Iterator[Standing]:
    """Yield how a group stands at those of some moments at which that may change, in order.

    These are the first of them, and each that is the first after a slot came into a scope or left.
    """
    ways = _ways(rule, group, sides, moments, reach, terms)
    if len(moments) > 2 * len(sides.own.times):
        edges = {moments[0]}.union(*(way.edges() for way in ways))
        places = {bisect_left(moments, edge) for edge in edges}
        moments = [moments[place] for place in sorted(places) if place < len(moments)]
    return (_deciding(ways, moment).standing(moment) for moment in moments)


def endings(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> list[Verdict | None]:
    """Return how a criterion's looks at a group end, at some moments in order.

    PASS or WARN, FAIL for whatever is not good, and None for too little with nothing lost.
    """
    passes, warn = rule.bands.passes, rule.bands.warn
    within = replace(rule, bands=Bands(passes))
    found = [
        Verdict.PASS if at.good else None if at.few else Verdict.FAIL
        for at in standings(within, group, sides, moments, reach, terms)
    ]
    if warn is None or rule.tolerate is not None:
        return found
    better = replace(rule, bands=Bands(warn.opposite))
    return [
        Verdict.WARN if verdict is Verdict.PASS and not at.good else verdict
        for verdict, at in zip(
            found, standings(better, group, sides, moments, reach, terms), strict=True
        )
    ]


def _ways(
    rule: Rule, group: Labels, sides: Sides, moments: Sequence[int], reach: Reach, terms: Terms
) -> list[_Way]:
    return [_Way(rule, scope, group, sides, moments, reach, terms) for scope in rule.scopes]


def _deciding(ways: Sequence[_Way], moment: int) -> _Way:
    """The first scope with enough in it, or with what nobody knows, else the one with most."""
    for way in ways:
        way.own.move(moment)
        if way.own.n >= way.need or way.own.unknown:
            return way
    return max(ways, key=lambda way: way.own.n)


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
        self._bounded = rule.confidence is not None and not terms.watched
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
        whole = enough and not own.holes
        if self._other is None:
            trips = told and own.helped.fails()
            might = own.holes > 0 and (own.unknown > 0 or (enough and own.harmed.fails()))
            good = whole and (self._surely_passes() if self._bounded else not trips)
            return Standing(at_us, trips, might, few, good, own.empty)
        self._other.move(at_us)
        beside = self._other.n >= self.need and not self._other.holes
        found = self._apart(own.helped) if beside else None
        trips = told and found is Verdict.FAIL
        good = whole and found is not None and not trips
        return Standing(at_us, trips, self._might(enough, beside, found), few, good, own.empty)

    def _surely_passes(self) -> bool:
        bound = self.own.helped.interval()
        return bound is not None and bound.inside(self._rule.bands.passes)

    def _might(self, enough: bool, beside: bool, found: Verdict | None) -> bool:
        """Whether what is lost of either side, or a ratio of nothing, may hide that it trips."""
        own, other = self.own, self._other
        assert other is not None
        if other.holes or (enough and beside and found is None):
            return own.n > 0
        if not own.holes:
            return False
        return own.unknown > 0 or (enough and self._apart(own.harmed) in (None, Verdict.FAIL))

    @property
    def _ratio(self) -> bool:
        return self._rule.versus is not None and self._rule.versus.ratio

    def _apart(self, tally: Tally) -> Verdict | None:
        """Where the difference, or the ratio, to the other side lies; None where there is none."""
        assert self._other is not None
        value = tally.value() if tally.n else None
        base = self._other.helped.value() if self._other.n else None
        if value is None or base is None or (self._ratio and base <= 0):
            return None
        return band(self._rule.bands, value / base if self._ratio else value - base)
