"""`rollout end`: end a phase in a real environment, once its exit is clear."""

from __future__ import annotations

import time
from contextlib import closing

import click

from pytest_rollout.cli.clearing import clearances
from pytest_rollout.cli.clearing_output import refused
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment
from pytest_rollout.cli.recording import by_option, person
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.turn_order import phase_after
from pytest_rollout.cli.verify import reported
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import PhaseEnded
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.judge.case import instant
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Gate, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.fact_words import wall


@click.command("end")
@click.argument("address", type=PHASE)
@by_option
@environment_option
@common
def command(
    address: str,
    by: str,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """End the phase ADDRESS (plan.phase), where `rollout clear` says yes to its exit."""
    project = Project.here(root, ledger)
    where = parsed(address)
    phase, plan = project.phase(where), project.plan(where.plan)
    embedded = "a rehearsal ends its phases by itself"
    environment = real_environment(plan, environment, embedded=embedded)
    who = person(by)
    _goes_on(project, plan, where, environment)
    anchors = reported(project) if ledger is None else ()
    (exit_,) = clearances(project, plan, where.at(Gate.EXIT), environment, None, anchors)
    if exit_.answer is not Answer.GO:
        return refused(exit_, plan, environment, as_json=as_json)
    standing = project.history.standing(where.at(Gate.EXIT), environment)
    assert standing is not None
    assert standing.decision is not None  # or it were not clear
    ended = PhaseEnded(
        type=PhaseEnded.TYPE,
        t_us=time.time_ns() // 1000,
        says=f"ended by {who}",
        by=who,
        exit=standing.decision.substance_digest,
    )
    with closing(opening.to_write(project.ledger_at)) as store:
        told = PhaseLife(store, where, environment).record(ended)
        following = phase_after(store, plan, phase, environment)
    follows = following and f"pytest {following.chosen} --rollout-env {environment}"
    at = wall(instant(told.body.t_us, plan.timezone), plan.timezone)
    if as_json:
        facts = {"phase": where.name, "environment": environment, "ended_at": at, "by": who}
        print_json({**facts, "next": follows})
    else:
        say(f"{where.name} ended in {environment} at {at}")
        if follows:
            say(f"  next: {follows}")
    return 0


def _goes_on(project: Project, plan: Plan, where: Address, environment: str) -> None:
    """Raise RolloutError where the phase never began, or has ended."""
    turn = PhaseLife(project.ledger, where, environment).turn()
    if turn is not None and turn.body.type != PhaseEnded.TYPE:
        return
    why = f"has not begun in {environment}"
    if turn is not None:
        at = wall(instant(turn.body.t_us, plan.timezone), plan.timezone)
        why = f"has ended in {environment} at {at} ({turn.body.says}), and was not begun again"
    begin = f"(`rollout begin {where.name} --env {environment} --by NAME`)"
    raise RolloutError(f"{where.name} {why} {begin}")
