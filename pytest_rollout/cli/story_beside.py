"""What a report tells beside a stored decision; what cannot be read of it is a note."""

from __future__ import annotations

from collections.abc import Callable

from pytest_rollout.cli.project import Project
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.story import NO_STORY, Story
from pytest_rollout.session.storytelling import story_of
from pytest_rollout.signoff.attested import verified


@dataclass(frozen=True, slots=True)
class ToldBeside:
    """A story, and why it is none."""

    story: Story = NO_STORY
    notes: tuple[str, ...] = ()


def story_beside(
    project: Project, decision: Decision, asked: Callable[[], tuple[Plan, Phase]]
) -> ToldBeside:
    """Return the story of a decision, read from the ledger as it is now.

    ``asked`` gives the plan that its run was judged by, and raises RolloutError where nobody
    knows it any more. Signatures are told by the people and keys of today.
    """
    ledger = project.ledger
    where = decision.address
    try:
        plan, phase = asked()
        reading = read_world(ledger, decision.run, where, phase)
        case = Case(plan, phase, verified(reading.world, plan), reading.at_us)
        return ToldBeside(story_of(ledger, case, decision, lambda: project.plan(where.plan)))
    except (RolloutError, ArithmeticError, ValueError) as error:
        return ToldBeside(notes=(f"what happened in {where} cannot be told: {error}",))
