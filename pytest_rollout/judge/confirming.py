"""Whether a decision asks for one more run of the same night."""

from __future__ import annotations

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import codes
from pytest_rollout.model.verdict import Answer

_ASKS = "nightly.ask"


def to_confirm(decision: Decision) -> tuple[str, ...]:
    """Return the criteria of which one more run of this night would decide.

    The plan declared that run beforehand, with `confirm`. None where the answer is no whatever
    such a run says, or yes already: a run more is no way out of a night that failed.
    """
    if decision.answer is not Answer.HOLD:
        return ()
    return tuple(
        finding.id
        for finding in decision.criteria
        if any(_ASKS in codes(part.reason) for part in finding.parts)
    )
