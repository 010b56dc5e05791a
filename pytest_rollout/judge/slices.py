"""Which slots a rule looks at: by series, labels, group and scope, never by value."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

from pytest_rollout import calendar
from pytest_rollout.model.evidence import Hole, Labels, Lost, Seen, Slot, World
from pytest_rollout.model.rule import Each, Rule, Scope, ScopeKind
from pytest_rollout.model.windows import Hours

Groups = Mapping[Labels, Sequence[Seen]]
_UNLABELLED = "?"
_AFTER_ALL = 2**62  # a sequence beyond that of anything observed at the same time


@dataclass(frozen=True, slots=True)
class Reach:
    """What the edges of scopes depend on: the instant of judging, the begin, the deciding run."""

    at_us: int
    begun_us: int | None
    run: str
    zone: str
    nights: Hours | None = None

    def bounds(self, scope: Scope) -> tuple[int | None, int | None]:
        """The event times that a scope reaches."""
        return calendar.bounds(scope, self.at_us, self.begun_us, self.zone, self.nights)


@dataclass(frozen=True)
class Slice:
    """The slots of one group within the scope that decides."""

    group: Labels
    seen: tuple[Seen, ...]
    scope: Scope
    need: int  # opportunities asked for; a group that the plan does not list asks for one
    begun: bool = True  # whether the phase was begun

    @cached_property
    def n(self) -> int:
        """How many opportunities there were; a hole is at least one."""
        return self.unknown + sum(opportunities(seen) or 0 for seen in self.seen)

    @cached_property
    def unknown(self) -> int:
        """How many of its holes stood for nobody knows how many opportunities."""
        return sum(hole.n is None for hole in self.holes)

    @cached_property
    def holes(self) -> tuple[Hole, ...]:
        """The slots that should hold a value and do not."""
        return tuple(seen.value for seen in self.seen if isinstance(seen.value, Hole))


@dataclass(frozen=True, slots=True)
class Absent:
    """Expected groups that nothing was seen of."""

    label: str
    found: int
    expected: int
    within: Labels = ()  # the listed group in which they were expected


def opportunities(seen: Seen) -> int | None:
    """How many chances for a bad value one slot stands for; None where nobody knows."""
    if isinstance(seen.value, Hole):
        return seen.value.n
    if len(seen.value) == 1:
        return seen.value[0][1]
    return sum(count for _, count in seen.value)


def of_series(metric: str, where: Mapping[str, str], seen: Iterable[Seen]) -> list[Seen]:
    """What was recorded in a series with some labels."""
    wanted = where.items()
    return [
        item
        for item in seen
        if item.slot.series == metric and wanted <= dict(item.slot.labels).items()
    ]


def matching(rule: Rule, world: World) -> list[Seen]:
    """What was recorded in a rule's series with its labels, and what may have been lost of it."""
    seen = of_series(rule.metric, rule.where, world.seen)
    touched = (one for one in world.lost if one.series is None or rule.metric in one.series)
    return [*seen, *(item for lost in touched for item in _anywhere(rule, lost))]


def _anywhere(rule: Rule, lost: Lost) -> Iterator[Seen]:
    """A hole of unknown weight in each group that is expected."""
    for group in expected(rule.each) or [()]:
        labels = tuple(sorted({**rule.where, **dict(group)}.items()))
        slot = Slot(rule.metric, labels, lost.t_us, _AFTER_ALL)
        yield Seen(slot, Hole(lost.why), lost.t_us, lost.run)


def once(seen: Iterable[Seen]) -> list[Seen]:
    """Slots in order of event time, each once, as it was recorded first.

    A slot that was recorded twice with different values is a hole: neither is known to be it.
    """
    chosen: dict[object, Seen] = {}
    for item in sorted(seen, key=recorded):
        first = chosen.setdefault(item.slot, item)
        if first.value != item.value:
            n = opportunities(first) if opportunities(first) == opportunities(item) else None
            conflict = Hole("recorded twice with different values", n)
            chosen[item.slot] = replace(first, value=conflict)
    return sorted(chosen.values(), key=_order)


