"""`rollout clear`: may the change start, right now?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from pytest_rollout import processes
from pytest_rollout.cli.project import (
    Project,
    common,
    parsed,
    print_json,
)
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.verify import reported
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.contrary import contrary
from pytest_rollout.evidence.history import AskingRun, GateStanding, begun
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.evidence.verify import Anchor, verify
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.errors import LedgerError, OptionError, RolloutError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.finding import Finding, Reason, said
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict, worst_answer
from pytest_rollout.plan.terms import duration_us
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.stored import plain
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance
from pytest_rollout.targets.address import addresses
from pytest_rollout.targets.identity import identify


@click.command("clear")
@click.argument("address")
@click.option("--max-age", metavar="DURATION", help="refuse an older decision (30m, 24h)")
@click.option("--env", "given", help="which environment the change is for")
@common
def command(
    address: str,
    max_age: str | None,
    given: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Say whether the change behind ADDRESS (plan.phase or plan.phase/gate) may start now.

    It may where the last full run of the gate is sealed and GO, the ledger is whole, and
    release, plan, prerequisites, signatures and window agree. Of a phase: every gate of a
    rehearsal; elsewhere the gate that is next. Exit status 0 yes; else the gate's own, 11
    where the decision is GO and something else is missing.
    """
    project = Project.here(root, ledger)
    where = parsed(address)
    project.phase(where)
    plan = project.plan(where.plan)
    environment = _environment(given, plan)
    project.environment(environment, [plan])
    limit = _limit(max_age)
    anchors = reported(project) if ledger is None else ()
    try:
        answers = _answers(project, plan, where, environment, limit, anchors)
    except LedgerError as error:
        answers = [_unknown(where, str(error))]
    worst = worst_answer(answer.answer for answer in answers)
    if as_json:
        gates = [_plain(answer, environment, plan.timezone) for answer in answers]
        print_json({"clear": worst is Answer.GO, "gates": gates})
    else:
        for line in _lines(answers, environment, plan.timezone):
            say(line)
    return worst.exit_status


def _environment(given: str | None, plan: Plan) -> str:
    """The environment that was named; a plan of rehearsals alone has one only."""
    real = [name for name, one in plan.environments.items() if not one.embedded]
    if given is None and real:
        rule = f"--env {real[0]}; --env {EMBEDDED} asks about the rehearsal"
        raise OptionError("--env", f"which environment is the change for? ({rule})")
    return given or EMBEDDED


def _answers(
    project: Project,
    plan: Plan,
    where: Address,
    environment: str,
    limit: int | None,
    anchors: Iterable[Anchor],
) -> list[Clearance]:
    damage = verify(project.ledger, anchors).problems
    now = datetime.now(UTC)
    return [
        clearance(plan, gate, _known(project, plan, gate, environment, damage), now, limit)
        for gate in _gates(project, where, environment)
    ]


def _unknown(where: Address, why: str) -> Clearance:
    """The answer where the ledger cannot be read."""
    finding = Finding("clearance.decision", Verdict.MISSING, said(why))
    return Clearance(where, Answer.HOLD, (finding,))


def _limit(max_age: str | None) -> int | None:
    try:
        return duration_us(max_age) if max_age is not None else None
    except ValueError as error:
        raise OptionError("--max-age", str(error)) from error


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
    doubt = None
    if damage or standing.damage:
        wrong = damage[0] if damage else standing.damage
        doubt = Reason("ledger.damaged", {"damage": wrong})
    elif not asked.finished:
        doubt = Reason("run.unfinished", {"run": asked.run})
    embedded = environment == EMBEDDED  # its target runs no longer
    rolled_back, revalidate = _rolled_back(project, plan, gate, environment)
    fact = (
        ReleaseFact("now", None)
        if embedded
        else identify("now", plan, plan.environments[environment])
    )
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
        required=_required(project, plan, gate, environment),
        rolled_back=rolled_back,
        revalidate=revalidate,
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


def _required(project: Project, plan: Plan, gate: Address, environment: str) -> dict[str, str]:
    phase = project.phase(gate)
    found = {}
    for name in phase.requires:
        exit_ = Address(plan.id, name, Gate.EXIT)
        standing = project.history.standing(exit_, environment)
        if standing is not None and standing.decision and not standing.damage:
            found[name] = standing.decision.answer.value
    return found


def _plain(answer: Clearance, environment: str, zone: str) -> dict[str, Any]:
    address = answer.address
    return {
        "plan": address.plan,
        "phase": address.phase,
        "gate": address.gate.value if address.gate else None,
        "environment": environment,
        "answer": answer.answer.value,
        "findings": plain(answer.findings, zone),
    }


def _lines(answers: list[Clearance], environment: str, zone: str) -> Iterator[str]:
    for answer in answers:
        for finding in answer.findings:
            mark = "no " if finding.verdict.holds_back else "yes"
            mark = "waived" if finding.verdict is Verdict.WAIVED else mark
            name = finding.id.rpartition(".")[2]
            yield f"  {mark}  {name}: {sentences.text(finding.reason, zone)}"
        clear = "clear" if answer.answer is Answer.GO else f"NOT clear ({answer.answer.value})"
        yield f"{answer.address} in {environment}: {clear}"
