"""Which release each comparison of a gate is with, as it is resolved at one moment."""

from __future__ import annotations

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.other_runs import Others
from pytest_rollout.model.evidence import ReleaseFact, Run
from pytest_rollout.model.plan import Address, Gate, Phase
from pytest_rollout.model.rule import PREVIOUS, Versus


def baselines(
    ledger: Ledger, address: Address, phase: Phase, environment: str, release: str | None
) -> dict[str, str]:
    """Return the release that each criterion and guardrail of the exit compares with, by its slug.

    One that has nothing to compare with is left out. ``release`` is the one that runs.
    """
    versus = _versus(phase)
    if not versus:
        return {}
    here = Run("", environment, 0, 0, sealed=True, releases=(ReleaseFact("now", release),))
    others = Others(ledger, ledger.head().sequence + 1, here, address.name)
    others.past(tuple(versus.values()), None, address.at(Gate.EXIT))
    named = {
        slug: others.previous if comparison.release == PREVIOUS else comparison.release
        for slug, comparison in versus.items()
    }
    return {slug: name for slug, name in named.items() if name is not None}


def _versus(phase: Phase) -> dict[str, Versus]:
    rules = [
        (criterion.id, criterion.rule)
        for criterion in phase.of(Gate.EXIT)
        if criterion.rule is not None
    ]
    rules += [(rail.id, rule) for rail in phase.guardrails for rule in rail.rules]
    return {slug: rule.versus for slug, rule in rules if rule.versus and rule.versus.release}
