"""What clearances are made of: what the ledger, the target and the calendar say of a gate now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from pytest_rollout import processes
from pytest_rollout.cli.clearing_life import (
    Running,
    given_since,
    life_facts,
    said_back,
    since_begin,
)
from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.anchors import Anchor
from pytest_rollout.evidence.bodies import PhaseEnded, Process
from pytest_rollout.evidence.contrary import contrary
from pytest_rollout.evidence.history import AskingRun, GateStanding, last_full_run
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.verify import Verification, verify
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.finding import Fact, Finding, Reason, said
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.signoff.attested import disowned, verified
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance, held_by
from pytest_rollout.targets.address import addresses
from pytest_rollout.targets.identity import identify


@dataclass(frozen=True, slots=True)
class Look:
    """The clearance of a gate, and what was known."""

    answer: Clearance
    known: GateFacts


def clearances(
    project: Project,
    plan: Plan,
    where: Address,
    environment: str,
    limit: int | None,
    anchors: Iterable[Anchor],
    for_us: int = 0,
) -> list[Clearance]:
    """Return the clearance of each gate that an address means, by what is known now."""
    looks = looked(project, plan, where, environment, limit, anchors, for_us)
    return [look.answer for look in looks]


def looked(
    project: Project,
    plan: Plan,
    where: Address,
    environment: str,
    limit: int | None,
    anchors: Iterable[Anchor],
    for_us: int = 0,
    running: Running | None = None,
) -> list[Look]:
    """The same, with what was known; ``running`` stands in for asking the targets."""
    verification = verify(project.ledger, anchors, since_anchor=True)
    now = datetime.now(UTC)
    looks = []
    for gate in _gates(project, where, environment):
        here = running or _running_now(project, plan, environment)
        known = _known(project, plan, gate, environment, verification, here)
        looks.append(Look(clearance(plan, gate, known, now, limit, for_us), known))
    return looks


def unknown(where: Address, why: str) -> Clearance:
    """The answer where the ledger cannot be read."""
    finding = Finding("clearance.decision", Verdict.MISSING, said(why))
    return Clearance(where, Answer.HOLD, (finding,))


def _gates(project: Project, where: Address, environment: str) -> list[Address]:
    if where.gate:
        return [where]
    if environment == EMBEDDED:
        return [where.at(gate) for gate in Gate]
    turn = PhaseLife(project.ledger, where, environment).turn()
    entry = where.at(Gate.ENTRY)
    if turn is None:
        return [entry]
    if turn.body.type == PhaseEnded.TYPE:
        again = last_full_run(project.ledger, entry, environment)
        if again and project.ledger.of_run(again.run)[0].sequence > turn.record.sequence:
            return [entry]  # a run asked since whether the phase may begin again
    return [where.at(Gate.EXIT)]


def _running_now(project: Project, plan: Plan, environment: str) -> Running:
    """What targets say now; a rehearsal's run no longer."""
    real = plan.environments[environment]
    fact = ReleaseFact("now", None)
    if not real.embedded:
        fact = identify("now", plan, real, project.root)
    return Running(fact, addresses(real))


def _known(
    project: Project,
    plan: Plan,
    gate: Address,
    environment: str,
    verification: Verification,
    here: Running,
) -> GateFacts:
    """What the ledger and the targets say of a gate."""
    standing = project.history.standing(gate, environment)
    asked = standing.asked if standing else AskingRun("", "", finished=True)
    doubt = _doubt(project, gate, environment, standing, verification)
    embedded, fact = environment == EMBEDDED, here.fact
    rolled_back, revalidate = _rolled_back(project, plan, gate, environment)
    required = _required(project, plan, gate, environment)
    case = None if doubt else _case(project, gate, asked)
    life = since_begin(project, plan, gate, environment, here)
    assert gate.gate is not None
    return GateFacts(
        run=asked.run,
        decision=standing.decision if standing else None,
        again=decide(case, gate.gate) if case else None,
        merged=None if doubt else _with_all(project, gate, asked),
        doubt=doubt,
        release=fact.release,
        release_error=fact.error or "",
        configuration=fact.configuration,
        others=_others(project, gate, environment, standing) if standing else (),
        judged_at=asked.targets,
        runs_at=here.places,
        authors=asked.authors,
        disowned=disowned(case, plan.roster, gate.gate) if case and not embedded else (),
        begins=asked.run if _begins_with(project, asked.run) else "",
        required=_answers(project, plan, environment, required),
        required_release={name: decision.release for name, decision in required.items()},
        rolled_back=rolled_back,
        revalidate=revalidate,
        running=_may_end(project, asked),
        **({} if embedded else life_facts(project, gate, environment, fact.release, standing)),
        life=life,
        given=given_since(project, gate, environment, standing, fact.release, life),
    )


