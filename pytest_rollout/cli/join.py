"""`rollout join`: one decision of runs that each did a part of the checks."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from functools import partial

import click

from pytest_rollout.cli.loads_beside import loads_beside
from pytest_rollout.cli.merge import running
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.history import AskingRun, begun, last_full_run, stored_decision
from pytest_rollout.evidence.joining import Choice, choose, join, keep_decision
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.looks import stored
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.load.reports import LoadReports
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.verdict import worst_answer
from pytest_rollout.report import files, terminal
from pytest_rollout.report.stored import plain, to_json
from pytest_rollout.signoff.attested import verified


@click.command("join")
@click.argument("address", type=PHASE)
@click.option("--runs", metavar="RUN,RUN", help="which runs (default: all since the last full one)")
@environment_option
@common
def command(
    address: str,
    runs: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Decide ADDRESS (plan.phase) from several runs that each did a part, as if they were one.

    For jobs that split the checks (-k, --deselect, pytest-split): each job runs its part, `rollout
    merge` brings their ledgers together, and this decides. A check counts where one of them ran
    it, as its worst report where several did; what none of them ran is missing. The runs must be
    of the same plan, release, configuration and targets, and those of an exit gate of the same
    begin. Joining the last full run alone decides it anew with what came in since, such as
    attestations.

    On a real environment it is the gate that is next: the exit once the phase has begun. Another
    one is named as plan.phase/gate.
    """
    project = Project.here(root, ledger)
    where = parsed(address)
    phase, plan = project.phase(where), project.plan(where.plan)
    environment = environment_of(plan, environment)
    named = [run.strip() for run in runs.split(",") if run.strip()] if runs else []
    if not opening.exists(project.ledger_at):
        raise RolloutError(f"there is no ledger at {project.ledger_at}", code="ledger")
    with closing(opening.to_write(project.ledger_at)) as store:
        why = ""
        if where.gate is None:
            where, why = _next(store, plan.address(phase.id), environment)
        choice = _chosen(store, where, environment, named, why)
        run = _unchanged(store, choice, environment) or join(store, where, choice)
        decisions = [_decided(project, store, run, Address.parse(gate)) for gate in choice.gates]
        loads = [_loads(project, store, decision) for decision in decisions]
    folders = _written(project, decisions, loads)
    if as_json:
        shown = [plain(decision, decision.timezone) for decision in decisions]
        joined = [log.first.run for log in choice.logs]
        print_json({"run": run, "joined": joined, "left_out": choice.left_out, "decisions": shown})
    else:
        _say(choice, decisions, folders, why)
    return worst_answer(decision.answer for decision in decisions).exit_status


def _chosen(
    ledger: Ledger, where: Address, environment: str, named: Sequence[str], why: str
) -> Choice:
    """The runs that are joined; raises RolloutError, which says why this gate was taken."""
    try:
        return choose(ledger, where, environment, named, running=running)
    except RolloutError as error:
        if not why or type(error) is not RolloutError:
            raise
        raise RolloutError(f"{error} ({why}, so {where.gate} is the gate that is next)") from error


def _next(ledger: Ledger, phase: Address, environment: str) -> tuple[Address, str]:
    """The gate that is next in a phase, and why; of a rehearsal both, as its runs ask for both."""
    if environment == EMBEDDED:
        return phase, ""
    if begun(ledger, phase, environment):
        return phase.at(Gate.EXIT), f"{phase} has begun in {environment}"
    return phase.at(Gate.ENTRY), f"{phase} has not begun in {environment}"


def _unchanged(ledger: Ledger, choice: Choice, environment: str) -> str:
    """The run that joins the same runs, where nothing came in since; else empty."""
    last = last_full_run(ledger, Address.parse(choice.gates[0]), environment)
    records = ledger.of_run(last.run) if last else []
    joined = tuple(log.first.run for log in choice.logs)
    if last is None or RunLog(records).start.joins != joined:
        return ""
    return last.run if records[-1].sequence == ledger.head().sequence else ""


def _decided(project: Project, ledger: Ledger, run: str, gate: Address) -> Decision:
    """The decision of a joined run, stored where it is not yet."""
    assert gate.gate is not None
    text = stored_decision(ledger, gate, run)
    if text is not None:
        return from_json(text)
    plan, phase = project.plan_of_run(gate, _asking(ledger, run, gate))
    reading = read_world(ledger, run, gate, phase)
    case = Case(plan, phase, verified(reading.world, plan), reading.at_us)
    decision = decide(case, gate.gate)
    keep_decision(ledger, run, gate, stored(decision, to_json(decision), reading.world))
    return decision


def _loads(project: Project, ledger: Ledger, decision: Decision) -> LoadReports:
    gate = decision.address
    asked = partial(_asking, ledger, decision.run, gate)
    return loads_beside(ledger, decision, lambda: project.plan_of_run(gate, asked()))


def _written(
    project: Project, decisions: Sequence[Decision], loads: Sequence[LoadReports]
) -> list[str]:
    """Write the reports; the folder of each."""
    for note in dict.fromkeys(note for made in loads for note in made.notes):
        say(f"note: {note}", err=True)
    return [
        str(files.write(project.report, decision, loads=made.reports))
        for decision, made in zip(decisions, loads, strict=True)
    ]


def _asking(ledger: Ledger, run: str, gate: Address) -> AskingRun:
    environment = ledger.of_run(run)[0].environment
    asked = last_full_run(ledger, gate, environment)
    assert asked is not None
    return asked


def _say(choice: Choice, decisions: Sequence[Decision], folders: Sequence[str], why: str) -> None:
    if why:
        say(f"gate: {', '.join(choice.gates)} ({why})")
    say(f"joined: {', '.join(log.first.run for log in choice.logs)}")
    for run, why in choice.left_out.items():
        say(f"left out: {run}: {why}")
    for decision in decisions:
        for line in terminal.gate(decision):
            say(line.text)
    for folder in folders:
        say(f"report: {folder}")
    say(terminal.last_word(decisions).text)
