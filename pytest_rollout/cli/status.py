"""`rollout status`: where every phase of every plan stands."""

from __future__ import annotations

from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project, common, environment_option, print_json
from pytest_rollout.evidence.history import last_decision, last_full_run
from pytest_rollout.model.plan import Address, Gate, Phase, Plan


@click.command("status")
@click.argument("plan", required=False)
@environment_option
@common
def command(
    plan: str | None, environment: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Show every phase with what its gates last decided."""
    project = Project.here(root, ledger)
    plans = [project.plan(plan)] if plan else project.plans
    rows = [_row(project, one, phase, environment) for one in plans for phase in one.phases]
    if as_json:
        print_json({"environment": environment, "phases": rows})
        return 0
    for one in plans:
        click.echo(f"{one.id}: {one.title} ({environment})")
        mine = [row for row in rows if row["plan"] == one.id]
        widths = {key: max(len(row[key]) for row in mine) for key in ("phase", "title", "window")}
        for row in mine:
            named = "  ".join(row[key].ljust(width) for key, width in widths.items())
            click.echo(f"  {named}  {_shown(row, 'entry')}  {_shown(row, 'exit')}".rstrip())
    for broken in project.loaded:
        for problem in broken.problems:
            click.echo(f"  not read: {problem}")
    return 0


def _row(project: Project, plan: Plan, phase: Phase, environment: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "plan": plan.id,
        "phase": phase.id,
        "title": phase.title,
        "window": calendar.window_words(plan, phase),
    }
    for gate in Gate:
        address = Address(plan.id, phase.id, gate)
        row[gate.value] = {
            "criteria": len(phase.of(gate)),
            **_last(project, address, environment),
        }
    return row


def _last(project: Project, address: Address, environment: str) -> dict[str, Any]:
    """The last decision; a full run that did not finish makes it HOLD until one does."""
    nothing = {"decision": None, "release": None, "decided_at": None, "run": None}
    if not project.ledger_path.is_file():
        return nothing
    asked = last_full_run(project.ledger, address, environment)
    if asked is None:
        return nothing
    decision = last_decision(project.ledger, address, environment)
    if decision is None:
        return {**nothing, "decision": "HOLD", "run": asked.run, "unfinished": not asked.finished}
    return {
        "decision": decision.answer.value,
        "release": decision.release,
        "decided_at": decision.decided_at,
        "run": decision.run,
        "conditions": len(decision.conditions),
    }


def _shown(row: dict[str, Any], gate: str) -> str:
    facts = row[gate]
    if facts.get("unfinished"):
        return f"{gate} HOLD (run {facts['run']} never finished)"
    if facts["decision"] is None:
        stated = "undecided" if facts["criteria"] else "no criteria"
        return f"{gate} {stated}"
    conditions = f" +{facts['conditions']} conditions" if facts.get("conditions") else ""
    return f"{gate} {facts['decision']}{conditions}"
