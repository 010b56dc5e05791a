"""After a trip: on record, told, and the rollback steps shown or run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click

from pytest_rollout.evidence.bodies import PeopleTold
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.channel import Topic
from pytest_rollout.model.plan import Phase, Plan, Then
from pytest_rollout.model.rollback import Mode, Rollback, RollbackStep
from pytest_rollout.notify import Notice, Telling
from pytest_rollout.report import sentences
from pytest_rollout.watching.looking import WatchLook
from pytest_rollout.watching.record import Recording, now_us
from pytest_rollout.watching.rollback import Ran
from pytest_rollout.watching.state import GuardrailStanding
from pytest_rollout.watching.trip_records import Trip
from pytest_rollout.watching.view import facts


@dataclass(frozen=True, slots=True)
class TripResponse:
    """What was asked of a watch for the case that a guardrail trips."""

    execute: bool
    yes: str | None  # the name that a script gives instead of a person
    keep_going: bool
    attended: bool  # whether a person can be asked


def telling(
    plan: Plan, standing: GuardrailStanding, trip: Trip, look: WatchLook, recording: Recording
) -> Telling | None:
    """Start telling people of a new trip; None where nobody is to be told."""
    only_warns = set(standing.guardrail.then) == {Then.WARN}
    if trip.known or only_warns or not plan.channels:
        return None
    watched = recording.watched
    title = f"{standing.answer.value}: {standing.finding.id} tripped in {watched.environment}"
    key = f"{standing.finding.id} {watched.environment} {trip.sequence}"
    zone = plan.timezone
    about = facts(standing, look, watched.phase, watched.environment, zone)
    says = sentences.text(standing.finding.reason, zone)
    return Telling(plan.channels, Topic.TRIPS, Notice(title, says, key, about))


def told(message: Telling | None, recording: Recording) -> Iterator[str]:
    """What became of telling, each outcome on record."""
    for outcome in message.outcomes() if message else ():
        failed = bool(outcome.why)
        recording.event(
            PeopleTold(type=PeopleTold.TYPE, t_us=now_us(), says=outcome.words, failed=failed)
        )
        yield outcome.words


def steps(rollback: Rollback) -> Iterator[str]:
    """The rollback steps as people read them."""
    yield "rollback steps:" if rollback.steps else "the plan states no rollback steps"
    for number, step in enumerate(rollback.steps, 1):
        yield f"  {number}. {step.says}{_how(step)}"


def _how(step: RollbackStep) -> str:
    if step.action is None:
        return " (by hand)"
    means = f"{step.action.method} " if step.action.means == "http" else ""
    text = " ".join(step.action.text.split())
    on = f" on {', '.join(step.action.on)}" if step.action.on else ""
    return f" ({step.action.means}{on}: {means}{text})"


def refusal(phase: Phase, asked: TripResponse, name: str, environment: str) -> str:
    """Why no step is run after a trip; empty where they are, once a person confirmed it.

    Without ``--execute`` nothing is changed, whatever the plan says: looking is harmless.
    """
    if not any(step.action for step in phase.rollback.steps):
        return "each step is done by hand"
    if not asked.execute:
        return f"`rollout watch {name} --env {environment} --execute` runs the steps"
    if phase.rollback.mode is Mode.AUTO or asked.yes == name:
        return ""
    if asked.yes is not None:
        return f"--yes {asked.yes} is not {name}"
    return "" if asked.attended else f"nobody is here to confirm it (--yes {name} does)"


def confirmed(phase: Phase, asked: TripResponse, name: str, environment: str) -> tuple[bool, str]:
    """Whether the steps are run, and why not where they are not."""
    why = refusal(phase, asked, name, environment)
    if why:
        return False, f"not run: {why}"
    if phase.rollback.mode is Mode.AUTO or asked.yes is not None:
        return True, ""
    typed = click.prompt(f"type {name} to run these steps", default="", show_default=False)
    return typed.strip() == name, "not run: that is not its name"


def left(ran: list[Ran]) -> str:
    """What is still to be done."""
    todo = [undone for undone in ran if not undone.outcome.good]
    if not todo:
        return "every step of the rollback is done"
    listed = "; ".join(f"{undone.number}. {undone.step.says}" for undone in todo)
    return f"left to do by hand: {listed}"


def reset(standing: GuardrailStanding, environment: str, *, back: bool) -> str:
    """What follows; ``back`` says whether nothing of the rollback is left to do."""
    command = f"rollout reset {standing.finding.id} --env {environment} --by NAME --reason WHY"
    return f"next: {'' if back else 'roll back, '}fix the cause, then `{command}`"


def plain(ran: Ran) -> dict[str, Any]:
    """A step for programs."""
    return {
        "event": "rollback-step",
        "number": ran.number,
        "says": ran.step.says,
        "outcome": ran.outcome.value,
        "because": ran.because,
    }
