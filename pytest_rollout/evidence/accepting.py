"""Which decisions let a release pass, so that later ones may be compared with it."""

from __future__ import annotations

from pytest_rollout.evidence.bodies import StoredDecision
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, judged, said
from pytest_rollout.evidence.records import Record, as_written
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Address
from pytest_rollout.model.verdict import Answer

_LACKS = "other.few"
_OF_NIGHTS = "nightly."
_FEW_NIGHTS, _ASKS, _ALIKE = "nightly.few", "nightly.ask", "nightly.alike"
_AROUND = ("told", "several")


def lets_pass(record: Record) -> bool:
    """Whether a stored decision is GO, or is no GO only because there was nothing to compare with.

    The first release of a gate that compares releases could pass in no other way. One that cannot
    be read lets nothing pass.
    """
    try:
        body = said(record, StoredDecision)
        answer = judged(body).decision
        lacks = any(f'"{code}"' in body.document for code in (_LACKS, _FEW_NIGHTS))
        if answer is not Answer.HOLD or not lacks:
            return answer is Answer.GO
        decision = decision_in(body.document)
    except UndecodableError:
        return False
    sound = not (decision.partial or decision.drill)
    return sound and all(_lacks_baseline(cause.reason) for cause in decision.reasons)


def asks_to_confirm(record: Record) -> bool:
    """Whether a stored decision is HOLD for nothing but a night that has a run left to confirm."""
    try:
        body = said(record, StoredDecision)
        if judged(body).decision is not Answer.HOLD or f'"{_ASKS}"' not in body.document:
            return False
        decision = decision_in(body.document)
    except UndecodableError:
        return False
    sound = not (decision.partial or decision.drill)
    return sound and all(_asks(cause.reason) for cause in decision.reasons)


def _asks(reason: Reason) -> bool:
    """Whether all that a reason says is that, or that another night is alike."""
    if reason.code.startswith(_OF_NIGHTS):
        return reason.code in (_ASKS, _ALIKE)
    inner = [nested for fact in reason.facts.values() for nested in _reasons(fact)]
    return reason.code in _AROUND and bool(inner) and all(map(_asks, inner))


def _lacks_baseline(reason: Reason) -> bool:
    """Whether all that a reason says is that no run of the other release was ever accepted.

    Of the nights of a pinned release itself also that there are not enough of them yet: they are
    what is collected.
    """
    if reason.code == _FEW_NIGHTS:
        return reason.facts.get("same") is True or reason.facts.get("n") == 0
    if reason.code == _LACKS:
        return bool(reason.facts.get("other_release")) and reason.facts.get("n") == 0
    inner = [nested for fact in reason.facts.values() for nested in _reasons(fact)]
    return reason.code in _AROUND and bool(inner) and all(map(_lacks_baseline, inner))


def _reasons(fact: object) -> list[Reason]:
    facts = fact if isinstance(fact, tuple) else (fact,)
    return [reason for reason in facts if isinstance(reason, Reason)]


def accepted_in(log: RunLog, address: Address, before: int) -> bool:
    """Return whether a gate let a run pass, by a decision stored before a place in the chain."""
    return any(
        decision.subject == str(address)
        and decision.sequence < before
        and as_written(decision)
        and lets_pass(decision)
        for decision in log.decisions
    )


def release_accepted(decision: Record) -> str | None:
    """Return the release that a stored decision lets pass, if it does and names one."""
    return said(decision, StoredDecision).release if lets_pass(decision) else None
