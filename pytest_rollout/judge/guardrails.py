"""Guardrails: judged at each slot's time; a trip latches, too little is blind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pytest_rollout.judge import words
from pytest_rollout.judge.lost import could_fail
from pytest_rollout.judge.rules import absent_part, judge_slice
from pytest_rollout.judge.slices import (
    Groups,
    Reach,
    Slice,
    event_time,
    expected,
    grouped,
    matching,
    recorded,
    slices,
)
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import Labels, Seen, World
from pytest_rollout.model.plan import Guardrail, Phase, Plan
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import Verdict, worst


def judge_guardrail(
    plan: Plan, phase: Phase, guardrail: Guardrail, world: World, at_us: int, oldest_us: int
) -> Finding:
    """FAIL is tripped, PASS is quiet, anything between is blind.

    ``oldest_us`` is the record time before which evidence is stale.
    """
    parts = tuple(_state(part) for part in _parts(plan, guardrail.rule, world, at_us, oldest_us))
    verdict = worst(part.verdict for part in parts)
    telling = [part for part in parts if part.verdict.holds_back] or parts
    telling = sorted(telling, key=lambda part: part.verdict.rank)
    return Finding(
        id=f"{plan.id}.{phase.id}.{guardrail.id}",
        verdict=verdict,
        because=words.joined([f"{p.name}: {p.because}" if p.name else p.because for p in telling]),
        says=guardrail.says,
        severity="hard",
        kind="guardrail",
        allowed=words.allowed(replace(guardrail.rule.bands, fail=None)),
        parts=parts,
    )


@dataclass(slots=True)
class _Watch:
    """What is remembered of one group: its trip, a hole that could have been one, its last look."""

    rule: Rule
    zone: str
    slice_: Slice | None = None
    now: Part = field(init=False)
    trip: Part | None = None
    lost: Part | None = None

    def look(self, slice_: Slice) -> None:
        if slice_ == self.slice_:
            return
        self.slice_ = slice_
        self.now = judge_slice(self.rule, slice_, self.zone)
        if self.now.verdict is Verdict.FAIL:
            self.trip = self.trip or self.now
        if could_fail(self.rule, slice_):
            because = words.holes(self.rule, slice_)
            self.lost = self.lost or Part(self.now.name, Verdict.INCONCLUSIVE, because)

    def latest_us(self) -> int:
        """The record time of the newest slot that was in reach; 0 where there is none."""
        seen = self.slice_.seen if self.slice_ else ()
        return max((one.seen_us for one in seen), default=0)

    def parts(self, *, stale: bool) -> Iterator[Part]:
        """A trip does not hide that the same group is blind."""
        if self.trip is not None:
            yield self.trip
        if self.lost is not None:
            yield self.lost
        elif stale:
            because = "everything that was seen is older than max_age"
            yield Part(self.now.name, Verdict.MISSING, because)
        elif self.trip is None or self.now.verdict not in (Verdict.FAIL, Verdict.PASS):
            yield self.now


def _parts(plan: Plan, rule: Rule, world: World, at_us: int, oldest_us: int) -> Iterator[Part]:
    watches: dict[Labels, _Watch] = {}
    for moment, groups in _looks(rule, world, at_us):
        found, absent = slices(rule, groups, Reach(moment, world.begun_us, world.run.id))
        for slice_ in found:
            watches.setdefault(slice_.group, _Watch(rule, plan.timezone)).look(slice_)
    latest = {group: watch.latest_us() for group, watch in watches.items()}
    named = set(expected(rule.each))
    for group, watch in watches.items():
        newest = latest[group] if group in named else max(latest.values())
        yield from watch.parts(stale=0 < newest < oldest_us)
    yield from (absent_part(rule, item) for item in absent)


def _looks(rule: Rule, world: World, at_us: int) -> Iterator[tuple[int, Groups]]:
    """Each time at which something happened, with what was known then; the end comes last.

    Runs bring their slots in the order in which they were recorded: what a later run brings
    late is judged at its own time, and does not undo a trip that an earlier run has shown.
    """
    known: list[Seen] = []
    for batch in _batches(matching(rule, world)):
        known += batch
        earliest = min(map(event_time, batch))
        moments = {event_time(item) for item in known if event_time(item) >= earliest}
        groups = grouped(rule, known)
        for moment in sorted(moments):
            yield moment, _until(groups, moment)
    end = max([at_us, *map(event_time, known)])
    yield end, grouped(rule, known)


def _batches(items: list[Seen]) -> list[list[Seen]]:
    """The slots of each run, in the order in which the runs were recorded."""
    runs: dict[str, list[Seen]] = {}
    for item in items:
        runs.setdefault(item.run, []).append(item)
    return sorted(runs.values(), key=lambda batch: max(map(recorded, batch)))


def _until(groups: Groups, moment: int) -> Groups:
    return {
        group: items[: bisect_right(items, moment, key=event_time)]
        for group, items in groups.items()
    }


def _state(part: Part) -> Part:
    match part.verdict:
        case Verdict.FAIL:
            return replace(part, because=f"tripped: {part.because}")
        case Verdict.PASS:
            return replace(part, because=f"quiet: {part.because}")
        case _:
            return replace(part, because=f"blind: {part.because}")
