"""`rollout load`: run the phase that makes loads, watch them, and answer with its decision."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from pytest_rollout.cli import load_outcome
from pytest_rollout.cli.ending import ended_by_signal
from pytest_rollout.cli.load_alone import one_load
from pytest_rollout.cli.night_notice import notice, told
from pytest_rollout.cli.project import Project, common, parsed, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.judge.confirming import to_confirm
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import phase_child
from pytest_rollout.load.phase_child import Asked, PhaseChild
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError, OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.plan import EMBEDDED, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.plan.nightly import MOST_CONFIRM
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import terminal
from pytest_rollout.report.load_cuts import cuts_of
from pytest_rollout.report.load_follow import follow
from pytest_rollout.report.load_words import LoadReport

_TOLD = 20  # lines of a pytest that decided nothing


@click.command("load")
@click.argument("name", metavar="PLAN.PHASE|PHASE")
@click.option(
    "--env", "environment", metavar="NAME", help=f"which environment (default: {EMBEDDED})"
)
@click.option("--load", "alone", metavar="ID", help="make this one load alone, and judge no gate")
@click.option("--confirm", is_flag=True, help="run again where a suspicious night asks for it")
@common
def command(
    name: str,
    environment: str | None,
    alone: str | None,
    root: str | None,
    ledger: str | None,
    *,
    confirm: bool,
    as_json: bool,
) -> int:
    """Run PLAN.PHASE, or PHASE of each plan that has one, and show the loads that it makes.

    It is a run of pytest as any other: stored, reported, decided. Exit status: that of the worst
    decision. With --load one load is made alone, on the embedded target: nothing is judged and
    nothing is stored; 0 where its record can be believed, else 11. With --confirm a phase
    that is HOLD is run once more where a suspicious night asks for that run and the plan allows it
    (`confirm`); the last decision is over all runs of the night.
    """
    project = Project.here(root, ledger)
    phases = _phases(project, name)
    if alone is not None:
        if environment not in (None, EMBEDDED):
            why = "a load alone is made on the embedded target only: elsewhere run the phase"
            raise OptionError("--env", why)
        return one_load(project, [plan for plan, _ in phases], alone, as_json=as_json)
    where = environment or EMBEDDED
    for plan, _ in phases:
        project.environment(where, [plan])
    ledger_at = opening.address_in(ledger, Path.cwd()) if ledger else ""
    with ended_by_signal():
        asked = [Asked(plan, phase, where, project.root, ledger_at) for plan, phase in phases]
        runs = [_run_all(wanted, project, confirm=confirm, quiet=as_json) for wanted in asked]
    answer = worst_answer(run.answer for run in runs)
    if as_json:
        print_json(
            {
                "environment": where,
                "exit_status": answer.exit_status,
                "phases": [run.to_data() for run in runs],
            }
        )
    elif len(runs) > 1:
        told = ", ".join(f"{run.name} {run.answer.value}" for run in runs)
        say(f"{answer.value}: {told}")
    return answer.exit_status


@dataclass(frozen=True, slots=True)
class PhaseRan:
    """What the run of one phase came to."""

    name: str
    decisions: tuple[Decision, ...]
    trouble: str = ""  # why there is no decision, or none to rely on
    told: tuple[str, ...] = ()  # what became of telling people

    @property
    def answer(self) -> Answer:
        """The worst answer; HOLD where the run ended otherwise than its gates say."""
        answers = [decision.answer for decision in self.decisions]
        return worst_answer([*answers, Answer.HOLD] if self.trouble else answers)

    def to_data(self) -> dict[str, Any]:
        """The same for programs."""
        gates = [
            {"gate": str(decision.address), "answer": decision.answer.value, "run": decision.run}
            for decision in self.decisions
        ]
        return {
            "phase": self.name,
            "answer": self.answer.value,
            "gates": gates,
            "trouble": self.trouble,
            "told": list(self.told),
        }


def _phases(project: Project, name: str) -> Sequence[tuple[Plan, Phase]]:
    """The phases that a name means; raises UnknownNameError, or RolloutError without loads."""
    if "." in name or "/" in name:
        address = parsed(name)
        if address.gate is not None:
            raise RolloutError(f"{name}: a load is of a phase: {address.name}")
        phase = project.phase(address)
        phases = [(project.plan(address.plan), phase)]
    else:
        phases = phase_child.phases_of(project.plans, name)
    if not phases:
        known = sorted({phase.id for plan in project.plans for phase in plan.phases})
        why = f"no plan has a phase `{name}` ({nearest(name, known)})"
        raise UnknownNameError(why, "phase", name, known)
    loading = [(plan, phase) for plan, phase in phases if plan.loads]
    if not loading:
        paths = ", ".join(plan.path for plan, _ in phases)
        raise RolloutError(f"{paths} states no `loads:`")
    return loading


def _run_all(asked: Asked, project: Project, *, confirm: bool, quiet: bool) -> PhaseRan:
    """Run a phase, and again as often as its night asks for it where that is wanted."""
    ran = _run(asked, project, quiet=quiet)
    for _ in range(MOST_CONFIRM if confirm else 0):
        asking = [slug for decision in ran.decisions for slug in to_confirm(decision)]
        if not asking or ran.trouble:
            break
        if not quiet:
            say(f"{', '.join(asking)}: one more run of this night confirms or clears it", err=True)
        ran = _run(asked, project, quiet=quiet)
    return _told(asked, ran, quiet=quiet)


def _told(asked: Asked, ran: PhaseRan, *, quiet: bool) -> PhaseRan:
    """The same, once people were told of what is no GO in a real environment."""
    message = notice(asked.plan, asked.name, asked.environment, ran.decisions, ran.trouble)
    lines = told(asked.plan, message)
    for line in lines if not quiet else ():
        say(line, err=True)
    return replace(ran, told=tuple(lines))


def _run(asked: Asked, project: Project, *, quiet: bool) -> PhaseRan:
    """Run a phase in a child pytest, show its loads, and read what was decided."""
    before = dict(_runs(project, asked))
    with (
        tempfile.TemporaryDirectory(prefix="rollout-loads-") as temporary,
        phase_child.running(asked, Path(temporary)) as child,
    ):
        if not quiet:
            say(f"{asked.name} in {asked.environment}: running", err=True)
            follow(lambda: _so_far(asked, child), child.has_ended, sys.stderr)
        status, printed = child.ended()
    again = Project.here(str(project.root), asked.ledger or None)
    decisions = tuple(_decided(again, asked, before))
    trouble = _trouble(status, decisions, printed[-1] if printed else "it said nothing")
    ran = PhaseRan(asked.name, decisions, trouble or load_outcome.unmade(again, asked, decisions))
    if not quiet:
        _show(again, asked, ran, printed)
    return ran


def _so_far(asked: Asked, child: PhaseChild) -> LoadReport | None:
    now = child.now()
    if now is None:
        return None
    profile, record = now
    cuts = cuts_of(asked.plan, profile.id, [asked.phase])
    return LoadReport(record, profile, cuts=cuts, place=f"{asked.name} in {asked.environment}")


def _runs(project: Project, asked: Asked) -> Iterator[tuple[Gate, str]]:
    """The last full run of each gate."""
    if not project.has_ledger:
        return
    fresh = Project.here(str(project.root), asked.ledger or None)
    for gate in Gate:
        run = fresh.full_run(asked.plan.address(asked.phase.id).at(gate), asked.environment)
        if run is not None:
            yield gate, run.run


def _decided(project: Project, asked: Asked, before: dict[Gate, str]) -> Iterator[Decision]:
    """What the child decided: of gates whose last full run is a new one."""
    for gate, run in _runs(project, asked):
        if before.get(gate) == run:
            continue
        address = asked.plan.address(asked.phase.id).at(gate)
        try:
            _, decision, _ = project.standing(address, asked.environment)
        except (LedgerError, RolloutError):
            continue
        if decision.run == run:
            yield decision


def _trouble(status: int, decisions: Sequence[Decision], last: str) -> str:
    """Why what was decided is not all; a child that ends well ends as its gates say."""
    if not decisions:
        return f"nothing was decided: pytest ended with status {status}: {last}"
    worst = worst_answer(decision.answer for decision in decisions)
    if status == worst.exit_status:
        return ""
    return f"pytest ended with status {status} though its gates are {worst.value}: {last}"


def _show(project: Project, asked: Asked, ran: PhaseRan, printed: Sequence[str]) -> None:
    for decision in ran.decisions:
        place, follows = load_outcome.report_of(project, decision), ""
        if not ran.trouble:
            follows = load_outcome.follows(project, asked, decision)
        last_no = project.last_no_words(decision)
        gate = terminal.gate(decision, place, last_no, follows)
        loads = load_outcome.loads_said(project, asked, decision)
        for text in (*(line.text for line in gate), *loads):
            say(text)
    if not ran.trouble:
        say(terminal.last_word(ran.decisions).text)
        return
    for text in printed[-_TOLD:] if not ran.decisions else ():
        say(f"  {text}", err=True)
    say(f"HOLD: {ran.name}: {ran.trouble}")
