"""What a report tells beside a decision, read from the ledger that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_rollout.evidence.attached_files import kept_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_story import evaluations, happened, unknown
from pytest_rollout.judge import Case
from pytest_rollout.judge.measured import measured
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import EMBEDDED, Address, Criterion, Guardrail, Plan
from pytest_rollout.model.story import NO_STORY, Happened, Kind, Measured, Story
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.todo import steps_taken, todo
from pytest_rollout.session.signed import signed_so_far


def story_of(
    ledger: Ledger, case: Case, decision: Decision, today: Callable[[], Plan] | None = None
) -> Story:
    """Return the story of a decision; ``today`` gives the plan by whose people it is signed.

    Raises LedgerError.
    """
    stretches = unknown(ledger, case.world.lost)
    told = (*happened(ledger, decision, case.phase), *stretches)
    rehearsed = decision.environment == EMBEDDED or decision.drill
    back = decision.answer is Answer.ROLLBACK and not rehearsed
    unread = tuple(_unjudged(case))
    steps = steps_taken(case.phase, told) if back else ()
    asked = case.phase.signoff and decision.answer is Answer.GO and not rehearsed
    plan = today() if asked and today else case.plan
    signed = signed_so_far(ledger, plan, case.phase, decision) if asked else ()
    return Story(
        measured_of(case, decision),
        told,
        evaluations(ledger, decision),
        todo(case.plan, case.phase, decision, unread, steps, signed, begun=_begun(told)),
        steps,
        tuple(kept_of(ledger, decision.run, decision.address.name)),
        unread,
        signed,
    )


def _begun(told: Sequence[Happened]) -> bool:
    """Whether the phase has begun, and has not ended."""
    turns = [event.kind for event in told if event.kind in (Kind.BEGIN, Kind.END)]
    return bool(turns) and turns[-1] is Kind.BEGIN


def _unjudged(case: Case) -> list[str]:
    """The series that were seen and that no rule of the plan reads."""
    rules = [
        rule
        for phase in case.plan.phases
        for rule in (
            *(criterion.rule for criterion in phase.criteria),
            *(rule for rail in phase.guardrails for rule in rail.rules),
        )
        if rule is not None
    ]
    return sorted({seen.slot.series for seen in case.world.seen} - {rule.metric for rule in rules})


def measured_of(case: Case, decision: Decision) -> dict[str, tuple[Measured, ...]]:
    """What the rules of a gate judged, of what counted."""
    counted = case.counted()
    stated: list[Criterion | Guardrail] = [*case.phase.criteria, *case.phase.guardrails]
    findings = {finding.id: finding for finding in (*decision.criteria, *decision.guardrails)}
    by_finding = {}
    for guardrail in stated:
        finding = findings.get(case.full(guardrail.id))
        if finding is not None:
            shown = measured(counted, guardrail, finding)
            if shown:
                by_finding[finding.id] = shown
    return by_finding


class Stories:
    """The story of each decision of a run, told when its reports are written."""

    def __init__(self, ledger: Callable[[], Ledger | None], notes: list[str]) -> None:
        self._ledger, self._notes = ledger, notes
        self._cases: dict[Address, Case] = {}
        self._told: dict[Address, Story] = {}

    def know(self, address: Address, case: Case) -> None:
        """Keep what a gate was judged on."""
        self._cases[address] = case

    def __call__(self, decision: Decision) -> Story:
        """Return the story of a decision; what cannot be read of it is a note."""
        address = decision.address
        if address not in self._told:
            self._told[address] = self._tell(decision)
        return self._told[address]

    def _tell(self, decision: Decision) -> Story:
        ledger, case = self._ledger(), self._cases.get(decision.address)
        if ledger is None or case is None:
            return NO_STORY
        try:
            return story_of(ledger, case, decision)
        except (LedgerError, ArithmeticError, ValueError) as error:  # it decides nothing
            self._notes.append(f"what happened in {decision.address} cannot be told: {error}")
            return NO_STORY
