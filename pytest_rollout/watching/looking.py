"""One look after the other: ask, beat, judge."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from pytest_rollout.evidence.live_world import Now, read_now
from pytest_rollout.model.evidence import ReleaseFact, World
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.watching.poll import Poller
from pytest_rollout.watching.record import Recording
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
        self.fact: ReleaseFact | None = None

    def start(self) -> None:
        """The first run begins."""
        self.fact = self._identify("start")
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
        fact = self._identify("end")
        self._recording.seal(fact)
        if fact is None or self.fact is None:
            return fact is self.fact
        return not fact.error and fact.release == self.fact.release

    def look(self, *, last: bool = False) -> WatchLook:
        """Ask, write what was answered, and judge, unless judging takes too much of the time."""
        if time.monotonic() - self._recording.started > self._seal_every_s or self._switched():
            self._turn()
        polled = self._poller.look()
        self._recording.beat(polled.samples)
        started = time.monotonic()
        if self._last is not None and started < self._rest_until and not last:
            at_us = time.time_ns() // 1000
            return replace(self._last, at_us=at_us, trouble=polled.trouble, judged=False)
        at_us = time.time_ns() // 1000
        now, world, running = self._worlds(at_us)
        before = self._last.found if self._last is not None and self._same else ()
        found = standings(self._plan, now.phase, world, running, at_us, before)
        self._same = True
        took_s = time.monotonic() - started
        self._rest_until = time.monotonic() + (took_s * _SHARE if took_s > _SLOW_S else 0)
        troubles = polled.trouble
        if self.fact and self.fact.error:
            troubles = (f"the release could not be read: {self.fact.error}", *troubles)
        self._last = WatchLook(at_us, found, self.release, troubles, now.begun)
        return self._last

    def _switched(self) -> bool:
        """Whether the target runs something else than when the run of the watch began.

        That run ends with it, so that what was read is on record, and what was seen is of one.
        """
        fact = self._reader.latest()
        return fact is not None and _runs(fact) != _runs(self.fact)

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
            if all(record.run == recording.run for record in since):
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
        )
        return self._now


def _runs(fact: ReleaseFact | None) -> tuple[str | None, str | None]:
    """The release and the configuration that a target says it runs."""
    return (fact.release, fact.configuration) if fact else (None, None)
