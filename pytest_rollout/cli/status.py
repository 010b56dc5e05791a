"""`rollout status`: where every phase of every plan stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli import status_lines
from pytest_rollout.cli.drift import drifted
from pytest_rollout.cli.met_since import still_owed
from pytest_rollout.cli.phase_standing import (
    NOTHING,
    PhaseRecord,
    on_record,
    running,
    standing_of,
)
from pytest_rollout.cli.project import Project, common, environment_option, print_json
from pytest_rollout.cli.real_environment import named_by_all, shown_environments
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.turn_order import LastEnd, last_end
from pytest_rollout.evidence.bodies import PhaseBegun
from pytest_rollout.evidence.history import GateStanding
from pytest_rollout.evidence.overrides import overrides_of
from pytest_rollout.evidence.phase_life import unstated
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.decision import Cause
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.mutation import of_gate
from pytest_rollout.report.next_steps import NextStep, next_steps
from pytest_rollout.report.stored import plain

_GONE = ", and the plan does not state it any more"


@click.command("status")
@click.argument("plan", required=False)
@click.option("--drift", is_flag=True, help="read what real targets run now, and compare")
@click.option("--html", is_flag=True, help="write it as a page: index.html of the report folder")
@environment_option
@common
def command(
    plan: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    drift: bool,
    html: bool,
    as_json: bool,
) -> int:
    """Show trips first, then of every phase its gates, who is next and when it is open.

    With --drift each real target is asked once which release it runs: it should be that of the
    last GO.
    """
    project = Project.here(root, ledger)
    if ledger and not project.has_ledger:
        raise LedgerError(f"there is no ledger at {ledger}")
    plans = [project.plan(plan)] if plan else project.plans
    shown = shown_environments(project, environment, plans)
    now = datetime.now(UTC)
    rows = [row for stated in plans for row in rows_of(project, stated, shown[stated.id].name, now)]
    if environment and plans and not any(row[gate.value]["run"] for row in rows for gate in Gate):
        project.environment(environment, plans)
    broken = [] if plan else [loaded for loaded in project.loaded if loaded.problems]
    problems = [str(problem) for loaded in broken for problem in loaded.problems]
    drifts = {s.id: drifted(project, s, shown[s.id].name) if drift else [] for s in plans}
    if as_json:
        data = {"environment": named_by_all(shown.values()), "phases": rows, "problems": problems}
        data |= {"drift": [line for lines in drifts.values() for line in lines]} if drift else {}
        print_json(data)
        return 0
    of = {stated.id: [row for row in rows if row["plan"] == stated.id] for stated in plans}
    boards = [(stated, shown[stated.id].name, of[stated.id], drifts[stated.id]) for stated in plans]
    if html:
        from pytest_rollout.cli.board import write_board  # the templates of pages

        say(str(write_board(project.report, boards, now)))
        return 0
    for board in boards:
        for line in status_lines.of_plan(*board):
            say(line)
        shown[board[0].id].note(board[0].id)
    for problem in problems:
        say(f"  not read: {problem}")
    return 0


def rows_of(project: Project, plan: Plan, environment: str, now: datetime) -> list[dict[str, Any]]:
    """Where each phase of a plan stands, as `rollout status --json` has it."""
    real = environment != EMBEDDED and project.has_ledger
    last = last_end(project, plan, environment) if real else None
    return [_row(project, plan, phase, environment, now, last) for phase in plan.phases]


def _row(
    project: Project,
    plan: Plan,
    phase: Phase,
    environment: str,
    now: datetime,
    last: LastEnd | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "plan": plan.id,
        "environment": environment,
        "phase": phase.id,
        "title": phase.title,
        "owners": list(phase.owners),
        "window": calendar.window_words(plan, phase),
        **_opening(plan, phase, now),
    }
    for gate in Gate:
        address = Address(plan.id, phase.id, gate)
        row[gate.value] = {
            "stated": len(phase.of(gate)),
            **_last(project, plan, phase, address, environment),
            "last_no": _last_no(project, address),
            "mutants": _mutants(project, address),
        }
    return row | _life(project, plan, phase, environment, now, row, last)


def _life(
    project: Project,
    plan: Plan,
    phase: Phase,
    environment: str,
    now: datetime,
    row: Mapping[str, Any],
    last: LastEnd | None,
) -> dict[str, Any]:
    """Where the phase stands, what holds it, which trips nobody has reset, and who is next."""
    record = NOTHING
    next_gate: Gate | None = None
    steps: tuple[NextStep, ...] = ()
    against: dict[str, list[str]] = {}
    blind: list[str] = []
    if environment != EMBEDDED:
        record = on_record(project, plan, phase, environment, now)
        standing = standing_of(project, plan, phase, environment, record, now, last)
        next_gate, steps = standing.gate, next_steps(standing)
        blind = list(standing.blind.values())
        against = {gate.value: list(answer.against) for gate, answer in standing.gates.items()}
    turn, frozen, zone = record.turn, record.freeze, plan.timezone
    began, since = turn if record.begun else None, record.rolled_back
    released = began.body.release if began and isinstance(began.body, PhaseBegun) else None
    return {
        "release": released or row["exit"]["release"] or row["entry"]["release"],
        "begun": f"begun {_at(plan, began)}: {began.body.says}" if began else "",
        "ended": f"ended {_at(plan, turn)}: {turn.body.says}" if turn and not began else "",
        "freeze": f"frozen since {_at(plan, frozen)}: {frozen.body.says}" if frozen else "",
        "overrides": _overrides(project, plan, phase, environment),
        "unidentified": _unidentified(plan) if environment != EMBEDDED else "",
        "trips": [
            f"{trip.body.guardrail} {_at(plan, trip)}, not reset"
            f"{_GONE if unstated(phase, trip.body.guardrail) else ''}: {trip.body.says}"
            for trip in record.trips
        ],
        "blind": blind,
        "watched": _watched(record, phase, zone, now),
        "revalidate": [
            f"{gate} after the ROLLBACK at {wall(since, zone)}: {why}"
            for gate, why in record.revalidate.items()
        ],
        "against": {gate: reasons for gate, reasons in against.items() if reasons},
        "next_gate": next_gate and next_gate.value,
        "next": [
            {"urgency": step.urgency.name.lower(), "who": step.who, "do": step.do} for step in steps
        ],
    }


def _overrides(project: Project, plan: Plan, phase: Phase, environment: str) -> list[str]:
    """What two people accepted of the phase, whatever stood against it."""
    if environment == EMBEDDED or not project.has_ledger:
        return []
    return [
        f"OVERRIDDEN {calendar.wall(override.at_us, plan.timezone)} "
        f"by {' and '.join(override.by)}, "
        f"{override.gate} for {override.release or 'no release'}: {override.why}"
        for override in overrides_of(project.ledger, plan.address(phase.id), environment)
    ]


def _unidentified(plan: Plan) -> str:
    """What stands in for a release that nobody can read; empty where one is read."""
    if plan.release is not None:
        return ""
    if plan.no_release:
        return f"of no release: {plan.no_release}"
    return "of no release that is known, so it is not cleared (`release:` or `no_release:`)"


def _watched(record: PhaseRecord, phase: Phase, zone: str, now: datetime) -> str:
    """When the guardrails were looked at last; empty where there are none, or nobody ever did."""
    watched = record.watched
    if watched is None or not phase.guardrails:
        return ""
    at, ago = calendar.wall(watched.last_us, zone), calendar.to_us(now) - watched.last_us
    if watched.goes_on:
        return f"watched now, last look at {at}"
    said = f"last watched at {at} ({calendar.length_words(max(0, ago))} ago)"
    if watched.sealed:
        return said
    return f"{said}; that watch was killed: what it asked for is blind until a reset"


def _at(plan: Plan, told: Told[Any]) -> str:
    return calendar.wall(told.body.t_us, plan.timezone)


def _opening(plan: Plan, phase: Phase, now: datetime) -> dict[str, Any]:
    """When changes of the phase may be made next; no words where nothing limits them."""
    opening = calendar.next_opening(plan, phase, now)
    edges = (opening.since, opening.until) if opening else ()
    always = opening is not None and opening.since <= now and opening.until is None
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


def _last(
    project: Project, plan: Plan, phase: Phase, address: Address, environment: str
) -> dict[str, Any]:
    """The last decision, in the shape of decision.json, without conditions that are met by now.

    A full run that stored none, or a damaged one, is HOLD.
    """
    standing = None
    if project.has_ledger:
        standing = project.history.standing(address, environment)
    if standing is None:
        return _NOTHING
    if standing.decision is None:
        cause = Cause("", Answer.HOLD, _undecided(standing, running(project, standing)))
        held = {"decision": Answer.HOLD.value, "run": standing.asked.run}
        return {**_NOTHING, **held, "reasons": [plain(cause, plan.timezone)]}
    owed = still_owed(project, plan, phase, standing)
    data = plain(replace(standing.decision, conditions=owed), standing.decision.timezone)
    return {key: data[key] for key in _OF_A_DECISION}


def _undecided(standing: GateStanding, process: int | None = None) -> Reason:
    """Why the last full run of a gate left no decision that can be believed."""
    if standing.damage:
        return Reason("ledger.damaged", {"damage": standing.damage})
    if process is not None:
        return Reason("run.running", {"run": standing.asked.run, "process": process})
    code = "run.undecided" if standing.asked.finished else "run.unfinished"
    return Reason(code, {"run": standing.asked.run})


def _last_no(project: Project, address: Address) -> dict[str, Any] | None:
    """When the gate last said no in a drill; None where it never did."""
    if not project.has_ledger:
        return None
    last = project.last_no(address)
    return {**asdict(last), "answer": last.answer.value} if last else None


def _mutants(project: Project, address: Address) -> dict[str, Any] | None:
    """What the gate noticed of mutants; None where it was asked about none."""
    last = project.last_mutation(address) if project.has_ledger else None
    if last is None:
        return None
    bounds = last.score.bounds
    return {**asdict(last), "bounds": list(bounds or ()), "words": of_gate(last)}
