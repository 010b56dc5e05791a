"""The moments at which a group is looked at: each of its slots, or the close of a bucket."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from pytest_rollout import calendar
from pytest_rollout.calendar import Bucket, Bucketing
from pytest_rollout.calendar.buckets import MOST_BUCKETS
from pytest_rollout.judge.series import Series, Sides
from pytest_rollout.judge.slices import Reach, Slice, cut_both, least, slice_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Labels, Reason
from pytest_rollout.model.rule import PerUnit, Rule, Scope, ScopeKind, Streak

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


def looks_of(
    rule: Rule, group: Labels, sides: Sides, reach: Reach, *, newest_first: bool = False
) -> Iterator[Look]:
    """Yield the looks at a group until now: at each of its slots, or when a bucket closes."""
    if rule.per is not None:
        buckets = list(_buckets(rule, group, sides, reach))
        yield from reversed(buckets) if newest_first else buckets
        return
    moments = moments_of(rule, sides, reach)
    for at_us in reversed(moments) if newest_first else moments:
        yield Look(at_us, slice_of(rule, group, sides, replace(reach, at_us=at_us)))


def moments_of(rule: Rule, sides: Sides, reach: Reach) -> list[int]:
    """Return, of a rule without buckets, when a group is looked at until now, in order."""
    unit = _CALENDAR.get(rule.scopes[0].kind)
    if unit:
        return [bucket.end_us for bucket in _closed(unit, sides.own, reach)]
    return [at_us for at_us in dict.fromkeys(sides.own.times) if at_us <= reach.at_us]


def _closed(unit: Bucketing, series: Series, reach: Reach) -> tuple[Bucket, ...]:
    """The days or nights that are over since the begin, or since an older first slot."""
    starts = [*series.times[:1], *([reach.begun_us] if reach.begun_us is not None else [])]
    if not starts:
        return ()
    return calendar.closed_since(unit, reach.zone, reach.nights, min(starts), reach.at_us)


def _buckets(rule: Rule, group: Labels, sides: Sides, reach: Reach) -> Iterator[Look]:
    assert rule.per is not None
    if rule.per.unit is PerUnit.RUN:
        for run in _runs(sides.own.items):
            look = _bucket(rule, group, sides, reach, partial(_of_run, run))
            yield replace(look, at_us=look.slice_.own[-1].slot.t_us)
        return
    if rule.per.unit is PerUnit.SPAN:
        try:
            closed = _spans(rule.per.length_us, sides.own, reach)
        except ValueError:
            yield _uncounted(rule, group, sides, reach)
            return
    else:
        closed = _closed(_CALENDAR[rule.per.unit], sides.own, reach)
    for bucket in closed:
        look = _bucket(rule, group, sides, reach, partial(_inside, bucket))
        yield replace(look, at_us=bucket.end_us)


def _bucket(
    rule: Rule,
    group: Labels,
    sides: Sides,
    reach: Reach,
    choose: Callable[[Series], tuple[Seen, ...]],
) -> Look:
    """All that is in a bucket, of both sides."""
    own, other = cut_both(rule, sides, reach, choose)
    need = least(rule, rule.need)
    return Look(reach.at_us, Slice(group, own, Scope(ScopeKind.RUN, need), need, other))


def _of_run(run: str, series: Series) -> tuple[Seen, ...]:
    return tuple(series.of_run(run).items)


def _inside(bucket: Bucket, series: Series) -> tuple[Seen, ...]:
    return series.between(bucket.start_us - 1, bucket.end_us - 1)


def _spans(length_us: int, series: Series, reach: Reach) -> tuple[Bucket, ...]:
    """The buckets of a length that are over, from the one of the first slot to that of the last."""
    if not series.times:
        return ()
    first = series.times[0] // length_us * length_us
    last = (series.times[-1] // length_us + 1) * length_us
    return calendar.span_buckets(length_us, first - 1, min(last, reach.at_us))


def _uncounted(rule: Rule, group: Labels, sides: Sides, reach: Reach) -> Look:
    """The one look where more buckets lie between the first slot and the last than are judged."""
    assert rule.per is not None
    why = Reason("hole.too-many-buckets", {"most": MOST_BUCKETS, "per": rule.per.words})
    lost = (replace(sides.own.items[-1], value=Hole(why)),)
    return Look(reach.at_us, Slice(group, lost, Scope(ScopeKind.RUN, 1), 1, lost))


def _runs(items: Iterable[Seen]) -> list[str]:
    """The runs that saw something, in the order in which they first recorded."""
    by_record = sorted(items, key=lambda seen: seen.seen_us)
    return list(dict.fromkeys(seen.run for seen in by_record))


def in_scope(rule: Rule, looks: Sequence[Look], reach: Reach) -> tuple[Sequence[Look], int]:
    """Return, of buckets, those of the first scope with enough of them, and how many it needs."""
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
    return (start is None or look.at_us > start) and look.at_us <= end


def long_enough(streak: Streak, count: int, lasted_us: int) -> bool:
    """Return whether a row of so many looks, or one that lasts so long, is long enough."""
    return count >= streak.n if streak.n else lasted_us >= streak.span_us


def rows(streak: Streak, looks: Iterable[tuple[int, bool, bool]]) -> Iterator[tuple[bool, bool]]:
    """Yield for each look whether it completes a bad row, and whether one with holes in it.

    ``looks`` are moments with whether each is surely bad, and whether it has holes and might be.
    A row of looks that are surely bad although some have holes is both: what is lost must not
    come to weigh less because what is left got worse.
    """
    sure = might = _Row()
    for at_us, bad, maybe in looks:
        sure = sure.longer(streak, at_us, holed=False) if bad else _Row()
        might = might.longer(streak, at_us, holed=maybe) if maybe or bad else _Row()
        yield sure.complete(streak), might.holed and might.complete(streak)


@dataclass(frozen=True, slots=True)
class _Row:
    """Looks one after the other."""

    n: int = 0
    first_us: int = 0
    last_us: int = 0
    holed: bool = False

    def longer(self, streak: Streak, at_us: int, *, holed: bool) -> _Row:
        """The row with one more look, or a new one where nobody looked for too long."""
        if not self.n or (not streak.n and at_us - self.last_us > streak.gap_us):
            return _Row(1, at_us, at_us, holed)
        return _Row(self.n + 1, self.first_us, at_us, self.holed or holed)

    def complete(self, streak: Streak) -> bool:
        """Whether it is long enough."""
        return bool(self.n) and long_enough(streak, self.n, self.last_us - self.first_us)
