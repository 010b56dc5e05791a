"""Remarks on the two sides of comparisons: samples on both, and ratios to nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from pytest_rollout.judge.intervals import least
from pytest_rollout.model.rule import Rule, Take, Versus
from pytest_rollout.report.fact_words import count
from pytest_rollout.soundness import needs
from pytest_rollout.soundness.alarms import LEVEL
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import needing, percent

_RARE = (Take.RATE, Take.SHARE, Take.SUM)  # often zero, where bad things are counted
_BAD = Fraction(1, 100)  # the share of bad samples that such a ratio is reckoned with


def overlaps(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on sides that share samples, so that a difference between them shrinks.

    Not where both sides are the same: such a rule always says one thing, which is told of it.
    """
    versus = rule.versus
    if versus is None or versus.frozen or versus.release or versus.metric != rule.metric:
        return
    own, other = rule.where, versus.where
    split = {each.label for each in rule.each} & {*own, *other}
    apart = any(other.get(label, value) != value for label, value in own.items())
    if own == other or split or apart:
        return
    lacking, extra = set(other) - set(own), set(own) - set(other)
    if not extra:
        remark = f"its own side holds all of the other one, {_named(versus)}"
        yield about.remark(f"compares a whole with its part: {remark}", _own_fix(own, lacking))
    elif not lacking:
        remark = f"the other side, {_named(versus)}, holds all of its own ({_labels(own)})"
        yield about.remark(f"compares a part with the whole: {remark}", _other_fix(other, extra))
    else:
        both = _labels({**own, **other})
        fix = (
            f"state {' or '.join(f'`{label}`' for label in sorted(lacking | extra))} on both sides"
        )
        remark = f"counts a sample on both sides that has {both}: the difference shrinks by it"
        yield about.remark(remark, f"{fix}, with different values", grave=False)


def _own_fix(own: Mapping[str, str], lacking: set[str]) -> str:
    added = dict.fromkeys(sorted(lacking), "NEW")
    names = " and ".join(added)
    return f"where: {_flow({**own, **added})}, with the {names} that is judged"


def _other_fix(other: Mapping[str, str], lacking: set[str]) -> str:
    added = dict.fromkeys(sorted(lacking), "OLD")
    names = " and ".join(added)
    return f"versus: {{where: {_flow({**other, **added})}}}, with the {names} to compare with"


def _flow(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{label}: {value}" for label, value in labels.items()) + "}"


def _labels(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{label} {value}" for label, value in sorted(labels.items()))


def _named(versus: Versus) -> str:
    return (
        f"{versus.metric} ({_labels(versus.where)})" if versus.where else f"all of {versus.metric}"
    )


def ratios_to_nothing(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on a ratio of bad things, of which the other side may well have none."""
    versus = rule.versus
    if versus is None or not versus.ratio or rule.bands.passes.upward:
        return
    if rule.take.take not in _RARE:
        return
    need, scope = needs.of(rule)
    enough = least(lambda n: _none_bad(n) <= LEVEL)
    if enough is None or need >= enough:
        return
    state = "blind" if about.watched else "inconclusive"
    remark = (
        f"is {state} where the other side has nothing bad to divide by: with {percent(_BAD)} bad, "
        f"{count(need, 'sample')} have none with a chance of {percent(_none_bad(need))}"
    )
    fix = (
        f"compare the difference, or ask for {needing(rule, scope, enough)}, "
        f"which leaves a chance of {percent(LEVEL)}"
    )
    yield about.remark(remark, fix, grave=False)


def _none_bad(n: int) -> float:
    """The chance that none of ``n`` samples is bad."""
    return float(1 - _BAD) ** n
