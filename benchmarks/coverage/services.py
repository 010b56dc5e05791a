"""Known services as the judge sees them: rules, samples and verdicts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from pytest_rollout.judge.intervals import Interval
from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import tally_of
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.rule import Rule, Scope
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


def interval(stated: Rule, weighted: Weighted, level: float) -> Interval:
    """Return the bounds that the judge's own tally gives."""
    tally = tally_of(stated, stated.scopes[0], Terms("UTC", level))
    for value, count, slot in weighted:
        tally.add(value, count, slot)
    bounds = tally.interval()
    assert bounds is not None
    return bounds


def verdict(stated: Rule, good: int, bad: int, terms: Terms, scope: Scope) -> Verdict:
    """Return what the judge says of so many outcomes."""
    sample = tuple((value, count) for value, count, _ in outcomes(good, bad) if count)
    slice_ = Slice((), (Seen(SLOT, sample, 0, "r"),), scope, 1)
    assessed = assess(stated, slice_, terms)
    assert isinstance(assessed, Assessed), assessed
    return assessed.verdict


def successes(chance: random.Random, n: int, p: float) -> int:
    """Return how many of n outcomes are good."""
    draw = chance.random
    return sum(draw() < p for _ in range(n))
