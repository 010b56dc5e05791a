"""`rollout report`: render a stored decision again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import click

from pytest_rollout.cli.final_report import final_report
from pytest_rollout.cli.loads_beside import loads_beside
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import shown_environment
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.story_beside import story_beside
from pytest_rollout.evidence.history import AskingRun, asking_run, stored_decision
from pytest_rollout.evidence.run_facts import observations_of
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.report import document, files
from pytest_rollout.report.document import Document
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.report.observations import to_csv

_FORMATS = {"md": to_markdown, "html": to_html}
_DOCUMENTS = {"md": document.to_markdown, "html": document.to_html}


@click.command("report")
@click.argument("address", type=PHASE)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["json", *_FORMATS, "csv"]),
    help="print, do not write; csv: what the run observed in the phase",
)
@click.option("--run", metavar="RUN", help="the decision of that run (default: the last full one)")
@click.option("--at", metavar="TIME", help="the ledger as it was then, with an offset")
@click.option("-o", "--output", metavar="FOLDER", help="write below it (default: rollout_report)")
@click.option("--final", is_flag=True, help="the report that the plan asks for (`report:`)")
@environment_option
@common
def command(
    address: str,
    format_: str | None,
    run: str | None,
    at: str | None,
    output: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    final: bool,
    as_json: bool,
) -> int:
    """Write the report files of ADDRESS (plan.phase or plan.phase/gate) again, or print one.

    Where the plan states a `report:` of the phase, its exit has a final report too: figures,
    sign-off, criteria and decision, all of them from the ledger.
    """
    project = Project.here(root, ledger, at)
    if output:
        project = replace(project, report=Path(output))
    if run is None:
        asking, decision, text = _last(project, address, environment)
    else:
        asking, decision, text = _of_run(project, address, run)
    where = decision.address
    last_no = project.last_no_words(decision)
    asked = partial(project.plan_of_run, where, asking)
    if format_ == "csv":
        _print_observations(project, decision)
        return 0
    if format_ and not final:
        beside = story_beside(project, decision, asked)
        shape = _FORMATS.get(format_)
        click.echo(shape(decision, last_no, (), beside.story) if shape else text, nl=False)
        return 0
    report = _final(project, where, asking, decision, asked_for=final)
    if format_ and report is not None:
        _print(report, format_)
        return 0
    folder = _write(project, decision, last_no, asked)
    if report is not None:
        files.write_document(folder, report)
    if as_json:
        print_json({"folder": str(folder), "decision": decision.answer.value})
    else:
        say(f"{where} {decision.answer.value}: {folder}")
    return 0


def _last(
    project: Project, address: str, environment: str | None
) -> tuple[AskingRun, Decision, str]:
    """What the last full run decided of a gate, and what it was judged by."""
    shown = shown_environment(project, environment, [parsed(address)])
    where = project.gate(address, shown.name)
    shown.note(str(where))
    standing, decision, text = project.standing(where, shown.name)
    return standing.asked, decision, text


def _write(
    project: Project, decision: Decision, last_no: str, asked: Callable[[], tuple[Plan, Phase]]
) -> Path:
    """Write the files of a decision; notes say what could not be told. Returns their folder."""
    knows_earlier = project.knows_earlier(decision)
    loads = loads_beside(project.ledger, decision, asked)
    beside = story_beside(project, decision, asked)
    folder = files.write(
        project.report, decision, last_no, knows_earlier, loads.reports, beside.story
    )
    for note in (*loads.notes, *beside.notes):
        say(f"note: {note}", err=True)
    return folder


def _of_run(project: Project, address: str, run: str) -> tuple[AskingRun, Decision, str]:
    """What a run decided of a gate, of a phase its exit first, and what it was judged by."""
    named = parsed(address)
    for gate in [named.gate] if named.gate else [Gate.EXIT, Gate.ENTRY]:
        where = named.at(gate)
        asking = asking_run(project.ledger, where, run)
        document = stored_decision(project.ledger, where, run)
        if asking is not None and document is not None:
            return asking, from_json(document), document
    why = f"run {run} stored no decision of {address}"
    raise RolloutError(why, code="run.undecided", gate=address, run=run)


def _final(
    project: Project, where: Address, asked: AskingRun, decision: Decision, *, asked_for: bool
) -> Document | None:
    """The final report of a gate, where its plan states one; raises RolloutError if it must."""
    try:
        plan, phase = project.plan_of_run(where, asked)
    except RolloutError:
        if asked_for:
            raise
        return None  # the gate's own report needs no plan
    final = final_report(project, plan, phase, decision) if where.gate is Gate.EXIT else None
    if final is None and asked_for:
        raise RolloutError(f"the plan asks for no report of {where} (`report:` of its phase)")
    return final


def _print_observations(project: Project, decision: Decision) -> None:
    """Print what the run of a decision observed in its phase."""
    where, ledger = decision.address, project.ledger
    log = RunLog(ledger.of_run(decision.run))
    seen = observations_of(ledger, log, Address(where.plan, where.phase).name)
    for line in to_csv(seen, decision.timezone):
        click.echo(line)


def _print(report: Document, format_: str) -> None:
    if format_ == "json":
        print_json(asdict(report))
    else:
        click.echo(_DOCUMENTS[format_](report), nl=False)
