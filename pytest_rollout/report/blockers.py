"""What the answer rests on: each cause with the plan's sentence, what is allowed, and its plots."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.story import Story
from pytest_rollout.report import sentences
from pytest_rollout.report.causes import grouped_causes, meant_words
from pytest_rollout.report.evidence_plots import Multiple, multiples

MOST_PLOTTED = 12  # causes with plots; of more the page would be long


@dataclass(frozen=True, slots=True)
class Blocker:
    """A cause, or several findings with the same cause."""

    id: str  # of the finding; empty: of the gate as a whole, or of several
    says: str  # the plan's sentence
    because: str
    allowed: str = ""
    plots: tuple[Multiple, ...] = ()


def blockers(decision: Decision, story: Story) -> tuple[Blocker, ...]:
    """Return what the answer rests on, worst first."""
    return tuple(_blockers(decision, story))


def _blockers(decision: Decision, story: Story) -> Iterator[Blocker]:
    findings = {judged.id: judged for judged in (*decision.criteria, *decision.guardrails)}
    plotted = 0
    for ids, reason, _ in grouped_causes(decision):
        finding = findings.get(ids[0])
        if len(ids) > 1 or finding is None:
            names = f"{len(ids)} {_kinds(decision, ids)}: " if len(ids) > 1 else ""
            listed = f" ({', '.join(ids)})" if len(ids) > 1 else ""
            said = sentences.text(reason, decision.timezone)
            yield Blocker(ids[0] if len(ids) == 1 else "", "", f"{names}{said}{listed}")
            continue
        plots: tuple[Multiple, ...] = ()
        if plotted < MOST_PLOTTED:
            measured = story.measured.get(finding.id, ())
            plots = tuple(
                plot for rule in measured for plot in multiples(rule, finding, decision.timezone)
            )
            plotted += bool(plots)
        misspelt = meant_words(reason, story.unread)
        because = sentences.text(reason, decision.timezone) + (misspelt and f"; {misspelt}")
        allowed = "" if "allowed" in because else finding.allowed
        yield Blocker(finding.id, finding.says, because, allowed, plots)


def _kinds(decision: Decision, ids: Sequence[str]) -> str:
    """What several findings are: criteria, guardrails, or some of both."""
    rails = {rail.id for rail in decision.guardrails}
    kinds = ("criteria", not rails.issuperset(ids)), ("guardrails", not rails.isdisjoint(ids))
    return " and ".join(kind for kind, among in kinds if among)
