"""One process that makes load: its begin, its arrivals, its parts once a second, its end."""

from __future__ import annotations

import gc
from collections.abc import Callable

import gevent
from gevent.event import Event

from pytest_rollout.load.generator import clock
from pytest_rollout.load.generator.facts import Watch
from pytest_rollout.load.generator.parts import Part
from pytest_rollout.load.generator.recorder import Recorder
from pytest_rollout.load.generator.timetable import Timetable
from pytest_rollout.load.locust_process import READY_S
from pytest_rollout.model.load import LoadProfile

DRAIN_S = 10.0  # how long requests that began may go on after the end


class Process:
    """Makes the load of one worker of several, or of all of them alone."""

    def __init__(
        self,
        profile: LoadProfile,
        name: str,
        send: Callable[[Part], None],
        users: Callable[[], int],
        *,
        worker: int = 0,
        workers: int = 1,
        ready: Callable[[], None] | None = None,
    ) -> None:
        offer = profile.offer
        self.profile, self.name, self.worker = profile, name, worker
        self.duration = offer.duration_us / 1e6
        self.recorder = Recorder(self.duration, offer.warm_up_us / 1e6, open_loop=profile.open_loop)
        self.begin_us = 0
        self.over = False  # whether nothing more is to be begun
        self.finished = Event()
        self.waiting = 0  # users who are ready for the begin
        self._timetable = Timetable(profile, worker, workers) if profile.open_loop else None
        self._begun = Event()
        self._ready = ready or self.begin  # what is done once it may begin
        self._send, self._users, self._parts = send, users, 0
        self._watch = Watch()

    def begin(self) -> None:
        """Begin the load now; later calls change nothing."""
        if self._begun.is_set():
            return
        gc.freeze()  # what stands by now need not be looked through again and again
        self.begin_us = clock.wall_us()
        self.recorder.begin = clock.steady()
        self._watch = Watch()
        self._begun.set()
        self._watch.start()
        gevent.spawn(self._report).link(lambda _: self._watch.stop())

    def begin_once_ready(self) -> None:
        """Begin the load as soon as each user waits for its first arrival, or say so."""
        bound = clock.steady() + READY_S
        while self.waiting < self._users() and clock.steady() < bound:
            gevent.sleep(0.01)
        self._ready()

    def claim(self) -> tuple[float, float] | None:
        """Return the next planned start and how long it is until then; None after the last."""
        assert self._timetable is not None
        self.waiting += 1
        self._begun.wait()
        self.waiting -= 1
        late = self.over or self.recorder.now() >= self.duration
        planned = None if late else self._timetable.claim()
        if planned is None:
            return None
        self.recorder.claimed += 1
        return planned, max(0.0, planned - self.recorder.now())

    def finish(self, *, completed: bool) -> None:
        """Send the last part; nothing is counted after it."""
        if self.finished.is_set():
            return
        self.finished.set()
        if self._begun.is_set():
            self._watch.tick()
        self.recorder.close()
        self._send_part(before=None, completed=completed)

    def _report(self) -> None:
        """Send a part after each second, and the last one once all that began has ended."""
        second = 0
        while self.recorder.now() < self.duration:
            second += 1
            gevent.sleep(max(0.0, min(second, self.duration) - self.recorder.now()))
            self._watch.tick()
            if not self.finished.is_set():
                self._send_part(before=int(self.recorder.now()), completed=False)
        self.over = True
        bound = self.duration + DRAIN_S
        while self._is_busy() and self.recorder.now() < bound:
            gevent.sleep(0.02)
        self.finish(completed=True)

    def _is_busy(self) -> bool:
        """Whether a request, or the task of an arrival, has not ended."""
        recorder = self.recorder
        return bool(recorder.under_way or recorder.held or recorder.claimed or recorder.going)

    def _send_part(self, before: int | None, *, completed: bool) -> None:
        if self._timetable is not None:
            self._timetable.draw_until(min(self.recorder.now(), self.duration))
        tally = self.recorder.take(before, self._users())
        for number, planned in self._planned_before(before):
            tally.seconds[number].planned += planned
        facts = self._watch.facts(self.name, completed=completed)
        part = Part.of(
            tally,
            facts,
            worker=self.worker,
            number=self._parts,
            begin_us=self.begin_us,
            elapsed_us=round(max(0.0, self.recorder.now()) * 1e6),
            started=self.recorder.started,
            unasked=self.recorder.unasked,
            raised=self.recorder.raised,
            beside=self.recorder.beside,
        )
        self._parts += 1
        self._send(part)

    def _planned_before(self, number: int | None) -> list[tuple[int, int]]:
        """Take the planned arrivals of the seconds before one; of all where it is the end."""
        if self._timetable is None:
            return []
        planned = self._timetable.planned
        return [(of, planned.pop(of)) for of in list(planned) if number is None or of < number]
