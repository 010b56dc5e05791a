"""A decision as markdown."""

from pytest_rollout.model.decision import Decision


def to_markdown(decision: Decision) -> str:
    """The report of a decision as markdown."""
    return f"# {decision.answer.value}: {decision.address}\n"
