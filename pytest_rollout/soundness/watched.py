"""Remarks on guardrails that a watch can never see trip: they stay blind, however bad it is.

A watch asks a `check` once every `every`, and each answer is one sample of a group, unless the
check prints samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from pytest_rollout.model.plan import EMBEDDED, Guardrail
from pytest_rollout.model.rule import PerUnit, Rule, Scope, ScopeKind, duration_words
from pytest_rollout.report.fact_words import count
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.worlds import length_of


def remarks_on(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield why a guardrail that a watch asks for can never trip under it."""
    stated = about.stated
    if not isinstance(stated, Guardrail) or stated.check is None:
        return
    if not set(about.plan.environments) - {EMBEDDED}:
        return  # nobody watches a rehearsal
    if not stated.check.samples:  # which come as often as things happen
        yield from _too_seldom(about, rule)
    yield from _unasked_other(about, rule)


def _too_seldom(about: About, rule: Rule) -> Iterator[Remark]:
    """A scope, a bucket or a row that holds fewer looks than are needed."""
    every_us = about.phase.every_us
    every = duration_words(every_us)
    streak = rule.streak
    if streak is not None and streak.span_us and streak.gap_us < every_us:
        remark = (
            f"can never trip under a watch: it looks every {every}, and a gap of "
            f"{duration_words(streak.gap_us)} breaks the row"
        )
        yield about.remark(
            remark, f"gap: {duration_words(2 * every_us)}, or a shorter `every`", grave=False
        )
        return
    if rule.per is not None and rule.per.unit is PerUnit.SPAN:
        held, need = -(-rule.per.length_us // every_us), rule.need
        where = f"in each {rule.per.words}"
    else:
        holding = [(_held(about, scope), scope) for scope in rule.scopes]
        if any(held >= scope.need for held, scope in holding):
            return
        most, widest = max(holding, key=lambda pair: pair[0] / pair[1].need)
        held, need, where = int(most), widest.need, _where(widest)
    if held < need:
        remark = (
            f"can never trip under a watch: it needs {count(need, 'sample')} {where}, and looks "
            f"every {every} give {held}"
        )
        yield about.remark(remark, f"need: {max(1, held)}, or a shorter `every`", grave=False)


def _held(about: About, scope: Scope) -> float:
    """How many looks a scope holds at most."""
    every_us = about.phase.every_us
    if scope.kind is ScopeKind.SPAN:
        return -(-scope.span_us // every_us)
    if scope.kind is ScopeKind.SINCE:
        lasts = (scope.span_us or None, length_of(about.plan, about.phase))
        lengths = [length for length in lasts if length is not None]
        return min(lengths) // every_us + 1 if lengths else inf
    return inf


def _where(scope: Scope) -> str:
    return scope.words if scope.kind is ScopeKind.SPAN or scope.span_us else "in the phase"


def _unasked_other(about: About, rule: Rule) -> Iterator[Remark]:
    """The other side of a comparison that nothing asks for."""
    versus = rule.versus
    if versus is None or versus.fixed:
        return
    asked = {
        rule.metric
        for rail in about.phase.guardrails
        if rail.check is not None
        for rule in rail.rules
    }
    asked |= {
        criterion.rule.metric
        for criterion in about.phase.criteria
        if criterion.rule is not None and criterion.check is not None
    }
    if versus.metric not in asked:
        remark = (
            f"can never trip under a watch: nothing asks for {versus.metric}, with which it "
            "is compared, so tests alone can observe it"
        )
        yield about.remark(remark, f"a guardrail with a `check` of {versus.metric}", grave=False)
