"""What to do now about a decision: at most three lines, each with its owner and a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Criterion, Gate, Guardrail, Phase, Plan, Then
from pytest_rollout.model.rollback import RollbackStep
from pytest_rollout.model.story import Happened, Kind, StepState, Todo
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.advice import GENERAL, advice, due_later
from pytest_rollout.report.causes import first_told, meant
from pytest_rollout.report.text import count

MOST = 3
_SILENT = "release.unreadable"  # the target did not answer
_ROLLED_BACK = "begin.rolled-back"
_NOTHING_STATED = ("gate.no-criterion", "gate.nothing-hard")


def todo(
    plan: Plan,
    phase: Phase,
    decision: Decision,
    unjudged: Sequence[str] = (),
    steps: Sequence[StepState] = (),
    signoff: Sequence[Finding] = (),
    *,
    begun: bool | None = None,
) -> tuple[Todo, ...]:
    """Return what to do now, the most urgent first.

    ``unjudged`` are series that were seen and that no rule reads: their names may be misspelt.
    ``steps`` are those of the rollback, with what became of them; ``signoff`` says which
    signatures of a GO are open; ``begun`` whether the phase has begun, and has not
    ended; None: nobody knows.
    """
    given = _Given(plan, phase, decision, unjudged, steps, signoff, begun)
    return tuple(_lines(given))[:MOST]


def _lines(given: _Given) -> Iterator[Todo]:
    if given.decision.drill:
        return given.end_drill()
    match given.decision.answer:
        case Answer.ROLLBACK if given.real:
            return given.roll_back()
        case Answer.GO:
            return given.go_on()
        case _:
            return given.fix()


def steps_taken(phase: Phase, happened: Sequence[Happened]) -> tuple[StepState, ...]:
    """Return the steps of the rollback, each with what became of it since the newest trip."""
    trips = [event.at_us for event in happened if event.kind is Kind.TRIP]
    since_us = max(trips, default=0)
    taken = {
        event.step: event
        for event in happened
        if event.kind is Kind.STEP and event.at_us >= since_us
    }
    return tuple(
        _state(step, taken.get(step.key(number)))
        for number, step in enumerate(phase.rollback.steps, 1)
    )


def _state(step: RollbackStep, last: Happened | None) -> StepState:
    does = str(step.action) if step.action else ""
    if last is None:
        return StepState(step.says, by_hand=not does, does=does)
    return StepState(step.says, not does, last.outcome, last.at_us, does)


@dataclass(frozen=True)
class _Given:
    """A decision with what it is about."""

    plan: Plan
    phase: Phase
    decision: Decision
    unjudged: Sequence[str]
    steps: Sequence[StepState]
    signoff: Sequence[Finding]
    begun: bool | None

    @property
    def real(self) -> bool:
        """Whether it is of a real environment."""
        return self.decision.environment != EMBEDDED and not self.decision.drill

    @property
    def owners(self) -> str:
        """Who sees to it."""
        return " or ".join(map(self.named, self.phase.owners))

    def named(self, role: str) -> str:
        """A role with the people who held it when the gate was judged: ``sre (Ada)``."""
        at = datetime.fromisoformat(self.decision.judged_at)
        day = at.astimezone(ZoneInfo(self.plan.timezone)).date()
        people = self.plan.roster.names_of(role, day)
        return f"{role} ({people})" if people else role

    @property
    def run(self) -> str:
        """The command that decides the gate again."""
        where = f" --rollout-env {self.decision.environment}" if self.real else ""
        return f"pytest {self.phase.chosen}{where}"

    def end_drill(self) -> Iterator[Todo]:
        """Yield what a drill showed; the fault was planted, so there is nothing to fix."""
        name, fault = self.decision.address.name, self.decision.drill
        command = f"rollout drill {name} --fault {fault}"
        if self.decision.answer is Answer.GO:
            says = f"the gate did not notice {fault}: have the criterion that names it say no"
            yield Todo(self.owners, says, command)
        else:
            says = "nothing to fix: the fault was planted, and the gate said no; put that on record"
            yield Todo("", says, command)

    def roll_back(self) -> Iterator[Todo]:
        """Yield the way back, the reset, and what must be shown again."""
        name, where = self.decision.address.name, self.decision.environment
        undone = [step for step in self.steps if not step.done]
        yield from self._silent()
        if any(not step.by_hand for step in undone):
            says = f"roll back: this runs {count(len(undone), 'step')}, listed below, in {where}"
            yield Todo(self.owners, says, f"rollout watch {name} --env {where} --execute")
        elif undone:
            listed = "; ".join(step.says for step in undone)
            yield Todo(self.owners, f"roll back by hand: {listed}")
        elif not self.steps:
            yield Todo(self.owners, "roll back; the plan states no steps")
        rolled_back = bool(self.steps) and not undone
        back = "rolled back, every step is done: " if rolled_back else ""
        for rail in self._tripped():
            reset = f"rollout reset {rail.id} --env {where} --by NAME --reason WHY"
            yield Todo(self.owners, f"{back}fix the cause, then reset the guardrail", reset)
        if rolled_back:
            yield from self._another_try()
        gates = self.phase.rollback.revalidate
        if gates:
            are = "is" if len(gates) == 1 else "are"
            yield Todo(self.owners, f"show again that {' and '.join(gates)} {are} GO", self.run)

    def _another_try(self) -> Iterator[Todo]:
        """Yield what leads to a GO after a rollback: what is measured now is not of the change."""
        if self.phase.of(Gate.ENTRY):
            says = "for another try decide the entry anew, then begin the phase anew"
            yield Todo(self.owners, says, f"{self.run} --rollout-gate entry")
            return
        name, where = self.decision.address.name, self.decision.environment
        begin = f"rollout begin {name} --env {where} --by NAME"
        yield Todo(self.owners, "for another try begin the phase anew", begin)

    def _silent(self) -> Iterator[Todo]:
        """Say that a target does not answer, where that kept the release from being read."""
        for cause in self.decision.reasons:
            if cause.reason.code == _SILENT:
                yield Todo(self.owners, self._advised(cause))

    def fix(self) -> Iterator[Todo]:
        """Yield what helps with the worst causes, and how to decide again."""
        if self.decision.partial:
            yield from self._in_part()
            return
        if any(cause.reason.code == _ROLLED_BACK for cause in self.decision.reasons):
            yield from self._another_try()
        yield from self._causes()
        yield Todo(
            self.owners, "decide the gate again" if self.real else "rehearse again", self.run
        )

    def _in_part(self) -> Iterator[Todo]:
        """Yield what a partial run came to where it is due later, and how to decide the gate."""
        counts = list(due_later(self.phase, self.decision))
        chosen = {phase.id: phase.chosen for phase in self.plan.phases}
        for stated, due, met in counts:
            run = f"pytest {chosen.get(due.phase)} --rollout-env {self.decision.environment}"
            if met:
                says = f"{stated.id} is met, which counts where it is due: decide {due}"
                yield Todo(self.owners, says, run)
            else:
                yield Todo(self.owners, f"{stated.id} is not met, and due at {due}: fix it")
        if not counts or self.begun is not False or self.decision.gate is Gate.ENTRY:
            yield Todo(self.owners, "run the gate whole: something was left out", self.run)

    def go_on(self) -> Iterator[Todo]:
        """Yield the next command, and the conditions of the GO."""
        name, where = self.decision.address.name, self.decision.environment
        verb = "begin" if self.decision.gate is Gate.ENTRY else "end"
        real = next((env for env in self.plan.environments if env != EMBEDDED), "")
        turn = (self.decision.gate, self.begun)
        if self.real and turn == (Gate.EXIT, False):
            begin = f"rollout begin {name} --env {where} --by NAME"
            yield Todo(self.owners, "begin the phase: its exit is of one that has begun", begin)
        elif self.real and turn == (Gate.ENTRY, True):
            yield Todo(self.owners, "the phase has begun: decide its exit gate", self.run)
        elif self.real:
            yield from self._signatures()
            yield Todo(self.owners, "see what is still open", f"rollout clear {name} --env {where}")
            act = f"rollout {verb} {name} --env {where} --by NAME"
            yield Todo(self.owners, f"once nothing is, {verb} the phase", act)
        elif real and not self.decision.drill:
            command = f"pytest {self.phase.chosen} --rollout-env {real}"
            yield Todo(
                self.owners, f"decide it in {real}: a rehearsal counts nowhere else", command
            )
        for owed in self.decision.conditions:
            mine = owed.id.startswith(f"{name}.")  # else a demand, as phase.release
            says = f"settle {self._slug(owed.id) if mine else owed.id} by {owed.due}"
            full = owed.id if mine else f"{name}.{owed.id}"
            yield Todo(self.named(owed.owner), says, f"rollout explain {full} --env {where}")

    def _signatures(self) -> Iterator[Todo]:
        """Ask for the first signature that is open."""
        missing = [sign for sign in self.signoff if sign.reason.code == "signature.missing"]
        for sign in missing[:1]:
            role = sign.reason.facts["role"]
            more = f"; {count(len(missing) - 1, 'more signature')} to come" if missing[1:] else ""
            command = (
                f"rollout sign {self.decision.address} --env {self.decision.environment} "
                f"--as {role} --key FILE"
            )
            yield Todo(self.named(str(role)), f"sign it{more}", command)

    def _causes(self) -> Iterator[Todo]:
        """What to do about the worst causes; those with the same advice share a line."""
        ids_of: dict[str, list[str]] = {}
        silent = any(cause.reason.code == _SILENT for cause in self.decision.reasons)
        for cause in self.decision.reasons:
            finding = self._finding(cause.id)
            if silent and finding is not None and finding.verdict is Verdict.ERROR:
                continue  # its check met what the reading of the release did
            says = self._advised(cause)
            if says:
                ids_of.setdefault(says, []).append(cause.id)
        for says, ids in list(ids_of.items())[: MOST - 1]:
            more = f" and {len(ids) - 1} more" if len(ids) > 1 else ""
            if self._finding(ids[0]) is None:
                yield Todo(self.owners, says)
                continue
            command = f"rollout explain {ids[0]} --env {self.decision.environment}"
            yield Todo(self.owners, f"{self._slug(ids[0])}{more}: {says}", command)

    def _advised(self, cause: Cause) -> str:
        if cause.reason.code in _NOTHING_STATED:
            return f"state a hard criterion of {self.decision.address}: without one it is HOLD"
        if cause.reason.code == _SILENT:
            return f"see that the target answers: {cause.reason.facts.get('error')}"
        stated, finding = self._stated(cause.id), self._finding(cause.id)
        if stated is None or finding is None:
            return ""
        says = advice(stated, finding, self.decision.environment) or ""
        if says == GENERAL[Verdict.ERROR]:
            met = sentences.text(first_told(cause.reason), self.plan.timezone)
            return f"fix this first: {met}"
        near = meant(cause.reason, self.unjudged)
        return f"{says}; tests observed `{near}`, which no rule reads" if near else says

    def _tripped(self) -> list[Finding]:
        """The guardrail that rolls back and tripped; the first, where several did."""
        return [
            rail
            for rail in self.decision.guardrails
            if rail.state is State.TRIPPED and Then.ROLLBACK in self._then(rail.id)
        ][:1]

    def _then(self, full: str) -> tuple[Then, ...]:
        stated = self._stated(full)
        return stated.then if isinstance(stated, Guardrail) else ()

    def _stated(self, full: str) -> Criterion | Guardrail | None:
        every: list[Criterion | Guardrail] = [*self.phase.criteria, *self.phase.guardrails]
        return next((stated for stated in every if stated.id == self._slug(full)), None)

    def _finding(self, full: str) -> Finding | None:
        every = (*self.decision.criteria, *self.decision.guardrails)
        return next((finding for finding in every if finding.id == full), None)

    @staticmethod
    def _slug(full: str) -> str:
        return full.rpartition(".")[2]
