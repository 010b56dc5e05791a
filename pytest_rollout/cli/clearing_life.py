"""What of the life of a phase stands against a change, and who signed or accepted it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.cli.blindness import blind
from pytest_rollout.cli.project import Project
from pytest_rollout.cli.sign import allowed_signers
from pytest_rollout.evidence import attestations, settlements, signatures
from pytest_rollout.evidence.bodies import PhaseBegun, PhaseEnded
from pytest_rollout.evidence.history import GateStanding
from pytest_rollout.evidence.overrides import overrides_of
from pytest_rollout.evidence.phase_life import PhaseLife, unstated
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.rollbacks import RolledBack, decided_rollback, stands_on, taken_back
from pytest_rollout.evidence.run_log import RunLog, first_of
from pytest_rollout.evidence.since_begin import life_of, reading_now
from pytest_rollout.judge.case import instant
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.life import Life
from pytest_rollout.model.override import Override
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.report.fact_words import wall
from pytest_rollout.session.signed import believed
from pytest_rollout.signoff.amended import believed_life
from pytest_rollout.signoff.attested import believed_answer
from pytest_rollout.signoff.overriding import unsigned, why_not_by
from pytest_rollout.signoff.signatures import Signed


@dataclass(frozen=True, slots=True)
class Running:
    """What targets run, and where they are."""

    fact: ReleaseFact
    places: Mapping[str, str]


def life_facts(
    project: Project,
    gate: Address,
    environment: str,
    release: str | None,
    standing: GateStanding | None,
) -> dict[str, Any]:
    """What of the life of a phase stands against a change, and who has signed or accepted it."""
    plan = project.plan(gate.plan)
    life = PhaseLife(project.ledger, gate, environment)
    freeze = life.freeze()
    frozen = freeze and Reason(
        "clear.held", {"at": instant(freeze.body.t_us, plan.timezone), "says": freeze.body.says}
    )
    return {
        "environment": environment,
        "earlier_life": earlier_life(project, life, standing, plan.timezone),
        "ended": _ended(life, plan) if gate.gate is Gate.EXIT else None,
        "frozen": frozen,
        "tripped": tuple(_tripped(project, plan, gate, environment)),
        "blind": tuple(blind(project, plan, gate, environment, release)),
        "signed": _signed(project, plan, gate, environment),
        "settled": _settled(project, gate, environment, standing),
        "oldest_us": _oldest_us(project, standing),
        "noes": tuple(_noes(project, gate, environment, standing)),
        "taken_back": tuple(_taken_back(project, plan, gate, environment)),
        "override": _override(project, gate, environment, standing),
    }


def earlier_life(
    project: Project, life: PhaseLife, standing: GateStanding | None, zone: str
) -> Reason | None:
    """Return why a gate's last run is of an earlier life of the phase; None where it is not."""
    turn = life.turn()
    if standing is None:
        return None
    first = first_of(project.ledger, standing.asked.run)
    back = decided_rollback(project.ledger, life.address, life.environment)
    if back and life.address.gate is Gate.ENTRY and first.sequence < back.sequence:
        details: dict[str, Fact] = {"run": first.run, "at": back.at}
        return Reason("clear.before-rollback", details)
    trip = next(iter(life.last_trips()), None) if life.address.gate is Gate.EXIT else None
    if trip is not None and first.sequence < trip.record.sequence:
        facts: dict[str, Fact] = {"run": first.run, "guardrail": trip.body.guardrail}
        return Reason("clear.before-trip", facts | {"at": instant(trip.body.t_us, zone)})
    if turn is None:
        return _never_begun(project, life)
    begun = turn.body.type == PhaseBegun.TYPE
    if first.sequence > turn.record.sequence or begun is not (life.address.gate is Gate.EXIT):
        return None
    code = "clear.before-begin" if begun else "clear.before-end"
    return Reason(code, {"run": first.run, "at": instant(turn.record.at_us, zone)})


