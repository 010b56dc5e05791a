"""`rollout status`: where every phase of every plan stands."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli.project import Project, common, environment_option, print_json
from pytest_rollout.cli.real_environment import named_by_all, shown_environments
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.history import GateStanding
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.rollbacks import open_gates
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.decision import Cause
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.model.waiver import WaiverUse
from pytest_rollout.report.fact_words import count, wall
from pytest_rollout.report.stored import plain


@click.command("status")
@click.argument("plan", required=False)
@environment_option
@common
def command(
    plan: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Show every phase with what its gates last decided, and when it is open for changes."""
    project = Project.here(root, ledger)
    plans = [project.plan(plan)] if plan else project.plans
    shown = shown_environments(project, environment, plans)
    rows = [_row(project, one, phase, shown[one.id].name) for one in plans for phase in one.phases]
    if environment and plans and not any(row[gate.value]["run"] for row in rows for gate in Gate):
        project.environment(environment, plans)
    broken = [] if plan else [loaded for loaded in project.loaded if loaded.problems]
    problems = [str(problem) for loaded in broken for problem in loaded.problems]
    if as_json:
        print_json(
            {"environment": named_by_all(shown.values()), "phases": rows, "problems": problems}
        )
        return 0
    for stated in plans:
        say(f"{stated.id}: {stated.title} ({shown[stated.id].name})")
        shown[stated.id].note(stated.id)
        mine = [row for row in rows if row["plan"] == stated.id]
        for trip in (trip for row in mine for trip in row["trips"]):
            say(f"  TRIPPED {trip}")
        widths = {key: max(len(row[key]) for row in mine) for key in ("phase", "title", "window")}
        for row in mine:
            named = "  ".join(row[key].ljust(width) for key, width in widths.items())
            gates = "  ".join(_shown(row, gate.value) for gate in Gate)
            say(f"  {named}  {gates}  {row['opens']}".rstrip() + _noes(row))
            for words in (row["begun"], row["freeze"]):
                if words:
                    say(f"    {words}")
            for gate in row["revalidate"]:
                say(f"    to revalidate: {gate}")
    for problem in problems:
        say(f"  not read: {problem}")
    return 0


def _row(project: Project, plan: Plan, phase: Phase, environment: str) -> dict[str, Any]:
    row: dict[str, Any] = {
        "plan": plan.id,
        "environment": environment,
        "phase": phase.id,
        "title": phase.title,
        "window": calendar.window_words(plan, phase),
        **_opening(plan, phase, datetime.now(UTC)),
    }
    row |= _life(project, plan, phase, environment)
    row["revalidate"] = _revalidate(project, plan, phase, environment)
    for gate in Gate:
        address = Address(plan.id, phase.id, gate)
        row[gate.value] = {
            "stated": len(phase.of(gate)),
            **_last(project, address, environment),
            "last_no": _last_no(project, address),
        }
    return row


def _life(project: Project, plan: Plan, phase: Phase, environment: str) -> dict[str, Any]:
    """Whether the phase has begun, what holds it, and which trips nobody has reset."""
    if environment == EMBEDDED or not project.has_ledger:
        return {"begun": "", "freeze": "", "trips": []}
    life = PhaseLife(project.ledger, plan.address(phase.id), environment)
    begun, frozen = life.begin(), life.freeze()
    return {
        "begun": f"begun {_at(plan, begun)}: {begun.body.says}" if begun else "",
        "freeze": f"frozen since {_at(plan, frozen)}: {frozen.body.says}" if frozen else "",
        "trips": [
            f"{trip.body.guardrail} {_at(plan, trip)}, not reset: {trip.body.says}"
            for trip in life.trips(phase)
        ],
    }


def _at(plan: Plan, told: Told[Any]) -> str:
    return calendar.wall(told.body.t_us, plan.timezone)


