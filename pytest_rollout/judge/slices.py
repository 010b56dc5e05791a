"""Which slots a rule looks at: by series, labels, group, scope and time, never by value.

A comparison has two sides. Whatever is looked at, both are cut in one place, :func:`cut_both`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import product

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.model.evidence import Hole, Lost, Seen, Slot
from pytest_rollout.model.finding import Labels, Reason
from pytest_rollout.model.rule import PREVIOUS, Each, Rule, Scope, ScopeKind, Take
from pytest_rollout.model.windows import Hours

_UNLABELLED = "?"
_AFTER_ALL = 2**62  # a sequence beyond that of anything observed at the same time
_STALE = Reason("hole.stale")
_TWICE = Reason("hole.twice")


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

    def bounds(self, scope: Scope) -> tuple[int | None, int]:
        """Return the event times that a scope reaches; nothing later than the look is in it."""
        start, end = calendar.bounds(scope, self.at_us, self.begun_us, self.zone, self.nights)
        return start, self.at_us if end is None else min(end, self.at_us)


@dataclass(frozen=True)
class Series:
    """Slots in order of event time, with their times."""

    items: Sequence[Seen] = ()
    times: Sequence[int] = ()

    @classmethod
    def of(cls, items: Sequence[Seen]) -> Series:
        """Return slots that stand in order of event time already."""
        return cls(items, [seen.slot.t_us for seen in items])

    def between(self, start: int | None, end: int) -> tuple[Seen, ...]:
        """Return the slots after a start and up to an end."""
        first = 0 if start is None else bisect_right(self.times, start)
        return tuple(self.items[first : bisect_right(self.times, end)])

    @cached_property
    def by_run(self) -> Mapping[str, Series]:
        """The slots that each run saw."""
        runs: dict[str, list[Seen]] = {}
        for seen in self.items:
            runs.setdefault(seen.run, []).append(seen)
        return {run: Series.of(items) for run, items in runs.items()}

    def of_run(self, run: str) -> Series:
        """Return the slots that one run saw."""
        return self.by_run.get(run, _NOTHING)


_NOTHING = Series()


@dataclass(frozen=True, slots=True)
class Sides:
    """All that was seen of one group: its own side, and what it is compared with."""

    own: Series = field(default_factory=Series)
    other: Series = field(default_factory=Series)
    ahead: tuple[Seen, ...] = ()  # from after the moment of judging, of either side


Groups = Mapping[Labels, Sides]


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
        return self.unknown + sum(opportunities(seen) or 0 for seen in self.own)

    @cached_property
    def other_holes(self) -> tuple[Hole, ...]:
        """The holes of the other side."""
        return tuple(seen.value for seen in self.other if isinstance(seen.value, Hole))


@dataclass(frozen=True, slots=True)
class Absent:
    """Expected groups that nothing was seen of."""

    label: str
    found: int
    expected: int
    within: Labels = ()  # the listed group in which they were expected


def opportunities(seen: Seen) -> int | None:
    """Return how many chances for a bad value one slot stands for; None where nobody knows."""
    if isinstance(seen.value, Hole):
        return seen.value.n
    if len(seen.value) == 1:
        return seen.value[0][1]
    return sum(count for _, count in seen.value)


def event_time(seen: Seen) -> int:
    """Return when it happened, in microseconds since the epoch."""
    return seen.slot.t_us


def recorded(seen: Seen) -> tuple[int, str]:
    """Return when and by which run it was recorded; reports may come in any order."""
    return seen.seen_us, seen.run


def of_series(where: Mapping[str, str], seen: Iterable[Seen]) -> list[Seen]:
    """Return what has some labels, of what was recorded in a series."""
    wanted = where.items()
    if not wanted:
        return list(seen)
    return [item for item in seen if wanted <= dict(item.slot.labels).items()]


def own_side(rule: Rule, case: Case) -> list[Seen]:
    """Return what was recorded in a rule's series with its labels, and what may be lost of it."""
    seen = of_series(rule.where, case.series(rule.metric))
    return [*seen, *_lost(rule, rule.metric, rule.where, case.world.lost)]


def _lost(
    rule: Rule, series: str, where: Mapping[str, str], lost: Iterable[Lost]
) -> Iterator[Seen]:
    """What may be lost of a series: a hole of unknown weight in each group that is expected."""
    for one in lost:
        if one.series is not None and series not in one.series:
            continue
        for group in expected(rule.each) or [()]:
            labels = tuple(sorted({**where, **dict(group)}.items()))
            slot = Slot(series, labels, one.t_us, _AFTER_ALL)
            yield Seen(slot, Hole(one.why), one.t_us, one.run)


def other_side(rule: Rule, case: Case) -> list[Seen]:
    """Return what a rule is compared with, before it is cut.

    What may be lost of it counts unless the plan fixes it: that is what runs saw to their end.
    """
    versus = rule.versus
    if versus is None:
        return []
    past = [seen for seen in case.world.past if seen.slot.series == versus.metric]
    if versus.release is not None:
        named = case.world.previous if versus.release == PREVIOUS else versus.release
        return of_series(versus.where, [s for s in past if named and s.release == named])
    seen = of_series(versus.where, [*(past if versus.frozen else ()), *case.series(versus.metric)])
    if versus.frozen:
        return seen
    return [*seen, *_lost(rule, versus.metric, versus.where, case.world.lost)]


def aged(seen: Iterable[Seen], oldest_us: int) -> Iterator[Seen]:
    """Yield what was seen, with a hole for all that was recorded too long ago."""
    for item in seen:
        stale = item.seen_us < oldest_us
        yield replace(item, value=Hole(_STALE, opportunities(item))) if stale else item


