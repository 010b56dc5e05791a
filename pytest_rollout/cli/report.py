"""`rollout report`: render a stored decision again."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial

import click

from pytest_rollout.cli.final_report import final_report
from pytest_rollout.cli.loads_beside import loads_beside
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import shown_environment
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.history import AskingRun
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.report import document, files
from pytest_rollout.report.document import Document
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown

_FORMATS = {"md": to_markdown, "html": to_html}
_DOCUMENTS = {"md": document.to_markdown, "html": document.to_html}


@click.command("report")
@click.argument("address")
@click.option(
    "--format", "format_", type=click.Choice(["json", *_FORMATS]), help="print, do not write"
)
@click.option("--final", is_flag=True, help="the report that the plan asks for (`report:`)")
@environment_option
@common
def command(
    address: str,
    format_: str | None,
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
    project = Project.here(root, ledger)
    shown = shown_environment(project, environment, [parsed(address)])
    where = project.gate(address, shown.name)
    shown.note(str(where))
    standing, decision, text = project.standing(where, shown.name)
    last_no = project.last_no_words(where)
    if format_ and not final:
        click.echo(text if format_ == "json" else _FORMATS[format_](decision, last_no), nl=False)
        return 0
    report = _final(project, where, standing.asked, decision, asked_for=final)
    if format_ and report is not None:
        _print(report, format_)
        return 0
    known = project.knows_earlier(decision)
    asked = partial(project.plan_of_run, where, standing.asked)
    loads = loads_beside(project.ledger, decision, asked)
    folder = files.write(project.report, decision, last_no, known, loads.reports)
    for note in loads.notes:
        say(f"note: {note}", err=True)
    if report is not None:
        files.write_document(folder, report)
    if as_json:
        print_json({"folder": str(folder), "decision": decision.answer.value})
    else:
        say(f"{where} {decision.answer.value}: {folder}")
    return 0


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
    found = final_report(project, plan, phase, decision) if where.gate is Gate.EXIT else None
    if found is None and asked_for:
        raise RolloutError(f"the plan asks for no report of {where} (`report:` of its phase)")
    return found


def _print(report: Document, format_: str) -> None:
    if format_ == "json":
        print_json(asdict(report))
    else:
        click.echo(_DOCUMENTS[format_](report), nl=False)