def _oldest_us(project: Project, standing: GateStanding | None) -> int | None:
    """When the oldest run that a run joins ended; None where it joins none."""
    if standing is None:
        return None
    joins = RunLog(project.ledger.of_run(standing.asked.run)).start.joins
    ends = (project.ledger.of_run(run) for run in joins)
    return min((records[-1].at_us for records in ends if records), default=None)


def _never_begun(project: Project, life: PhaseLife) -> Reason | None:
    """The reason that a phase never began though its exit was decided and it has an entry gate."""
    phase = project.phase(life.address)
    if life.address.gate is not Gate.EXIT or not phase.of(Gate.ENTRY):
        return None
    return Reason("clear.never-begun", {"phase": life.address.name})


def _noes(
    project: Project, gate: Address, environment: str, standing: GateStanding | None
) -> Iterator[Reason]:
    """Answers of no that people gave since a gate's last run, to what it asks."""
    decision = standing.decision if standing else None
    if standing is None or decision is None:
        return
    zone, phase = project.plan(gate.plan).timezone, project.phase(gate)
    last = project.ledger.of_run(standing.asked.run)[-1].sequence
    asked = {gate.full(stated.id) for stated in phase.of(decision.gate)}
    newest = {
        record.subject: record
        for record in attestations.all_of(project.ledger, gate, phase, environment)
        if attestations.attestation_of(record).release == decision.release
    }
    for record in newest.values():
        answer = attestations.attestation_of(record)
        if record.sequence > last and not answer.passed and record.subject in asked:
            facts: dict[str, Fact] = {"criterion": answer.criterion, "by": answer.by}
            yield Reason("clear.no-since", {**facts, "at": instant(answer.at_us, zone)})


def _tripped(project: Project, plan: Plan, gate: Address, environment: str) -> Iterator[Reason]:
    """The trips that nobody reset: of the phase, and of those that the gate stands on.

    Also of guardrails that their plan does not state any more.
    """
    phases = dict.fromkeys(
        replace(address, gate=None) for address in (gate, *stands_on(plan, gate))
    )
    for address in phases:
        phase = _stated(project, address)
        for trip in PhaseLife(project.ledger, address, environment).trips(phase):
            body = trip.body
            gone = phase is not None and unstated(phase, body.guardrail)
            at = instant(body.t_us, plan.timezone)
            facts: dict[str, Fact] = {"guardrail": body.guardrail, "at": at, "says": body.says}
            yield Reason("clear.tripped-unstated" if gone else "clear.tripped", facts)


def _stated(project: Project, address: Address) -> Phase | None:
    """A phase, maybe of another plan; None where that plan is not here, or is broken."""
    plan = next((stated for stated in project.plans if stated.id == address.plan), None)
    return plan.phase(address.phase) if plan else None


def _ended(life: PhaseLife, plan: Plan) -> Reason | None:
    """When and by whom the phase was ended; None where it has not, or has begun anew."""
    turn = life.turn()
    if turn is None or turn.body.type != PhaseEnded.TYPE:
        return None
    facts: dict[str, Fact] = {"at": instant(turn.body.t_us, plan.timezone)}
    return Reason("clear.phase-ended", {**facts, "says": turn.body.says})


def _settled(
    project: Project, gate: Address, environment: str, standing: GateStanding | None
) -> tuple[Reason, ...]:
    """The settlements that were recorded after a gate's last full run had begun."""
    if standing is None:
        return ()
    began = project.ledger.of_run(standing.asked.run)[0].at_us
    return tuple(
        Reason(
            "settled",
            {
                "run": settlement.run,
                "at": settlement.at,
                "by": settlement.by,
                "why": settlement.why,
            },
        )
        for settlement in settlements.known_at(project.ledger, gate.name, environment).values()
        if settlement.at_us > began
    )


