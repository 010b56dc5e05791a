"""What happened in a phase and what its gate decided before, for people who read a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pytest_rollout.evidence import resets
from pytest_rollout.evidence.bodies import StepTaken, StoredDecision, StoredEvent, TripEvent
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import FREEZE, RESUME
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.run_log import evidence_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Lost
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase
from pytest_rollout.model.story import Evaluation, Happened, Kind

MOST_EVENTS = 400  # of one phase; the newest
MOST_EVALUATIONS = 20
_KINDS = {
    "begin": Kind.BEGIN,
    "end": Kind.END,
    "change": Kind.CHANGE,
    "configuration": Kind.CHANGE,
    "action": Kind.ACTION,
    FREEZE: Kind.FREEZE,
    RESUME: Kind.RESUME,
    TripEvent.TYPE: Kind.TRIP,
    StepTaken.TYPE: Kind.STEP,
}


def happened(ledger: Ledger, decision: Decision, phase: Phase) -> tuple[Happened, ...]:
    """Return what is on record of a decision's phase, in order of time.

    Of a rehearsal that is what its own run recorded; elsewhere all since the phase's records
    begin. What is damaged is left out: the chain tells of it. Raises LedgerError.
    """
    events = [*_events(ledger, decision), *_resets(ledger, decision, phase)]
    events.sort(key=lambda event: event.at_us)
    return tuple(_closed(events[-MOST_EVENTS:]))


def unknown(ledger: Ledger, lost: Iterable[Lost]) -> Iterator[Happened]:
    """Yield the stretches of runs of which nobody knows what they saw. Raises LedgerError."""
    for stretch in lost:
        for record in ledger.of_run(stretch.run)[:1]:
            began = min(record.at_us, stretch.t_us)
            yield Happened(Kind.UNKNOWN, began, f"run {stretch.run}: {stretch.why}", stretch.t_us)


def recent(ledger: Ledger, phase: Address, environment: str, since_us: int) -> Iterator[Happened]:
    """What was recorded and decided in a phase since an instant. Raises LedgerError.

    Of each gate the last decision of a full run, of each step of a rollback what became of it;
    what is damaged is left out.
    """
    steps: set[str] = set()
    for record in ledger.newest(RecordKind.EVENT, phase.plan, phase.name, environment):
        if record.at_us < since_us:
            break
        try:
            event = _event(said(record, StoredEvent))
        except UndecodableError:
            continue
        if event.at_us >= since_us and event.step not in steps:
            yield event
        if event.step:
            steps.add(event.step)
    for gate in Gate:
        subject = str(phase.at(gate))
        for record in ledger.newest(RecordKind.DECISION, phase.plan, subject, environment):
            if record.at_us < since_us:
                break
            decision = _decided(record)
            if decision is not None and not decision.partial and not decision.drill:
                yield Happened(Kind.DECISION, record.at_us, f"{gate} {decision.answer.value}")
                break  # what it answered before is no news


def _events(ledger: Ledger, decision: Decision) -> Iterator[Happened]:
    address = decision.address
    where = (RecordKind.EVENT, address.plan, address.name, decision.environment)
    own = decision.environment == EMBEDDED or decision.drill
    records = evidence_of(ledger, decision.run).records if own else ledger.oldest(*where)
    for record in records:
        if record.kind is RecordKind.EVENT and record.subject == address.name:
            try:
                yield _event(said(record, StoredEvent))
            except UndecodableError:
                continue


def _event(body: StoredEvent) -> Happened:
    happened = Happened(_KINDS.get(body.type, Kind.OTHER), body.t_us, body.says or body.type)
    match body:
        case TripEvent():
            return replace(happened, says=f"{body.guardrail} tripped: {body.says}")
        case StepTaken():
            return replace(happened, step=body.step, outcome=body.outcome)
    return happened


def _resets(ledger: Ledger, decision: Decision, phase: Phase) -> Iterator[Happened]:
    if decision.environment == EMBEDDED or decision.drill:
        return
    for record in resets.all_of(ledger, decision.address, phase, decision.environment):
        try:
            reset = resets.reset_of(record)
        except UndecodableError:
            continue
        yield Happened(
            Kind.RESET, reset.at_us, f"{reset.guardrail} reset by {reset.by}: {reset.reason}"
        )


def _closed(events: list[Happened]) -> Iterator[Happened]:
    """Freezes with their end: the next resume."""
    for place, event in enumerate(events):
        if event.kind is not Kind.FREEZE:
            yield event
            continue
        ends = (later.at_us for later in events[place:] if later.kind is Kind.RESUME)
        yield Happened(event.kind, event.at_us, event.says, next(ends, None))


def evaluations(ledger: Ledger, decision: Decision) -> tuple[Evaluation, ...]:
    """Return the newest decisions of a gate by full runs, the newest last. Raises LedgerError."""
    newest_first: list[Evaluation] = []
    for past in _newest_decisions(ledger, decision):
        if past is None or past.partial or past.drill:
            continue
        newest_first.append(_evaluation(past))
        if len(newest_first) == MOST_EVALUATIONS:
            break
    return tuple(reversed(newest_first))


def _newest_decisions(ledger: Ledger, decision: Decision) -> Iterator[Decision | None]:
    """Yield the decisions of a gate, newest first; None for one that cannot be decoded.

    One of many checks takes megabytes and long to decode, and the newest is often the one at hand:
    it is not read again.
    """
    address = decision.address
    where = (RecordKind.DECISION, address.plan, str(address), decision.environment)
    at_hand = ledger.decided_at(decision.run, str(address))
    if at_hand is not None:
        yield decision
    for record in ledger.newest(*where, before=at_hand):
        yield decision if record.run == decision.run else _decided(record)


def _decided(record: Record) -> Decision | None:
    try:
        return decision_in(said(record, StoredDecision).document)
    except UndecodableError:
        return None


def _evaluation(decision: Decision) -> Evaluation:
    return Evaluation(
        decision.decided_at,
        decision.answer,
        decision.release,
        decision.counts.verdicts,
        _values(decision.criteria),
    )


def _values(findings: tuple[Finding, ...]) -> Mapping[str, str]:
    """The value of each criterion that measured one, the worst group's first."""
    values = {}
    for finding in findings:
        parts = sorted(finding.parts, key=lambda part: part.verdict.rank)
        value = next((part.estimate.value for part in parts if part.estimate), None)
        if value is not None:
            values[finding.id] = value
    return values
