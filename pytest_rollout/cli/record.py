"""`rollout record`: what happens in a phase, as it happens."""

from __future__ import annotations

import time
from contextlib import closing

import click

from pytest_rollout import calendar
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    instant_in,
    parsed,
    print_json,
)
from pytest_rollout.cli.real_environment import real_environment
from pytest_rollout.cli.recording import by_option, person, words
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.phase_life import FREEZE, RESUME, PhaseLife
from pytest_rollout.judge.case import instant
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.report.fact_words import wall

_TYPES = ("change", "action", "configuration", "incident", FREEZE, RESUME)
_AHEAD_US = 300 * 1_000_000


@click.command("record")
@click.argument("address", type=PHASE)
@click.argument("type_", metavar="TYPE", type=click.Choice(_TYPES))
@click.option("--says", required=True, help="what happened")
@by_option
@click.option("--at", help="when, with an offset (default: now)")
@environment_option
@common
def command(
    address: str,
    type_: str,
    says: str,
    by: str,
    at: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Record what happens in the phase ADDRESS: a change, an action, an incident, a freeze.

    An action changes nothing in the target, as a backup. Checks read what was recorded.

    A freeze holds the phase until a resume: `rollout clear` says no, and checks that change the
    target are refused; looking goes on. A rollback is never held up.
    """
    project = Project.here(root, ledger)
    where = parsed(address)
    project.phase(where)
    plan = project.plan(where.plan)
    embedded = "a rehearsal records by itself what its operator does"
    environment = real_environment(plan, environment, embedded=embedded)
    who, text = person(by), words("--says", says)
    now_us = time.time_ns() // 1000
    t_us = now_us if at is None else instant_in("--at", at)
    if t_us > now_us + _AHEAD_US:
        raise OptionError("--at", f"{at} is still to come")
    with closing(opening.to_write(project.ledger_at)) as store:
        life = PhaseLife(store, where, environment)
        if type_ == RESUME and life.freeze() is None:
            raise RolloutError(f"{where.name} is not frozen on record in {environment}")
        told = life.record(StoredEvent(type=type_, t_us=t_us, says=f"{text} ({who})"))
    stamp = instant(told.body.t_us, plan.timezone)
    if as_json:
        facts = {"phase": where.name, "environment": environment, "type": type_, "at": stamp}
        print_json({**facts, "says": told.body.says, "recorded": calendar.stamp(told.record.at_us)})
    else:
        at = wall(stamp, plan.timezone)
        say(f"{where.name} in {environment}, {at}: {type_}, {told.body.says}")
    return 0
