"""Which gate of a phase a run on a real environment decides, why, and what follows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing

from pytest_rollout import calendar
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import PhaseBegun, StoredEvent
from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.advice import due_later, next_verb
from pytest_rollout.session.request import Request


@dataclass(frozen=True, slots=True)
class PhaseTurn:
    """Where a phase stands in an environment: not begun, begun or ended."""

    plan: Plan
    phase: Phase
    environment: str
    turn: Told[StoredEvent] | None  # its newest begin or end
    entry: Decision | None = None  # what its entry gate decided last

    @classmethod
    def read(cls, ledger: Ledger, plan: Plan, phase: Phase, environment: str) -> PhaseTurn:
        """Return where a phase stands; raises LedgerError."""
        address = Address(plan.id, phase.id)
        turn = PhaseLife(ledger, address, environment).turn()
        standing = History(ledger).standing(address.at(Gate.ENTRY), environment)
        entry = standing.decision if standing and not standing.damage else None
        return cls(plan, phase, environment, turn, entry)

    @property
    def begun(self) -> bool:
        """Whether it has begun, and has not ended."""
        return self.turn is not None and self.turn.body.type == PhaseBegun.TYPE

    @property
    def gate(self) -> Gate:
        """The gate that is next."""
        return Gate.EXIT if self.begun else Gate.ENTRY

    @property
    def says(self) -> str:
        """Where it stands: ``demo.canary has not begun in prod``."""
        name, where = self.plan.address(self.phase.id).name, self.environment
        if self.turn is None:
            return f"{name} has not begun in {where}"
        at = calendar.wall(self.turn.body.t_us, self.plan.timezone)
        by = self.turn.body.says
        return f"{name} {'began' if self.begun else 'has ended'} in {where} at {at} ({by})"

    @property
    def begins(self) -> str:
        """The command that begins it."""
        return (
            f"rollout begin {self.plan.address(self.phase.id)} --env {self.environment} --by NAME"
        )

    @property
    def decides(self) -> str:
        """The command that decides its next gate."""
        return f"pytest {self.phase.chosen} --rollout-env {self.environment}"

    def why(self, gate: Gate) -> str:
        """Say why a run decides a gate, and where another one is next, how to get there."""
        if gate is not self.gate:
            asks = f"--rollout-gate asks for its {gate} gate"
            if gate is Gate.EXIT:
                return f"{self.says}, and {asks}, where nothing counts before `{self.begins}`"
            return f"{self.says}, so its exit gate is next, but {asks}"
        if self.begun:
            return f"{self.says}: this run decides its exit gate"
        again = self.turn is not None
        if self.entry is not None and self.entry.answer is Answer.GO and not again:
            of = f" for {self.entry.release}" if self.entry.release else ""
            return (
                f"{self.says}: this run decides its entry gate again, which is GO already{of}; "
                f"`{self.begins}` leads to its exit gate"
            )
        return f"{self.says}: this run decides its entry gate{' anew' * again}"

    def after(self, decision: Decision) -> str:
        """What follows a decision, in one sentence; empty after a rehearsal or a drill."""
        if decision.environment == EMBEDDED or decision.drill:
            return ""
        if any(due_later(self.phase, decision)):
            return ""  # what is to be done says it
        if decision.gate is Gate.EXIT and not self.begun:
            return f"{self.begins} (the phase has not begun, and its exit gate is of one that has)"
        if decision.answer is Answer.GO and decision.gate is Gate.ENTRY and self.begun:
            return f"{self.decides} (the phase has begun: this decides its exit gate)"
        again = "once what is named above is settled"
        if decision.partial:
            again = "with nothing left out"
        return next_verb(decision) or f"{self.decides} ({again})"


def why_gates(
    ledger: str, asked: Sequence[tuple[Plan, Phase]], gates: Sequence[Address], environment: str
) -> Iterator[str]:
    """Say of each gate that a run on a real environment decides why it is that one.

    To be asked before the run is on record: ``ledger`` is the address, where there may be none.
    """
    if environment == EMBEDDED:
        return
    try:
        turns = list(_turns(ledger, asked, environment))
    except RolloutError as error:  # the decision will say what is wrong with the ledger
        yield str(error)
        return
    for turn in turns:
        mine = (turn.plan.id, turn.phase.id)
        yield from (
            turn.why(gate.gate)
            for gate in gates
            if gate.gate is not None and (gate.plan, gate.phase) == mine
        )


def _turns(
    ledger: str, asked: Sequence[tuple[Plan, Phase]], environment: str
) -> Iterator[PhaseTurn]:
    if not opening.exists(ledger):
        yield from (PhaseTurn(plan, phase, environment, None) for plan, phase in asked)
        return
    with closing(opening.to_read(ledger)) as opened:
        for plan, phase in asked:
            yield PhaseTurn.read(opened, plan, phase, environment)


def follows(
    request: Request, ledger: Ledger | None, decisions: Iterable[Decision], notes: list[str]
) -> dict[Address, str]:
    """Say what follows each decision; where that cannot be told, a note says so."""
    phases = {(plan.id, phase.id): (plan, phase) for plan, phase in request.asked}
    if request.embedded or ledger is None:
        return {}
    sentences = {}
    try:
        for decision in decisions:
            where = phases[decision.address.plan, decision.address.phase]
            turn = PhaseTurn.read(ledger, *where, request.environment)
            sentences[decision.address] = turn.after(decision)
    except LedgerError as error:
        notes.append(f"what follows is not known: {error}")
    return sentences
