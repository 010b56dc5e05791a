"""What is known of a guardrail's groups, within one judgement and from look to look."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from itertools import chain

from pytest_rollout.judge.series import event_time, recorded
from pytest_rollout.judge.slices import Slice
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.finding import Labels, Part, Reason
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import State, Verdict

Both = tuple[list[Seen], list[Seen]]  # the own side, and what it is compared with
Latch = tuple[Part | None, Part | None]  # a trip, and a hole that could have been one
_STALE = Reason("all-stale")


@dataclass(frozen=True, slots=True)
class Memory:
    """What one who looks again and again need not judge once more."""

    until_us: int | None = None  # moments up to here were judged
    latched: Mapping[tuple[int, Labels], Latch] = field(default_factory=dict)  # rule, group


@dataclass(slots=True)
class Watch:
    """What is known of one group: its trip, a hole that could have been one, its last look."""

    slice_: Slice
    now: Part | None = None  # what its last look says; None until somebody asks
    trip: Part | None = None
    lost: Part | None = None

    def latest_us(self, *, rehearsed: bool) -> int:
        """When the newest slot in reach happened and was recorded; 0 where there is none.

        A rehearsal has a clock of its own: there it is when it was recorded.
        """
        own = self.slice_.own
        times = (s.seen_us if rehearsed else min(s.seen_us, s.slot.t_us) for s in own)
        return max(times, default=0)

    def parts(self, *, stale: bool) -> Iterator[Part]:
        """A trip does not hide that the same group is blind."""
        assert self.now is not None
        if self.trip is not None:
            yield self.trip
        if self.lost is not None:
            yield self.lost
        elif stale:
            yield Part(self.now.subject, Verdict.MISSING, _STALE)
        elif self.trip is None or State.of(self.now.verdict) is State.BLIND:
            yield self.now


def remembered(rule: Rule, group: Labels, trip: Part | None, lost: Part | None) -> Watch:
    """A group of which nothing is known but what latched."""
    latched = trip or lost
    assert latched is not None
    return Watch(Slice(group, (), rule.scopes[0], 1), latched, trip, lost)


def batches_of(own: Sequence[Seen], other: Sequence[Seen]) -> list[Both]:
    """Return what became known together: the own side of a run as it ended, the other as it came.

    What follows in event time all that was known before is one batch with it: at no moment
    before was anything known of it.
    """
    runs, others = _by_run(own), _by_run(other)
    ends = {max(map(recorded, items)): items for items in runs.values()}
    moments = sorted({*ends, *(max(map(recorded, items)) for items in others.values())})
    coming = sorted(other, key=recorded)
    batches: list[Both] = []
    newest = came = 0
    for moment in moments:
        until = bisect_right(coming, moment, key=recorded)
        batch: Both = list(ends.get(moment, ())), coming[came:until]
        came = until
        if batches and earliest_of(batch, newest + 1) > newest:
            for side, items in zip(batches[-1], batch, strict=True):
                side += items
        else:
            batches.append(batch)
        newest = max([newest, *map(event_time, chain(*batch))])
    return batches


def _by_run(items: Iterable[Seen]) -> dict[str, list[Seen]]:
    runs: dict[str, list[Seen]] = {}
    for item in items:
        runs.setdefault(item.run, []).append(item)
    return runs


def earliest_of(batch: Both, default: int) -> int:
    """Return when the first happened of what a batch brought, on either side."""
    return min(map(event_time, chain(*batch)), default=default)


def later(items: Sequence[Seen], after_us: int | None) -> Sequence[Seen]:
    """Return what happened after a time; all of it where there is none."""
    if after_us is None:
        return items
    return [item for item in items if item.slot.t_us > after_us]
