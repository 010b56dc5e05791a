"""What is remembered of a guardrail's groups, within one judgement and from look to look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pytest_rollout.judge.slices import Slice
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import Labels
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import Verdict

Latch = tuple[Part | None, Part | None]  # a trip, and a hole that could have been one


@dataclass(frozen=True, slots=True)
class Memory:
    """What one who looks again and again need not judge once more."""

    until_us: int | None = None  # moments up to here were judged
    latched: Mapping[tuple[int, Labels], Latch] = field(default_factory=dict)  # rule, group


@dataclass(slots=True)
class Watch:
    """What is remembered of one group: its trip, a hole that could have been one, its last look."""

    slice_: Slice
    now: Part
    trip: Part | None = None
    lost: Part | None = None

    def latest_us(self) -> int:
        """The record time of the newest slot that was in reach; 0 where there is none."""
        return max((one.seen_us for one in self.slice_.seen), default=0)

    def parts(self, *, stale: bool) -> Iterator[Part]:
        """A trip does not hide that the same group is blind."""
        if self.trip is not None:
            yield self.trip
        if self.lost is not None:
            yield self.lost
        elif stale:
            because = "everything that was seen is older than evidence may be (max_age)"
            yield Part(self.now.name, Verdict.MISSING, because)
        elif self.trip is None or self.now.verdict not in (Verdict.FAIL, Verdict.PASS):
            yield self.now


def remembered(rule: Rule, group: Labels, trip: Part | None, lost: Part | None) -> Watch:
    """A group of which nothing is known but what latched."""
    latched = trip or lost
    assert latched is not None
    return Watch(Slice(group, (), rule.scopes[0], 1), latched, trip, lost)
