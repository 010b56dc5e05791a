"""Telling people of decisions that differ from the last ones of their gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_story import evaluations
from pytest_rollout.model.channel import Topic
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.environment import EMBEDDED
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.report import sentences

if TYPE_CHECKING:
    from pytest_rollout.notify import Notice


def announce(
    plans: Sequence[Plan], ledger: Ledger | None, decisions: Sequence[Decision]
) -> list[str]:
    """Tell the channels that are told of decisions; what became of each, in words.

    A rehearsal, a drill and a partial run are told to nobody, and neither is an answer that was
    the gate's last one too.
    """
    said: list[str] = []
    for plan in plans:
        if ledger is None or not any(Topic.DECISIONS in channel.about for channel in plan.channels):
            continue
        try:
            message = notice(plan, list(_changed(ledger, plan, decisions)))
        except LedgerError as error:
            said.append(f"nobody was told of the decisions of {plan.id}: {error}")
            continue
        if message is not None:
            from pytest_rollout.notify import Telling  # mail and TLS, for those who tell somebody

            told = Telling(plan.channels, Topic.DECISIONS, message).outcomes()
            said += [delivery.words for delivery in told]
    return said


def _changed(
    ledger: Ledger, plan: Plan, decisions: Sequence[Decision]
) -> Iterator[tuple[Decision, Answer | None]]:
    """Decisions whose answer is not that of the full run before, with that one."""
    for decision in decisions:
        if (
            decision.address.plan != plan.id
            or decision.environment == EMBEDDED
            or decision.drill
            or decision.partial
        ):
            continue
        earlier = evaluations(ledger, decision)[:-1]
        before = earlier[-1].answer if earlier else None
        if decision.answer is not before:
            yield decision, before


def notice(plan: Plan, changed: Sequence[tuple[Decision, Answer | None]]) -> Notice | None:
    """Return what people are told of the gates of a plan that changed; None where none did."""
    if not changed:
        return None
    from pytest_rollout.notify import Notice

    worst = worst_answer(decision.answer for decision, _ in changed)
    gates = ", ".join(str(decision.address) for decision, _ in changed)
    first, _ = changed[0]
    return Notice(
        f"{worst.value}: {gates} in {first.environment}",
        "\n".join(_line(decision, before) for decision, before in changed),
        f"{gates} {first.environment} {first.run}",
        {
            "environment": first.environment,
            "release": first.release or "",
            "run": first.run,
            "gates": {str(decision.address): decision.answer.value for decision, _ in changed},
            "before": {
                str(decision.address): before.value for decision, before in changed if before
            },
        },
    )


def _line(decision: Decision, before: Answer | None) -> str:
    was = f"was {before.value}" if before else "decided for the first time"
    release = f", release {decision.release}" if decision.release else ""
    line = f"{decision.address}: {decision.answer.value} ({was}{release})"
    if decision.answer is Answer.GO or not decision.reasons:
        return line
    first = decision.reasons[0]
    more = f", and {len(decision.reasons) - 1} more" if len(decision.reasons) > 1 else ""
    return f"{line}: {sentences.cause(first.id, first.reason, decision.timezone)}{more}"
