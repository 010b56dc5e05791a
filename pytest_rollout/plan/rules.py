"""The rule keys of a criterion or guardrail."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.rule import (
    Bands,
    Cut,
    Each,
    Rule,
    Scope,
    ScopeKind,
    Take,
    Taking,
)
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.tree import Tree

_LATER = ("confidence", "versus", "in_a_row", "tolerate", "of", "per", "soak", "range")
_KEYS = ("take", "pass", "warn", "fail", "each", "over", "need", "where")


def read_rule(reader: Reader, *, guardrail: bool) -> Rule | None:
    """The rule that a mapping states; None where it states none or a broken one."""
    reader.later(*_LATER)
    metric = reader.word("metric")
    if metric is None and reader.has("check") and reader.has("pass"):
        metric = reader.word("id")  # the number that the check gives
    need = reader.whole("need") or 1
    where = reader.pairs("where")
    each = _each(reader)
    scopes = _scopes(reader, need, guardrail=guardrail)
    taking = _taking(reader)
    bands = _bands(reader, guardrail=guardrail)
    if metric is None:
        _stray(reader)
        return None
    if bands is None:
        return None
    _count_against_zero(reader, taking, bands)
    return Rule(metric, taking, bands, scopes, where, each)


def _stray(reader: Reader) -> None:
    """Rule keys without a series to judge."""
    stray = [key for key in _KEYS if reader.has(key)]
    if not stray:
        return
    lacks, fix = "metric", "name the series that tests observe"
    if reader.has("check"):
        lacks, fix = "pass", 'pass: ">= 1" judges the number that the check gives'
    names = ", ".join(f"`{key}`" for key in stray)
    reader.problem(reader.line_of(stray[0]), f"{reader.what}: {names} without `{lacks}`", fix)


def _each(reader: Reader) -> tuple[Each, ...]:
    tree = reader.tree("each")
    if tree is None:
        return ()
    if not isinstance(tree.value, Mapping):
        fix = f"each: {{{tree.text or 'label'}: [A, B]}}, or a count: {{{tree.text or 'label'}: 4}}"
        what = f"{reader.what}: `each` does not say which groups are expected"
        reader.problem(tree.line, what, fix)
        return ()
    if not tree.value:
        reader.problem(tree.line, f"{reader.what}: `each` names no label", "each: {lane: [A, B]}")
    return tuple(
        each
        for label, value in tree.value.items()
        if (each := _groups(reader, label, value)) is not None
    )


def _groups(reader: Reader, label: str, tree: Tree) -> Each | None:
    if isinstance(tree.value, list) and tree.value:
        names = reader.texts("each", tree.value)
        for name in sorted({name for name in names if names.count(name) > 1}):
            reader.problem(tree.line, f"{reader.what}: `each` states {label} {name} twice")
        return Each(label, names)
    if isinstance(tree.value, int) and not isinstance(tree.value, bool) and tree.value > 0:
        return Each(label, at_least=tree.value)
    if isinstance(tree.value, Mapping):
        reader.problem(tree.line, f"{reader.what}: `each` from another series is not judged yet")
        return None
    what = f"{reader.what}: `each` does not say which groups of `{label}` are expected"
    reader.problem(tree.line, what, f"each: {{{label}: [A, B]}}, or a count: {{{label}: 4}}")
    return None


def _scopes(reader: Reader, need: int, *, guardrail: bool) -> tuple[Scope, ...]:
    trees = reader.items("over")
    if not trees and reader.has("over"):
        what = f"{reader.what}: `over` has no scope"
        reader.problem(reader.line_of("over"), what, "over: [{span: 5m, need: 7}]")
    if not trees:
        kind = ScopeKind.SINCE if guardrail else ScopeKind.RUN
        return (Scope(kind, need),)
    scopes = (_scope(reader.reader(tree, f"{reader.what}: over"), need) for tree in trees)
    return tuple(scope for scope in scopes if scope is not None)


def _scope(reader: Reader, default_need: int) -> Scope | None:
    need = reader.whole("need") or default_need
    reader.later("until", "age", "nights", "days")
    span = reader.parsed("span", terms.duration_us)
    last = reader.whole("last")
    since = reader.word("since")
    reader.done()
    if since is not None and since != "begin":
        reader.problem(
            reader.line_of("since"), f"{reader.what}: unknown since `{since}`", "since: begin"
        )
        return None
    given = [key for key in ("span", "last", "since") if reader.has(key)]
    if len(given) != 1:
        reader.problem(reader.line, f"{reader.what}: a scope has one of `span`, `last` and `since`")
        return None
    if span is not None:
        return Scope(ScopeKind.SPAN, need, span_us=span)
    if last is not None:
        if need > last:
            reader.problem(reader.line, f"{reader.what}: needs {need} of the last {last}")
        return Scope(ScopeKind.LAST, need, last=last)
    return Scope(ScopeKind.SINCE, need) if since else None


def _taking(reader: Reader) -> Taking:
    default = Taking(Take.LAST, "last")
    tree = reader.tree("take")
    if tree is None:
        if reader.has("metric") and not reader.has("check"):
            reader.problem(reader.line, f"{reader.what}: `metric` without `take`", "take: max")
        return default
    if isinstance(tree.value, Mapping):
        inner = reader.reader(tree, f"{reader.what}: take")
        share = inner.parsed("share", terms.cut)
        if not inner.has("share"):
            inner.problem(tree.line, f"{inner.what}: no `share`", 'take: {share: "< 500"}')
        inner.done()
        if share is None:
            return default
        return Taking(Take.SHARE, f"share {share.text}", share_of=share)
    return reader.parsed("take", terms.taking) or default


def _bands(reader: Reader, *, guardrail: bool) -> Bands | None:
    passes = reader.parsed("pass", terms.cut)
    warn = reader.parsed("warn", terms.cut)
    fail = reader.parsed("fail", terms.cut)
    if guardrail:
        for key in ("pass", "warn"):
            if reader.has(key):
                reader.problem(
                    reader.line_of(key), f"{reader.what}: a guardrail only fails", "use `fail`"
                )
        if fail is None:
            if not reader.has("fail"):
                reader.problem(reader.line, f"{reader.what} has no `fail`")
            return None
        return Bands(passes=_opposite(fail), fail=fail)
    if passes is None:
        if reader.has("metric") and not reader.has("pass"):
            reader.problem(reader.line, f"{reader.what}: `metric` without `pass`", 'pass: "< 10"')
        return None
    _check_bands(reader, passes, warn, fail)
    return Bands(passes, warn, fail)


def _opposite(cut: Cut) -> Cut:
    operator = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[cut.operator]
    return Cut(operator, cut.limit, f"{operator} {cut.text.partition(' ')[2]}")


def _check_bands(reader: Reader, passes: Cut, warn: Cut | None, fail: Cut | None) -> None:
    """Warn lies inside pass on its harmful side, fail outside it; no value is two things."""
    if warn is not None and (warn.upward == passes.upward or not _overlap(passes, warn)):
        reader.problem(
            reader.line_of("warn"),
            f'{reader.what}: warn "{warn.text}" is not the worse part of pass "{passes.text}"',
        )
    if fail is None:
        return
    if fail.upward == passes.upward or _overlap(passes, fail):
        reader.problem(
            reader.line_of("fail"),
            f'{reader.what}: fail "{fail.text}" and pass "{passes.text}" overlap or face one way',
        )


def _overlap(one: Cut, other: Cut) -> bool:
    """Whether two cuts that face each other share a value."""
    low, high = (one, other) if one.upward else (other, one)
    if low.limit == high.limit:
        return low.operator == ">=" and high.operator == "<="
    return low.limit < high.limit


def _count_against_zero(reader: Reader, taking: Taking, bands: Bands) -> None:
    if taking.take is Take.COUNT and not bands.passes.upward:
        reader.problem(
            reader.line_of("take"),
            f"{reader.what}: a count of slots cannot show that something did not happen",
            "observe 0 or 1 for each opportunity and use `take: sum`",
        )
