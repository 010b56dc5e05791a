"""Known services as the judge sees them: rules, samples and verdicts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pytest_rollout.judge.assess import Assessed, Terms, assess
from pytest_rollout.judge.estimate import Weighted
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.plan.load import parse

SLOT = Slot("m", (), 0, 0)


def rule(text: str, *, guardrail: bool = False) -> Rule:
    """Return a rule as a plan states it, in flow style."""
    place = "guardrails" if guardrail else "criteria"
    more = "then: [rollback]" if guardrail else "kind: slo"
    plan = f"plan: p\nphases: [{{id: a, {place}: [{{id: b, {more}, metric: m, {text}}}]}}]\n"
    parsed = parse(plan, Path("p/rollout.yaml"), "rollout.yaml")
    if parsed.plan is None or parsed.problems:
        raise ValueError([str(problem) for problem in parsed.problems])
    phase = parsed.plan.phases[0]
    stated = phase.guardrails[0].rules[0] if guardrail else phase.criteria[0].rule
    assert stated is not None
    return stated


def values(numbers: Sequence[float]) -> Weighted:
    """Return numbers as the judge holds them."""
    return [(Fraction(number), 1, SLOT) for number in numbers]


def to_microseconds(numbers: Sequence[float]) -> Weighted:
    """Return numbers as the judge holds them, each rounded to six digits after the point."""
    return [(Fraction(round(number * 1_000_000), 1_000_000), 1, SLOT) for number in numbers]


def outcomes(good: int, bad: int) -> Weighted:
    """Return good ones as 1 and bad ones as 0, by their counts."""
    return [(Fraction(1), good, SLOT), (Fraction(0), bad, SLOT)]


def verdict(stated: Rule, good: int, bad: int, terms: Terms, kind: ScopeKind) -> Verdict:
    """Return what the judge says of so many outcomes."""
    sample = tuple((value, count) for value, count, _ in outcomes(good, bad) if count)
    assessed = assess(stated, (), [Seen(SLOT, sample, 0, "r")], terms, kind)
    assert isinstance(assessed, Assessed), assessed
    return assessed.verdict


def successes(chance: random.Random, n: int, p: float) -> int:
    """Return how many of n outcomes are good."""
    draw = chance.random
    return sum(draw() < p for _ in range(n))
