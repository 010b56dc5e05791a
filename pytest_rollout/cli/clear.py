"""`rollout clear`: may the change start, right now?"""

from __future__ import annotations

import click

from pytest_rollout.cli.clearing import as_plain, clearances, lines, unknown
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    parsed,
    print_json,
)
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.verify import reported
from pytest_rollout.model.errors import LedgerError, OptionError
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.plan.terms import duration_us


@click.command("clear")
@click.argument("address")
@click.option("--max-age", metavar="DURATION", help="refuse an older decision (30m, 24h)")
@environment_option
@common
def command(
    address: str,
    max_age: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Say whether the change behind ADDRESS (plan.phase or plan.phase/gate) may start now.

    It may where the last full run of the gate is sealed and GO, the ledger is whole, and
    release, plan, prerequisites, signatures and window agree. Of a phase: every gate of a
    rehearsal; elsewhere the gate that is next. Exit status 0 yes; else the gate's own, 11
    where the decision is GO and something else is missing.
    """
    project = Project.here(root, ledger)
    where = parsed(address)
    project.phase(where)
    plan = project.plan(where.plan)
    environment = environment_of(plan, environment)
    limit = _limit(max_age)
    anchors = reported(project) if ledger is None else ()
    try:
        answers = clearances(project, plan, where, environment, limit, anchors)
    except LedgerError as error:
        answers = [unknown(where, str(error))]
    worst = worst_answer(answer.answer for answer in answers)
    if as_json:
        gates = [as_plain(answer, environment, plan.timezone) for answer in answers]
        print_json({"clear": worst is Answer.GO, "gates": gates})
    else:
        for line in lines(answers, environment, plan.timezone):
            say(line)
    return worst.exit_status


def _limit(max_age: str | None) -> int | None:
    try:
        return duration_us(max_age) if max_age is not None else None
    except ValueError as error:
        raise OptionError("--max-age", str(error)) from error
