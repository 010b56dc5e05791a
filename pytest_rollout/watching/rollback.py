"""Running the steps of a rollback: each once, each seen to hold afterwards, each on record."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.checks.ask import Place, ask
from pytest_rollout.checks.change import do
from pytest_rollout.checks.expect import unmet
from pytest_rollout.evidence.bodies import StepTaken
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Check
from pytest_rollout.model.plan import Effect
from pytest_rollout.model.rollback import Rollback, RollbackStep, StepOutcome
from pytest_rollout.targets.trouble import trouble
from pytest_rollout.watching.record import Recording, now_us
from pytest_rollout.watching.trip_records import events

_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Ran:
    """A step with what became of it."""

    number: int
    step: RollbackStep
    outcome: StepOutcome
    because: str = ""

    @property
    def words(self) -> str:
        """The step in a line."""
        why = f": {self.because}" if self.because else ""
        return f"{self.number}. {self.step.says}: {self.outcome.value}{why}"


class Runner:
    """Runs a rollback for one trip; raises LedgerError where the ledger fails."""

    def __init__(
        self,
        recording: Recording,
        place: Place,
        root: Path,
        allow: frozenset[Effect],
        trip: int,
    ) -> None:
        self._recording = recording
        self._place = place
        self._root = root
        self._allow = allow
        self._trip = trip  # the sequence of the trip's event

    def run(self, rollback: Rollback, *, keep_going: bool = False) -> Iterator[Ran]:
        """Each step in turn; after one that failed the others are left, unless told otherwise."""
        stopped = False
        for number, step in enumerate(rollback.steps, 1):
            if stopped:
                yield Ran(number, step, StepOutcome.LEFT)
                continue
            ran = self._step(number, step)
            self._record(ran)
            yield ran
            stopped = ran.outcome in (StepOutcome.FAILED, StepOutcome.UNKNOWN) and not keep_going

    def _step(self, number: int, step: RollbackStep) -> Ran:
        action = step.action
        if step.check is not None and not self._unmet(step.check):
            return Ran(number, step, StepOutcome.ALREADY, f"{step.check} holds")
        if action is None:
            return Ran(number, step, StepOutcome.BY_HAND)
        if action.effect not in self._allow:
            because = f"{self._place.environment} does not allow {action.effect.value}"
            return Ran(number, step, StepOutcome.FAILED, because)
        before = self._before(number, step)
        if before is not None:
            return before
        mine = self._record(Ran(number, step, StepOutcome.BEGUN))
        if self._before(number, step, until=mine) is not None:
            return Ran(number, step, StepOutcome.UNKNOWN, "somebody else began it at the same time")
        try:
            do(action, self._place, self._root)
        except Exception as error:  # whatever it raised, the step is not known to be done
            return Ran(number, step, StepOutcome.FAILED, trouble(error))
        if step.check is None:
            return Ran(number, step, StepOutcome.DONE, "no check says that it holds")
        wrong = self._until_it_holds(step.check)
        if wrong:
            return Ran(number, step, StepOutcome.FAILED, f"it ran, and then {wrong}")
        return Ran(number, step, StepOutcome.DONE, f"{step.check} holds")

    def _before(self, number: int, step: RollbackStep, until: int | None = None) -> Ran | None:
        """What was done about the step since the trip, where that keeps it from being run."""
        key = step.key(number)
        last: tuple[str, int] | None = None
        steps = events(self._recording.ledger, self._recording.watched, StepTaken, self._trip)
        for told in steps:
            if told.body.step == key and (until is None or told.record.sequence < until):
                last = told.body.outcome, told.record.at_us
        if last is None:
            return None
        outcome, at_us = last
        when = calendar.stamp(at_us)
        if outcome == StepOutcome.BEGUN:
            limit_us = _limit_us(step)
            if step.check is not None and time.time_ns() // 1000 - at_us > limit_us:
                return None  # its check says that it does not hold, and nobody is at it any more
            because = f"it was begun at {when}, and nobody said how it ended"
            return Ran(number, step, StepOutcome.UNKNOWN, because)
        if step.check is None and StepOutcome(outcome).good:
            return Ran(number, step, StepOutcome.ALREADY, f"it was run at {when}")
        return None

    def _until_it_holds(self, check: Check) -> str:
        """Why it does not hold, once its time is over; empty where it does."""
        deadline = time.monotonic() + check.timeout_us / 1_000_000
        while True:
            wrong = self._unmet(check)
            if not wrong or time.monotonic() + _PAUSE_S > deadline:
                return wrong
            time.sleep(_PAUSE_S)

    def _unmet(self, check: Check) -> str:
        """Why a check does not hold now; empty where it does."""
        try:
            answer = ask(check, (), self._place, self._root)
            wrong = [answer.trouble] if answer.trouble else unmet(check, answer)
        except Exception as error:  # what cannot be asked does not hold
            return trouble(error)
        return "; ".join(wrong)

    def _record(self, ran: Ran) -> int:
        head = self._recording.event(
            StepTaken(
                type=StepTaken.TYPE,
                t_us=now_us(),
                says=ran.words,
                step=ran.step.key(ran.number),
                outcome=ran.outcome.value,
                trip=self._trip,
            )
        )
        return head.sequence


def _limit_us(step: RollbackStep) -> int:
    """How long somebody may be at a step."""
    return sum(part.timeout_us for part in (step.action, step.check) if part is not None)
