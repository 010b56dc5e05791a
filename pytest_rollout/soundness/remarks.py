"""Mistakes of a plan that no single key shows: what the judge can never, or will too often, say."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule
from pytest_rollout.soundness import (
    ages,
    comparing,
    extremes,
    false_alarms,
    grouping,
    needs,
    never,
    nightly,
    shares,
    tolerating,
    watched,
)
from pytest_rollout.soundness.alarms import alarms
from pytest_rollout.soundness.false_alarms import Assumed
from pytest_rollout.soundness.sample_sets import beyond
from pytest_rollout.soundness.subject import About, Remark

__all__ = ["Assumed", "Remark", "remarks"]


def remarks(plan: Plan, assumed: Assumed | None = None) -> Iterator[Remark]:
    """Yield every remark on the rules of a plan, and on what refers to each other in it."""
    for phase in plan.phases:
        for criterion in phase.criteria:
            about = About(plan, phase, criterion)
            yield from grouping.due(about)
            if criterion.of is not None:
                yield from grouping.of_group(about)
            elif criterion.rule is not None:
                yield from _of_rule(about, criterion.rule)
        for guardrail in phase.guardrails:
            about = About(plan, phase, guardrail)
            for rule in guardrail.rules:
                yield from _of_guardrail(about, rule, assumed or Assumed())


def _of_guardrail(about: About, rule: Rule, assumed: Assumed) -> Iterator[Remark]:
    """Remarks on a guardrail's rule; its known false alarms cover what one bad sample does."""
    yield from watched.remarks_on(about, rule)
    expected = alarms(rule, assumed.healthy, assumed.looks)
    yield from _of_rule(about, rule, by_chance=expected is not None)
    if expected is not None:
        yield from false_alarms.remarks_on(about, rule, expected)


def _of_rule(about: About, rule: Rule, *, by_chance: bool = False) -> Iterator[Remark]:
    """Unless a rule can say both yes and no, the numbers in it are not worth a remark."""
    if rule.nightly is not None:  # what it can say depends on the nights of a release
        yield from nightly.remarks_on(about, rule)
        return
    too_much = beyond(rule)
    if too_much:
        remark = f"asks for {too_much} at once, too much to try whether it can pass and fail"
        yield about.remark(remark, "ask for less", grave=False)
        return
    ends = tuple(extremes.of_rule(about.ageless, rule))
    yield from never.remarks_on(about, rule, ends)
    yield from comparing.overlaps(about, rule)
    if not all(end.sound for end in ends):
        return
    yield from shares.remarks_on(about, rule)
    yield from tolerating.remarks_on(about, rule)
    yield from comparing.ratios_to_nothing(about, rule)
    yield from needs.unshown(about, rule)
    if not by_chance:
        yield from needs.of_one_bad(about, rule)
    yield from ages.too_short(about, rule)
    yield from ages.stale(about, rule)
