"""`versus: {release: …, as: nightly}`: a night against the first nights of a pinned release."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from pytest_rollout.model.rule import PREVIOUS, Confidence, Nightly, Per, PerUnit, Rule, Take
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.rule_keys import RuleKeys, VersusKeys

USUAL_CONFIDENCE = Confidence(Fraction(1, 20), "95 %")
MOST_CONFIRM = 3  # runs of a night beyond its first
_LEAST_NIGHTS = 5
_MOST_NIGHTS = 400
_MOST_LATEST = 10
_OWN = (VersusKeys.baseline, VersusKeys.latest, VersusKeys.confirm, VersusKeys.alarms)
_NOT_WITH: tuple[Key[Any], ...] = (
    *(RuleKeys.warn, RuleKeys.fail, RuleKeys.over, RuleKeys.tolerate),
    *(RuleKeys.in_a_row, RuleKeys.soak, RuleKeys.range),
)
_NO_LOGARITHM = (Take.COUNT, Take.RATE, Take.SHARE)


def read_nightly(inner: Reader, per: Per | None, *, nightly: bool) -> Nightly | None:
    """Return how nights are compared; its keys are offences in any other comparison."""
    baseline, latest = inner.get(VersusKeys.baseline), inner.get(VersusKeys.latest)
    confirm, alarms = inner.get(VersusKeys.confirm), inner.get(VersusKeys.alarms)
    if not nightly:
        for key in _OWN:
            if inner.has(key):
                inner.say(inner.line_of(key), f"`{key.name}` goes with `as: nightly`")
        return None
    usual = Nightly()
    read = Nightly(
        usual.baseline if baseline is None else baseline,
        usual.latest if latest is None else latest,
        usual.confirm if confirm is None else confirm,
        usual.alarms if alarms is None else alarms,
        per or usual.per,
    )
    _within(inner, VersusKeys.baseline, read.baseline, _LEAST_NIGHTS, _MOST_NIGHTS)
    _within(inner, VersusKeys.latest, read.latest, 1, _MOST_LATEST)
    _within(inner, VersusKeys.confirm, read.confirm, 0, MOST_CONFIRM)
    return read


def _within(inner: Reader, key: Key[Any], number: int, least: int, most: int) -> None:
    if not least <= number <= most:
        inner.say(inner.line_of(key), f"`{key.name}` is {least} to {most}, not {number}")


def check_nightly(reader: Reader, rule: Rule, *, guardrail: bool) -> None:
    """Note what does not go with nights that are compared, each with what to write instead."""
    stated, line = f"{reader.what}: `versus: {{as: nightly}}`", reader.line_of(RuleKeys.versus)
    versus, nightly = rule.versus, rule.nightly
    assert versus is not None
    assert nightly is not None
    if guardrail:
        reader.problem(line, f"{stated} in a guardrail", "make it a criterion of the phase")
        return
    if versus.release in (None, PREVIOUS):
        fix = 'name one that was accepted, as release: "1.4": it stays until the plan changes'
        reader.problem(line, f"{stated} compares with a pinned release", fix)
    for key in (VersusKeys.frozen, VersusKeys.metric):
        if versus.frozen if key is VersusKeys.frozen else versus.metric != rule.metric:
            reader.problem(line, f"{stated} with `{key.name}`", "it reads its own metric")
    for stray in _NOT_WITH:
        if reader.has(stray):
            fix = "`pass` is the margin, and what is surely worse fails"
            reader.problem(reader.line_of(stray), f"{stated} with `{stray.name}`", fix)
    if rule.take.take in _NO_LOGARITHM:
        fix = "take a quantile, a mean or a sum; rates go with `versus: {release: …}`"
        reader.problem(reader.line_of(RuleKeys.take), f"{stated} with `{rule.take.text}`", fix)
    if nightly.per.unit is PerUnit.RUN:
        fix = "leave it out: runs of one night belong together"
        reader.problem(reader.line_of(RuleKeys.per), f"{stated} with `per: run`", fix)
    _check_margin(reader, rule, stated)


def _check_margin(reader: Reader, rule: Rule, stated: str) -> None:
    limit, line = rule.bands.passes.limit, reader.line_of(RuleKeys.pass_)
    if rule.bands.passes.upward and not 0 < limit < 1:
        reader.problem(line, f"{stated}: the margin lies below 1", 'pass: ">= 0.87"')
    elif not rule.bands.passes.upward and not limit > 1:
        reader.problem(line, f"{stated}: the margin lies above 1", 'pass: "<= 1.15"')
