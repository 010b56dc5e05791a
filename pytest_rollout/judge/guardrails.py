"""Guardrails: judged at each slot's time; a trip latches, too little is blind."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_rollout.judge import words
from pytest_rollout.judge.assess import Terms
from pytest_rollout.judge.looks import Look, looks_of, rows
from pytest_rollout.judge.lost import could_fail
from pytest_rollout.judge.memory import Latch, Memory, Watch, remembered
from pytest_rollout.judge.rules import absent_part, against, judge_slice, other_side, resolved
from pytest_rollout.judge.running import only_grows, suspects
from pytest_rollout.judge.slices import (
    Absent,
    Groups,
    Reach,
    Slice,
    absences,
    event_time,
    expected,
    grouped,
    matching,
    recorded,
    slice_of,
    slices,
)
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import Labels, Seen, World
from pytest_rollout.model.plan import Guardrail, Phase, Plan
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.rule import Rule, Streak
from pytest_rollout.model.verdict import Verdict, worst
from pytest_rollout.model.windows import Hours


def judge_guardrail(
    plan: Plan, phase: Phase, guardrail: Guardrail, world: World, at_us: int, oldest_us: int
) -> Finding:
    """What all that happened makes of it; see :func:`look_again`."""
    return look_again(plan, phase, guardrail, world, at_us, oldest_us, Memory())[0]


def look_again(
    plan: Plan,
    phase: Phase,
    guardrail: Guardrail,
    world: World,
    at_us: int,
    oldest_us: int,
    memory: Memory,
) -> tuple[Finding, Memory]:
    """FAIL is tripped, PASS is quiet, anything between is blind; and what to remember of it.

    With a memory only later moments are judged: it must be of the same world, to which
    nothing was added since then but what happened later.

    ``oldest_us`` is the record time before which evidence is stale. Guardrails that state a
    confidence share one budget of false alarms. After a reset it is judged anew: on what
    happened later, and on what was recorded later though it happened before.
    """
    id_ = f"{plan.id}.{phase.id}.{guardrail.id}"
    reset = last_reset(world, id_)
    sharing = sum(one.confidence is not None for rail in phase.guardrails for one in rail.rules)
    found: list[Part] = []
    latched: dict[tuple[int, Labels], Latch] = {}
    for number, stated in enumerate(guardrail.rules):
        rule = resolved(stated, world.seen)
        level = float(rule.confidence.level) / sharing if rule.confidence else 0.0
        terms = Terms(plan.timezone, level, watched=True)
        known = {group: one for (n, group), one in memory.latched.items() if n == number}
        guard = _Guard(rule, world, at_us, terms, plan.nights, reset, (memory.until_us, known))
        found += guard.parts(oldest_us)
        latched |= {(number, group): one for group, one in guard.latched().items()}
    parts = tuple(_state(part) for part in found)
    verdict = worst(part.verdict for part in parts)
    telling = [part for part in parts if part.verdict.holds_back] or parts
    telling = sorted(telling, key=lambda part: part.verdict.rank)
    finding = Finding(
        id=id_,
        verdict=verdict,
        because=words.joined([f"{p.name}: {p.because}" if p.name else p.because for p in telling]),
        says=guardrail.says,
        severity="hard",
        kind="guardrail",
        allowed=words.joined(
            [words.allowed(replace(one.bands, fail=None)) for one in guardrail.rules]
        ),
        parts=parts,
    )
    return finding, Memory(at_us, latched)


class _Guard:
    """One rule, watched over all that happened."""

    def __init__(
        self,
        rule: Rule,
        world: World,
        at_us: int,
        terms: Terms,
        nights: Hours | None,
        reset: Reset | None,
        memory: tuple[int | None, Mapping[Labels, Latch]],
    ) -> None:
        self.rule = rule
        self.world = world
        self.at_us = at_us
        self.terms = terms
        self.nights = nights
        self.reset_us = reset.at_us if reset else None
        self.others = other_side(rule, world)
        self.since_us, known = memory
        self.watches = {group: remembered(rule, group, *one) for group, one in known.items()}
        self.absent: list[Absent] = []

    def parts(self, oldest_us: int) -> Iterator[Part]:
        """What it says of each group, and of groups that fall short."""
        known: list[Seen] = []
        items = [one for one in matching(self.rule, self.world) if self._counts(one)]
        batches = _batches(items) if self.since_us is None else [items]
        rows = self.rule.streak is not None or self.rule.per is not None
        for batch in batches or [[]]:
            known += batch
            groups = grouped(self.rule, known)
            if rows:
                self._rows(groups, self._end(known))
            else:
                self._slots(groups, batch)
        groups = grouped(self.rule, known)
        if not rows:
            self._look(self._end(known), groups)
        latest = {group: watch.latest_us() for group, watch in self.watches.items()}
        named = set(expected(self.rule.each))
        for group in dict.fromkeys([*groups, *self.watches]):
            watch = self.watches.get(group)
            if watch is None:
                continue
            newest = latest[group] if group in named else max(latest.values())
            yield from watch.parts(stale=0 < newest < oldest_us)
        yield from (absent_part(self.rule, item) for item in self.absent)

    def latched(self) -> dict[Labels, Latch]:
        """The trips, and the holes that could have been one, of all groups so far."""
        watches = self.watches.items()
        return {group: (one.trip, one.lost) for group, one in watches if one.trip or one.lost}

    def _counts(self, one: Seen) -> bool:
        """Whether it happened, or was recorded, after the reset."""
        return self.reset_us is None or max(event_time(one), one.seen_us) > self.reset_us

    def _end(self, known: list[Seen]) -> int:
        return max([self.at_us, *map(event_time, known)])

    def _reach(self, at_us: int) -> Reach:
        world = self.world
        return Reach(at_us, world.begun_us, world.run.id, self.terms.zone, self.nights)

    def _judged(self, slice_: Slice, reach: Reach) -> tuple[Part, Terms]:
        terms = against(self.rule, slice_, self.others, reach, self.terms)
        return judge_slice(self.rule, slice_, terms), terms

    def _slots(self, groups: Groups, batch: list[Seen]) -> None:
        """Every group at each time at which something happened, since the batch's first.

        Runs bring their slots in the order in which they were recorded: what a later run
        brings late is judged at its own time, and does not undo a trip that was shown before.
        """
        earliest = min(map(event_time, batch), default=0)
        if self.since_us is not None:
            earliest = self.since_us + 1
        if only_grows(self.rule):
            self._suspects(groups, earliest)
            return
        slots = {event_time(one) for items in groups.values() for one in items}
        for moment in sorted(one for one in slots if one >= earliest):
            self._look(moment, _until(groups, moment))

    def _suspects(self, groups: Groups, earliest: int) -> None:
        """Each group at the times at which it might have tripped; the rest changes nothing."""
        for group, items in groups.items():
            whole = slice_of(self.rule, group, items, self._reach(self._end(list(items))))
            for one in suspects(self.rule, whole, self.terms):
                watch = self.watches.get(group)
                trip, lost = (watch.trip, watch.lost) if watch else (None, None)
                new = (one.trips and trip is None) or (one.lost and lost is None)
                if new and one.at_us >= earliest:
                    self._look(one.at_us, _until({group: items}, one.at_us))

    def _look(self, moment: int, groups: Groups) -> None:
        reach = self._reach(moment)
        found, self.absent = slices(self.rule, groups, reach)
        for slice_ in found:
            watch = self.watches.get(slice_.group)
            if watch is not None and watch.slice_ == slice_ and self.rule.versus is None:
                continue
            now, terms = self._judged(slice_, reach)
            watch = self.watches.setdefault(slice_.group, Watch(slice_, now))
            watch.slice_, watch.now = slice_, now
            if watch.now.verdict is Verdict.FAIL:
                watch.trip = watch.trip or watch.now
            if could_fail(self.rule, slice_, terms):
                because = words.holes(self.rule, slice_)
                watch.lost = watch.lost or Part(watch.now.name, Verdict.INCONCLUSIVE, because)

    def _rows(self, groups: Groups, end_us: int) -> None:
        """Each group at its own slots, or when a bucket closes: bad looks one after the other."""
        streak = self.rule.streak or Streak(n=1)
        reach = self._reach(end_us)
        listed = expected(self.rule.each)
        present = [group for group, items in groups.items() if items or group in listed]
        self.absent = absences(self.rule.each, present)
        for group in present:
            self._row(streak, group, groups[group], reach)

    def _row(self, streak: Streak, group: Labels, items: Sequence[Seen], reach: Reach) -> None:
        newest = Slice(group, tuple(items), self.rule.scopes[0], 1)
        nothing = Part(words.name(group), Verdict.MISSING, words.no_look(self.rule))
        watch = self.watches.setdefault(group, Watch(newest, nothing))
        watch.slice_ = newest
        seen: list[tuple[int, bool, bool]] = []
        parts: list[Part] = []
        newest_look = newest
        for look in self._latest(streak, group, items, reach):
            part, terms = self._judged(look.slice_, replace(reach, at_us=look.at_us))
            bad = part.verdict is Verdict.FAIL
            seen.append((look.at_us, bad, could_fail(self.rule, look.slice_, terms)))
            parts.append(part)
            newest_look = look.slice_
        for part, (sure, might) in zip(parts, rows(streak, seen), strict=True):
            if sure and watch.trip is None:
                watch.trip = replace(part, because=f"{streak.words}: {part.because}")
            if might and watch.lost is None:
                because = f"a lost sample could have been the last of {streak.words}"
                watch.lost = Part(part.name, Verdict.INCONCLUSIVE, because)
        if parts:
            watch.now = self._short(parts[-1], newest_look)

    def _short(self, part: Part, slice_: Slice) -> Part:
        """The state after the newest look, whatever became of a row: one bad look is quiet."""
        if part.verdict is not Verdict.FAIL:
            return part
        if slice_.holes:
            because = words.holes(self.rule, slice_)
            return replace(part, verdict=Verdict.INCONCLUSIVE, because=because)
        return replace(part, verdict=Verdict.PASS)

    def _latest(
        self, streak: Streak, group: Labels, items: Sequence[Seen], reach: Reach
    ) -> list[Look]:
        """The looks that may lengthen a row: all of them, or those since what is remembered."""
        kept: list[Look] = []
        before = 0  # looks that were judged already, and may begin a row
        for look in looks_of(self.rule, group, items, reach, newest_first=True):
            if streak.skip and look.few:
                continue
            if self.since_us is not None and look.at_us <= self.since_us:
                before += 1
                far = look.at_us < self.since_us - streak.span_us
                if before > streak.n and (streak.n or far):
                    break
            kept.append(look)
        return kept[::-1]


def last_reset(world: World, id_: str) -> Reset | None:
    """The newest reset of a guardrail (full id)."""
    return max(
        (one for one in world.resets if one.guardrail == id_),
        key=lambda one: one.at_us,
        default=None,
    )


def _batches(items: list[Seen]) -> list[list[Seen]]:
    """The slots of each run, in the order in which the runs were recorded.

    Runs that follow each other in event time as well are one batch: at no moment of the first
    was anything known of the next.
    """
    runs: dict[str, list[Seen]] = {}
    for item in items:
        runs.setdefault(item.run, []).append(item)
    found: list[list[Seen]] = []
    newest = 0
    for batch in sorted(runs.values(), key=lambda batch: max(map(recorded, batch))):
        if found and min(map(event_time, batch)) > newest:
            found[-1] += batch
        else:
            found.append(batch)
        newest = max(newest, *map(event_time, batch))
    return found


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
