"""Looks in a row, and buckets that are judged as one: a slice for each, then a fold."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_rollout.calendar import Bucket, Bucketing, closed_since
from pytest_rollout.judge import words
from pytest_rollout.judge.slices import (
    Absent,
    Groups,
    Reach,
    Slice,
    absences,
    event_time,
    expected,
    slice_of,
)
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import Labels, Seen
from pytest_rollout.model.rule import PerUnit, Rule, Scope, ScopeKind, Streak
from pytest_rollout.model.verdict import Verdict, worst

Judging = Callable[[Slice, Reach], Part]
_GOOD = (Verdict.PASS, Verdict.WARN)
_CALENDAR = {
    ScopeKind.DAYS: Bucketing.DAY,
    ScopeKind.NIGHTS: Bucketing.NIGHT,
    PerUnit.DAY: Bucketing.DAY,
    PerUnit.NIGHT: Bucketing.NIGHT,
}


@dataclass(frozen=True, slots=True)
class Look:
    """A moment at which a group is judged, and the slots of it that are judged then."""

    at_us: int
    slice_: Slice

    @property
    def few(self) -> bool:
        """Whether there was too little to judge, with nothing lost."""
        return self.slice_.n < self.slice_.need and not self.slice_.holes


def fold(
    rule: Rule, groups: Groups, reach: Reach, judged: Judging
) -> tuple[list[Part], list[Absent]]:
    """The part of each group from its looks, and the counts of groups that fall short."""
    listed = expected(rule.each)
    found = {group: items for group, items in groups.items() if items or group in listed}
    parts = [_folded(rule, group, items, reach, judged) for group, items in found.items()]
    return parts, absences(rule.each, list(found))


def looks_of(
    rule: Rule, group: Labels, items: Sequence[Seen], reach: Reach, *, newest_first: bool = False
) -> Iterator[Look]:
    """The looks at a group until now: at each of its slots, or when a bucket closes."""
    if rule.per is not None:
        buckets = list(_buckets(rule, group, items, reach))
        yield from reversed(buckets) if newest_first else buckets
        return
    unit = _CALENDAR.get(rule.scopes[0].kind)
    if unit:
        moments = [bucket.end_us for bucket in _closed(unit, items, reach)]
    else:
        moments = sorted({event_time(one) for one in items if event_time(one) <= reach.at_us})
    for at_us in reversed(moments) if newest_first else moments:
        known = items[: bisect_right(items, at_us, key=event_time)]
        yield Look(at_us, slice_of(rule, group, known, replace(reach, at_us=at_us)))


def _closed(unit: Bucketing, items: Sequence[Seen], reach: Reach) -> tuple[Bucket, ...]:
    """The days or nights that are over since the begin, or since an older first slot."""
    starts = [event_time(one) for one in items[:1]]
    starts += [reach.begun_us] if reach.begun_us is not None else []
    if not starts:
        return ()
    return closed_since(unit, reach.zone, reach.nights, min(starts), reach.at_us)


def _buckets(rule: Rule, group: Labels, items: Sequence[Seen], reach: Reach) -> Iterator[Look]:
    scope = Scope(ScopeKind.RUN, rule.need)
    assert rule.per is not None
    if rule.per.unit is PerUnit.RUN:
        runs: dict[str, list[Seen]] = {}
        for one in sorted(items, key=lambda one: one.seen_us):
            runs.setdefault(one.run, []).append(one)
        for mine in runs.values():
            ordered = tuple(sorted(mine, key=event_time))
            yield Look(event_time(ordered[-1]), Slice(group, ordered, scope, rule.need))
        return
    for bucket in _closed(_CALENDAR[rule.per.unit], items, reach):
        start, end = bucket.start_us, bucket.end_us
        inside = tuple(one for one in items if start <= event_time(one) < end)
        yield Look(end, Slice(group, inside, scope, rule.need))


def in_scope(rule: Rule, looks: Sequence[Look], reach: Reach) -> tuple[Sequence[Look], int]:
    """Of buckets, those that the first scope with enough of them reaches, and how many it needs."""
    best: tuple[Sequence[Look], int] = ((), 1)
    for scope in rule.scopes:
        chosen = [look for look in looks if _reached(scope, look, reach)]
        chosen = chosen[-scope.last :] if scope.kind is ScopeKind.LAST else chosen
        if len(chosen) >= scope.need:
            return chosen, scope.need
        if len(chosen) >= len(best[0]):
            best = chosen, scope.need
    return best


def _reached(scope: Scope, look: Look, reach: Reach) -> bool:
    start, end = reach.bounds(scope)
    return (start is None or look.at_us > start) and (end is None or look.at_us <= end)


def _folded(
    rule: Rule, group: Labels, items: Sequence[Seen], reach: Reach, judged: Judging
) -> Part:
    name = words.name(group)
    looks: Iterable[Look] = looks_of(rule, group, items, reach, newest_first=True)
    if rule.per is None:
        assert rule.streak is not None
        return _row(rule, rule.streak, name, looks, reach, judged)
    chosen, need = in_scope(rule, list(looks)[::-1], reach)
    if rule.streak is not None:
        return _row(rule, rule.streak, name, reversed(chosen), reach, judged)
    parts = [judged(look.slice_, replace(reach, at_us=look.at_us)) for look in chosen]
    if len(parts) < need:
        verdict = Verdict.INCONCLUSIVE if parts else Verdict.MISSING
        return Part(name, verdict, words.few_buckets(rule, len(parts), need))
    verdict = worst(part.verdict for part in parts)
    telling = [one for one in zip(chosen, parts, strict=True) if one[1].verdict is verdict]
    look, part = telling[-1]
    because = words.bucket(rule, look.at_us, part.because, len(telling), len(parts), reach.zone)
    return Part(name, verdict, because, part.estimate)


def _row(
    rule: Rule,
    streak: Streak,
    name: str,
    newest_first: Iterable[Look],
    reach: Reach,
    judged: Judging,
) -> Part:
    """Good looks from the newest back; the first that is not good ends the row."""
    good: list[Part] = []
    first_us, ended = reach.at_us, ""
    for look in newest_first:
        if not streak.n and first_us - look.at_us > streak.gap_us:
            ended = words.gap(look.at_us, first_us, reach.zone)
            break
        part = judged(look.slice_, replace(reach, at_us=look.at_us))
        if streak.skip and look.few:
            continue
        if part.verdict not in _GOOD:
            if not good:
                return replace(part, name=name)
            ended = part.because
            break
        good.append(part)
        first_us = look.at_us
        if _long_enough(streak, len(good), reach.at_us - first_us):
            break
    if not good:
        return Part(name, Verdict.MISSING, ended or words.no_look(rule))
    done = _long_enough(streak, len(good), reach.at_us - first_us)
    because = words.row(streak, len(good), reach.at_us - first_us, ended, good[0].because)
    verdict = worst(part.verdict for part in good) if done else Verdict.INCONCLUSIVE
    return Part(name, verdict, because, good[0].estimate)


def _long_enough(streak: Streak, count: int, lasted_us: int) -> bool:
    return count >= streak.n if streak.n else lasted_us >= streak.span_us


def rows(streak: Streak, looks: Iterable[tuple[int, bool, bool]]) -> Iterator[tuple[bool, bool]]:
    """For each look whether it completes a row of bad ones, and whether one with holes in it.

    ``looks`` are moments with whether each is surely bad, and whether it has holes and might be.
    A row of looks that are surely bad although some have holes is both: what is lost must not
    come to weigh less because what is left got worse.
    """
    sure: list[int] = []
    might: list[int] = []
    holed: set[int] = set()
    for at_us, bad, maybe in looks:
        sure = _longer(streak, sure, at_us) if bad else []
        might = _longer(streak, might, at_us) if maybe or bad else []
        holed |= {at_us} if maybe else set()
        yield _complete(streak, sure), _complete(streak, might) and not holed.isdisjoint(might)


def _longer(streak: Streak, row: list[int], at_us: int) -> list[int]:
    if not streak.n and row and at_us - row[-1] > streak.gap_us:
        return [at_us]
    return [*row, at_us]


def _complete(streak: Streak, row: Sequence[int]) -> bool:
    if streak.n:
        return len(row) >= streak.n
    return bool(row) and row[-1] - row[0] >= streak.span_us