def recorded(seen: Seen) -> tuple[int, str]:
    """When and by which run it was recorded; reports may come in any order."""
    return seen.seen_us, seen.run


def _order(seen: Seen) -> tuple[int, int, Labels]:
    return seen.slot.t_us, seen.slot.seq, seen.slot.labels


def event_time(seen: Seen) -> int:
    """When it happened, in microseconds since the epoch."""
    return seen.slot.t_us


def grouped(rule: Rule, seen: Iterable[Seen]) -> dict[Labels, list[Seen]]:
    """The slots of each group, the expected groups first and even where nothing was seen."""
    groups: dict[Labels, list[Seen]] = {group: [] for group in expected(rule.each)}
    for item in once(seen):
        groups.setdefault(_group(rule.each, item), []).append(item)
    return groups


def slices(rule: Rule, groups: Groups, reach: Reach) -> tuple[list[Slice], list[Absent]]:
    """One slice for each group in reach, and the counts of groups that fall short.

    A group that the plan does not list counts only where one of its slots is in reach.
    """
    listed = set(expected(rule.each))
    counted = any(each.at_least for each in rule.each)
    found = [
        _slice(rule, group, items, reach, full=counted or group in listed)
        for group, items in groups.items()
    ]
    found = [one for one in found if one.seen or one.group in listed]
    return found, absences(rule.each, [one.group for one in found])


def slice_of(rule: Rule, group: Labels, items: Sequence[Seen], reach: Reach) -> Slice:
    """The slice of one group."""
    counted = any(each.at_least for each in rule.each)
    return _slice(rule, group, items, reach, full=counted or group in expected(rule.each))


def expected(each: tuple[Each, ...]) -> list[Labels]:
    """The groups that the plan lists by name; a rule without `each` has the one, nameless."""
    if any(item.at_least for item in each):
        return []
    return _listed(each)


def _listed(each: tuple[Each, ...]) -> list[Labels]:
    names = [[(item.label, name) for name in item.names] for item in each if not item.at_least]
    return [tuple(sorted(pairs)) for pairs in product(*names)]


def _group(each: tuple[Each, ...], seen: Seen) -> Labels:
    labels = dict(seen.slot.labels)
    return tuple(sorted((item.label, labels.get(item.label, _UNLABELLED)) for item in each))


def absences(each: tuple[Each, ...], groups: Sequence[Labels]) -> list[Absent]:
    """Of a count: how many groups were seen, in each combination of the labels that are listed."""
    short = []
    for item in each:
        for within in _listed(each) if item.at_least else ():
            inside = (dict(group) for group in groups if set(within) <= set(group))
            names = {group[item.label] for group in inside} - {_UNLABELLED}
            if item.at_least > len(names):
                short.append(Absent(item.label, len(names), item.at_least, within))
    return short


def _slice(rule: Rule, group: Labels, items: Sequence[Seen], reach: Reach, *, full: bool) -> Slice:
    """The first scope with enough in it, else the one with most.

    What was lost may have been enough, so a scope with a hole of unknown weight decides too:
    a lost value never moves the judgement to other slots.
    """
    tried = []
    for scope in rule.scopes:
        need = scope.need if full else 1
        begun = reach.begun_us is not None
        current = Slice(group, cut(scope, items, reach), scope, need, begun)
        if current.n >= need or current.unknown:
            return current
        tried.append(current)
    return max(tried, key=lambda one: one.n)


def cut(scope: Scope, items: Sequence[Seen], reach: Reach) -> tuple[Seen, ...]:
    """The slots that a scope reaches, of some in order of event time."""
    if scope.kind in (ScopeKind.RUN, ScopeKind.AGE):
        items = [item for item in items if item.run == reach.run]
    start, end = reach.bounds(scope)
    first = 0 if start is None else bisect_right(items, start, key=event_time)
    after = len(items) if end is None else bisect_right(items, end, key=event_time)
    inside = tuple(items[first:after])
    return inside[-scope.last :] if scope.kind is ScopeKind.LAST else inside