def _revalidate(project: Project, plan: Plan, phase: Phase, environment: str) -> list[str]:
    """What must be GO anew after a ROLLBACK, and is not yet."""
    if environment == EMBEDDED or not project.has_ledger:
        return []
    where = Address(plan.id, phase.id)
    back, lacking = open_gates(project.ledger, project.history, where, phase, environment)
    if back is None:
        return []
    at = wall(back.at, plan.timezone)
    return [f"{gate} after the ROLLBACK at {at}: {why}" for gate, why in lacking.items()]


def _opening(plan: Plan, phase: Phase, now: datetime) -> dict[str, Any]:
    """When changes of the phase may be made next; no words where nothing limits them."""
    found = calendar.next_opening(plan, phase, now)
    edges = (found.since, found.until) if found else ()
    always = found is not None and found.since <= now and found.until is None
    return {
        "opening": [edge and calendar.stamp(calendar.to_us(edge)) for edge in edges],
        "opens": "" if always else calendar.opening_words(plan, phase, now),
    }


_OF_A_DECISION = (
    *("decision", "release", "decided_at", "run"),
    *("reasons", "conditions", "waivers", "resets", "stand_ins"),
)
_NOTHING: dict[str, Any] = {
    **dict.fromkeys(_OF_A_DECISION[:4]),
    **{key: [] for key in _OF_A_DECISION[4:]},
}


def _last(project: Project, address: Address, environment: str) -> dict[str, Any]:
    """The last decision, in the shape of decision.json.

    A full run that stored none, or a damaged one, is HOLD.
    """
    standing = None
    if project.has_ledger:
        standing = project.history.standing(address, environment)
    if standing is None:
        return _NOTHING
    if standing.decision is None:
        cause = Cause("", Answer.HOLD, _undecided(standing))
        held = {"decision": Answer.HOLD.value, "run": standing.asked.run}
        return {**_NOTHING, **held, "reasons": [plain(cause, project.plan(address.plan).timezone)]}
    data = plain(standing.decision, standing.decision.timezone)
    return {key: data[key] for key in _OF_A_DECISION}


def _undecided(standing: GateStanding) -> Reason:
    """Why the last full run of a gate left no decision that can be believed."""
    if standing.damage:
        return Reason("ledger.damaged", {"damage": standing.damage})
    code = "run.undecided" if standing.asked.finished else "run.unfinished"
    return Reason(code, {"run": standing.asked.run})


def _last_no(project: Project, address: Address) -> dict[str, Any] | None:
    """When the gate last said no in a drill; None where it never did."""
    if not project.has_ledger:
        return None
    last = project.last_no(address)
    return {**dataclasses.asdict(last), "answer": last.answer.value} if last else None


def _noes(row: dict[str, Any]) -> str:
    """The days on which gates last refused in drills; ``never`` only of one that was decided."""
    said = []
    for gate in Gate:
        last = row[gate.value]["last_no"]
        if last:
            said.append(f"{gate} {last['at'][:10]}{' (outdated)' * last['outdated']}")
        elif row[gate.value]["decision"]:
            said.append(f"{gate} never")
    return f"  last refused in a drill: {', '.join(said)}" if said else ""


def _shown(row: dict[str, Any], gate: str) -> str:
    facts = row[gate]
    if facts["decision"] is None:
        return f"{gate} {'undecided' if facts['stated'] else 'no criteria'}"
    if facts["decided_at"] is None:  # the last full run decided nothing that counts
        return f"{gate} {facts['decision']} ({facts['reasons'][0]['reason']['text']})"
    said = f"{gate} {facts['decision']}"
    if facts["conditions"]:
        said += f" +{count(len(facts['conditions']), 'condition')}"
    waived = sum(use["use"] == WaiverUse.APPLIED for use in facts["waivers"])
    if waived:
        said += f", {waived} waived"
    if facts["stand_ins"]:
        said += f", {count(len(facts['stand_ins']), 'stand-in')}"
    return said
