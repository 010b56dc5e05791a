"""`rollout explain`: why a criterion or guardrail stands as it does, in words and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import click

from pytest_rollout.cli.explain_demand import demand_in, explain_demand
from pytest_rollout.cli.names import CRITERION
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    parsed,
    print_json,
)
from pytest_rollout.cli.proving import proven
from pytest_rollout.cli.real_environment import shown_environment
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.phase_story import happened
from pytest_rollout.judge.since_begin import AS_IT_WAS
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, RolloutError, UnknownNameError
from pytest_rollout.model.finding import Finding, SubjectKind
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import EMBEDDED, Address, Criterion, Gate, Guardrail, Phase
from pytest_rollout.model.proof import Proof
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report.advice import advice
from pytest_rollout.report.explained import explained
from pytest_rollout.report.mutation import of_criterion
from pytest_rollout.report.proof import proof_lines
from pytest_rollout.report.stored import plain
from pytest_rollout.report.todo import steps_taken


@click.command("explain")
@click.argument("criterion", type=CRITERION)
@environment_option
@common
def command(
    criterion: str, environment: str | None, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Explain CRITERION (plan.phase.slug, also of a guardrail) as its gate was last decided.

    Also what no plan states: plan.phase.run.release, plan.phase.phase.release and their like, by
    the names that decisions give.
    """
    project = Project.here(root, ledger)
    asked_of = demand_in(criterion)
    if asked_of is not None:
        there = shown_environment(project, environment, [asked_of[0]])
        there.note(criterion)
        explain_demand(project, *asked_of, there.name, as_json=as_json)
        return 0
    shown = shown_environment(project, environment, [_phase(criterion)])
    stated, address = _stated(project, criterion, shown.name)
    shown.note(criterion)
    if stated == DRIFT.id:
        _told_of_drift(project, criterion, address, shown.name)
    if not as_json and not _asked(project, address, shown.name):
        _not_decided(project, address, stated)
    standing, decision, _ = project.standing(address, shown.name)
    plan, phase = project.plan_of_run(address, standing.asked)
    findings = [*decision.criteria, *decision.guardrails]
    asked: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    if stated not in {guardrail.id for guardrail in asked} and stated == DRIFT.id:
        asked, findings = [DRIFT], [_drift(decision, criterion)]
    then = next((guardrail for guardrail in asked if guardrail.id == stated), None)
    finding = next((finding for finding in findings if finding.id == criterion), None)
    if finding is None or then is None:
        raise RolloutError(f"{criterion} was not stated yet when {decision.address} was decided")
    proof = proven(project, plan, address, then, _checks(finding))
    steps = _steps(project, decision, phase)
    if as_json:
        print_json(_data(decision, then, finding, proof, steps))
        return 0
    for line in explained(phase, then, decision, finding, steps):
        say(line)
    _say_proof(proof, plan.timezone)
    _say_mutants(project, address, stated)
    if plan.digest not in {loaded.plan.digest for loaded in project.found if loaded.plan}:
        say("  The plan has been changed since; this is how it was judged then.")
    return 0


def _steps(project: Project, decision: Decision, phase: Phase) -> tuple[StepState, ...]:
    """The steps of the rollback that a decision asks for, with what became of each."""
    if decision.answer is not Answer.ROLLBACK or decision.environment == EMBEDDED:
        return ()
    return steps_taken(phase, happened(project.ledger, decision, phase))


def _asked(project: Project, address: Address, environment: str) -> bool:
    return project.has_ledger and project.full_run(address, environment) is not None


def _not_decided(project: Project, address: Address, stated: str) -> None:
    """Say how a criterion is proven, although its gate was not decided yet."""
    plan, phase = project.plan(address.plan), project.phase(address)
    every: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    criterion = next((candidate for candidate in every if candidate.id == stated), None)
    if criterion is not None:
        say(f"{address.full(stated)}: not decided yet")
        say(f"  It says: {criterion.says}.")
        _say_proof(proven(project, plan, address, criterion), plan.timezone)


def _say_proof(proof: Proof, zone: str) -> None:
    for line in proof_lines(proof, zone):
        say(f"  {line}")


