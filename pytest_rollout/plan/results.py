"""`ingest`: what a criterion asks of a file that another tool left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_rollout.model.ingest import Ingest, ResultKind
from pytest_rollout.model.load import FAILED, LATENCY, SERVICE_TIME, THROUGHPUT
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.plan.load_checks import wrong_units
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys
from pytest_rollout.plan.spec.ingest_keys import IngestKeys

_NEED = {ResultKind.LOAD: 100, ResultKind.JUNIT: 1}
_SINGLE = re.compile(
    rf"{SERVICE_TIME}_(p[0-9]+(_[0-9]+)?|percentiles[1-4]|max|mean)|{THROUGHPUT}_mean"
)
_BESIDE = (CriterionKeys.check, CriterionKeys.of, CriterionKeys.rolls_up)
_FOLDING = (CriterionKeys.versus, CriterionKeys.per, CriterionKeys.in_a_row, CriterionKeys.soak)


def read_ingest(reader: Reader, rule: Rule | None) -> Ingest | None:
    """Return what a criterion asks of a file; None where it asks for none or states it wrongly."""
    tree = reader.get(CriterionKeys.ingest)
    if tree is None:
        return None
    inner = reader.inner(tree, IngestKeys, f"{reader.what}: ingest")
    load, junit = inner.get(IngestKeys.load), inner.get(IngestKeys.junit)
    cases, need = inner.get(IngestKeys.cases) or (), inner.get(IngestKeys.need)
    lasts, rate = inner.get(IngestKeys.lasts), inner.get(IngestKeys.rate)
    unit = inner.get(IngestKeys.unit) or ""
    inner.done()
    named = [name for name in (load, junit) if name is not None]
    if inner.is_mapping and len(named) != 1:
        stated = inner.has(IngestKeys.load) or inner.has(IngestKeys.junit)
        if len(named) > 1 or not stated:
            inner.say(inner.line, "it has one of `load` and `junit`", "load: checkout")
        return None
    if not named:
        return None
    kind = ResultKind.LOAD if load is not None else ResultKind.JUNIT
    asked = Ingest(kind, named[0], cases, need or _NEED[kind], lasts or 0, rate, unit)
    for problem, fix in _offences(inner, asked, rule):
        inner.say(inner.line, problem, fix)
    for key in (*_BESIDE, *(_FOLDING if rule is not None else ())):
        if reader.has(key):
            fix = "state it as another criterion"
            reader.say(reader.line_of(key), f"`{key.name}` with `ingest`", fix)
    return asked


def in_file(rule: Rule) -> Rule:
    """Return a rule that judges what a file holds."""
    scopes = (replace(scope, file=scope.kind is ScopeKind.RUN) for scope in rule.scopes)
    return replace(rule, scopes=tuple(scopes))


def _offences(inner: Reader, asked: Ingest, rule: Rule | None) -> Iterator[tuple[str, str]]:
    if asked.kind is ResultKind.JUNIT:
        if not asked.cases:
            yield "`junit` says which cases it asks for", 'cases: ["contract.*"]'
        for key in (IngestKeys.lasts, IngestKeys.rate, IngestKeys.unit):
            if inner.has(key):
                yield f"`{key.name}` is of a load", "leave it out"
        if rule is not None:
            yield "test cases hold no samples for a rule", "leave out `metric` and `pass`"
        return
    if not asked.lasts_us:
        yield "a file of a load does not say that it is whole", "lasts: 10m"
    if rule is None:
        if not asked.cases:
            yield "nothing is asked of the load", 'state a rule, or cases: ["*"]'
        return
    yield from _series(rule.metric)
    yield from wrong_units(rule)


def _series(metric: str) -> Iterator[tuple[str, str]]:
    if metric == LATENCY:
        problem = (
            f"`{LATENCY}` counts from the planned start, which files of other tools do not say"
        )
        yield problem, f"metric: {SERVICE_TIME}"
    elif metric not in (SERVICE_TIME, FAILED, THROUGHPUT) and not _SINGLE.fullmatch(metric):
        known = (SERVICE_TIME, FAILED, THROUGHPUT, f"{SERVICE_TIME}_p95", f"{THROUGHPUT}_mean")
        yield f"no file of a load holds the series `{metric:.60}`", nearest(metric, known)
