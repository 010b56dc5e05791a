"""What `rollout explain` says of a demand that no plan states: of the run, the begin, a gate."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.cli.project import Project, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.spelling import nearest
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report import sentences, text
from pytest_rollout.report.stored import plain

DEMANDS = {
    "run.sealed": "The run ended by itself and its evidence is whole",
    "run.whole": "The run left nothing out",
    "run.reported": "Every bound check reported",
    "run.unnamed": "No test of the phase that names no criterion failed",
    "run.release": "The run looked at one release, which is known",
    "run.environment": "No reference target answered in a real environment",
    "run.settled": "What a run that was ended early did not do was taken as not run",
    "gate.criteria": "The gate states a criterion",
    "gate.due": "Conditions of earlier gates that are due at this one are met",
    "phase.begun": "The begin of the phase is on record",
    "phase.stated": "The gate asks what it asked when the phase began, but for amendments",
    "phase.rolled-back": "The phase was not rolled back since it began, or its change is out again",
    "phase.drift": "Targets, release and configuration are as they were at the begin",
    "phase.release": "The release is that of the begin, or a recorded change brought another",
    "clearance.override": "What people accepted although the clearance said no",
}
_FULL = 4  # plan.phase and the two words of a demand


def demand_in(name: str) -> tuple[Address, str] | None:
    """Return the phase and the demand that a name means; None where it means no demand."""
    plan, _, rest = name.partition(".")
    phase, _, demand = rest.partition(".")
    rooms = {demand.partition(".")[0] for demand in DEMANDS}
    if name.count(".") != _FULL - 1 or demand.partition(".")[0] not in rooms:
        return None
    return Address(plan, phase), demand


def explain_demand(
    project: Project, where: Address, demand: str, environment: str, *, as_json: bool
) -> None:
    """Say what a demand asks and what the last decisions found; raises RolloutError."""
    if demand not in DEMANDS:
        why = f"{where.name} has no demand `{demand}` ({nearest(demand, DEMANDS)})"
        raise UnknownNameError(why, "criterion", demand, list(DEMANDS))
    project.phase(where)
    judged = [
        (decision, verdict, reason)
        for decision in _decisions(project, where, environment)
        for verdict, reason in _told(decision, demand)
    ]
    zone = project.plan(where.plan).timezone
    if as_json:
        facts = {"demand": demand, "says": DEMANDS[demand], "environment": environment}
        rows = [
            {"gate": str(decision.address), "verdict": verdict.value, "reason": plain(reason, zone)}
            for decision, verdict, reason in judged
        ]
        print_json({**facts, "phase": where.name, "found": rows})
        return
    say(f"{where.name}, {demand}: no criterion of the plan; every gate asks it where it applies")
    say(f"  It says: {DEMANDS[demand]}.")
    for decision, verdict, reason in judged:
        told, answer = sentences.text(reason, zone), decision.answer.value
        decided = text.moment(decision.decided_at, zone)
        say(f"  {decision.address} in {environment}: {verdict.value}; {told}")
        say(f"  Evidence: run {decision.run}, decided {decided}; the gate is {answer}.")
    if not judged:
        say(f"  The last decisions in {environment} say nothing of it: nothing stands against it.")


def _decisions(project: Project, where: Address, environment: str) -> Iterator[Decision]:
    if not project.has_ledger:
        raise RolloutError(f"{where.name} has not been decided in {environment} yet")
    for gate in Gate:
        standing = project.history.standing(where.at(gate), environment)
        if standing is not None and standing.decision is not None and not standing.damage:
            yield standing.decision


def _told(decision: Decision, demand: str) -> Iterator[tuple[Verdict, Reason]]:
    yield from (
        (finding.verdict, finding.reason) for finding in decision.demands if finding.id == demand
    )
    yield from (
        (condition.verdict, condition.reason)
        for condition in decision.conditions
        if condition.id == demand
    )
