"""Where a phase stands on a real environment: what the ledger and the calendar say of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from pytest_rollout import calendar, processes
from pytest_rollout.cli.blindness import blind
from pytest_rollout.cli.clearing_life import earlier_life
from pytest_rollout.cli.met_since import still_against
from pytest_rollout.cli.project import Project
from pytest_rollout.cli.sign import allowed_signers
from pytest_rollout.cli.turn_order import LastEnd, asked_for
from pytest_rollout.evidence import signatures
from pytest_rollout.evidence.bodies import PhaseBegun, RunStart, StoredEvent, TripEvent
from pytest_rollout.evidence.contrary import contrary
from pytest_rollout.evidence.decoding import UndecodableError, may_say, said
from pytest_rollout.evidence.history import GateStanding
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.phase_story import recent
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.evidence.run_log import RunLog, Told
from pytest_rollout.evidence.since_begin import life_of
from pytest_rollout.judge.since_begin import followed
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.life import RELEASE
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.next_steps import GateAnswer, PhaseStanding
from pytest_rollout.report.todo import steps_taken
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.clearance import held_by
from pytest_rollout.signoff.signatures import Signed, SignoffDemand
from pytest_rollout.signoff.signatures import signatures as signed_by

_PATIENCE = 5  # looks that may be missing before a watch is taken for ended
_LEAST_PATIENCE_US = 60_000_000
_LONGEST_RUN_US = 1_800_000_000  # a watch seals its run every ten minutes


@dataclass(frozen=True, slots=True)
class Watched:
    """The newest run of a watch of a phase."""

    last_us: int  # its last record
    sealed: bool
    goes_on: bool  # whether it looked so lately that it goes on


@dataclass(frozen=True, slots=True)
class PhaseRecord:
    """What is on record of a phase in a real environment."""

    turn: Told[StoredEvent] | None  # its newest begin or end
    freeze: Told[StoredEvent] | None
    trips: tuple[Told[TripEvent], ...]
    watched: Watched | None
    revalidate: Mapping[str, str]  # gate: why it is not GO anew
    rolled_back: str = ""  # a stamp

    @property
    def begun(self) -> bool:
        """Whether the phase has begun, and has not ended."""
        return self.turn is not None and self.turn.body.type == PhaseBegun.TYPE


NOTHING = PhaseRecord(None, None, (), None, {})


def on_record(
    project: Project, plan: Plan, phase: Phase, environment: str, now: datetime
) -> PhaseRecord:
    """Return what the ledger says of a phase; raises LedgerError."""
    if not project.has_ledger:
        return NOTHING
    where = Address(plan.id, phase.id)
    life = PhaseLife(project.ledger, where, environment)
    back, lacking = open_gates(project.ledger, project.history, where, phase, environment)
    return PhaseRecord(
        turn=life.turn(),
        freeze=life.freeze(),
        trips=tuple(life.trips(phase)),
        watched=_watched(project, where, phase, environment, calendar.to_us(now)),
        revalidate=lacking,
        rolled_back=back.at if back else "",
    )


def _watched(
    project: Project, where: Address, phase: Phase, environment: str, now_us: int
) -> Watched | None:
    """The run of a watch that goes on, else the newest one; None where there was none."""
    newest: Watched | None = None
    for record in project.ledger.newest(RecordKind.RUN, "", "", environment):
        if newest is not None and now_us - record.at_us > _LONGEST_RUN_US:
            break
        if not may_say(record, "watch"):
            continue
        try:
            watch = said(record, RunStart).watch
        except UndecodableError:
            continue
        if watch is None or watch.phase != where.name:
            continue
        log = RunLog(project.ledger.of_run(record.run))
        last_us = log.last.at_us
        patience_us = max(_LEAST_PATIENCE_US, _PATIENCE * phase.every_us)
        goes_on = not log.finished and now_us - last_us <= patience_us
        if goes_on:
            return Watched(last_us, log.sealed, goes_on)
        newest = newest or Watched(last_us, log.sealed, goes_on)
    return newest


def standing_of(
    project: Project,
    plan: Plan,
    phase: Phase,
    environment: str,
    record: PhaseRecord,
    now: datetime,
    last: LastEnd | None = None,
) -> PhaseStanding:
    """Return all that says who is next; ``last`` is the end that the plan's next step follows."""
    gates = {
        gate: _answer(project, plan, phase, Address(plan.id, phase.id, gate), environment, now)
        for gate in Gate
    }
    ended = record.turn is not None and not record.begun
    asked = asked_for(project, plan, phase, Gate.ENTRY, environment) if ended else 0
    again = record.turn is not None and asked > record.turn.record.sequence
    mine = last is not None and last.ended.id == phase.id
    zone, shut = plan.timezone, calendar.shut(plan, phase, now)
    frozen = record.freeze
    return PhaseStanding(
        plan=plan,
        phase=phase,
        environment=environment,
        gates=gates,
        begun=record.begun,
        ended=ended,
        again=ended and (again or (last is not None and last.next is phase)),
        following=last.next if last and mine else None,
        done=last is not None and mine and last.next is None,
        tripped=tuple(trip.body.guardrail for trip in record.trips),
        steps=_steps(project, Address(plan.id, phase.id), phase, environment, record),
        blind=_blind(project, plan, phase, environment, record),
        frozen=f"since {calendar.wall(frozen.body.t_us, zone)}: {frozen.body.says}"
        if frozen
        else "",
        revalidate=tuple(record.revalidate),
        lacking=tuple(
            name for name in phase.requires if not _done(project, plan, name, environment)
        ),
        shut=calendar.opening_words(plan, phase, now) if shut else "",
        watched=record.watched is not None and record.watched.goes_on,
        people=_people(plan, now),
    )


