"""One look after the other: ask, beat, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeGuard

from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.live_world import Now, read_now
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import ReleaseFact, World
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.watching.poll import Poller, Sample
from pytest_rollout.watching.record import Recording
from pytest_rollout.watching.recorded_change import is_on_record
from pytest_rollout.watching.release_reader import ReleaseReader
from pytest_rollout.watching.state import GuardrailStanding, standings

SEAL_EVERY_S = 600.0
_SHARE = 3  # judging that is slow takes at most a part of the time: of so many and one
_SLOW_S = 1.0


@dataclass(frozen=True, slots=True)
class WatchLook:
    """What one look found."""

    at_us: int
    found: tuple[GuardrailStanding, ...]
    release: str | None
    trouble: tuple[str, ...]
    begun: bool
    judged: bool = True  # False: asked and recorded, and judged at a later look
    beside: tuple[int, ...] = ()  # the processes of other watches of the phase that run now


class Looking:
    """Looks at a phase until it is told to stop; raises LedgerError where the ledger fails."""

    def __init__(
        self,
        plan: Plan,
        phase: Phase,
        poller: Poller,
        recording: Recording,
        identify: Callable[[str], ReleaseFact | None],
        seal_every_s: float = SEAL_EVERY_S,
        runs: Callable[[Process], bool] | None = None,
    ) -> None:
        self._plan = plan
        self._phase = phase
        self._poller = poller
        self._recording = recording
        self._identify = identify
        self._reader = ReleaseReader(identify)
        self._seal_every_s = seal_every_s
        self._now: Now | None = None
        self._rest_until = 0.0
        self._same = False  # whether nothing but this watch added to what was judged last
        self._last: WatchLook | None = None
        self._runs = runs  # whether the process of another watch runs here now
        self._unjudged = False  # whether something was seen since the last judgement
        self._changed: ReleaseFact | None = None  # read, and to be followed at the next look
        self._doubtful: list[Sample] = []  # seen since the release was last read as it was
        self.fact: ReleaseFact | None = None

    def start(self) -> None:
        """The first run begins."""
        self.fact, self._doubtful = self._identify("start"), []
        self._recording.begin(self.fact)

    @property
    def release(self) -> str | None:
        """The release that is watched."""
        return self.fact.release if self.fact else None

    def end(self) -> bool:
        """Seal what was seen; whether all of it is of one release."""
        self._reader.close()
        return self._sealed()

    def _sealed(self) -> bool:
        """Seal the run; whether all of it is of one release.

        Where a recorded change was made since the last look, a run of what runs now is sealed too.
        """
        fact = self._identify("end")
        if self._is_followed(fact):
            self._follow(fact)
        self._recording.seal(fact)
        if fact is None or self.fact is None:
            return fact is self.fact
        return not fact.error and fact.release == self.fact.release

    def look(self, *, last: bool = False) -> WatchLook:
        """Ask, write what was answered, and judge, unless judging takes too much of the time."""
        self._begin_anew()
        polled = self._poller.look()
        self._recording.beat(polled.samples)
        self._doubtful += polled.samples
        started = time.monotonic()
        rests = started < self._rest_until and self._changed is None
        if self._last is not None and rests and not last:
            self._unjudged = True
            at_us = time.time_ns() // 1000
            return replace(self._last, at_us=at_us, trouble=polled.trouble, judged=False)
        at_us = time.time_ns() // 1000
        now, world, running = self._worlds(at_us)
        before = self._last.found if self._last is not None and self._same else ()
        guardrails = standings(self._plan, now.phase, world, running, at_us, before)
        self._same, self._unjudged = True, False
        took_s = time.monotonic() - started
        self._rest_until = time.monotonic() + (took_s * _SHARE if took_s > _SLOW_S else 0)
        troubles = polled.trouble
        if self.fact and self.fact.error:
            troubles = (f"the release could not be read: {self.fact.error}", *troubles)
        beside = tuple(process.pid for process in now.watches)
        self._last = WatchLook(at_us, guardrails, self.release, troubles, now.begun, beside=beside)
        return self._last

    def _begin_anew(self) -> None:
        """Begin another run where this one is long enough, or where something else runs now.

        The run ends with what it looked at, so that what was read is on record. One that ends by
        a recorded change is judged whole before: its release is not judged any more.
        """
        changed, self._changed = self._changed, None
        if time.monotonic() - self._recording.started > self._seal_every_s and not self._unjudged:
            self._turn()
            return
        fact = changed or self._reader.latest()
        switched = fact is not None and _runs(fact) != _runs(self.fact)
        if switched and self._is_followed(fact):
            if self._unjudged:
                self._changed = fact
            else:
                self._follow(fact)
        elif switched:
            self._turn()
        elif fact is not None and self._reader.fresh:
            self._doubtful.clear()

    def _is_followed(self, fact: ReleaseFact | None) -> TypeGuard[ReleaseFact]:
        """Whether something else was read than the run began with, by a change on record."""
        known = self.fact is not None and not self.fact.error
        if not known or fact is None or fact.error or _runs(fact) == _runs(self.fact):
            return False
        recording = self._recording
        return is_on_record(recording.ledger, recording.watched, fact)

    def _follow(self, fact: ReleaseFact) -> None:
        """Seal the run as of the release that it looked at, and begin one of what runs now.

        What was seen since the release was last read may be of either, so both have it.
        """
        assert self.fact is not None
        self._recording.seal(replace(self.fact, when="end", earlier=True))
        self.fact = replace(fact, when="start")
        self._recording.begin(self.fact)
        if self._doubtful:
            self._recording.beat(self._doubtful)
        self._now, self._rest_until = None, 0.0

    def _turn(self) -> None:
        """Seal the run and begin another one, so that what was seen so far is evidence."""
        before, seen, fact = self._recording.run, tuple(self._recording.seen), self.fact
        whole = self._sealed()
        self.start()
        same = whole and _runs(self.fact) == _runs(fact)
        now, self._now = self._now, None
        self._rest_until = 0.0
        if now is None or not same:
            return
        ledger, ours = self._recording.ledger, {before, self._recording.run}
        since = ledger.between(now.last + 1)
        if all(record.run in ours for record in since):  # nothing else is new
            world = replace(now.world, seen=(*now.world.seen, *seen))
            running = replace(now.running, seen=(*now.running.seen, *seen))
            last = ledger.head().sequence
            self._now = replace(now, world=world, running=running, last=last)

    def _worlds(self, at_us: int) -> tuple[Now, World, World]:
        """What was read; the world as a gate would see it after this watch, and all that runs."""
        now = self._read(at_us)
        mine = tuple(self._recording.seen)
        run = replace(now.world.run, ended_us=at_us)
        world = replace(now.world, run=run, seen=(*now.world.seen, *mine))
        if now.running.seen == now.world.seen:
            return now, world, world
        return now, world, replace(now.running, run=run, seen=(*now.running.seen, *mine))

    def _read(self, at_us: int) -> Now:
        """What others recorded, read again only where somebody did."""
        recording = self._recording
        if self._now is not None:
            since = recording.ledger.between(self._now.last + 1)
            runs = all(self._runs and self._runs(watch) for watch in self._now.watches)
            if runs and all(record.run == recording.run for record in since):
                last = recording.ledger.head().sequence
                self._now = replace(self._now, last=last)
                return self._now
        self._same = False
        watched = recording.watched
        self._now = read_now(
            recording.ledger,
            watched.address,
            self._phase,
            watched.environment,
            fact=self.fact,
            now_us=at_us,
            run=recording.run,
            targets=watched.targets,
            runs=self._runs,
        )
        return self._now


def _runs(fact: ReleaseFact | None) -> tuple[str | None, str | None]:
    """The release and the configuration that a target says it runs."""
    return (fact.release, fact.configuration) if fact else (None, None)