def once(seen: Iterable[Seen]) -> list[Seen]:
    """Return slots in order of event time, each once, as it was recorded first.

    A slot that was recorded twice with different values is a hole: neither is known to be it.
    """
    chosen: dict[object, Seen] = {}
    for item in sorted(seen, key=recorded):
        first = chosen.setdefault(item.slot, item)
        if first is not item and first.value != item.value:
            n = opportunities(first) if opportunities(first) == opportunities(item) else None
            chosen[item.slot] = replace(first, value=Hole(_TWICE, n))
    return sorted(chosen.values(), key=_order)


def _order(seen: Seen) -> tuple[int, int, Labels]:
    return seen.slot.t_us, seen.slot.seq, seen.slot.labels


def grouped(rule: Rule, own: Iterable[Seen], other: Iterable[Seen], at_us: int) -> Groups:
    """Return both sides of each group, the expected groups first and even where nothing is.

    What happened after ``at_us`` stands apart: somebody's clock is wrong, and it may belong
    to any look.
    """
    fixed = rule.versus is not None and rule.versus.release is not None
    owns, later = _split(rule, own, at_us)
    others, later_others = _split(rule, other, 2**63 if fixed else at_us)
    names = dict.fromkeys([*expected(rule.each), *owns, *later])
    return {
        group: Sides(
            Series.of(owns.get(group, [])),
            Series.of(others.get(group, [])),
            (*later.get(group, ()), *later_others.get(group, ())),
        )
        for group in names
    }


def _split(
    rule: Rule, seen: Iterable[Seen], at_us: int
) -> tuple[dict[Labels, list[Seen]], dict[Labels, list[Seen]]]:
    """The slots of each group that happened, and those that are still to come."""
    happened: dict[Labels, list[Seen]] = {}
    ahead: dict[Labels, list[Seen]] = {}
    for item in once(seen):
        groups = happened if item.slot.t_us <= at_us else ahead
        groups.setdefault(_group(rule.each, item), []).append(item)
    return happened, ahead


def expected(each: tuple[Each, ...]) -> list[Labels]:
    """Return the groups that the plan lists by name; a rule without `each` has one, nameless."""
    if any(item.at_least for item in each):
        return []
    return _listed(each)


def _listed(each: tuple[Each, ...]) -> list[Labels]:
    names = [[(item.label, name) for name in item.names] for item in each if not item.at_least]
    return [tuple(sorted(pairs)) for pairs in product(*names)]


def _group(each: tuple[Each, ...], seen: Seen) -> Labels:
    if not each:
        return ()
    labels = dict(seen.slot.labels)
    return tuple(sorted((item.label, labels.get(item.label, _UNLABELLED)) for item in each))


def absences(each: tuple[Each, ...], groups: Sequence[Labels]) -> list[Absent]:
    """Return, of a count, where too few groups were seen: in each group that is listed."""
    short = []
    for item in each:
        for within in _listed(each) if item.at_least else ():
            inside = (dict(group) for group in groups if set(within) <= set(group))
            names = {group[item.label] for group in inside} - {_UNLABELLED}
            if item.at_least > len(names):
                short.append(Absent(item.label, len(names), item.at_least, within))
    return short


def resolved(rule: Rule, case: Case) -> Rule:
    """Return the rule with the groups that it expects because another series has them."""
    if not any(each.source for each in rule.each):
        return rule
    return replace(rule, each=tuple(_resolved(each, case) for each in rule.each))


def _resolved(each: Each, case: Case) -> Each:
    if each.source is None:
        return each
    labels = (dict(seen.slot.labels) for seen in case.series(each.source))
    names = tuple(sorted({known[each.label] for known in labels if each.label in known}))
    enough = len(names) >= each.at_least
    return Each(each.label, names) if enough else Each(each.label, at_least=each.at_least)


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
    full = any(each.at_least for each in rule.each) or group in expected(rule.each)
    tried: list[Slice] = []
    for scope in rule.scopes:
        need = least(rule, scope.need if full else 1)
        own, other = cut_both(rule, sides, reach, partial(cut, scope, reach=reach))
        slice_ = Slice(group, own, scope, need, other, begun=reach.begun_us is not None)
        if slice_.n >= need or slice_.unknown:
            return slice_
        tried.append(slice_)
    return max(tried, key=lambda one: one.n)


def least(rule: Rule, need: int) -> int:
    """Return how many samples a slice needs: growth takes two readings."""
    return max(need, 2) if rule.take.take is Take.INCREASE else need


def cut(scope: Scope, series: Series, reach: Reach) -> tuple[Seen, ...]:
    """Return the slots that a scope reaches at a look."""
    if scope.kind in (ScopeKind.RUN, ScopeKind.AGE):
        series = series.of_run(reach.run)
    start, end = reach.bounds(scope)
    inside = series.between(start, end)
    return inside[-scope.last :] if scope.kind is ScopeKind.LAST else inside


def cut_both(
    rule: Rule, sides: Sides, reach: Reach, choose: Callable[[Series], tuple[Seen, ...]]
) -> tuple[tuple[Seen, ...], tuple[Seen, ...]]:
    """Return both sides of a look by one choice, or the other side as the plan fixes it."""
    own, versus = choose(sides.own), rule.versus
    if versus is None:
        return own, ()
    if versus.release is not None:
        return own, tuple(sides.other.items)
    if versus.frozen:
        begun = reach.begun_us
        return own, () if begun is None else sides.other.between(None, begun)
    return own, choose(sides.other)
