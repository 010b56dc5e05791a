"""Guardrails: judged at each slot's time; a trip latches, too little is blind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import tee

from pytest_rollout.judge import reasons
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.domain import admitted
from pytest_rollout.judge.folds import absent_part, subject_of
from pytest_rollout.judge.looks import Look, looks_of, moments_of, rows
from pytest_rollout.judge.memory import (
    Both,
    Latch,
    Memory,
    Watch,
    batches_of,
    earliest_of,
    later,
    remembered,
)
from pytest_rollout.judge.rules import could_fail, fails, judge_slice
from pytest_rollout.judge.series import (
    Absent,
    Groups,
    Sides,
    absences,
    event_time,
    expected,
    grouped,
    other_side,
    own_side,
    resolved,
)
from pytest_rollout.judge.slices import Reach, Slice, slice_of, slices
from pytest_rollout.judge.tally import Terms
from pytest_rollout.judge.telling import several
from pytest_rollout.judge.trip_candidates import Standing, changes, in_one_pass, standings
from pytest_rollout.model.evidence import Seen, World
from pytest_rollout.model.finding import Finding, Labels, Part, Reason
from pytest_rollout.model.plan import EMBEDDED, Guardrail
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.rule import Rule, Streak
from pytest_rollout.model.verdict import State, Verdict, worst


def judge_guardrail(case: Case, guardrail: Guardrail) -> Finding:
    """Judge a guardrail over all recorded slots; see :func:`look_again`."""
    return look_again(case, guardrail, Memory())[0]


def look_again(case: Case, guardrail: Guardrail, memory: Memory) -> tuple[Finding, Memory]:
    """Judge a guardrail: FAIL is tripped, PASS is quiet, anything between is blind.

    With a memory only later moments are judged: it must be of the same world, to which
    nothing was added since then but what happened later. Guardrails that state a confidence
    share one budget of false alarms. After a reset it is judged anew: on what happened later,
    and on what was recorded later though it happened before.
    """
    id_ = case.full(guardrail.id)
    reset = last_reset(case.world, id_)
    sharing = sum(
        rule.confidence is not None for rail in case.phase.guardrails for rule in rail.rules
    )
    parts: list[Part] = []
    latched: dict[tuple[int, Labels], Latch] = {}
    for number, stated in enumerate(guardrail.rules):
        rule = resolved(stated, case)
        level = float(rule.confidence.level) / sharing if rule.confidence else 0.0
        terms = Terms(case.plan.timezone, level, watched=True)
        latches = {group: latch for (n, group), latch in memory.latched.items() if n == number}
        guard = _Guard(rule, case, terms, reset, memory.until_us, latches)
        parts += guard.parts()
        latched |= {(number, group): latch for group, latch in guard.latched().items()}
    telling = [part for part in parts if State.of(part.verdict) is not State.QUIET] or parts
    telling = sorted(telling, key=lambda part: part.verdict.rank)
    limits = [reasons.allowed(replace(rule.bands, fail=None)) for rule in guardrail.rules]
    finding = Finding(
        id=id_,
        verdict=worst(part.verdict for part in parts),
        reason=several(telling, states=True),
        says=guardrail.says,
        severity="hard",
        kind="guardrail",
        allowed="; ".join(limits),
        parts=tuple(parts),
    )
    return finding, Memory(case.at_us, latched)


class _Guard:
    """One rule, watched over all that happened."""

    def __init__(
        self,
        rule: Rule,
        case: Case,
        terms: Terms,
        reset: Reset | None,
        since_us: int | None,
        latches: Mapping[Labels, Latch],
    ) -> None:
        self.rule = rule
        self.case = case
        self.terms = terms
        self.reset_us = reset.at_us if reset else None
        self.since_us = since_us
        self.watches = {group: remembered(rule, group, *latch) for group, latch in latches.items()}
        self.absent: list[Absent] = []
        self.reach = Reach.of(case)

    def parts(self) -> Iterator[Part]:
        """What it says of each group, and of groups that fall short."""
        own = [seen for seen in own_side(self.rule, self.case) if self._counts(seen)]
        other = other_side(self.rule, self.case)
        if self.rule.versus is not None and not self.rule.versus.fixed:
            other = [seen for seen in other if self._counts(seen)]
        taken = admitted(self.rule, own), admitted(self.rule, other, other=True)
        groups = grouped(self.rule, *taken, self.case.at_us)
        rows_ = self.rule.streak is not None or self.rule.per is not None
        for known, moments in self._known(*taken):
            if rows_:
                self._rows(known)
            else:
                self._slots(known, moments)
        if not rows_:
            self._look(self.case.at_us, groups)
        strays = {
            group: reasons.unplaced(self.rule, sides, self.case)
            for group, sides in groups.items()
            if sides.unplaced
        }
        for part in self._states(groups):
            if part.verdict is not Verdict.MISSING or part.subject.labels not in strays:
                yield part
        yield from (absent_part(self.rule, item) for item in self.absent)
        for group, reason in strays.items():
            yield Part(subject_of(group), Verdict.INCONCLUSIVE, reason)

    def _states(self, groups: Groups) -> Iterator[Part]:
        """The state of each group; one that is not listed is stale only where all of them are."""
        oldest_us = self.case.oldest_us()
        rehearsed = self.case.world.run.environment == EMBEDDED
        latest = {g: w.latest_us(rehearsed=rehearsed) for g, w in self.watches.items()}
        named = set(expected(self.rule.each))
        for group in dict.fromkeys([*groups, *self.watches]):
            watch = self.watches.get(group)
            if watch is not None:
                watch.now = watch.now or judge_slice(self.rule, watch.slice_, self.terms)
                newest = latest[group] if group in named else max(latest.values())
                yield from watch.parts(stale=0 < newest < oldest_us)

    def latched(self) -> dict[Labels, Latch]:
        """The trips, and the holes that could have been one, of all groups so far."""
        watches = self.watches.items()
        return {group: (w.trip, w.lost) for group, w in watches if w.trip or w.lost}

    def _counts(self, seen: Seen) -> bool:
        """Whether it happened, or was recorded, after the reset."""
        return self.reset_us is None or max(event_time(seen), seen.seen_us) > self.reset_us

    def _known(
        self, own: Sequence[Seen], other: Sequence[Seen]
    ) -> Iterator[tuple[Groups, list[int]]]:
        """What was known after each run was recorded, and the moments that are judged then.

        What a later run brings late, on either side, is judged at its own time, and does not
        undo a trip that was shown before.
        """
        at_us, since_us = self.case.at_us, self.since_us
        batches = batches_of(own, other) if since_us is None else [(list(own), list(other))]
        if not batches:
            yield grouped(self.rule, own, other, at_us), []
        known: Both = ([], [])
        for batch in batches:
            for side, items in zip(known, batch, strict=True):
                side += items
            earliest = earliest_of(batch, at_us) if since_us is None else since_us + 1
            gone_us = self.reach.left_behind(self.rule, earliest)
            mine, others = (later(side, gone_us) for side in known)
            groups = grouped(self.rule, mine, others, at_us)
            moments = {t for sides in groups.values() for t in sides.own.times if t >= earliest}
            yield groups, sorted(moments)

    def _slots(self, groups: Groups, moments: Sequence[int]) -> None:
        """Every group at each of the moments."""
        if not in_one_pass(self.rule):
            for moment in moments:
                self._look(moment, groups)
        elif moments:
            for group, sides in groups.items():
                self._pass(group, sides, moments)

    def _pass(self, group: Labels, sides: Sides, moments: Sequence[int]) -> None:
        """One group at the moments at which it trips or might; the rest changes nothing.

        The newest slots that were in reach are kept, as its last look.
        """
        newest = None
        for at in changes(self.rule, group, sides, moments, self.reach, self.terms):
            if not at.empty:
                newest = at.at_us
            if at.trips or at.lost:
                watch = self.watches.get(group)
                trip, lost = (watch.trip, watch.lost) if watch else (None, None)
                if (at.trips and trip is None) or (at.lost and lost is None):
                    self._look(at.at_us, {group: sides})
        if newest is not None:
            self._look(newest, {group: sides})

    def _look(self, moment: int, groups: Groups) -> None:
        kept, self.absent = slices(self.rule, groups, replace(self.reach, at_us=moment))
        for slice_ in kept:
            watch = self.watches.get(slice_.group)
            if watch is not None and watch.slice_ == slice_:
                continue
            if watch is None:
                watch = self.watches[slice_.group] = Watch(slice_)
            watch.slice_, watch.now = slice_, None
            if watch.trip is None and fails(self.rule, slice_, self.terms):
                watch.trip = judge_slice(self.rule, slice_, self.terms)
            if watch.lost is None and could_fail(self.rule, slice_, self.terms):
                now = judge_slice(self.rule, slice_, self.terms)
                watch.lost = self._blind(slice_, now)

    def _blind(self, slice_: Slice, now: Part) -> Part:
        """The part of a look that something lost, or undefined, could have tripped."""
        tells = State.of(now.verdict) is State.BLIND
        reason = now.reason if tells else reasons.holes(self.rule, slice_)
        return Part(now.subject, Verdict.INCONCLUSIVE, reason)

    def _rows(self, groups: Groups) -> None:
        """Each group at its own slots, or when a bucket closes: bad looks one after the other."""
        listed = expected(self.rule.each)
        present = [g for g, sides in groups.items() if sides.own.items or g in listed]
        self.absent = absences(self.rule.each, present)
        for group in present:
            self._row(self.rule.streak or Streak(n=1), group, groups[group])

    def _row(self, streak: Streak, group: Labels, sides: Sides) -> None:
        newest = Slice(group, tuple(sides.own.items), self.rule.scopes[0], 1)
        nothing = Part(subject_of(group), Verdict.MISSING, reasons.no_look(self.rule))
        watch = self.watches.setdefault(group, Watch(newest, nothing))
        watch.slice_ = newest
        marks, told = tee(self._marks(streak, group, sides))
        mark = None
        looks = ((one.at_us, one.trips, one.lost) for one in told)
        for mark, (sure, might) in zip(marks, rows(streak, looks), strict=True):
            if sure and watch.trip is None:
                part = judge_slice(self.rule, self._slice(mark, group, sides), self.terms)
                watch.trip = replace(part, reason=_in_a_row(self.rule, part.reason))
            if might and watch.lost is None:
                reason = Reason("might-complete", reasons.streak_facts(streak))
                watch.lost = Part(subject_of(group), Verdict.INCONCLUSIVE, reason)
        if mark is not None:
            slice_ = self._slice(mark, group, sides)
            watch.now = self._short(judge_slice(self.rule, slice_, self.terms), slice_)

    def _marks(self, streak: Streak, group: Labels, sides: Sides) -> Iterator[Standing]:
        """How each look ends that may lengthen a row."""
        if self.since_us is None and in_one_pass(self.rule):
            moments = moments_of(self.rule, sides, self.reach)
            if moments:
                found = standings(self.rule, group, sides, moments, self.reach, self.terms)
                for at in found:
                    if not (streak.skip and at.few):
                        yield at
            return
        for look in self._latest(streak, group, sides):
            bad = fails(self.rule, look.slice_, self.terms)
            maybe = could_fail(self.rule, look.slice_, self.terms)
            yield Standing(look.at_us, bad, maybe, look.few, slice_=look.slice_)

    def _slice(self, mark: Standing, group: Labels, sides: Sides) -> Slice:
        if mark.slice_ is not None:
            return mark.slice_
        return slice_of(self.rule, group, sides, replace(self.reach, at_us=mark.at_us))

    def _short(self, part: Part, slice_: Slice) -> Part:
        """The state after the newest look, whatever became of a row: one bad look is quiet."""
        if part.verdict is not Verdict.FAIL:
            return part
        if slice_.holes:
            reason = reasons.holes(self.rule, slice_)
            return replace(part, verdict=Verdict.INCONCLUSIVE, reason=reason)
        return replace(part, verdict=Verdict.PASS)

    def _latest(self, streak: Streak, group: Labels, sides: Sides) -> list[Look]:
        """The looks that may lengthen a row: all of them, or those since what is remembered."""
        looks: list[Look] = []
        before = 0  # looks that were judged already, and may begin a row
        for look in looks_of(self.rule, group, sides, self.reach, newest_first=True):
            if streak.skip and look.few:
                continue
            if self.since_us is not None and look.at_us <= self.since_us:
                before += 1
                far = look.at_us < self.since_us - streak.span_us
                if before > streak.n and (streak.n or far):
                    break
            looks.append(look)
        return looks[::-1]


def _in_a_row(rule: Rule, reason: Reason) -> Reason:
    """The reason of a trip after bad looks in a row; of a bucket by itself, its own."""
    if rule.streak is None:
        return reason
    return Reason("row.bad", reasons.streak_facts(rule.streak) | {"reason": reason})


def last_reset(world: World, id_: str) -> Reset | None:
    """Return the newest reset of a guardrail (full id)."""
    return max(
        (reset for reset in world.resets if reset.guardrail == id_),
        key=lambda reset: reset.at_us,
        default=None,
    )