def _taken_back(project: Project, plan: Plan, gate: Address, environment: str) -> Iterator[Reason]:
    """What a gate stands on, and a ROLLBACK in the middle of the rollout took back."""
    rolled_back = taken_back(project.ledger, project.history, plan, gate, environment)
    for source, back in rolled_back:
        yield Reason(
            "clear.taken-back", {"gate": str(source), "rolled_back": said_back(back, plan)}
        )


def _override(
    project: Project, gate: Address, environment: str, standing: GateStanding | None
) -> Override | None:
    """The newest override of the decision that stands; of another state of it none counts."""
    decision = standing.decision if standing else None
    overrides = overrides_of(project.ledger, gate, environment) if decision else ()
    wanted = (str(gate), decision.substance_digest if decision else "")
    newest = max(
        (override for override in overrides if (override.gate, override.substance) == wanted),
        key=lambda override: override.at_us,
        default=None,
    )
    if newest is None or standing is None:
        return None
    plan = project.plan(gate.plan)
    today = datetime.now(UTC).astimezone(ZoneInfo(plan.timezone)).date()
    lost = why_not_by(plan.roster, newest.by, today, standing.asked.authors)
    lost = lost or unsigned(plan.roster, _signed(project, plan, gate, environment), newest)
    return None if lost else newest


def since_begin(
    project: Project, plan: Plan, gate: Address, environment: str, here: Running
) -> Life | None:
    """The life of a phase that has begun, with what its targets run now."""
    before = project.ledger.head().sequence + 1
    life = believed_life(life_of(project.ledger, gate, environment, before).life, plan)
    if life is None or life.begin is None:
        return life
    now = calendar.to_us(datetime.now(UTC))
    asked = here.fact if plan.release is not None else None
    reading = reading_now(life.begin, now, asked, here.places)
    return replace(life, since=(*life.since, reading))


def given_since(
    project: Project,
    gate: Address,
    environment: str,
    standing: GateStanding | None,
    release: str | None,
    life: Life | None,
) -> Mapping[str, Reason]:
    """What people attested or amended after a gate's last full run had ended, by full id.

    Only what counts: it passes, is of the release that runs now, and its signature is believed.
    """
    if standing is None or standing.decision is None or environment == EMBEDDED:
        return {}
    run = project.ledger.of_run(standing.asked.run)
    ended = next((record for record in reversed(run) if record.kind is RecordKind.SEAL), run[-1])
    plan, phase = project.plan(gate.plan), project.phase(gate)
    given: dict[str, tuple[str, str, str]] = {}
    for record in attestations.all_of(project.ledger, gate, phase, environment):
        answer = attestations.attestation_of(record)
        counts = answer.passed and answer.release == release
        given.pop(answer.criterion, None)
        if record.sequence > ended.sequence and counts and not believed_answer(answer, plan).doubt:
            given[answer.criterion] = ("attested", answer.by, calendar.stamp(answer.at_us))
    for amendment in life.amendments if life else ():
        if calendar.to_us(datetime.fromisoformat(amendment.at)) > ended.at_us:
            given[amendment.criterion] = ("amended", amendment.by, amendment.at)
    return {
        full: Reason("clear.given", {"subject": full, "how": how, "by": by, "at": at})
        for full, (how, by, at) in given.items()
    }


def _signed(project: Project, plan: Plan, gate: Address, environment: str) -> tuple[Signed, ...]:
    """The signatures of a gate, each verified by the keys of the plan's people."""
    on_record = tuple(signatures.all_of(project.ledger, gate, environment))
    by_key = any(signature.body.review is None for signature in on_record)
    allowed = allowed_signers(project, plan) if by_key else ""
    return tuple(believed(signature, plan, allowed) for signature in on_record)


def said_back(back: RolledBack, plan: Plan) -> str:
    """Return when and how a phase was rolled back, in words."""
    return f"ROLLBACK at {wall(back.at, plan.timezone)}, {back.what}"
