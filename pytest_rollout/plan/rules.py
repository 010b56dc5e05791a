"""The rule keys of a criterion or guardrail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from pytest_rollout.model.rule import (
    Bands,
    Cut,
    Each,
    Group,
    Need,
    Rule,
    Scope,
    ScopeKind,
    Streak,
    Take,
    Taking,
)
from pytest_rollout.plan import conditions
from pytest_rollout.plan.cuts import SCORE, Scale, cut, scale_of
from pytest_rollout.plan.nightly import USUAL_CONFIDENCE
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.rule_keys import WHOLE, RuleKeys, ScopeKeys, ShareKeys, SourceKeys
from pytest_rollout.plan.spec.values import TAKE
from pytest_rollout.plan.tree import Tree

_KEYS: tuple[Key[Any], ...] = (
    *(RuleKeys.take, RuleKeys.pass_, RuleKeys.warn, RuleKeys.fail, RuleKeys.each, RuleKeys.over),
    *(RuleKeys.need, RuleKeys.where, RuleKeys.per, RuleKeys.range, RuleKeys.confidence),
    *(RuleKeys.versus, RuleKeys.in_a_row, RuleKeys.soak, RuleKeys.tolerate, RuleKeys.unit),
)
_SERIES: tuple[Key[Any], ...] = (RuleKeys.metric, RuleKeys.take)
_JUDGES = (RuleKeys.take, RuleKeys.pass_, RuleKeys.warn, RuleKeys.fail, RuleKeys.need)
_NO_BANDS = Bands(Cut(">=", Fraction(0), ""))
_STRAY = tuple(key for key in _KEYS if key not in _JUDGES)


def read_rule(reader: Reader, *, guardrail: bool) -> Rule | None:
    """The rule that a mapping states; None where it states none or a broken one."""
    metric = reader.get(RuleKeys.metric)
    judged = RuleKeys.fail if guardrail else RuleKeys.pass_
    if metric is None and asks(reader) and reader.has(judged):
        metric = reader.get(CriterionKeys.id)  # the number that the check gives
    in_unit = reader.get(RuleKeys.unit) or ""
    taking = _taking(reader, in_unit)
    need = reader.get_as(RuleKeys.need, WHOLE) or conditions.least_need(taking)
    per = conditions.read_per(reader)
    streak = conditions.read_streak(reader)
    default = Scope(ScopeKind.RUN, 1) if per else _default_scope(need, streak, guardrail=guardrail)
    scopes = _scopes(reader, default)
    where = reader.get(RuleKeys.where)
    versus = conditions.read_versus(reader, metric, per)
    confidence = conditions.read_confidence(reader)
    if versus is not None and versus.nightly is not None:  # it knows its nights by itself
        per, confidence = None, confidence or USUAL_CONFIDENCE
        versus = replace(versus, where=versus.where or where or {})
    bands = _bands(reader, scale_of(taking, in_unit, versus), guardrail=guardrail)
    rule = Rule(
        metric=metric or "",
        take=taking,
        bands=bands or _NO_BANDS,
        scopes=scopes,
        where=where or {},
        each=_each(reader),
        per=per,
        need=need,
        streak=streak,
        tolerate=conditions.read_tolerate(reader),
        versus=versus,
        confidence=confidence,
        range=conditions.read_range(reader),
        unit=in_unit,
    )
    if metric is None:
        _stray(reader)
    if metric is None or bands is None:
        return None
    _count_against_zero(reader, taking, bands)
    conditions.check(reader, rule, guardrail=guardrail)
    return rule


def asks(reader: Reader) -> bool:
    """Return whether the mapping states a check; parts of guardrails cannot."""
    return reader.states(CriterionKeys.check)


def read_score(reader: Reader, group: Group) -> Group:
    """A group with the cuts on its score; other keys of a rule are offences."""
    stray = [key for key in (*_SERIES, *_STRAY) if reader.tree(key) is not None]
    if stray:
        problem = f"{reader.what}: `{stray[0].name}` with `of`"
        reader.problem(reader.line_of(stray[0]), problem, "a group reads its members, no series")
        return group
    bands = _bands(reader, SCORE, guardrail=False)
    if group.need is Need.SCORE and bands is None and not reader.has(RuleKeys.pass_):
        reader.problem(reader.line, f"{reader.what}: a score without `pass`", 'pass: ">= 80"')
    if group.need is not Need.SCORE and bands is not None:
        reader.say(reader.line_of(RuleKeys.pass_), "cuts are of `need: score`")
    return replace(group, bands=bands)


def _stray(reader: Reader) -> None:
    """Rule keys without a series to judge."""
    stray = [key for key in _KEYS if reader.has(key)]
    if not stray:
        return
    lacks, fix = "metric", "name the series that tests observe"
    if asks(reader):
        lacks, fix = "pass", 'pass: ">= 1" judges the number that the check gives'
    names = ", ".join(f"`{key.name}`" for key in stray)
    reader.problem(reader.line_of(stray[0]), f"{reader.what}: {names} without `{lacks}`", fix)


def _each(reader: Reader) -> tuple[Each, ...]:
    tree = reader.tree(RuleKeys.each)
    if tree is None:
        return ()
    if not isinstance(tree.value, Mapping):
        fix = f"each: {{{tree.text or 'label'}: [A, B]}}, or a count: {{{tree.text or 'label'}: 4}}"
        problem = f"{reader.what}: `each` does not say which groups are expected"
        reader.problem(tree.line, problem, fix)
        return ()
    if not tree.value:
        reader.problem(tree.line, f"{reader.what}: `each` names no label", "each: {lane: [A, B]}")
    return tuple(
        group
        for label, value in tree.value.items()
        if (group := _groups(reader, label, value)) is not None
    )


def _groups(reader: Reader, label: str, tree: Tree) -> Each | None:
    if isinstance(tree.value, list) and tree.value:
        names = reader.names(RuleKeys.each, tree.value)
        for name in sorted({name for name in names if names.count(name) > 1}):
            reader.problem(tree.line, f"{reader.what}: `each` states {label} {name} twice")
        return Each(label, names)
    if isinstance(tree.value, int) and not isinstance(tree.value, bool) and tree.value > 0:
        return Each(label, at_least=tree.value)
    if isinstance(tree.value, Mapping):
        inner = reader.inner(tree, SourceKeys, f"{reader.what}: each {label}")
        source, at_least = inner.get(SourceKeys.from_), inner.get(SourceKeys.at_least)
        if source is None or at_least is None:
            fix = f"each: {{{label}: {{from: SERIES, at_least: 1}}}}"
            inner.problem(tree.line, f"{inner.what} has no `from` or no `at_least`", fix)
        inner.done()
        return Each(label, at_least=at_least, source=source) if source and at_least else None
    problem = f"{reader.what}: `each` does not say which groups of `{label}` are expected"
    reader.problem(tree.line, problem, f"each: {{{label}: [A, B]}}, or a count: {{{label}: 4}}")
    return None


def _default_scope(need: int, streak: Streak | None, *, guardrail: bool) -> Scope:
    """Without `over`: looks in a row are at one sample each, a guardrail watches the phase."""
    if streak is not None:
        return Scope(ScopeKind.LAST, need, last=max(1, need))
    return Scope(ScopeKind.SINCE if guardrail else ScopeKind.RUN, need)


def _scopes(reader: Reader, default: Scope) -> tuple[Scope, ...]:
    trees = reader.get(RuleKeys.over) or ()
    if not trees and reader.has(RuleKeys.over):
        problem = f"{reader.what}: `over` has no scope"
        reader.problem(reader.line_of(RuleKeys.over), problem, "over: [{span: 5m, need: 7}]")
    if not trees:
        return (default,)
    need = default.need
    inners = (reader.inner(tree, ScopeKeys, f"{reader.what}: over") for tree in trees)
    scopes = (_scope(inner, need) for inner in inners)
    return tuple(scope for scope in scopes if scope is not None)


_COUNTS = (ScopeKeys.last, ScopeKeys.days, ScopeKeys.nights)
_SCOPES: tuple[Key[Any], ...] = (
    *(ScopeKeys.span, ScopeKeys.last, ScopeKeys.since),
    *(ScopeKeys.age, ScopeKeys.days, ScopeKeys.nights),
)


def _scope(reader: Reader, default_need: int) -> Scope | None:
    need = reader.get(ScopeKeys.need) or default_need
    span, age = reader.get(ScopeKeys.span), reader.get(ScopeKeys.age)
    counts = {key.name: reader.get(key) for key in _COUNTS}
    since, until = reader.get(ScopeKeys.since), reader.get(ScopeKeys.until)
    reader.done()
    given = [key.name for key in _SCOPES if reader.has(key)]
    if len(given) != 1:
        known = ", ".join(f"`{key.name}`" for key in _SCOPES)
        reader.problem(reader.line, f"{reader.what}: a scope has one of {known}")
        return None
    if reader.has(ScopeKeys.until) and given != ["since"]:
        reader.say(reader.line_of(ScopeKeys.until), "`until` goes with `since: begin`")
    kind, count = ScopeKind(given[0]), counts.get(given[0])
    if kind is ScopeKind.SINCE:
        if since != "begin":
            problem = f"{reader.what}: unknown since `{since}`"
            reader.problem(reader.line_of(ScopeKeys.since), problem, "since: begin")
            return None
        return Scope(kind, need, span_us=until or 0)
    if kind in (ScopeKind.SPAN, ScopeKind.AGE):
        length = span or age
        return Scope(kind, need, span_us=length) if length else None
    if count is None:
        return None
    if kind is ScopeKind.LAST and need > count:
        reader.problem(reader.line, f"{reader.what}: needs {need} of the last {count}")
    return Scope(kind, need, last=count)


def _taking(reader: Reader, in_unit: str) -> Taking:
    default = Taking(Take.LAST, "last")
    tree = reader.get(RuleKeys.take)
    if tree is None:
        if reader.has(RuleKeys.metric) and not asks(reader):
            reader.problem(reader.line, f"{reader.what}: `metric` without `take`", "take: max")
        return default
    if isinstance(tree.value, Mapping):
        inner = reader.inner(tree, ShareKeys, f"{reader.what}: take")
        scale = scale_of(default, in_unit, None)
        share = inner.parsed(ShareKeys.share, lambda text: cut(text, scale))
        inner.done()
        if share is None:
            return default
        return Taking(Take.SHARE, f"share {share.text}", share_of=share)
    return reader.get_as(RuleKeys.take, TAKE) or default


def _bands(reader: Reader, scale: Scale, *, guardrail: bool) -> Bands | None:
    keys = (RuleKeys.pass_, RuleKeys.warn, RuleKeys.fail)
    passes, warn, fail = (reader.parsed(key, lambda text: cut(text, scale)) for key in keys)
    if guardrail:
        if fail is None:
            if not reader.has(RuleKeys.fail):
                reader.problem(reader.line, f"{reader.what} has no `fail`")
            return None
        return Bands(passes=fail.opposite, fail=fail)
    if passes is None:
        if reader.has(RuleKeys.metric) and not reader.has(RuleKeys.pass_):
            reader.problem(reader.line, f"{reader.what}: `metric` without `pass`", 'pass: "< 10"')
        return None
    _check_bands(reader, passes, warn, fail)
    return Bands(passes, warn, fail)


def _check_bands(reader: Reader, passes: Cut, warn: Cut | None, fail: Cut | None) -> None:
    """Warn lies inside pass on its harmful side, fail outside it; no value is two things."""
    if warn is not None and (warn.upward == passes.upward or not _overlap(passes, warn)):
        reader.problem(
            reader.line_of(RuleKeys.warn),
            f'{reader.what}: warn "{warn.text}" is not the worse part of pass "{passes.text}"',
        )
    if fail is None:
        return
    if fail.upward == passes.upward or _overlap(passes, fail):
        reader.problem(
            reader.line_of(RuleKeys.fail),
            f'{reader.what}: fail "{fail.text}" and pass "{passes.text}" overlap or face one way',
        )


def _overlap(left: Cut, right: Cut) -> bool:
    """Whether two cuts that face each other share a value."""
    low, high = (left, right) if left.upward else (right, left)
    if low.limit == high.limit:
        return low.operator == ">=" and high.operator == "<="
    return low.limit < high.limit


def _count_against_zero(reader: Reader, taking: Taking, bands: Bands) -> None:
    if taking.take is Take.COUNT and not bands.passes.upward:
        reader.problem(
            reader.line_of(RuleKeys.take),
            f"{reader.what}: a count of slots cannot show that something did not happen",
            "observe 0 or 1 for each opportunity and use `take: sum`",
        )
