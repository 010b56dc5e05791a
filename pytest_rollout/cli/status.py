"""`rollout status`: where every phase of every plan stands."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project, common, environment_option, print_json, say
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.model.waiver import Use


@click.command("status")
@click.argument("plan", required=False)
@environment_option
@common
def command(
    plan: str | None, environment: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Show every phase with what its gates last decided, and when it is open for changes."""
    project = Project.here(root, ledger)
    plans = [project.plan(plan)] if plan else project.plans
    rows = [_row(project, one, phase, environment) for one in plans for phase in one.phases]
    if plans and not any(row[gate.value]["run"] for row in rows for gate in Gate):
        project.environment(environment, plans)
    problems = [] if plan else [str(one) for broken in project.loaded for one in broken.problems]
    if as_json:
        print_json({"environment": environment, "phases": rows, "problems": problems})
        return 0
    for one in plans:
        say(f"{one.id}: {one.title} ({environment})")
        mine = [row for row in rows if row["plan"] == one.id]
        widths = {key: max(len(row[key]) for row in mine) for key in ("phase", "title", "window")}
        for row in mine:
            named = "  ".join(row[key].ljust(width) for key, width in widths.items())
            gates = "  ".join(_shown(row, gate.value) for gate in Gate)
            say(f"  {named}  {gates}  {row['opens']}".rstrip() + _noes(row))
            for one in row["revalidate"]:
                say(f"    to revalidate: {one}")
    for problem in problems:
        say(f"  not read: {problem}")
    return 0


def _row(project: Project, plan: Plan, phase: Phase, environment: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "plan": plan.id,
        "phase": phase.id,
        "title": phase.title,
        "window": calendar.window_words(plan, phase),
        **_opening(plan, phase, datetime.now(UTC)),
    }
    row["revalidate"] = _revalidate(project, plan, phase, environment)
    for gate in Gate:
        address = Address(plan.id, phase.id, gate)
        row[gate.value] = {
            "criteria": len(phase.of(gate)),
            **_last(project, address, environment),
            "last_no": _last_no(project, address),
        }
    return row


def _revalidate(project: Project, plan: Plan, phase: Phase, environment: str) -> list[str]:
    """What must be GO anew after a ROLLBACK, and is not yet."""
    if environment == EMBEDDED or not project.ledger_path.is_file():
        return []
    where = Address(plan.id, phase.id)
    back, lacking = open_gates(project.ledger, project.history, where, phase, environment)
    if back is None:
        return []
    return [f"{gate} after the ROLLBACK at {back.at}: {why}" for gate, why in lacking.items()]


def _opening(plan: Plan, phase: Phase, now: datetime) -> dict[str, Any]:
    """When changes of the phase may be made next; no words where nothing limits them."""
    found = calendar.next_opening(plan, phase, now)
    edges = (found.since, found.until) if found else ()
    always = found is not None and found.since <= now and found.until is None
    return {
        "opening": [edge and calendar.stamp(calendar.to_us(edge)) for edge in edges],
        "opens": "" if always else calendar.opening_words(plan, phase, now),
    }


def _last(project: Project, address: Address, environment: str) -> dict[str, Any]:
    """The last decision; a full run that stored none, or a damaged one, is HOLD."""
    nothing = {"decision": None, "release": None, "decided_at": None, "run": None}
    if not project.ledger_path.is_file():
        return nothing
    found = project.history.standing(address, environment)
    if found is None:
        return nothing
    if found.decision is None:
        why = found.damage and f"the ledger was damaged: {found.damage}"
        unfinished = f"run {found.asked.run} stored no decision"
        if not found.asked.finished:
            unfinished = f"run {found.asked.run} never finished"
        return {
            **nothing,
            "decision": Answer.HOLD.value,
            "run": found.asked.run,
            "why": why or unfinished,
        }
    return {
        "decision": found.decision.answer.value,
        "release": found.decision.release,
        "decided_at": found.decision.decided_at,
        "run": found.decision.run,
        "conditions": len(found.decision.conditions),
        "waived": sum(one.use is Use.APPLIED for one in found.decision.waivers),
        "stand_ins": len(found.decision.stand_ins),
    }


def _last_no(project: Project, address: Address) -> dict[str, Any] | None:
    """When the gate last said no in a drill; None where it never did."""
    if not project.ledger_path.is_file():
        return None
    found = project.last_no(address)
    return {**dataclasses.asdict(found), "answer": found.answer.value} if found else None


def _noes(row: dict[str, Any]) -> str:
    """The days on which gates last said no; of one that was never asked, only where it did."""
    said = []
    for gate in Gate:
        last = row[gate.value]["last_no"]
        if last:
            said.append(f"{gate} {last['at'][:10]}{' (outdated)' * last['outdated']}")
        elif row[gate.value]["decision"]:
            said.append(f"{gate} never")
    return f"  last no: {', '.join(said)}" if said else ""


def _shown(row: dict[str, Any], gate: str) -> str:
    facts = row[gate]
    if facts["decision"] is None:
        return f"{gate} {'undecided' if facts['criteria'] else 'no criteria'}"
    if facts.get("why"):
        return f"{gate} {facts['decision']} ({facts['why']})"
    count = facts["conditions"]
    conditions = f" +{count} condition{'s' * (count > 1)}" if count else ""
    waived = f", {facts['waived']} waived" if facts["waived"] else ""
    answered = facts["stand_ins"]
    standing = f", {answered} stand-in{'s' * (answered > 1)}" if answered else ""
    return f"{gate} {facts['decision']}{conditions}{waived}{standing}"
