"""What was known of a criterion or guardrail since its phase began, before it was amended."""

from __future__ import annotations

from pytest_rollout.evidence.bodies import StoredDecision, StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import decision_in, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.finding import said as in_words
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Verdict

_UNAMENDED = "begin.unamended"


@dataclass(frozen=True, slots=True)
class SeenBefore:
    """How often it was judged, and how."""

    runs: int = 0  # looks at it: decisions of the exit, and trips under a watch
    failed: int = 0  # in how many of them it did not pass
    verdict: Verdict | None = None  # in the last of them
    reason: Reason | None = None


def seen_before(
    ledger: Ledger, address: Address, environment: str, since: int, slug: str
) -> SeenBefore:
    """Return what was found of a criterion or guardrail after a place in the chain.

    Decisions of partial runs count: what they showed was seen. Those that judged what nobody had
    amended yet do not: they say nothing of what was stated. Raises UndecodableError.
    """
    exit_, full = str(address.at(Gate.EXIT)), address.full(slug)
    records = ledger.find(RecordKind.DECISION, address.plan, exit_, environment)
    where = (RecordKind.EVENT, address.plan, address.name, environment)
    records += ledger.oldest(*where, word=TripEvent.TYPE)
    looks = [
        look
        for record in sorted(records, key=lambda record: record.sequence)
        if record.sequence > since
        for look in _found(record, full)
    ]
    if not looks:
        return SeenBefore()
    failed = sum(verdict.rank <= Verdict.WAIVED.rank for verdict, _ in looks)
    return SeenBefore(len(looks), failed, *looks[-1])


def _found(record: Record, full: str) -> list[tuple[Verdict, Reason]]:
    if record.kind is RecordKind.EVENT:
        trip = said(record, StoredEvent)
        mine = isinstance(trip, TripEvent) and trip.guardrail == full
        return [(Verdict.FAIL, in_words(trip.says))] if mine else []
    decision = decision_in(said(record, StoredDecision).document)
    slug = full.rpartition(".")[2]
    reasons = (demand.reason for demand in decision.demands)
    if any(
        reason.code == _UNAMENDED and reason.facts.get("criterion") == slug for reason in reasons
    ):
        return []
    findings = (*decision.criteria, *decision.guardrails)
    return [(finding.verdict, finding.reason) for finding in findings if finding.id == full]
