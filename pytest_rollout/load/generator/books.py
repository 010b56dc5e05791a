"""The books of a load: parts as they come in, what is missing of them, and the files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from pytest_rollout.load import schedule
from pytest_rollout.load.generator import clock, writing
from pytest_rollout.load.generator.found import Order
from pytest_rollout.load.generator.parts import Part
from pytest_rollout.load.generator.total import Total
from pytest_rollout.model.load import GeneratorFacts, LoadProfile, LoadRecord

logger = logging.getLogger(__name__)
_EACH_S = 0.95  # a status is not older than a second
_SHARE = 0.02  # of the time may be spent on writing it


class Books:
    """Adds up the parts of a load, and writes its status and its record."""

    def __init__(self, order: Order, pause: Callable[[], None]) -> None:
        self.profile: LoadProfile = order.profile
        self.total = Total()
        self.workers: Mapping[int, str] = {}  # who makes the load, by number
        self._order, self._pause = order, pause
        self._due = 0.0
        self._closed = False

    @property
    def completed(self) -> bool:
        """Whether each process of the load reported to the end of it."""
        return bool(self.workers) and not self.lost

    @property
    def lost(self) -> list[str]:
        """The names of those who did not report to the end."""
        facts = self.total.facts
        return [
            name
            for worker, name in self.workers.items()
            if worker not in facts or not facts[worker].completed or worker in self.total.gaps
        ]

    def take(self, part: Part) -> None:
        """Add a part, and write the status where it is due."""
        begun = clock.steady()
        self.total.add(part, begun)
        if self._order.status is not None and begun >= self._due:
            self._due = begun + _EACH_S
            record = self._record(completed=False, trouble="")
            try:
                writing.write_status(self._order.status, record, self._pause, self._is_open)
            except OSError:
                logger.exception("the status of the load could not be written")
            self._due = begun + max(_EACH_S, (clock.steady() - begun) / _SHARE)

    def _is_open(self) -> bool:
        return not self._closed

    def close(self, *, reached: bool) -> LoadRecord:
        """Write the record of a load that ended, at its planned end or before; return it."""
        self._closed = True
        for worker, name in self.workers.items():
            self.total.facts.setdefault(worker, GeneratorFacts(name, completed=False))
        if not self.completed:
            self._plan_fully()
        record = self._record(completed=reached, trouble=self._trouble(reached=reached))
        for path in filter(None, (self._order.status, self._order.record)):
            writing.write_record(path, record)
        return record

    def _record(self, *, completed: bool, trouble: str) -> LoadRecord:
        return self.total.record(self.profile, completed=completed, trouble=trouble)

    def _plan_fully(self) -> None:
        """Count the arrivals up to the planned end, also of those who did not report."""
        if not self.profile.open_loop:
            return
        workers = max(1, len(self.workers))
        self.total.plan(schedule.planned_by_second(self.profile, workers))

    def _trouble(self, *, reached: bool) -> str:
        total = f"{self.profile.offer.duration_us / 1e6:g} s"
        if not self.total.begin_us:
            return "it was stopped before it began"
        if not reached:
            return f"it was stopped after {self.total.elapsed_us / 1e6:.1f} s of {total}"
        if self.lost:
            return f"did not report to the end: {', '.join(self.lost)}"
        return ""
