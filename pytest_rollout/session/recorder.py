"""What one process saw, on its way to the ledger."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from functools import partial
from mmap import mmap
from time import time_ns
from typing import TYPE_CHECKING, Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.session.progress import Progress, Underway, counted
from pytest_rollout.session.request import Request

# The room of evidence is loaded where something is recorded: most runs of pytest decide nothing.
if TYPE_CHECKING:
    from pytest_rollout.evidence.bodies import Body, StoredEvent
    from pytest_rollout.evidence.ledger import Ledger
    from pytest_rollout.evidence.records import Batch, Observation
    from pytest_rollout.model.evidence import Head, ReleaseFact

_REPLAYED = "replayed by Hypothesis"
_MOST_LABELS = 50
_MOST_TOLD = 4_096  # bytes that a pipe takes at once, and whole


@dataclass(slots=True)
class Current:
    """The item that is running."""

    item: str
    phase: str  # plan.phase, or empty
    scenario: str = ""  # the one that it reads, if it reads just one


@dataclass(slots=True)
class _Buffer:
    observations: list[Observation] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    generated: bool = False  # Hypothesis chose what was observed


class Recorder:
    """Collects what is observed while an item runs and writes it as one batch.

    Thread-safe. Without a deciding run it keeps nothing. A ledger that fails is reported
    once and makes the run untrustworthy; it does not break the tests.
    """

    def __init__(self, request: Request, worker: str, progress: Progress | None = None) -> None:
        self.request = request
        self.worker = worker
        self._progress = progress
        self.trouble: str | None = None
        self._pid = os.getpid()  # a child that a test forked writes nothing
        self.current = Current("", "")
        self._lock = threading.Lock()
        self._buffer = _Buffer()
        self._scenario = ""
        self._ledger: Ledger | None = None
        self._closed = False
        self._goes_on = False  # a forked child that came back, and runs the rest once more
        self._phases: dict[str, str] = {}  # of items that ended
        self._late: list[tuple[str, str]] = []  # items that ended, and what failed since
        self._told = os.pipe() if request.deciding else None  # by children of this process
        self._heard = mmap(-1, 1)  # shared with children: 1 once the pipe holds something
        for end in self._told or ():
            os.set_blocking(end, False)

    @property
    def heads(self) -> list[Head]:
        """What this process wrote last, if it wrote anything."""
        return [self._ledger.last] if self._ledger is not None and self._ledger.last else []

    def start(self, current: Current) -> None:
        """An item begins."""
        self._goes_on |= os.getpid() != self._pid
        with self._lock:
            self.current = current
            self._buffer = _Buffer()
        if self._progress is not None:
            self._progress.start()

    def tick(self) -> None:
        """Something happened in the item that is running: it may be time to say how far it is."""
        if self._progress is not None:
            self._progress.tick(self._underway)

    def _underway(self, seconds: float) -> Underway:
        with self._lock:
            seen = counted(self._buffer.observations)
        test = self.current.item.rpartition("::")[2]
        return Underway(self.current.phase, self._scenario or test, seconds, seen)

    @contextmanager
    def scenario(self, name: str) -> Iterator[None]:
        """Label what is observed meanwhile with the scenario's name."""
        before, self._scenario = self._scenario, name
        try:
            yield
        finally:
            self._scenario = before

    def observe(self, metric: str, value: str, t_us: int, labels: dict[str, object]) -> None:
        """Take one observation of the item that is running.

        Raises ValueError where it has more labels than anybody groups by, and RolloutError where
        the run has ended. What a child of this process observes is an error of the check.
        """
        if self._is_lost(metric):
            return
        if len(labels) > _MOST_LABELS:
            raise ValueError(f"{metric}: {len(labels)} labels; {_MOST_LABELS} are enough")
        if not self.current.item and self.request.deciding:
            self.trouble = self.trouble or f"{metric} was observed while no test was running"
        scenario = self._scenario or self.current.scenario
        if scenario:
            labels = {"scenario": scenario, **labels}
        from pytest_rollout.evidence.records import Observation
        from pytest_rollout.model.evidence import labels_of

        plan, _, phase = self.current.phase.partition(".")
        with self._lock:
            slot = (metric, labels_of(labels), t_us)  # numbered when they are appended
            self._buffer.observations.append(
                Observation(plan, phase, *slot, time_ns() // 1000, 0, value)
            )
            self._buffer.generated |= _in_a_generated_example()
        self.tick()

    def _is_lost(self, metric: str) -> bool:
        """Whether no batch will hold an observation; the parent hears of a child's.

        A child that raised would come back from its check and run the rest of the session.
        """
        if not self.request.deciding:
            return False
        if os.getpid() != self._pid:
            if self._told is not None and not self._goes_on:
                os.write(self._told[1], f"{metric}\n".encode()[:_MOST_TOLD])
                self._heard[0] = 1
            return True
        if self._closed:
            raise RolloutError(
                f"{metric} was observed after the run had ended: wait for its thread"
            )
        return False

    def lost_in_children(self) -> list[str]:
        """Return the series that children of this process tried to observe since last asked."""
        if self._told is None or not self._heard[0] or os.getpid() != self._pid:
            return []
        self._heard[0] = 0
        told = b""
        with suppress(OSError):  # nothing more to read
            while part := os.read(self._told[0], _MOST_TOLD):
                told += part
        return list(dict.fromkeys(told.decode("utf-8", "replace").splitlines()))

    def late(self, item: str, why: str) -> None:
        """Note that something which an item started failed after its end; from any thread."""
        self._late.append((item, why))

    def write_late(self) -> None:
        """Write what failed after the end of its item, as one more report of that item."""
        from pytest_rollout.evidence.records import Batch

        while self._late and os.getpid() == self._pid and self.request.deciding:
            item, why = self._late.pop(0)
            attempt = (Verdict.ERROR.value, why)
            batch = Batch(item, self._phases.get(item, ""), (attempt,), (), ())
            self._write(partial(_append_batch, self._run(), batch, self.worker))

    def attach(self, name: str, content: bytes, media_type: str) -> None:
        """Keep a file of the item that is running; raises LedgerError where it cannot be kept."""
        if not self.request.deciding or os.getpid() != self._pid:
            return
        kept = self._opened().attach(content)
        facts = {"name": name, "digest": kept.digest, "size": kept.size, "type": media_type}
        with self._lock:
            self._buffer.attachments.append(facts)

    def finish(self, attempts: tuple[tuple[str, str], ...], *, bound: bool) -> None:
        """The item ended: write its batch, if it is bound or observed something."""
        with self._lock:
            buffer, self._buffer = self._buffer, _Buffer()
            current, self.current = self.current, Current("", "")
            self._phases[current.item] = current.phase
        if self._progress is not None:
            self._progress.end()
        empty = not (buffer.observations or buffer.attachments)
        if (
            os.getpid() != self._pid
            or not self.request.deciding
            or not current.phase
            or (empty and not bound)
        ):
            return
        from pytest_rollout.evidence.records import Batch

        observations = tuple(buffer.observations)
        if buffer.generated and any(verdict != "pass" for verdict, _ in attempts):
            # A failing property is replayed while it is shrunk: its counts mean nothing, but
            # dropping them could hide what was bad, so they become holes.
            observations = tuple(
                replace(observation, value=_REPLAYED) for observation in observations
            )
        batch = Batch(
            current.item, current.phase, attempts, observations, tuple(buffer.attachments)
        )
        self._write(partial(_append_batch, self._run(), batch, self.worker))
        if self._late:
            self.write_late()

    def manifest(
        self,
        items: Mapping[str, Sequence[str]],
        phases: Mapping[str, str],
        dropped: Mapping[str, str],
        broken: Sequence[tuple[str, str]],
        absent: Sequence[str],
        unnamed: Mapping[str, Sequence[str]],
        rehearsed: Mapping[str, Sequence[str]],
    ) -> None:
        """Say what should run, before the first test."""
        from pytest_rollout.evidence.bodies import WorkerManifest
        from pytest_rollout.evidence.body_texts import PlanId

        listed = {criterion: tuple(names) for criterion, names in items.items()}
        whole = tuple((PlanId(plan), what) for plan, what in broken)
        alone = {phase: tuple(names) for phase, names in unnamed.items()}
        left_out = {criterion: tuple(names) for criterion, names in rehearsed.items()}
        facts = (dict(phases), dict(dropped), whole, tuple(absent), alone, left_out)
        self._append(WorkerManifest(self.worker, listed, *facts), subject=self.worker)

    def release(self, phase: str, fact: ReleaseFact) -> None:
        """What a target said of itself."""
        self._append(fact, phase.partition(".")[0], phase)

    def event(self, phase: str, event: StoredEvent) -> None:
        """Something happened in a phase."""
        self._append(event, phase.partition(".")[0], phase)

    def _run(self) -> tuple[str, str]:
        return self.request.run, self.request.environment

    def _append(self, body: Body, plan: str = "", subject: str = "") -> None:
        if self.request.deciding:
            from pytest_rollout.evidence.ledger import Draft

            draft = Draft(body, self.request.run, plan, subject, self.request.environment)
            self._write(lambda ledger: ledger.append(draft))

    def _write(self, write: Callable[[Ledger], object]) -> None:
        try:
            write(self._opened())
        except LedgerError as error:
            self.trouble = self.trouble or str(error)

    def _opened(self) -> Ledger:
        if self._ledger is None:
            from pytest_rollout.evidence import opening

            self._ledger = opening.to_write(self.request.ledger)
        return self._ledger

    def close(self) -> None:
        """Let go of the ledger; what is observed from now on is refused."""
        self._closed = True
        told, self._told = self._told, None
        for end in told or ():
            os.close(end)
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


def _append_batch(run: tuple[str, str], batch: Batch, worker: str, ledger: Ledger) -> None:
    ledger.append_batch(*run, batch, worker)


def _in_a_generated_example() -> bool:
    control = sys.modules.get("hypothesis.control")
    return control is not None and bool(control.currently_in_test_context())
