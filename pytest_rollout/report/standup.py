"""What a stand-up asks for: yesterday, today, blockers, metrics; plain text for a chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import amount, count

_MOST = 6  # of each part; a stand-up takes fifteen minutes


@dataclass(frozen=True, slots=True)
class Standup:
    """What is told of a plan in one environment."""

    title: str
    since: str  # the day from which things are told
    happened: Sequence[str]  # since then, oldest first
    next: Sequence[str]  # who does what next, the most urgent first
    windows: Sequence[str]  # when phases that are next may be changed
    decisions: Sequence[Decision]  # the last one of each gate, in the plan's order


def lines(standup: Standup) -> Iterator[str]:
    """Yield the stand-up, a part a line, more of a part below it."""
    yield standup.title
    every = len(standup.happened)
    last = f", the last {_MOST} of {every}" if every > _MOST else ""
    yield from _part(f"Since {standup.since}{last}", standup.happened[-_MOST:], "nothing on record")
    yield from _part("Today", [*standup.next, *standup.windows], "nothing is due")
    yield from _part("Blockers", list(_blockers(standup.decisions)), "none")
    yield from _part("Metrics", list(_metrics(standup.decisions)), "none measured")


def _part(name: str, items: Sequence[str], nothing: str) -> Iterator[str]:
    if len(items) < 2:
        yield f"{name}: {items[0] if items else nothing}"
        return
    yield f"{name}:"
    yield from (f"- {item}" for item in items[:_MOST])
    if len(items) > _MOST:
        yield f"- and {len(items) - _MOST} more"


def _blockers(decisions: Sequence[Decision]) -> Iterator[str]:
    """Why gates do not pass, and what a GO still owes."""
    for decision in decisions:
        if decision.answer is Answer.GO:
            if decision.conditions:
                owed = ", ".join(
                    f"{owes.id} ({owes.owner}, by {owes.due})" for owes in decision.conditions
                )
                many = count(len(decision.conditions), "condition")
                yield f"{decision.address} GO with {many}: {owed}"
            continue
        first = decision.reasons[0] if decision.reasons else None
        why = sentences.cause(first.id, first.reason, decision.timezone) if first else ""
        more = f", and {len(decision.reasons) - 1} more" if len(decision.reasons) > 1 else ""
        yield f"{decision.address} {decision.answer.value}: {why}{more}"


def _metrics(decisions: Sequence[Decision]) -> Iterator[str]:
    """The worst value of each measured hard criterion of the newest decision that measured one."""
    for decision in sorted(decisions, key=lambda other: other.decided_at, reverse=True):
        metrics = []
        for finding in decision.criteria:
            parts = sorted(finding.parts, key=lambda part: part.verdict.rank)
            estimate = next((part.estimate for part in parts if part.estimate), None)
            if estimate is not None and finding.severity == "hard":
                slug = finding.id.rpartition(".")[2]
                value = amount(estimate.value, estimate.unit, "")
                allowed = f" (allowed {finding.allowed})" if finding.allowed else ""
                metrics.append(f"{slug} {value}{allowed}")
        if metrics:
            yield from metrics
            return
