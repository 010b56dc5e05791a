"""What clearances are made of: what the ledger, the target and the calendar say of a gate now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from pytest_rollout import processes
from pytest_rollout.cli.project import (
    Project,
    print_json,
)
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.sign import allowed_signers
from pytest_rollout.evidence import settlements, signatures
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.contrary import contrary
from pytest_rollout.evidence.history import AskingRun, GateStanding, begun
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.evidence.verify import Anchor, verify
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.judge.case import instant
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.finding import Finding, Reason, said
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.stored import plain
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance
from pytest_rollout.signoff.signatures import Signed
from pytest_rollout.targets.address import addresses
from pytest_rollout.targets.identity import identify


def clearances(
    project: Project,
    plan: Plan,
    where: Address,
    environment: str,
    limit: int | None,
    anchors: Iterable[Anchor],
) -> list[Clearance]:
    """Return the clearance of each gate that an address means, by what is known now."""
    damage = verify(project.ledger, anchors).problems
    now = datetime.now(UTC)
    return [
        clearance(plan, gate, _known(project, plan, gate, environment, damage), now, limit)
        for gate in _gates(project, where, environment)
    ]


def unknown(where: Address, why: str) -> Clearance:
    """The answer where the ledger cannot be read."""
    finding = Finding("clearance.decision", Verdict.MISSING, said(why))
    return Clearance(where, Answer.HOLD, (finding,))


def _gates(project: Project, where: Address, environment: str) -> list[Address]:
    if where.gate:
        return [where]
    if environment == EMBEDDED:
        return [where.at(gate) for gate in Gate]
    return [where.at(Gate.EXIT if begun(project.ledger, where, environment) else Gate.ENTRY)]


def _known(
    project: Project, plan: Plan, gate: Address, environment: str, damage: tuple[str, ...]
) -> GateFacts:
    """What the ledger and the target say of a gate."""
    standing = project.history.standing(gate, environment)
    if standing is None:
        return GateFacts("", None, None, Reason("gate.never-asked", {"gate": str(gate)}))
    asked = standing.asked
    embedded = environment == EMBEDDED  # its target runs no longer
    doubt = None
    if damage or standing.damage:
        wrong = damage[0] if damage else standing.damage
        doubt = Reason("ledger.damaged", {"damage": wrong})
    elif not asked.finished:
        doubt = Reason("run.unfinished", {"run": asked.run, "settle": not embedded})
    rolled_back, revalidate = _rolled_back(project, plan, gate, environment)
    fact = (
        ReleaseFact("now", None)
        if embedded
        else identify("now", plan, plan.environments[environment])
    )
    required = _required(project, plan, gate, environment)
    return GateFacts(
        run=asked.run,
        decision=standing.decision,
        again=None if doubt else _again(project, gate, asked),
        doubt=doubt,
        release=fact.release,
        release_error=fact.error or "",
        others=_others(project, gate, environment, standing),
        judged_at=asked.targets,
        runs_at=addresses(plan.environments[environment]),
        begins=asked.run if _begins_with(project, asked.run) else "",
        required={name: one.answer.value for name, one in required.items()},
        required_release={name: one.release for name, one in required.items()},
        rolled_back=rolled_back,
        revalidate=revalidate,
        **({} if embedded else _life(project, plan, gate, environment, asked.run)),
    )


def _begins_with(project: Project, run: str) -> bool:
    """Whether a ledger holds nothing that is older than a run."""
    first = next(project.ledger.between(1, 1), None)
    return first is not None and first.run == run


def refused(answer: Clearance, environment: str, zone: str, *, as_json: bool) -> int:
    """Say why a phase may not be begun or ended; the exit status."""
    if as_json:
        print_json({"clear": False, "gates": [as_plain(answer, environment, zone)]})
    else:
        for line in lines([answer], environment, zone):
            say(line)
    return answer.answer.exit_status


def _life(
    project: Project, plan: Plan, gate: Address, environment: str, run: str
) -> dict[str, Any]:
    """What of the life of a phase stands against a change: a freeze on record, trips."""
    life = PhaseLife(project.ledger, gate, environment)
    held = life.freeze()
    frozen = held and Reason(
        "clear.held", {"at": instant(held.body.t_us, plan.timezone), "says": held.body.says}
    )
    trips = (
        Reason(
            "clear.tripped",
            {
                "guardrail": trip.body.guardrail,
                "at": instant(trip.body.t_us, plan.timezone),
                "says": trip.body.says,
            },
        )
        for trip in life.trips(project.phase(gate))
    )
    signed = _signed(project, plan, gate, environment)
    settled = _settled(project, gate, environment, run)
    return {"frozen": frozen, "tripped": tuple(trips), "signed": signed, "settled": settled}


def _settled(project: Project, gate: Address, environment: str, run: str) -> tuple[Reason, ...]:
    """The settlements that were recorded after a gate's last full run had begun."""
    began = project.ledger.of_run(run)[0].at_us
    return tuple(
        Reason("settled", {"run": one.run, "at": one.at, "by": one.by, "why": one.why})
        for one in settlements.known_at(project.ledger, gate.name, environment).values()
        if one.at_us > began
    )


def _signed(project: Project, plan: Plan, gate: Address, environment: str) -> tuple[Signed, ...]:
    """The signatures of a gate, each verified by the keys of the plan's people."""
    told = tuple(signatures.all_of(project.ledger, gate, environment))
    allowed = allowed_signers(project, plan) if told else ""
    return tuple(
        Signed(
            one.body.signed,
            one.record.at_us,
            ssh.why_invalid(one.body.signed, one.body.armour, allowed),
        )
        for one in told
    )


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
    said = f"ROLLBACK at {wall(back.at, plan.timezone)}, {back.what}" if back else ""
    return said, lacking


def _again(project: Project, gate: Address, asked: AskingRun) -> Decision | None:
    try:
        plan, phase = project.plan_of_run(gate, asked)
    except RolloutError:
        return None
    assert gate.gate is not None
    reading = read_world(project.ledger, asked.run, gate, phase)
    return decide(Case(plan, phase, reading.world, reading.at_us), gate.gate)


def _required(project: Project, plan: Plan, gate: Address, environment: str) -> dict[str, Decision]:
    """The last decision of the exit of each phase that must be done before."""
    phase = project.phase(gate)
    found = {}
    for name in phase.requires:
        exit_ = Address(plan.id, name, Gate.EXIT)
        standing = project.history.standing(exit_, environment)
        if standing is not None and standing.decision and not standing.damage:
            found[name] = standing.decision
    return found


def lines(answers: list[Clearance], environment: str, zone: str) -> Iterator[str]:
    """Yield each demand with its answer, and the answer of each gate, for people."""
    for answer in answers:
        for finding in answer.findings:
            mark = "no " if finding.verdict.holds_back else "yes"
            mark = "waived" if finding.verdict is Verdict.WAIVED else mark
            name = " ".join(finding.id.split(".")[1:])
            yield f"  {mark}  {name}: {sentences.text(finding.reason, zone)}"
        clear = "clear" if answer.answer is Answer.GO else f"NOT clear ({answer.answer.value})"
        yield f"{answer.address} in {environment}: {clear}"


def as_plain(answer: Clearance, environment: str, zone: str) -> dict[str, Any]:
    """Return the clearance of a gate as JSON values."""
    address = answer.address
    return {
        "plan": address.plan,
        "phase": address.phase,
        "gate": address.gate.value if address.gate else None,
        "environment": environment,
        "answer": answer.answer.value,
        "findings": plain(answer.findings, zone),
    }
