"""What drills showed that each gate notices: shown beside its decision, no part of it."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_rollout.evidence import drills
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.mutation_drills import MutationDrills
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import Address
from pytest_rollout.report.mutation import drilled_words
from pytest_rollout.session.request import Request


def last_noes(
    request: Request, ledger: Ledger | None, decisions: Iterable[Decision], notes: list[str]
) -> dict[Address, str]:
    """Return the words for each gate; where the ledger does not tell, a note says so."""
    digests = {plan.id: plan.digest for plan, _ in request.asked}
    if request.drill or ledger is None:
        return {}
    mutated = MutationDrills(ledger)
    words: dict[Address, str] = {}
    try:
        for decision in decisions:
            gate = decision.address
            digest = digests[gate.plan]
            last = drills.last_no(ledger, gate, digest)
            words[gate] = drilled_words(last, mutated.of_gate(gate, digest), decision)
        return words
    except LedgerError as error:
        notes.append(f"when the gates last said no is not known: {error}")
        return {}
