"""`rollout report`: render a stored decision again."""

from __future__ import annotations

import click

from pytest_rollout.cli.project import Project, common, environment_option, print_json, say
from pytest_rollout.report import files
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown

_FORMATS = {"md": to_markdown, "html": to_html}


@click.command("report")
@click.argument("address")
@click.option(
    "--format", "format_", type=click.Choice(["json", *_FORMATS]), help="print, do not write"
)
@environment_option
@common
def command(
    address: str,
    format_: str | None,
    environment: str,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Write the report files of ADDRESS (plan.phase or plan.phase/gate) again, or print one."""
    project = Project.here(root, ledger)
    where = project.gate(address, environment)
    _, decision, text = project.standing(where, environment)
    last_no = project.last_no_words(where)
    if format_:
        click.echo(text if format_ == "json" else _FORMATS[format_](decision, last_no), nl=False)
        return 0
    folder = files.write(project.report, decision, last_no)
    if as_json:
        print_json({"folder": str(folder), "decision": decision.answer.value})
    else:
        say(f"{where} {decision.answer.value}: {folder}")
    return 0
