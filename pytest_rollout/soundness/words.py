"""Words that remarks share."""

from __future__ import annotations

from fractions import Fraction

from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.rule import Rule, Scope, ScopeKind
from pytest_rollout.report import sentences

_MOMENTS = ("at", "until", "since", "newest")  # facts that are supposed, and say nothing


def told(reason: Reason) -> str:
    """Return the sentence of a reason, without the moments that are supposed."""
    return sentences.text(_timeless(reason), "UTC")


def decisive(finding: Finding) -> str:
    """Return what was found of the last group that decides."""
    part = [part for part in finding.parts if part.verdict is finding.verdict][-1]
    name = f"{part.subject.name}: " if part.subject.name else ""
    return name + told(part.reason)


def _timeless(reason: Reason) -> Reason:
    facts: dict[str, Fact] = {
        key: _timeless(fact) if isinstance(fact, Reason) else fact
        for key, fact in reason.facts.items()
        if key not in _MOMENTS
    }
    return Reason(reason.code, facts)


def percent(share: float | Fraction) -> str:
    """Return a share in percent, of two digits: ``38 %``."""
    return f"{decimal(Fraction(f'{float(share) * 100:.2g}'))} %"


def asked(rule: Rule) -> str:
    """Return what a rule asks for at its confidence: ``rate >= 0.8 at 95 % confidence``."""
    assert rule.confidence is not None
    return f"{rule.take.text} {rule.bands.passes.text} at {rule.confidence.text} confidence"


def where(rule: Rule, scope: Scope) -> str:
    """Return which of several scopes is meant, with a blank before it; empty for the only one."""
    return f" {scope.words}" if len(rule.scopes) > 1 else ""


def needing(rule: Rule, scope: Scope, need: int) -> str:
    """Return how a plan asks for so many samples: ``need: 20``, or a longer window of them."""
    if rule.per is None and scope.kind is ScopeKind.LAST and scope.last < need:
        return f"over: [{{last: {need}, need: {need}}}]"
    return f"need: {need}"
