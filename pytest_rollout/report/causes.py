"""What an answer rests on, each cause once: findings that hold for the same reason share a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.verdict import Answer

_AS_IN_AN_ID: Mapping[int, str] = {ord(":"): "."}


def grouped_causes(decision: Decision) -> list[tuple[list[str], Reason, Answer]]:
    """Return the causes of a decision, each once, with the ids of the findings that share it."""
    shared: list[tuple[list[str], Reason, Answer]] = []
    for cause in decision.reasons:
        reason = _bare(decision.plan, cause)
        for ids, other, answer in shared:
            if cause.id and ids[0] and (other, answer) == (reason, cause.answer):
                ids.append(cause.id)
                break
        else:
            shared.append(([cause.id], reason, cause.answer))
    return shared


def all_of(ids: Sequence[str]) -> str:
    """Return names as one list: ``a, b and c``."""
    return " and ".join(filter(None, [", ".join(ids[:-1]), ids[-1]]))


def _bare(plan: str, cause: Cause) -> Reason:
    """The reason without the name of the finding's own check, which says the id once more."""
    inner: Fact = cause.reason
    told = cause.reason.facts.get("reasons")
    if cause.reason.code == "several" and isinstance(told, tuple) and len(told) == 1:
        (inner,) = told
    if not isinstance(inner, Reason) or inner.code != "told" or inner.facts.get("state"):
        return cause.reason
    own = str(inner.facts.get("subject")).translate(_AS_IN_AN_ID)
    reason = inner.facts.get("reason")
    return reason if f"{plan}.{own}" == cause.id and isinstance(reason, Reason) else cause.reason
