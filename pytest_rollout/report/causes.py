"""What an answer rests on, each cause once: findings that hold for the same reason share a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import Fact, Reason, said
from pytest_rollout.model.verdict import Answer, Verdict

_LEFT_OUT = said("no evidence, as it was left out of this run")
_AS_IN_AN_ID: Mapping[int, str] = {ord(":"): "."}


def grouped_causes(decision: Decision) -> list[tuple[list[str], Reason, Answer]]:
    """Return the causes of a decision, each once, with the ids of the findings that share it.

    What is missing of a partial run is one cause: it was left out.
    """
    shared: list[tuple[list[str], Reason, Answer]] = []
    unseen = _unseen(decision) if decision.partial else frozenset()
    for cause in decision.reasons:
        reason = _LEFT_OUT if cause.id in unseen else _bare(decision.plan, cause)
        for ids, other, answer in shared:
            if cause.id and ids[0] and (other, answer) == (reason, cause.answer):
                ids.append(cause.id)
                break
        else:
            shared.append(([cause.id], reason, cause.answer))
    return shared


def meant(reason: Reason, unread: Sequence[str]) -> str:
    """Return the series that may be meant by one that nobody saw; empty where none is like it.

    ``unread`` are series that were seen and that no rule reads.
    """
    if reason.code == "few" and not reason.facts.get("n"):
        return next(iter(get_close_matches(str(reason.facts.get("metric")), unread, 1)), "")
    inner = [fact for fact in reason.facts.values() if isinstance(fact, Reason)]
    reasons = reason.facts.get("reasons")
    inner += (
        [part for part in reasons if isinstance(part, Reason)] if isinstance(reasons, tuple) else []
    )
    return next(filter(None, (meant(part, unread) for part in inner)), "")


def meant_words(reason: Reason, unread: Sequence[str]) -> str:
    """Return :func:`meant` as a sentence; empty where nothing may be meant."""
    name = meant(reason, unread)
    return f"seen in this run: {name}, which no rule reads" if name else ""


def _unseen(decision: Decision) -> frozenset[str]:
    """The findings that lack what the run did not do, and nothing else."""
    every = (*decision.criteria, *decision.guardrails)
    lacking = (Verdict.MISSING, Verdict.INCONCLUSIVE)
    return frozenset(
        finding.id for finding in every if finding.verdict in lacking and not finding.samples
    )


def first_told(reason: Reason) -> Reason:
    """Return the first of several reasons without its subject; one alone is returned as it is."""
    reasons = reason.facts.get("reasons")
    inner: Fact = reasons[0] if reason.code == "several" and isinstance(reasons, tuple) else reason
    if isinstance(inner, Reason) and inner.code == "told":
        inner = inner.facts.get("reason")
    return inner if isinstance(inner, Reason) else reason


def _bare(plan: str, cause: Cause) -> Reason:
    """The reason without the name of the finding's own check, which says the id once more."""
    inner: Fact = cause.reason
    reasons = cause.reason.facts.get("reasons")
    if cause.reason.code == "several" and isinstance(reasons, tuple) and len(reasons) == 1:
        (inner,) = reasons
    if not isinstance(inner, Reason) or inner.code != "told" or inner.facts.get("state"):
        return cause.reason
    own = str(inner.facts.get("subject")).translate(_AS_IN_AN_ID)
    reason = inner.facts.get("reason")
    return reason if f"{plan}.{own}" == cause.id and isinstance(reason, Reason) else cause.reason