def _doubt(
    project: Project,
    gate: Address,
    environment: str,
    standing: GateStanding | None,
    verification: Verification,
) -> Reason | None:
    """Why the stored decision cannot be believed; None where it can."""
    elsewhere = (*verification.foreign, *verification.beyond)
    if elsewhere and len(verification.problems) == len(verification.beyond):
        anchor = elsewhere[0]
        facts: dict[str, Fact] = {"file": anchor.source, "sequence": anchor.head.sequence}
        facts |= {"ledger": project.ledger.name, "beyond": anchor in verification.beyond}
        return Reason("clear.other-ledger", facts)
    damage = next(iter(verification.problems), (standing.damage or "") if standing else "")
    if damage:
        return Reason("ledger.damaged", {"damage": damage})
    if standing is None:
        return Reason("gate.never-asked", {"gate": str(gate)})
    asked = standing.asked
    settle = environment != EMBEDDED
    return (
        None if asked.finished else Reason("run.unfinished", {"run": asked.run, "settle": settle})
    )


def _may_end(project: Project, asked: AskingRun) -> bool:
    """Whether a run that has not ended may still do so: its process is not known to be gone."""
    if asked.finished:
        return True
    process = RunLog(project.ledger.of_run(asked.run)).start.process
    return process is None or process.host != processes.this_process()[0] or _running(process)


def _begins_with(project: Project, run: str) -> bool:
    """Whether a ledger holds nothing that is older than a run."""
    first = next(project.ledger.between(1, 1), None)
    return first is not None and first.run == run


def _others(
    project: Project, gate: Address, environment: str, standing: GateStanding
) -> tuple[OtherRun, ...]:
    """Other runs that may know something against the decision that stands."""
    decision = standing.decision
    if decision is None:
        return ()
    return contrary(
        project.ledger, gate, environment, standing.asked, decision.release, running=_running
    )


def _running(process: Process) -> bool:
    return processes.runs(process.host, process.pid, process.began)


def _rolled_back(
    project: Project, plan: Plan, gate: Address, environment: str
) -> tuple[str, dict[str, str]]:
    """When and how a phase was rolled back, and which gates are not GO anew."""
    if environment == EMBEDDED:  # a rehearsal is not rolled back
        return "", {}
    phase = project.phase(gate)
    back, lacking = open_gates(project.ledger, project.history, gate, phase, environment)
    return said_back(back, plan) if back else "", lacking


def _with_all(project: Project, gate: Address, asked: AskingRun) -> Decision | None:
    """A gate judged with what came in by merges, too; None where nothing did."""
    if not project.ledger.store.merges():
        return None
    case = _case(project, gate, asked, merged=True)
    assert gate.gate is not None
    return decide(case, gate.gate) if case else None


def _case(
    project: Project, gate: Address, asked: AskingRun, *, merged: bool = False
) -> Case | None:
    """What a run judged, by the plan and the keys of then; None where its plan is lost."""
    try:
        plan, phase = project.plan_of_run(gate, asked)
    except RolloutError:
        return None
    reading = read_world(project.ledger, asked.run, gate, phase, merged=merged)
    return Case(plan, phase, verified(reading.world, plan), reading.at_us)


def _answers(
    project: Project, plan: Plan, environment: str, required: Mapping[str, Decision]
) -> dict[str, str]:
    """The answer of each exit that is required; HOLD where another run knows better than a GO."""
    answers = {}
    for name, decision in required.items():
        exit_ = plan.required(name)
        standing = project.history.standing(exit_, environment)
        contradicting = _others(project, exit_, environment, standing) if standing else ()
        against = decision.answer is Answer.GO and any(held_by(contradicting))
        answers[name] = Answer.HOLD.value if against else decision.answer.value
    return answers


def _required(project: Project, plan: Plan, gate: Address, environment: str) -> dict[str, Decision]:
    """The last decision of the exit of each phase that must be done before."""
    phase = project.phase(gate)
    decisions = {}
    for name in phase.requires:
        exit_ = plan.required(name)
        standing = project.history.standing(exit_, environment)
        if standing is not None and standing.decision and not standing.damage:
            decisions[name] = standing.decision
    return decisions
