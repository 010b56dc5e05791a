"""A decision as html."""

from pytest_rollout.model.decision import Decision


def to_html(decision: Decision) -> str:
    """The report of a decision as HTML."""
    return f"<h1>{decision.answer.value}: {decision.address}\n"
