"""All that was seen of a rule's series: by labels and group, of both sides of a comparison."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from itertools import product

from pytest_rollout.judge.case import Case
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Lost, Seen, Slot
from pytest_rollout.model.finding import Labels, Reason
from pytest_rollout.model.rule import PREVIOUS, Each, PerUnit, Rule, ScopeKind

_UNLABELLED = "?"
_AFTER_ALL = 2**62  # a sequence beyond that of anything observed at the same time
_STALE = Reason("hole.stale")
_TWICE = Reason("hole.twice")


@dataclass(frozen=True)
class Series:
    """Slots in order of event time, with their times."""

    items: Sequence[Seen] = ()
    times: Sequence[int] = ()

    @classmethod
    def of(cls, items: Sequence[Seen]) -> Series:
        """Return slots that stand in order of event time already."""
        return cls(items, [seen.slot.t_us for seen in items])

    def between(self, start: int | None, end: int, newest: int | None = None) -> tuple[Seen, ...]:
        """Return the slots after a start and up to an end, or just so many of the newest."""
        first = 0 if start is None else bisect_right(self.times, start)
        beyond = bisect_right(self.times, end)
        return tuple(self.items[first if newest is None else max(first, beyond - newest) : beyond])

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
    unplaced: tuple[Seen, ...] = ()  # of either side: nobody knows to which look it belongs


Groups = Mapping[Labels, Sides]


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


def own_side(rule: Rule, case: Case) -> list[Seen]:
    """Return what was recorded in a rule's series with its labels, and what may be lost of it."""
    seen = case.recorded.having(rule.metric, rule.where)
    return [*seen, *_lost(rule, rule.metric, rule.where, case)]


def _lost(rule: Rule, series: str, where: Mapping[str, str], case: Case) -> Iterator[Seen]:
    """What may be lost of a series: a hole of unknown weight in each group that is expected."""
    for lost in case.world.lost:
        if lost.series is not None and series not in lost.series:
            continue
        for group in expected(rule.each) or [()]:
            labels = tuple(sorted({**where, **dict(group)}.items()))
            slot = Slot(series, labels, lost.t_us, _AFTER_ALL)
            yield Seen(slot, Hole(_why_lost(rule, lost, case)), lost.t_us, lost.run)


def _why_lost(rule: Rule, lost: Lost, case: Case) -> str | Reason:
    """Why it may be lost; of a run that was ended early also until when it counts as unknown.

    That is known where every scope of the rule is a stretch of time up to now.
    """
    if not lost.ended_early:
        return lost.why
    spans = [scope.span_us if scope.kind is ScopeKind.SPAN else None for scope in rule.scopes]
    lasting = [span for span in spans if span is not None]
    bounded = lasting and len(lasting) == len(spans) and rule.per is None and rule.streak is None
    until = case.instant(lost.t_us + max(lasting)) if bounded else None
    return Reason("hole.ended-early", {"run": lost.run, "why": lost.why, "until": until})


def other_side(rule: Rule, case: Case) -> list[Seen]:
    """Return what a rule is compared with, before it is cut.

    What may be lost of it counts unless the plan fixes it: that is what runs saw to their end.
    """
    versus = rule.versus
    if versus is None:
        return []
    past = case.past.having(versus.metric, versus.where)
    if versus.release is not None:
        named = case.world.previous if versus.release == PREVIOUS else versus.release
        return [seen for seen in past if named and seen.release == named]
    seen = case.recorded.having(versus.metric, versus.where)
    if versus.frozen:
        return [*past, *seen]
    return [*seen, *_lost(rule, versus.metric, versus.where, case)]


def aged(seen: Iterable[Seen], oldest_us: int, *, by_record: bool) -> Iterator[Seen]:
    """Yield what was seen, with a hole for all that is too old: it happened, or was recorded, then.

    ``by_record``: only when it was recorded counts. A rehearsal has a clock of its own, and what
    must be some time ago, as `age` asks, is no older for it.
    """
    for item in seen:
        stale = min(item.seen_us, item.seen_us if by_record else event_time(item)) < oldest_us
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
    to any look. So does what a killed run lost, where looks have edges of their own: it is
    known at what time it was seen at the latest, and no more.
    """
    fixed = rule.versus is not None and rule.versus.release is not None
    owns, strays = _split(rule, own, at_us)
    others, stray_others = _split(rule, other, 2**63 if fixed else at_us)
    pinned = others if rule.nightly else ()
    names = dict.fromkeys([*expected(rule.each), *owns, *strays, *pinned])
    return {
        group: Sides(
            Series.of(owns.get(group, [])),
            Series.of(others.get(group, [])),
            (*strays.get(group, ()), *stray_others.get(group, ())),
        )
        for group in names
    }


def _split(
    rule: Rule, seen: Iterable[Seen], at_us: int
) -> tuple[dict[Labels, list[Seen]], dict[Labels, list[Seen]]]:
    """The slots of each group, and those of which nobody knows to which look they belong."""
    placed: dict[Labels, list[Seen]] = {}
    strays: dict[Labels, list[Seen]] = {}
    edges = _has_edges(rule)
    for item in once(seen):
        stray = item.slot.t_us > at_us or (edges and item.slot.seq == _AFTER_ALL)
        groups = strays if stray else placed
        groups.setdefault(_group(rule.each, item), []).append(item)
    return placed, strays


def _has_edges(rule: Rule) -> bool:
    """Whether looks end at times of the calendar, or so long after the begin, and not now."""
    if rule.per is not None:
        return rule.per.unit is not PerUnit.RUN
    closed = (ScopeKind.DAYS, ScopeKind.NIGHTS)
    return any(
        scope.kind in closed or (scope.kind is ScopeKind.SINCE and scope.span_us > 0)
        for scope in rule.scopes
    )


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
    names = tuple(sorted(case.recorded.by_value(each.source, each.label)))
    enough = len(names) >= each.at_least
    return Each(each.label, names) if enough else Each(each.label, at_least=each.at_least)
