"""`rollout explain`: why a criterion or guardrail stands as it does, in words and numbers."""

from __future__ import annotations

from contextlib import suppress

import click

from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    parsed,
    print_json,
    say,
)
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, RolloutError
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.plan import Address, Criterion, Gate, Guardrail
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report.explained import explained
from pytest_rollout.report.stored import plain


@click.command("explain")
@click.argument("criterion")
@environment_option
@common
def command(
    criterion: str, environment: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Explain CRITERION (plan.phase.slug, also of a guardrail) as its gate was last decided."""
    project = Project.here(root, ledger)
    stated, address = _stated(project, criterion, environment)
    standing, decision, _ = project.standing(address, environment)
    plan, phase = project.plan_of_run(address, standing.asked)
    found = (*decision.criteria, *decision.guardrails)
    asked: list[Criterion | Guardrail] = [*phase.criteria, *phase.guardrails]
    then = next((one for one in asked if one.id == stated), None)
    finding = next((one for one in found if one.id == criterion), None)
    if finding is None or then is None:
        raise RolloutError(f"{criterion} was not stated yet when {decision.address} was decided")
    if as_json:
        print_json(_data(decision, finding))
        return 0
    for line in explained(phase, then, decision, finding):
        say(line)
    if plan.digest not in {one.plan.digest for one in project.found if one.plan}:
        say("  The plan has been changed since; this is how it was judged then.")
    return 0


def _stated(project: Project, criterion: str, environment: str) -> tuple[str, Address]:
    """The slug of a criterion and its gate: by the plan judged by, else by the one of now."""
    where, _, slug = criterion.rpartition(".")
    address = parsed(where or criterion)
    if address.gate is not None:
        raise RolloutError(f"{criterion!r} is not plan.phase.slug")
    known: list[str] = []
    for gate in Gate:
        with suppress(LedgerError):  # met again when the decision is read
            asked = project.full_run(address.at(gate), environment)
            if asked is None:
                continue
            _, phase = project.plan_of_run(address, asked)
            mine = [one.id for one in phase.of(gate)]
            mine += [one.id for one in phase.guardrails if gate is Gate.EXIT]
            if slug in mine:
                return slug, address.at(gate)
            known += mine
    for one in project.phase(address).criteria:
        if one.id == slug:
            return slug, address.at(one.gate)
        known.append(one.id)
    if slug in {one.id for one in project.phase(address).guardrails}:
        return slug, address.at(Gate.EXIT)
    raise RolloutError(f"{address} states no criterion `{slug}` ({nearest(slug, set(known))})")


def _data(decision: Decision, finding: Finding) -> dict[str, object]:
    """The finding in the shape of decision.json, and what it weighs in its gate."""
    zone = decision.timezone
    waivers = [waived for waived in decision.waivers if waived.id == finding.id]
    return {
        "decision": decision.answer.value,
        "run": decision.run,
        "criterion": plain(finding, zone),
        "waivers": plain(waivers, zone),
    }
