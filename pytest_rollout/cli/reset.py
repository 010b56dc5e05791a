"""`rollout reset`: have a guardrail judged anew, on the record."""

from __future__ import annotations

import dataclasses
import time
from contextlib import closing

import click

from pytest_rollout.cli.names import CRITERION
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment, release_now
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import TripEvent
from pytest_rollout.evidence.live_world import read_now
from pytest_rollout.evidence.phase_life import PhaseLife, unstated
from pytest_rollout.evidence.resets import reset
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import Address, Guardrail, Phase, Plan
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import State
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import sentences
from pytest_rollout.report.text import reset_words
from pytest_rollout.watching.state import GuardrailStanding, standings

_MOST = {"--by": 200, "--reason": 2_000}
_MOST_WAS = 1_000


@click.command("reset")
@click.argument("guardrail", type=CRITERION)
@click.option("--by", required=True, help="who resets it")
@click.option("--reason", required=True, help="why it may be judged anew: what was found, and done")
@click.option("--release", help="of which release (default: the one that its target runs now)")
@environment_option
@common
def command(
    guardrail: str,
    by: str,
    reason: str,
    release: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Reset GUARDRAIL (plan.phase.slug), which tripped or is blind.

    From now on it is judged on what is seen from now on. What it was, who reset it and why stays
    on record, stands in every later decision, and is a condition of a GO. Soaks are not shortened.
    """
    project = Project.here(root, ledger)
    plan, phase, slug = guarded(project, guardrail)
    embedded = "a rehearsal is not reset: the next one stands alone"
    where = real_environment(plan, environment, embedded=embedded)
    for option, text in (("--by", by), ("--reason", reason)):
        if not text.strip():
            raise RolloutError(f"{option} says nothing")
        if len(text) > _MOST[option]:
            raise RolloutError(f"{option} is longer than {_MOST[option]} characters")
    if release is None:
        why = "a reset is of one (--release says which)"
        release = release_now(project, plan, where, why=why)
    full = plan.address(phase.id).full(slug)
    life = PhaseLife(project.ledger, plan.address(phase.id), where)
    trip = next((trip for trip in life.trips(phase) if trip.body.guardrail == full), None)
    says = _says(project, plan, phase, slug, where, release, trip)
    asked = Reset(full, by.strip(), reason.strip(), 0, "", says, release)
    with closing(opening.to_write(project.ledger_at)) as store:
        done = reset(store, asked, where)
    if as_json:
        print_json({**dataclasses.asdict(done), "environment": where})
    else:
        say(f"{reset_words(done, plan.timezone)}; in {where}")
        say(f"  then it was {done.was}")
        say("  it is judged on what is seen from now on, and is blind until enough is")
    return 0


def guarded(project: Project, text: str) -> tuple[Plan, Phase, str]:
    """The guardrail that a text names, by its slug; raises RolloutError with the nearest one.

    One that the plan does not state any more is known where a trip of it stands on record.
    """
    where, _, slug = text.rpartition(".")
    address = parsed(where or text)
    plan, phase = project.plan(address.plan), project.phase(address)
    known = not unstated(phase, slug) or _tripped(project, plan, address, slug)
    if address.gate is not None or not known:
        near = nearest(slug, [guardrail.id for guardrail in phase.guardrails])
        why = f"{address.name} states no guardrail `{slug}` ({near})"
        raise UnknownNameError(why, "guardrail", slug, [rail.id for rail in phase.guardrails])
    return plan, phase, slug


def _tripped(project: Project, plan: Plan, address: Address, slug: str) -> bool:
    """Whether a guardrail tripped in one of the plan's environments, and was not reset."""
    if not project.has_ledger:
        return False
    full = address.full(slug)
    lives = (PhaseLife(project.ledger, address, name) for name in plan.environments)
    return any(trip.body.guardrail == full for life in lives for trip in life.trips())


def _says(
    project: Project,
    plan: Plan,
    phase: Phase,
    slug: str,
    environment: str,
    release: str | None,
    trip: Told[TripEvent] | None,
) -> str:
    """What the guardrail is now; raises RolloutError where there is nothing to reset."""
    full = plan.address(phase.id).full(slug)
    stated = next(
        (guardrail for guardrail in (*phase.guardrails, DRIFT) if guardrail.id == slug), None
    )
    if stated is None and trip is None:
        raise RolloutError(f"no trip of {full} stands in {environment}: there is nothing to reset")
    if stated is None:
        return f"{trip.body.says} (the plan does not state it any more)" if trip else ""
    standing = _standing(project, plan, phase, stated, environment, release)
    says = sentences.text(standing.finding.reason, plan.timezone)
    if standing.state is State.QUIET and trip is None:
        raise RolloutError(f"{full} is quiet in {environment}: there is nothing to reset ({says})")
    return says


def _standing(
    project: Project,
    plan: Plan,
    phase: Phase,
    stated: Guardrail,
    environment: str,
    release: str | None,
) -> GuardrailStanding:
    """How the guardrail stands now, as the ledger alone says."""
    address = plan.address(phase.id)
    now_us = time.time_ns() // 1000
    fact = ReleaseFact("now", release) if plan.release else None
    now = read_now(project.ledger, address, phase, environment, fact=fact, now_us=now_us)
    guardrails = standings(plan, now.phase, now.world, now.running, now_us)
    standing = next(
        (
            guardrail_standing
            for guardrail_standing in guardrails
            if guardrail_standing.guardrail.id == stated.id
        ),
        None,
    )
    if standing is None:
        raise RolloutError(f"{address.name} has not begun in {environment}: nothing drifts from it")
    return standing
