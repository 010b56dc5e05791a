"""`rollout decide`: judge the last full run again, from the ledger alone."""

from __future__ import annotations

import click

from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed
from pytest_rollout.cli.real_environment import shown_environment
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.history import stored_decision
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import terminal
from pytest_rollout.report.stored import says_all_of, to_json
from pytest_rollout.signoff.attested import verified


@click.command("decide")
@click.argument("address", type=PHASE)
@click.option("--at", metavar="TIME", help="as of that moment, with an offset (default: now)")
@click.option("--no-assert", is_flag=True, help="end with 0 whatever the decision is")
@environment_option
@common
def command(
    address: str,
    at: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    no_assert: bool,
    as_json: bool,
) -> int:
    """Decide ADDRESS (plan.phase or plan.phase/gate) again, as of its last full run.

    Nothing is written. The same evidence gives the same bytes; --json prints them. Exit status:
    the answer's own; of a rehearsal that --env does not name 11 at best. Under --no-assert 0; a
    mistake, or a ledger that cannot be read, is 4 even then.
    """
    project = Project.here(root, ledger, at)
    shown = shown_environment(project, environment, [parsed(address)])
    where = project.gate(address, shown.name)
    shown.note(str(where))
    asked = project.asked(where, shown.name)
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
        for line in terminal.gate(decision, last_no=project.last_no_words(decision)):
            say(line.text)
        say(_compared(text, stored))
    if no_assert:
        return 0
    if shown.because and decision.answer is Answer.GO:
        return Answer.HOLD.exit_status
    return decision.answer.exit_status


def _compared(text: str, stored: str | None) -> str:
    if stored is None:
        return "nothing to compare with: the run stored no decision that can be read"
    if text == stored:
        return "the same as was decided then, byte for byte"
    if says_all_of(text, stored):
        return "the same as was decided then, by a version that said less beside it"
    return "NOT what was decided then: evidence was changed since, or this version judges otherwise"
