"""The keys of a rule that look further than one value: rows, bounds, comparisons, groups."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pytest_rollout.model.plan import Severity
from pytest_rollout.model.rule import (
    PREVIOUS,
    Confidence,
    Group,
    Need,
    Per,
    Range,
    Rule,
    ScopeKind,
    Streak,
    Take,
    Taking,
    Tolerate,
    Versus,
)
from pytest_rollout.plan import terms
from pytest_rollout.plan.nightly import check_nightly, read_nightly
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.kinds import Choice
from pytest_rollout.plan.spec.rule_keys import (
    WHOLE,
    ConfidenceKeys,
    LastingKeys,
    RowKeys,
    RuleKeys,
    TolerateKeys,
    VersusKeys,
)
from pytest_rollout.plan.spec.values import LEVEL, NAMES
from pytest_rollout.plan.tree import Tree

_KINDS = ("difference", "ratio", "nightly", "kayenta")
_SHARES = (Take.RATE, Take.SHARE, Take.QUANTILE)


def read_streak(reader: Reader) -> Streak | None:
    """`in_a_row` or `soak`."""
    row, soak = reader.get(RuleKeys.in_a_row), reader.get(RuleKeys.soak)
    if row is not None and soak is not None:
        reader.problem(soak.line, f"{reader.what} has both `in_a_row` and `soak`", "keep one")
    if soak is not None:
        return _lasting(reader, soak, "soak")
    if row is None:
        return None
    if isinstance(row.value, Mapping):
        if LastingKeys.for_.name in row.value:
            return _lasting(reader, row, "in_a_row")
        inner = reader.inner(row, RowKeys, f"{reader.what}: in_a_row")
        n = inner.get(RowKeys.n)
        skip = inner.get(RowKeys.gaps)
        if skip not in (None, "skip", "break"):
            line = inner.line_of(RowKeys.gaps)
            inner.problem(line, f"{inner.what}: `gaps` is break or skip, not `{skip}`")
        inner.done()
        return Streak(n=n, skip=skip == "skip") if n else None
    n = reader.get_as(RuleKeys.in_a_row, WHOLE)
    return Streak(n=n) if n else None


def _lasting(reader: Reader, tree: Tree, key: str) -> Streak | None:
    inner = reader.inner(tree, LastingKeys, f"{reader.what}: {key}")
    span, gap = inner.get(LastingKeys.for_), inner.get(LastingKeys.gap)
    inner.done()
    if span is None or gap is None:
        return None
    if gap > span:
        inner.problem(tree.line, f"{inner.what}: the gap is longer than the whole")
    return Streak(span_us=span, gap_us=gap, soak=key == "soak")


def read_tolerate(reader: Reader) -> Tolerate | None:
    """`tolerate`: how many slots may be bad."""
    tree = reader.get(RuleKeys.tolerate)
    if tree is None:
        return None
    inner = reader.inner(tree, TolerateKeys, f"{reader.what}: tolerate")
    failures, row = inner.get(TolerateKeys.failures), inner.get(TolerateKeys.in_a_row)
    inner.done()
    return Tolerate(failures, row) if failures is not None else None


def read_versus(reader: Reader, metric: str | None, per: Per | None) -> Versus | None:
    """`versus`: the other side of a comparison; ``per`` says what a night is."""
    tree = reader.get(RuleKeys.versus)
    if tree is None:
        return None
    inner = reader.inner(tree, VersusKeys, f"{reader.what}: versus")
    other_metric = inner.get(VersusKeys.metric) or metric or ""
    where = inner.get(VersusKeys.where) or {}
    frozen = inner.get(VersusKeys.frozen)
    if frozen not in (None, "begin"):
        inner.say(inner.line_of(VersusKeys.frozen), f"unknown `{frozen}`", "frozen: begin")
    kind = inner.get(VersusKeys.as_)
    if kind not in _KINDS:
        line, words = inner.line_of(VersusKeys.as_), f"{', '.join(_KINDS[:-1])} or {_KINDS[-1]}"
        inner.problem(line, f"{inner.what}: `as` is {words}, not `{kind}`")
    release = inner.get(VersusKeys.release)
    if release == PREVIOUS and frozen is not None:
        problem = f"{inner.what}: `release: {PREVIOUS}` with `frozen`"
        fix = "leave `frozen` out: what was seen of that release changes no more"
        inner.problem(inner.line_of(VersusKeys.frozen), problem, fix)
    if isinstance(tree.value, Mapping) and not tree.value:
        fix = 'versus: {where: {version: "1.4"}}'
        inner.problem(tree.line, f"{inner.what} names no other side", fix)
    nightly = read_nightly(inner, per, nightly=kind == "nightly")
    inner.done()
    ratio, kayenta = kind in ("ratio", "nightly"), kind == "kayenta"
    return Versus(other_metric, where, frozen == "begin", ratio, release, kayenta, nightly)


def read_confidence(reader: Reader) -> Confidence | None:
    """`confidence`: 95%, or {level: 95%, windows: 500}."""
    tree = reader.get(RuleKeys.confidence)
    if tree is None:
        return None
    windows = None
    if isinstance(tree.value, Mapping):
        inner = reader.inner(tree, ConfidenceKeys, f"{reader.what}: confidence")
        level, windows = inner.get(ConfidenceKeys.level), inner.get(ConfidenceKeys.windows)
        inner.done()
    else:
        level = reader.get_as(RuleKeys.confidence, LEVEL)
    if level is None:
        return None
    return Confidence(1 - level, f"{terms.percent(level)} %", windows or 0)


def read_range(reader: Reader) -> Range | None:
    """`range`: the least and the greatest value that a series can have."""
    tree = reader.get(RuleKeys.range)
    if tree is None:
        return None
    trees = tree.value if isinstance(tree.value, list) else []
    numbers = [tree.value for tree in trees if isinstance(tree.value, (int, float))]
    if len(numbers) != 2 or len(trees) != 2 or not numbers[0] < numbers[1]:
        line = reader.line_of(RuleKeys.range)
        reader.problem(line, f"{reader.what}: `range` is no pair of numbers", "range: [0, 100]")
        return None
    return Range(Fraction(trees[0].text), Fraction(trees[1].text))


def check(reader: Reader, rule: Rule, *, guardrail: bool) -> None:
    """Offences of keys that do not go together, each with what to write instead."""
    if rule.nightly is not None:
        check_nightly(reader, rule, guardrail=guardrail)
        return
    if rule.confidence is not None:
        _check_confidence(reader, rule, guardrail=guardrail)
    elif rule.range is not None:
        reader.problem(
            reader.line_of(RuleKeys.range), f"{reader.what}: `range` without `confidence`"
        )
    if not rule.in_theorem:
        _check_kayenta(reader, rule, guardrail=guardrail)
    if rule.tolerate is not None and (rule.confidence or rule.versus):
        problem = f"{reader.what}: `tolerate` judges each sample by itself"
        reader.problem(
            reader.line_of(RuleKeys.tolerate), problem, "leave out `confidence` and `versus`"
        )
    if rule.tolerate is not None and rule.take.take in (Take.SHARE, Take.COUNT, Take.INCREASE):
        problem = (
            f"{reader.what}: `tolerate` judges each sample, which has no {rule.take.take.value}"
        )
        reader.problem(
            reader.line_of(RuleKeys.take), problem, 'say what one has to be: pass: "< 500"'
        )
    if rule.take.take is Take.INCREASE:
        _check_increase(reader, rule)
    if rule.take.take is Take.RATE and rule.unit:
        problem = f"{reader.what}: `unit: {rule.unit}` with `take: rate`"
        reader.problem(
            reader.line_of(RuleKeys.unit), problem, "a rate reads 0 or 1, so leave the unit out"
        )
    if rule.per is not None and any(scope.kind in _CLOSED for scope in rule.scopes):
        problem = f"{reader.what}: `per` with a scope of days, nights or age"
        reader.problem(
            reader.line_of(RuleKeys.per), problem, "over: [{last: 7}] counts what `per` closes"
        )
    if guardrail and any(scope.kind is ScopeKind.AGE for scope in rule.scopes):
        problem = f"{reader.what}: `age` reads one run, a guardrail watches all"
        reader.problem(
            reader.line_of(RuleKeys.over), problem, "observe each case when it is old enough"
        )


_CLOSED = (ScopeKind.DAYS, ScopeKind.NIGHTS, ScopeKind.AGE)


def _check_confidence(reader: Reader, rule: Rule, *, guardrail: bool) -> None:
    line = reader.line_of(RuleKeys.confidence)
    take, confidence = rule.take.take, rule.confidence
    assert confidence is not None
    moving = any(scope.kind not in (ScopeKind.SINCE, ScopeKind.RUN) for scope in rule.scopes)
    bounded = (*_SHARES, *(() if guardrail else (Take.MEAN,)))
    if take not in bounded:
        problem = f"{reader.what}: `take: {rule.take.text}` has no bound at a confidence"
        fix = 'take a rate, a share or a quantile: {share: "< 500"}, p95'
        reader.problem(line, problem, fix)
    elif take is Take.MEAN and rule.range is None and rule.versus is None:
        problem = f"{reader.what}: a mean has a bound where its values are bounded"
        reader.problem(line, problem, "state them, as range: [0, 100]")
    elif take is Take.QUANTILE and rule.versus is not None and rule.take.text != "p50":
        problem = f"{reader.what}: the difference of {rule.take.text} has no bound here"
        reader.problem(line, problem, "compare means, medians (p50), rates or shares")
    if guardrail and rule.versus is not None:
        problem = f"{reader.what}: a difference that is watched has no bound here"
        reader.problem(line, problem, "leave out `confidence`, or make it a criterion")
    if guardrail and moving and not confidence.windows:
        problem = f"{reader.what}: a moving window is looked at again and again"
        fix = "say how many windows the phase can hold: {level: 95%, windows: 500}"
        reader.problem(line, problem, fix)


def least_need(taking: Taking) -> int:
    """Return the fewest samples that a take says anything of."""
    return 2 if taking.take is Take.INCREASE else 1


def _check_increase(reader: Reader, rule: Rule) -> None:
    needs = [rule.need, *(scope.need for scope in rule.scopes if rule.per is None)]
    if min(needs) < least_need(rule.take):
        problem = f"{reader.what}: one sample of a counter shows no growth"
        line = reader.line_of(RuleKeys.need if reader.has(RuleKeys.need) else RuleKeys.over)
        reader.problem(line, problem, "need: 2, or more")
    if rule.versus is not None and rule.versus.ratio:
        problem = f"{reader.what}: `take: increase` with `versus: {{as: ratio}}`"
        fix = "compare the difference, or observe 0 or 1 of each case and take its rate"
        reader.problem(reader.line_of(RuleKeys.versus), problem, fix)


_ALONE: tuple[Key[Any], ...] = (
    *(RuleKeys.warn, RuleKeys.fail, RuleKeys.confidence),
    *(RuleKeys.per, RuleKeys.in_a_row, RuleKeys.soak),
)
_KAYENTA_LEAST = 5  # with fewer on each side even values that do not overlap are no shift


def _check_kayenta(reader: Reader, rule: Rule, *, guardrail: bool) -> None:
    """Kayenta's rule stands outside the theorem, so no answer may rest on it."""
    stated = f"{reader.what}: `versus: {{as: kayenta}}`"
    line = reader.line_of(RuleKeys.versus)
    if guardrail or reader.get(CriterionKeys.severity) is Severity.HARD:
        fix = "severity: soft, on a criterion; to decide by it, use `as: ratio` and `confidence`"
        reader.problem(line, f"{stated} is outside the theorem, so no answer may rest on it", fix)
    if rule.take.take is not Take.MEAN:
        reader.problem(line, f"{stated} has the ratio of means as its effect size", "take: mean")
    if min((scope.need for scope in rule.scopes), default=0) < _KAYENTA_LEAST:
        fix = f"need: {_KAYENTA_LEAST}, better 50"
        reader.problem(line, f"{stated} finds nothing in fewer than 5 samples a side", fix)
    for key in _ALONE:
        if reader.has(key) and not guardrail:
            reader.problem(
                reader.line_of(key), f"{stated} with `{key.name}`", "it has `pass` alone"
            )


