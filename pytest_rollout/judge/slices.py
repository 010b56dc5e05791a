"""Which slots one look judges: by scope and time, never by value.

A comparison has two sides. Whatever is looked at, both are cut in one place, :func:`cut_both`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.series import Absent, Groups, Series, Sides, absences, expected
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.rule import Rule, Scope, ScopeKind, Take, Versus
from pytest_rollout.model.windows import Hours


@dataclass(frozen=True, slots=True)
class Reach:
    """What the edges of scopes depend on: the moment of the look, the begin, the deciding run."""

    at_us: int
    begun_us: int | None
    run: str
    zone: str
    nights: Hours | None = None

    @classmethod
    def of(cls, case: Case) -> Reach:
        """Return the reach of a case's own moment."""
        world, plan = case.world, case.plan
        return cls(case.at_us, world.begun_us, world.run.id, plan.timezone, plan.nights)

    def bounds(self, scope: Scope, at_us: int | None = None) -> tuple[int | None, int]:
        """Return the event times that a scope reaches; nothing later than the look is in it.

        The look is at the reach's own moment, unless another is told.
        """
        moment = self.at_us if at_us is None else at_us
        start, end = calendar.bounds(scope, moment, self.begun_us, self.zone, self.nights)
        return start, moment if end is None else min(end, moment)

    def left_behind(self, rule: Rule, at_us: int) -> int | None:
        """Return up to when nothing is in any look of a rule from a moment on; None: nobody knows.

        A window of time only moves on. What is counted, or fixed by the plan, may be of any time.
        """
        fixed = rule.versus is not None and rule.versus.fixed
        if fixed or rule.per is not None or rule.streak is not None:
            return None
        starts = [self.bounds(scope, at_us)[0] for scope in rule.scopes]
        known = [start for start in starts if start is not None]
        return min(*known, at_us - 1) if len(known) == len(starts) else None


@dataclass(frozen=True)
class Slice:
    """The slots of one group that one look judges, and those of the other side."""

    group: Labels
    own: tuple[Seen, ...]
    scope: Scope
    need: int  # opportunities asked for; a group that the plan does not list asks for one
    other: tuple[Seen, ...] = ()
    begun: bool = True  # whether the phase was begun

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        """The slots that should hold a value and do not."""
        return tuple(seen.value for seen in self.own if isinstance(seen.value, Hole))

    @cached_property
    def unknown(self) -> int:
        """How many of its holes stood for nobody knows how many opportunities."""
        return sum(hole.n is None for hole in self.holes)

    @cached_property
    def n(self) -> int:
        """How many opportunities there were; a hole is at least one."""
        n = 0
        for seen in self.own:
            held = seen.value
            if isinstance(held, Hole):
                n += 1 if held.n is None else held.n
            else:
                n += held[0][1] if len(held) == 1 else sum(count for _, count in held)
        return n

    @cached_property
    def other_holes(self) -> tuple[Hole, ...]:
        """The holes of the other side."""
        return tuple(seen.value for seen in self.other if isinstance(seen.value, Hole))


def slices(rule: Rule, groups: Groups, reach: Reach) -> tuple[list[Slice], list[Absent]]:
    """Return one slice for each group in reach, and the counts of groups that fall short.

    A group that the plan does not list counts only where one of its slots is in reach.
    """
    listed = set(expected(rule.each))
    every = [slice_of(rule, group, sides, reach) for group, sides in groups.items()]
    kept = [slice_ for slice_ in every if slice_.own or slice_.group in listed]
    return kept, absences(rule.each, [slice_.group for slice_ in kept])


def slice_of(rule: Rule, group: Labels, sides: Sides, reach: Reach) -> Slice:
    """Return the slice of one group: of the first scope with enough in it, else with most.

    What was lost may have been enough, so a scope with a hole of unknown weight decides too:
    a lost value never moves the judgement to other slots.
    """
    tried: list[Slice] = []
    for scope in rule.scopes:
        need = needed(rule, scope, group)
        own, other = cut_both(rule, sides, reach, partial(cut, scope, reach=reach))
        slice_ = Slice(group, own, scope, need, other, begun=reach.begun_us is not None)
        if slice_.n >= need or slice_.unknown:
            return slice_
        tried.append(slice_)
    return max(tried, key=lambda candidate: candidate.n)


def needed(rule: Rule, scope: Scope, group: Labels) -> int:
    """Return how many samples of a group a scope asks for: one of those that nobody lists."""
    full = any(each.at_least for each in rule.each) or group in expected(rule.each)
    return least(rule, scope.need if full else 1)


def least(rule: Rule, need: int) -> int:
    """Return how many samples a slice needs: growth takes two readings."""
    return max(need, 2) if rule.take.take is Take.INCREASE else need


def cut(scope: Scope, series: Series, reach: Reach) -> tuple[Seen, ...]:
    """Return the slots that a scope reaches at a look."""
    if scope.kind in (ScopeKind.RUN, ScopeKind.AGE):
        series = series.of_run(reach.run)
    start, end = reach.bounds(scope)
    return series.between(start, end, scope.last if scope.kind is ScopeKind.LAST else None)


def cut_both(
    rule: Rule, sides: Sides, reach: Reach, choose: Callable[[Series], tuple[Seen, ...]]
) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
    """Return both sides of a look by one choice, or the other side as the plan fixes it."""
    own, versus = choose(sides.own), rule.versus
    if versus is None:
        return own, ()
    fixed = fixed_side(versus, sides, reach)
    return own, choose(sides.other) if fixed is None else fixed


def fixed_side(versus: Versus, sides: Sides, reach: Reach) -> tuple[Seen, ...] | None:
    """Return the other side as the plan fixes it; None where each look cuts it as its own."""
    if versus.release is not None:
        return tuple(sides.other.items)
    if versus.frozen:
        begun = reach.begun_us
        return () if begun is None else sides.other.between(None, begun)
    return None