def _steps(
    project: Project, where: Address, phase: Phase, environment: str, record: PhaseRecord
) -> tuple[StepState, ...]:
    """The steps of the rollback with what became of each; empty where nothing tripped."""
    if not record.trips:
        return ()
    first_us = min(trip.body.t_us for trip in record.trips)
    return steps_taken(phase, tuple(recent(project.ledger, where, environment, first_us)))


def _people(plan: Plan, now: datetime) -> Mapping[str, str]:
    """The names of those who hold each role today."""
    day = now.astimezone(ZoneInfo(plan.timezone)).date()
    roles = dict.fromkeys(role for person in plan.roster.people for role in person.roles)
    roles |= dict.fromkeys(deputy.role for deputy in plan.roster.deputies)
    return {role: plan.roster.names_of(role, day) for role in roles}


def _name(plan: Plan, person: str) -> str:
    member = plan.roster.person(person)
    return member.name if member and member.name else person


def running(project: Project, standing: GateStanding) -> int | None:
    """Return the process of a gate's last full run; None where it is not known to run here."""
    if standing.damage or standing.asked.finished:
        return None
    process = RunLog(project.ledger.of_run(standing.asked.run)).start.process
    runs = process and processes.runs(process.host, process.pid, process.began)
    return process.pid if process and runs else None


def _blind(
    project: Project, plan: Plan, phase: Phase, environment: str, record: PhaseRecord
) -> dict[str, str]:
    """Why guardrails are blind, as `rollout clear` says it, for the release that is expected."""
    if record.watched is None or not record.begun:
        return {}
    where = Address(plan.id, phase.id)
    try:
        before = project.ledger.head().sequence + 1
        life = life_of(project.ledger, where, environment, before).life
        if life is None or life.begin is None:
            return {}
        release = followed(life.begin, life.since).expected.get(RELEASE)
        reasons = list(blind(project, plan, where, environment, release))
    except (LedgerError, UndecodableError):  # of what is damaged the gates tell
        return {}
    return {
        str(reason.facts["guardrail"]): sentences.text(reason, plan.timezone) for reason in reasons
    }


def _standing(project: Project, gate: Address, environment: str) -> GateStanding | None:
    return project.history.standing(gate, environment) if project.has_ledger else None


