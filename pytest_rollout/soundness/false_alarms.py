"""Remarks on plain guardrails that often trip where nothing is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.alarms import LEVEL, Alarms, surer
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import needing, percent

OFTEN = 0.05  # a chance of a false alarm that is worth a remark


@dataclass(frozen=True, slots=True)
class Assumed:
    """What false alarms are reckoned with; None: half of the bad ones that a guardrail allows."""

    healthy: Fraction | None = None  # the share of good samples
    looks: int | None = None  # samples of a group that a phase holds


def remarks_on(about: About, rule: Rule, expected: Alarms) -> Iterator[Remark]:
    """Yield how often a healthy service trips a rule of a guardrail, where that is often."""
    if expected.chance < OFTEN:
        return
    of_each = f" of each of {expected.groups} groups" if expected.groups > 1 else ""
    at_least = "" if expected.exact else "at least "
    yield about.remark(
        f"trips without need: a healthy service, with {percent(expected.bad)} of its samples "
        f"bad, trips it with a chance of {at_least}{percent(expected.chance)} within "
        f"{expected.looks} {_looks(rule)}{of_each}",
        _surer(about, rule, expected),
        grave=False,
    )


def _looks(rule: Rule) -> str:
    """What is looked at, many of it."""
    if rule.per is None:
        return "samples"
    return f"buckets of {rule.per.words}" if rule.per.unit is PerUnit.SPAN else f"{rule.per.words}s"


def _surer(about: About, rule: Rule, expected: Alarms) -> str:
    """What to write instead."""
    sure = surer(rule, expected.looks)
    if sure is None:
        return "look at more samples at once, or ask for more bad looks in a row"
    level = float(LEVEL) / (1 + len(about.sharing()))
    confidence, scope = sure.confidence, rule.scopes[0]
    assert confidence is not None
    windows = confidence.windows
    stated = f"{{level: 95%, windows: {windows}}}" if windows else "95%"
    fewest = extremes.fewest(sure, good=False, level=level, watched=True)
    longer = scope.kind is ScopeKind.LAST and fewest > scope.last
    over = f", {needing(rule, scope, fewest)}" if longer else ""
    return f"confidence: {stated}{over} trips it with a chance of 5 % at most"
