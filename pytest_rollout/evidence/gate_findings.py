"""What the last decisions of other gates found, for the criteria that roll them up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_rollout.evidence import inputs, settlements
from pytest_rollout.evidence.decoding import UndecodableError, decision_in
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.integrity import damage, damage_since
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_facts import manifest_of
from pytest_rollout.evidence.run_log import RunLog, log_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Hole, Rolled
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.plan import EMBEDDED, Address, Phase, RollsUp
from pytest_rollout.model.provenance import Input
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import WaiverUse

# Demands that a run meets by itself, also where it is partial.
_OF_THE_RUN = ("run.sealed", "run.reported", "run.release", "run.environment")


def rolled_up(
    ledger: Ledger, log: RunLog, address: Address, phase: Phase
) -> tuple[tuple[Rolled, ...], tuple[Input, ...]]:
    """A finding for each name that a gate's criteria roll up, or that is due at the gate.

    Or a hole that says why there is none.

    Returns the decisions that were read for them, too.
    ``log`` is that of the deciding run. Of other runs it is read what the ledger held
    when that run was sealed, and of the run itself the decisions before its own of the gate:
    gates are decided in the plan's order, so the same is read at any later time.
    """
    assert address.gate is not None
    rolled = [rolls_up for stated in phase.of(address.gate) for rolls_up in stated.rolls_up]
    due = [named for gate, named in phase.dues if gate is address.gate and named not in rolled]
    by_gate: dict[Address, _Source | Hole] = {}
    sources: dict[RollsUp, _Source | Hole] = {}
    for name in (*rolled, *due):
        gate = name.address(address.plan)
        if gate not in by_gate:
            by_gate[gate] = _source(ledger, log, address, gate)
        full = by_gate[gate]
        last = (log.first.environment, log.last.sequence)
        sources[name] = full if name in rolled else _since(ledger, *last, gate, full, name)
    findings = tuple(_rolled(name, address.plan, source) for name, source in sources.items())
    read = (
        source for source in (*by_gate.values(), *sources.values()) if isinstance(source, _Source)
    )
    return findings, tuple(source.input for source in read)


@dataclass(frozen=True, slots=True)
class _Source:
    """The decision of a gate, and when the run ended that made it."""

    decision: Decision
    ended_us: int
    input: Input


def _source(ledger: Ledger, log: RunLog, address: Address, gate: Address) -> _Source | Hole:
    last, run, environment = log.last.sequence, log.first.run, log.first.environment
    if environment == EMBEDDED:  # drills too: what one plants is seen in all that it decides
        return _found(log, {"gate": str(gate)}, _decides(log, address))
    asked = last_full_run(ledger, gate, environment, last)
    if asked is None:
        return _hole("gate.never-asked", {"gate": str(gate)})
    if asked.run == run:
        return _found(log, {"gate": str(gate)}, _decides(log, address))
    facts: dict[str, Fact] = {"gate": str(gate), "run": asked.run}
    theirs = log_of(ledger, asked.run)
    if not asked.finished:
        return _hole("gate.unfinished", facts)
    wrong = damage(ledger, theirs) or damage_since(ledger, theirs.last.sequence)
    if wrong:
        return _hole("gate.damaged", facts | {"damage": wrong})
    return _found(theirs, facts, last)


def met_since(ledger: Ledger, decision: Decision, named: RollsUp) -> bool:
    """Whether the newest partial run that judged a condition of a decision since found it met.

    It is read as the gate does where it is due.
    """
    gate = decision.address
    full = _found(log_of(ledger, decision.run), {"gate": str(gate)}, None)
    last = (decision.environment, ledger.head().sequence + 1)
    newest = _since(ledger, *last, gate, full, named)
    verdict = _rolled(named, decision.plan, newest).verdict
    return newest is not full and not isinstance(verdict, Hole) and not verdict.holds_back


def _since(
    ledger: Ledger,
    environment: str,
    until: int,
    gate: Address,
    full: _Source | Hole,
    named: RollsUp,
) -> _Source | Hole:
    """What the newest partial run since found of a criterion; else what the last full run found.

    What is due is one criterion: its gate need not be judged anew, which after the end of a phase
    it often cannot be.
    """
    if environment == EMBEDDED or isinstance(full, Hole):
        return full
    settled = settlements.known_at(ledger, gate.name, environment, until + 1)
    for record in ledger.runs(str(gate), environment):
        if record.run == full.decision.run:
            break
        theirs = RunLog(part for part in ledger.of_run(record.run) if part.sequence <= until)
        if theirs.evidence and not (record.run in settled and theirs.ended_early):
            source = _in_part(ledger, theirs, gate, named, until)
            if source is not None:
                return source
    return full


def _in_part(
    ledger: Ledger, theirs: RunLog, gate: Address, named: RollsUp, until: int
) -> _Source | Hole | None:
    """What a partial run found of a criterion; None where it left out its checks, or lacked more.

    What it lacked beside being partial, as the release, keeps a pass from counting, nothing else.
    """
    facts: dict[str, Fact] = {"gate": str(gate), "run": theirs.first.run}
    full_name = gate.full(str(named.criterion))
    try:
        manifest = manifest_of(theirs, gate.name)
        if theirs.manifests and not set(manifest.items.get(full_name, ())) - set(manifest.dropped):
            return None
        if not theirs.finished:
            return _hole("gate.unfinished", facts)
        wrong = damage(ledger, theirs) or damage_since(ledger, theirs.last.sequence)
        stored = theirs.decision(str(gate), until)
        if wrong or stored is None:
            return _hole("gate.damaged" if wrong else "gate.undecided", facts | {"damage": wrong})
        decision = decision_in(stored.document)
    except UndecodableError as error:
        return _hole("gate.unreadable", facts | {"error": str(error)})
    verdicts = {finding.id: finding.verdict for finding in (*decision.demands, *decision.criteria)}
    lacks = any(demand in verdicts and verdicts[demand].holds_back for demand in _OF_THE_RUN)
    if full_name not in verdicts or (lacks and not verdicts[full_name].holds_back):
        return None
    read = inputs.of_decision(str(gate), theirs.first.run, stored.document)
    return _Source(decision, theirs.last.at_us, read)


def _hole(code: str, facts: Mapping[str, Fact]) -> Hole:
    return Hole(Reason(code, facts))


def _decides(log: RunLog, address: Address) -> int | None:
    """Where a run decides a gate; None where it has not yet."""
    own = (decision.sequence for decision in log.decisions if decision.subject == str(address))
    return next(own, None)


def _found(log: RunLog, facts: dict[str, Fact], before: int | None) -> _Source | Hole:
    """What a run decided of a gate before a place in the chain.

    ``facts`` name the gate, and the run where it is another.
    """
    try:
        stored = log.decision(str(facts["gate"]), before)
        if stored is None:
            return _hole("gate.undecided", facts)
        decision = decision_in(stored.document)
    except UndecodableError as error:
        return _hole("gate.unreadable", facts | {"error": str(error)})
    if decision.partial:
        return _hole("gate.in-part", facts)
    read = inputs.of_decision(str(facts["gate"]), log.first.run, stored.document)
    return _Source(decision, log.last.at_us, read)


def _rolled(rolls_up: RollsUp, plan: str, source: _Source | Hole) -> Rolled:
    if isinstance(source, Hole):
        return Rolled(rolls_up, source)
    decision = source.decision
    if rolls_up.criterion is None:
        verdict, reason = _answered(decision)
        waived = [use.id for use in decision.waivers]
    else:
        full = f"{plan}.{rolls_up.phase}.{rolls_up.criterion}"
        finding = next((finding for finding in decision.criteria if finding.id == full), None)
        if finding is None:
            stated = {"gate": str(decision.address), "criterion": rolls_up.criterion}
            return Rolled(rolls_up, _hole("gate.not-stated", stated))
        verdict, reason, waived = finding.verdict, finding.reason, [full]
    return Rolled(
        rolls_up,
        verdict,
        reason,
        run=decision.run,
        decided_us=source.ended_us,
        release=decision.release,
        asked=decision.criteria_digest,
        until=min(_ends(decision, waived), default=""),
    )


def _ends(decision: Decision, waived: Sequence[str]) -> Iterator[str]:
    for use in decision.waivers:
        if use.use is WaiverUse.APPLIED and use.id in waived:
            yield use.until


def _answered(decision: Decision) -> tuple[Verdict, Reason]:
    """A gate as one finding: its conditions are warnings, and what holds it leaves it open."""
    if decision.answer is Answer.GO:
        ids = tuple(condition.id for condition in decision.conditions)
        return (Verdict.WARN, Reason("gate.go-with", {"ids": ids})) if ids else _GO
    causes = tuple(
        Reason("told", {"subject": cause.id, "reason": cause.reason}) for cause in decision.reasons
    )
    reason = Reason("gate.no", {"answer": decision.answer.value, "causes": causes})
    held = decision.answer is Answer.HOLD
    return (Verdict.INCONCLUSIVE if held else Verdict.FAIL), reason


_GO = (Verdict.PASS, Reason("gate.go"))
