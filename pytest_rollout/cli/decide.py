"""`rollout decide`: judge the last full run again, from the ledger alone."""

from __future__ import annotations

import click

from pytest_rollout.cli.project import Project, common, environment_option
from pytest_rollout.evidence.history import last_full_run, stored_decision
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import decide
from pytest_rollout.model.decision import to_json
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.report import terminal


@click.command("decide")
@click.argument("address")
@environment_option
@common
def command(
    address: str, environment: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Decide ADDRESS (plan.phase or plan.phase/gate) again, as of its last full run.

    Nothing is written. The same evidence gives the same bytes; --json prints them.
    """
    project = Project.here(root, ledger)
    plan, _, where = project.gate(address, environment)
    asked = last_full_run(project.ledger, where, environment)
    if asked is None:
        raise RolloutError(f"no full run has asked for {where} in {environment}")
    judged_by = project.plan_of_run(plan, asked.plan_digest)
    phase = judged_by.phase(where.phase)
    if phase is None or where.gate is None:
        raise RolloutError(f"the plan of that run has no phase {where.phase}")
    reading = read_world(project.ledger, asked.run, where, phase)
    decision = decide(judged_by, phase, where.gate, reading.world, reading.at_us)
    text = to_json(decision)
    stored = stored_decision(project.ledger, where, environment, asked.run)
    if as_json:
        click.echo(text, nl=False)
    else:
        for line in terminal.gate(decision):
            click.echo(terminal.plain(line.text))
        click.echo(_compared(text, stored))
    return decision.answer.exit_status


def _compared(text: str, stored: str | None) -> str:
    if stored is None:
        return "the run stored no decision of its own"
    if text == stored:
        return "the same bytes as the stored decision"
    return "NOT the stored decision: evidence or judge are not what they were"
