"""Remarks on failures that are tolerated where there is nothing else, or that never count."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.rule import Rule, ScopeKind, Tolerate
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.extremes import GOOD
from pytest_rollout.soundness.sample_sets import scoped
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import told, where


def remarks_on(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield remarks on a rule that tolerates all that it needs, or that has an idle limit."""
    if rule.tolerate is None:
        return
    yield from _nothing_but_failures(about, rule)
    yield from _row(about, rule.tolerate)
    yield from _total(about, rule.tolerate, _most(rule))


def _nothing_but_failures(about: About, rule: Rule) -> Iterator[Remark]:
    """Grave at a gate; a guardrail is quiet only until more is seen."""
    for alone in scoped(rule):
        part = extremes.at_fewest(alone)
        if part.verdict not in GOOD:
            continue
        verb = "is quiet" if about.watched else "can pass"
        within = where(rule, alone.scopes[0])
        remark = f"{verb}{within} with nothing but failures: {told(part.reason)}"
        least = extremes.fewest(alone, good=False)
        yield about.remark(remark, f"need: {least}", grave=not about.watched)


def _most(rule: Rule) -> int | None:
    """How many samples there are at most; None where any number may come."""
    lasts = [scope.last for scope in rule.scopes if scope.kind is ScopeKind.LAST]
    bounded = rule.per is None and len(lasts) == len(rule.scopes)
    return max(lasts) if bounded else None


def _row(about: About, limits: Tolerate) -> Iterator[Remark]:
    """A remark where no fewer are tolerated in a row than in all."""
    row, failures = limits.in_a_row, limits.failures
    if row is None or row < failures:
        return
    remark = (
        f"tolerates {row} in a row, a limit that never decides: more than {row} bad in a row are "
        f"more than {failures} in all"
    )
    fix = f"in_a_row: {failures - 1}, or leave it out" if failures else "leave it out"
    yield about.remark(remark, fix, grave=False)


def _total(about: About, limits: Tolerate, most: int | None) -> Iterator[Remark]:
    """A remark where the limit in a row decides before the one in all can."""
    row = limits.in_a_row
    if row is None or row >= limits.failures or (row and most is None):
        return
    bad = most - most // (row + 1) if most is not None and row else 0
    if limits.failures < bad or (limits.failures == bad and not bad):
        return
    of = f"{bad} of the last {most}" if bad else "none"
    remark = (
        f"tolerates {limits.failures} failures, a limit that never decides: with {row} in a row "
        f"at most, {of} can be bad"
    )
    fix = f"failures: {bad - 1}, or more in a row" if bad else "in_a_row: 1, or failures: 0"
    yield about.remark(remark, fix, grave=False)
