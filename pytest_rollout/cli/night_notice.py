"""Telling people what a night came to, where it is no GO in a real environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.model.channel import Topic
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.environment import EMBEDDED
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.notify import Notice, Telling
from pytest_rollout.report import sentences


def notice(
    plan: Plan, phase: str, environment: str, decisions: Sequence[Decision], trouble: str
) -> Notice | None:
    """Return what people are told; None of a rehearsal, and where every gate is GO.

    ``phase`` is its full name, ``trouble`` why there is no decision to rely on.
    """
    bad = [decision for decision in decisions if decision.answer is not Answer.GO]
    if environment == EMBEDDED or not (bad or trouble):
        return None
    worst = worst_answer(
        [*(decision.answer for decision in bad), *([Answer.HOLD] if trouble else [])]
    )
    run = bad[0].run if bad else ""
    return Notice(
        f"{worst.value}: {phase} in {environment}",
        "\n".join([*filter(None, [trouble]), *_why(plan, bad)]),
        " ".join(filter(None, (phase, environment, run))),
        {
            "phase": phase,
            "environment": environment,
            "answer": worst.value,
            "gates": {str(decision.address): decision.answer.value for decision in decisions},
            "run": run,
        },
    )


def _why(plan: Plan, decisions: Sequence[Decision]) -> Iterator[str]:
    for decision in decisions:
        for cause in decision.reasons:
            about = f"{cause.id}: " if cause.id else f"{decision.address}: "
            yield about + sentences.text(cause.reason, plan.timezone)


def told(plan: Plan, message: Notice | None) -> list[str]:
    """Tell the plan's channels; what became of each, in words."""
    if message is None or not plan.channels:
        return []
    return [outcome.words for outcome in Telling(plan.channels, Topic.TRIPS, message).outcomes()]
