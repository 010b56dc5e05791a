"""What time can bring of what stands against a change, and what it cannot. Pure."""

from __future__ import annotations

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding, SubjectKind
from pytest_rollout.model.plan import Severity
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.signoff.clearance import Clearance, GateFacts

_OPENS = ("clear.outside", "clear.frozen", "clear.not-admitted", "clear.closes")
_PEOPLE = ("clear.held",)
_RUNS = ("run.unfinished", "clear.overlapped-unfinished")


def hopeless(answer: Clearance, known: GateFacts) -> tuple[Finding, ...]:
    """What stands against a change and stays, however long somebody waits."""
    against = (finding for finding in answer.findings if finding.verdict.holds_back)
    return tuple(finding for finding in against if not _may_come(finding, known))


def _may_come(finding: Finding, known: GateFacts) -> bool:
    code, facts = finding.reason.code, finding.reason.facts
    if code in _OPENS:
        return facts.get("since") is not None
    if code in _RUNS:
        return known.running
    if code == "signature.missing":
        return bool(facts.get("holders"))
    if code == "gate.no" and known.decision is not None:
        return _asks_people_only(known.decision)
    return code in _PEOPLE


def _asks_people_only(decision: Decision) -> bool:
    """Whether a gate is HOLD for nothing but answers that people have not given yet."""
    hard = [
        criterion for criterion in decision.criteria if criterion.severity == Severity.HARD.value
    ]
    open_ = [finding for finding in hard if finding.verdict.holds_back]
    lacking = [part for finding in open_ for part in finding.parts if part.verdict.holds_back]
    return (
        decision.answer is Answer.HOLD
        and {cause.id for cause in decision.reasons} == {finding.id for finding in open_}
        and all(finding.parts for finding in open_)
        and all(
            part.subject.kind is SubjectKind.ATTESTATION and part.verdict is Verdict.MISSING
            for part in lacking
        )
    )
