"""`rollout decide`: judge the last full run again, from the ledger alone."""

from __future__ import annotations

import click

from pytest_rollout.cli.project import Project, common, environment_option
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.history import stored_decision
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.report import terminal
from pytest_rollout.report.stored import to_json
from pytest_rollout.signoff.attested import verified


@click.command("decide")
@click.argument("address")
@click.option("--at", metavar="TIME", help="as of that moment, with an offset (default: now)")
@environment_option
@common
def command(
    address: str,
    at: str | None,
    environment: str,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Decide ADDRESS (plan.phase or plan.phase/gate) again, as of its last full run.

    Nothing is written. The same evidence gives the same bytes; --json prints them.
    """
    project = Project.here(root, ledger, at)
    where = project.gate(address, environment)
    asked = project.asked(where, environment)
    plan, phase = project.plan_of_run(where, asked)
    assert where.gate is not None
    reading = read_world(project.ledger, asked.run, where, phase)
    world = verified(reading.world, plan)
    decision = decide(Case(plan, phase, world, reading.at_us), where.gate)
    text = to_json(decision)
    stored = stored_decision(project.ledger, where, asked.run)
    if as_json:
        click.echo(text, nl=False)
    else:
        for line in terminal.gate(decision, last_no=project.last_no_words(where)):
            say(line.text)
        say(_compared(text, stored))
    return decision.answer.exit_status


def _compared(text: str, stored: str | None) -> str:
    if stored is None:
        return "nothing to compare with: the run stored no decision that can be read"
    if text == stored:
        return "the same as was decided then, byte for byte"
    return "NOT what was decided then: evidence was changed since, or this version judges otherwise"