def read_group(reader: Reader) -> Group | None:
    """`of`: a criterion that is made of others."""
    tree = reader.get(CriterionKeys.of)
    key = reader.get(CriterionKeys.key) or ()
    if tree is None:
        if reader.has(CriterionKeys.key):
            reader.say(reader.line_of(CriterionKeys.key), "`key` without `of`")
        return None
    members = _members(reader, tree)
    need = reader.get_as(CriterionKeys.need, Choice(Need)) or Need.ALL
    for name in sorted(set(key) - {member for member, _ in members}):
        reader.say(reader.line_of(CriterionKeys.key), f"key member `{name}` is not in `of`")
    return Group(members, need, key)


def _members(reader: Reader, tree: Tree) -> tuple[tuple[str, Fraction], ...]:
    if isinstance(tree.value, Mapping):
        members = []
        for name, weight in tree.value.items():
            number = weight.value
            if isinstance(number, bool) or not isinstance(number, (int, float)) or number <= 0:
                reader.problem(weight.line, f"{reader.what}: `of`: {name} has no weight above 0")
            else:
                members.append((name, Fraction(weight.text)))
        return tuple(members)
    words = reader.get_as(CriterionKeys.of, NAMES) or ()
    for name in sorted({name for name in words if words.count(name) > 1}):
        reader.problem(tree.line, f"{reader.what}: `of` states {name} twice")
    return tuple((name, Fraction(1)) for name in dict.fromkeys(words))


def read_per(reader: Reader) -> Per | None:
    """`per`: what closes a bucket that is judged as one."""
    return reader.get(RuleKeys.per)