def _say_mutants(project: Project, address: Address, stated: str) -> None:
    """Say what the newest mutation drill of the phase came to for a criterion, if there was one."""
    newest = project.mutation_drills.newest(Address(address.plan, address.phase))
    if newest is not None:
        at, drill = newest
        for line in of_criterion(drill, at, address.phase, stated):
            say(f"  {line}")


def _checks(finding: Finding) -> list[str]:
    """The node ids of the checks that were bound to a criterion."""
    return [part.subject.ref for part in finding.parts if part.subject.kind is SubjectKind.CHECK]


def _phase(name: str) -> Address:
    """The phase in the id of a criterion or guardrail; raises RolloutError."""
    address = parsed(name.rpartition(".")[0] or name)
    if address.gate is not None:
        raise RolloutError(f"{name!r} is not plan.phase.slug", code="address", address=name)
    return address


def _stated(project: Project, name: str, environment: str) -> tuple[str, Address]:
    """The slug of a criterion and its gate: by the plan judged by, else by the one of now."""
    address, slug = _phase(name), name.rpartition(".")[2]
    known: list[str] = []
    for gate in Gate:
        with suppress(LedgerError):  # met again when the decision is read
            asked = project.full_run(address.at(gate), environment)
            if asked is None:
                continue
            _, phase = project.plan_of_run(address, asked)
            mine = [criterion.id for criterion in phase.of(gate)]
            mine += [guardrail.id for guardrail in phase.guardrails if gate is Gate.EXIT]
            if slug in mine:
                return slug, address.at(gate)
            known += mine
    for stated in project.phase(address).criteria:
        if stated.id == slug:
            return slug, address.at(stated.gate)
        known.append(stated.id)
    if slug in {guardrail.id for guardrail in project.phase(address).guardrails}:
        return slug, address.at(Gate.EXIT)
    if slug == DRIFT.id:  # built in, of every phase that has begun
        return slug, address.at(Gate.EXIT)
    why = f"{address} states no criterion `{slug}` ({nearest(slug, set(known))})"
    raise UnknownNameError(why, "criterion", slug, set(known))


def _told_of_drift(project: Project, name: str, address: Address, environment: str) -> None:
    """Raise RolloutError where no run decided the exit that tells of the built-in guardrail."""
    if address.gate is Gate.EXIT and project.full_run(address, environment) is None:
        where = f"{address.name} --env {environment}"
        raise RolloutError(
            f"{name} is built in ({DRIFT.says}); {address} has not been decided in {environment} "
            f"yet: once the phase has begun, `rollout clear {where}` shows it",
            code="gate.never-asked",
            gate=str(address),
            environment=environment,
        )


def _drift(decision: Decision, name: str) -> Finding:
    """The built-in guardrail as the demands of an exit show it; raises RolloutError."""
    demands = {demand.id: demand for demand in decision.demands}
    drifted, begun = demands.get("phase.drift"), demands.get("phase.begun")
    if drifted is not None:
        return Finding(name, Verdict.FAIL, drifted.reason, DRIFT.says)
    if "phase.stated" in demands or (begun is not None and begun.verdict is Verdict.PASS):
        return Finding(name, Verdict.PASS, AS_IT_WAS, DRIFT.says)
    raise RolloutError(
        f"{name} is built in and compares with the begin of the phase, which was not on record "
        f"when {decision.address} was decided (`rollout begin {decision.address.name}`)"
    )


_HEAD = ("plan", "phase", "gate", "environment", "release", "run", "decided_at", "decision")


def _data(
    decision: Decision,
    stated: Criterion | Guardrail,
    finding: Finding,
    proof: Proof,
    steps: Sequence[StepState],
) -> dict[str, object]:
    """The finding and what it weighs in its gate, in the shape of decision.json."""
    mine = {
        "criterion": finding,
        "reasons": [cause for cause in decision.reasons if cause.id == finding.id],
        "conditions": [owed for owed in decision.conditions if owed.id == finding.id],
        "waivers": [waived for waived in decision.waivers if waived.id == finding.id],
        "resets": [reset for reset in decision.resets if reset.guardrail == finding.id],
    }
    head = {key: getattr(decision, key) for key in _HEAD}
    next_ = advice(stated, finding, decision.environment, steps)
    data: dict[str, object] = plain(
        {**head, **mine, "next": next_, "proof": proof}, decision.timezone
    )
    return data
