"""Which slots a rule looks at: by series, labels, group and scope, never by value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pytest_rollout import calendar
from pytest_rollout.model.evidence import Hole, Labels, Seen
from pytest_rollout.model.rule import Each, Rule, Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class Slice:
    """The slots of one group within the scope that decides."""

    group: Labels
    seen: tuple[Seen, ...]
    scope: Scope
    need: int  # opportunities asked for; a group that the plan does not list asks for one

    @property
    def n(self) -> int:
        """How many opportunities there were; a hole is one."""
        return sum(opportunities(seen) for seen in self.seen)

    @property
    def holes(self) -> tuple[Hole, ...]:
        """The slots that should hold a value and do not."""
        return tuple(seen.value for seen in self.seen if isinstance(seen.value, Hole))


@dataclass(frozen=True, slots=True)
class Absent:
    """Expected groups that nothing was seen of."""

    label: str
    found: int
    expected: int


def opportunities(seen: Seen) -> int:
    """How many chances for a bad value one slot stands for."""
    if isinstance(seen.value, Hole):
        return 1
    return sum(count for _, count in seen.value)


def select(rule: Rule, seen: Iterable[Seen]) -> tuple[Seen, ...]:
    """The slots of a rule's series and labels in order of event time, each once.

    A slot that was recorded twice with different values is a hole: neither is known to be it.
    """
    chosen: dict[object, Seen] = {}
    where = rule.where.items()
    for item in seen:
        if item.slot.series != rule.metric or not where <= dict(item.slot.labels).items():
            continue
        first = chosen.setdefault(item.slot, item)
        if first.value != item.value:
            chosen[item.slot] = replace(first, value=Hole("recorded twice with different values"))
    return tuple(sorted(chosen.values(), key=_order))


def _order(seen: Seen) -> tuple[int, int, Labels]:
    return seen.slot.t_us, seen.slot.seq, seen.slot.labels


def slices(
    rule: Rule, seen: Sequence[Seen], at_us: int, begun_us: int | None, run: str
) -> tuple[list[Slice], list[Absent]]:
    """One slice for each group, expected or not, and the counts of groups that fall short."""
    groups: dict[Labels, list[Seen]] = {group: [] for group in _expected(rule.each)}
    listed = set(groups)
    for item in select(rule, seen):
        groups.setdefault(_group(rule.each, item), []).append(item)
    counted = any(each.at_least for each in rule.each)
    found = [
        _slice(rule, group, items, at_us, begun_us, run, listed=counted or group in listed)
        for group, items in groups.items()
    ]
    return found, _absent(rule.each, groups)


def _expected(each: tuple[Each, ...]) -> list[Labels]:
    if any(item.at_least for item in each):
        return []
    names = [[(item.label, name) for name in item.names] for item in each]
    return [tuple(sorted(pairs)) for pairs in product(*names)]


def _group(each: tuple[Each, ...], seen: Seen) -> Labels:
    labels = dict(seen.slot.labels)
    return tuple(sorted((item.label, labels.get(item.label, "?")) for item in each))


def _absent(each: tuple[Each, ...], groups: dict[Labels, list[Seen]]) -> list[Absent]:
    short = []
    for item in each:
        names = {dict(group)[item.label] for group in groups}
        if item.at_least > len(names):
            short.append(Absent(item.label, len(names), item.at_least))
    return short


def _slice(
    rule: Rule,
    group: Labels,
    items: list[Seen],
    at_us: int,
    begun_us: int | None,
    run: str,
    *,
    listed: bool,
) -> Slice:
    best: Slice | None = None
    for scope in rule.scopes:
        need = scope.need if listed else 1
        current = Slice(group, _cut(scope, items, at_us, begun_us, run), scope, need)
        if current.n >= need:
            return current
        if best is None or current.n > best.n:
            best = current
    assert best is not None
    return best


def _cut(
    scope: Scope, items: list[Seen], at_us: int, begun_us: int | None, run: str
) -> tuple[Seen, ...]:
    if scope.kind is ScopeKind.RUN:
        return tuple(item for item in items if item.run == run)
    start, end = calendar.bounds(scope, at_us, begun_us)
    inside = tuple(
        item
        for item in items
        if (start is None or item.slot.t_us > start) and (end is None or item.slot.t_us <= end)
    )
    return inside[-scope.last :] if scope.kind is ScopeKind.LAST else inside