def _done(project: Project, plan: Plan, phase: str, environment: str) -> bool:
    """Whether the exit of a phase is GO."""
    of_another = Address.parse(phase) if "." in phase else Address(plan.id, phase)
    standing = _standing(project, of_another.at(Gate.EXIT), environment)
    decision = standing.decision if standing and not standing.damage else None
    return decision is not None and decision.answer is Answer.GO


def _answer(
    project: Project, plan: Plan, phase: Phase, gate: Address, environment: str, now: datetime
) -> GateAnswer:
    standing = _standing(project, gate, environment)
    life = PhaseLife(project.ledger, gate, environment) if standing else None
    if standing is None or (life and earlier_life(project, life, standing, plan.timezone)):
        unattested = {
            criterion.id: criterion.by for criterion in phase.of(_gate(gate)) if criterion.attested
        }
        return GateAnswer(unattested=unattested)
    if standing.decision is None or standing.damage:
        why = "the ledger was damaged" if standing.damage else "the last full run never finished"
        return GateAnswer(Answer.HOLD, why, believed=False, process=running(project, standing))
    decision = standing.decision
    if decision.answer is not Answer.GO:
        against = still_against(project, plan, phase, decision)
        if decision.reasons and not against:
            return GateAnswer()  # what was due is met by now: it is to be decided anew
        first = against[0] if against else None
        why = sentences.cause(first.id, first.reason, plan.timezone) if first else ""
        return GateAnswer(decision.answer, why, unattested=_unattested(phase, decision))
    held = tuple(_against(project, gate, environment, standing, decision, plan.timezone))
    signed = _signed(project, SignoffDemand(plan, phase, decision, now, standing.asked.authors))
    return replace(signed, against=held)


def _against(
    project: Project,
    gate: Address,
    environment: str,
    standing: GateStanding,
    decision: Decision,
    zone: str,
) -> Iterator[str]:
    """What other runs know against a GO, as `rollout clear` says it."""
    where = (project.ledger, gate, environment, standing.asked, decision.release)
    contradicting = contrary(*where, running=lambda of: processes.runs(of.host, of.pid, of.began))
    yield from (sentences.text(reason, zone) for reason in held_by(contradicting))


def _gate(address: Address) -> Gate:
    assert address.gate is not None
    return address.gate


def _unattested(phase: Phase, decision: Decision) -> Mapping[str, tuple[str, ...]]:
    """The criteria that people answer, and nobody has."""
    missing = {
        criterion.id for criterion in decision.criteria if criterion.verdict is Verdict.MISSING
    }
    address = decision.address
    return {
        criterion.id: criterion.by
        for criterion in phase.of(decision.gate)
        if criterion.attested and address.full(criterion.id) in missing
    }


def _signed(project: Project, demand: SignoffDemand) -> GateAnswer:
    """Who has still to sign a GO, authors of the change left out, and who signed against it."""
    plan, decision = demand.plan, demand.decision
    told = tuple(signatures.all_of(project.ledger, decision.address, decision.environment))
    try:
        allowed = allowed_signers(project, plan) if told else ""
    except RolloutError as error:
        return GateAnswer(Answer.HOLD, str(error), believed=False)
    given = [
        Signed(
            signature.body.signed,
            signature.record.at_us,
            ssh.why_invalid(signature.body.signed, signature.body.armour, allowed),
        )
        for signature in told
    ]
    unsigned, objections = {}, []
    for finding in signed_by(demand, given):
        facts = finding.reason.facts
        role = str(facts.get("role"))
        if finding.reason.code == "signature.missing":
            holders = facts["holders"]
            assert isinstance(holders, tuple)
            unsigned[role] = ", ".join(_name(plan, str(holder)) for holder in holders)
        elif finding.reason.code == "signature.objection":
            objections.append((f"{facts['person']} ({role})", str(facts["why"])))
    return GateAnswer(Answer.GO, unsigned=unsigned, objections=tuple(objections))
