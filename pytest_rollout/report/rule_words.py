"""A rule as the plan states it, in words for people who do not read plans."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.rule import (
    Cut,
    Each,
    Group,
    Need,
    Nightly,
    Rule,
    ScopeKind,
    Take,
    Tolerate,
    Versus,
)
from pytest_rollout.report.fact_words import buckets

_SIDES = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}
_TAKEN = {
    Take.COUNT: "the number of samples",
    Take.SUM: "the sum",
    Take.MEAN: "the mean",
    Take.MIN: "the smallest",
    Take.MAX: "the largest",
    Take.LAST: "the last",
    Take.RATE: "the rate",
    Take.INCREASE: "the growth",
}


def rule_words(rule: Rule, *, guardrail: bool = False) -> str:
    """``the largest of queue_depth, in this run, must be below 10; at least 12 samples``."""
    return ", ".join(_clauses(rule, guardrail=guardrail)) + "; " + _samples(rule)


def group_words(group: Group) -> str:
    """``a score of a (weight 2) and b must be at least 80 of 100; a must not fail``."""
    names = " and ".join(
        f"{name} (weight {float(weight):g})" if group.bands else name
        for name, weight in group.members
    )
    if group.need is not Need.SCORE or group.bands is None:
        return f"{group.need.value} of {names} must pass"
    key = f"; {' and '.join(group.key)} must not fail" if group.key else ""
    return f"a score of {names} must be {cut_words(group.bands.passes)} of 100{key}"


def cut_words(cut: Cut) -> str:
    """``at least 0.95``, ``below 500ms``."""
    return f"{_SIDES[cut.operator]} {cut.text.partition(' ')[2] or cut.text}"


def _clauses(rule: Rule, *, guardrail: bool) -> Iterator[str]:
    where = ", ".join(f"{label} {value}" for label, value in rule.where.items())
    yield _taken(rule) + (f" (only {where})" if where else "")
    if rule.versus is not None:
        yield _versus(rule.versus)
    if rule.each:
        yield "for " + "; ".join(map(_each, rule.each))
    if rule.per is not None:
        yield f"of each {rule.per.words} by itself"
    unit = f" {rule.per.plural}" if rule.per else ""
    if rule.nightly is None and (
        rule.per is None or any(scope.kind is not ScopeKind.RUN for scope in rule.scopes)
    ):
        yield " or, with too few there, ".join(scope.words + unit for scope in rule.scopes)
    yield from _cuts(rule, guardrail=guardrail)
    if rule.tolerate is not None:
        yield _tolerated(rule.tolerate)
    if rule.streak is not None:
        n = rule.streak.n
        yield f"{n}{unit} in a row" if n else rule.streak.words
    if rule.confidence is not None:
        wrong = f"{float(1 / rule.confidence.level):.3g}"
        mistake = "a false alarm" if guardrail else "a false pass"
        yield f"with {rule.confidence.text} confidence ({mistake} at most 1 time in {wrong})"


def _samples(rule: Rule) -> str:
    need = rule.need if rule.per else max(scope.need for scope in rule.scopes)
    of = f" of each {rule.per.words}" if rule.per else ""
    of_each = " of each" if rule.each and not rule.per else ""
    return f"it takes at least {need} sample{'s' * (need > 1)}{of}{of_each}"


def _taken(rule: Rule) -> str:
    taking = rule.take
    if rule.tolerate is not None:
        return f"every sample of {rule.metric}"
    if taking.share_of is not None:
        return f"the share of {rule.metric} that is {cut_words(taking.share_of)}"
    if taking.quantile is None:
        gloss = " (the share that is 1)" if taking.take is Take.RATE else ""
        return f"{_TAKEN[taking.take]} of {rule.metric}{gloss}"
    below = float(taking.quantile * 100)
    gloss = "half of them are no larger" if below == 50 else f"{below:g} % of them are no larger"
    return f"the {taking.text} of {rule.metric} ({gloss})"


def _tolerated(tolerate: Tolerate) -> str:
    row = f", {tolerate.in_a_row} in a row" if tolerate.in_a_row is not None else ""
    return f"up to {tolerate.failures} bad ones are tolerated{row}"


def _versus(versus: Versus) -> str:
    where = ", ".join(f"{label} {value}" for label, value in versus.where.items())
    other = versus.metric + (f" (only {where})" if where else "")
    if versus.nightly is not None:
        return _nights(versus, versus.nightly)
    how = "as a multiple of" if versus.ratio or versus.kayenta else "less"
    when = " before the phase began" * versus.frozen
    when += f" in accepted runs of release {versus.release}" if versus.release else ""
    by = ", by Kayenta's rule (outside the theorem)" * versus.kayenta
    return f"{how} that of {other}{when}{by}"


def _nights(versus: Versus, nightly: Nightly) -> str:
    per, confirm = buckets(nightly.per.words, 1), nightly.confirm
    added = f", the latest {nightly.latest} added up" if nightly.latest > 1 else ""
    runs = f", confirmed by {confirm} more run{'s' * (confirm > 1)} of the {per}" if confirm else ""
    alarms = f"{float(nightly.alarms):g}"
    return (
        f"of each {per} as a multiple of that of the first {nightly.baseline} {nightly.per.plural} "
        f"of release {versus.release}{added}; worse is a breach{runs}, with at most {alarms} false "
        "alarms a year"
    )


def _each(each: Each) -> str:
    if each.source:
        return f"each {each.label} that {each.source} has (at least {each.at_least})"
    return f"each {each.label} ({', '.join(each.names) or f'at least {each.at_least}'})"


def _cuts(rule: Rule, *, guardrail: bool) -> Iterator[str]:
    bands = rule.bands
    if guardrail and bands.fail is not None:
        yield f"must never be {cut_words(bands.fail)}"
        return
    yield f"must be {cut_words(bands.passes)}"
    if bands.warn:
        yield f"a warning when {cut_words(bands.warn)}"
    if bands.fail:
        yield f"a breach when {cut_words(bands.fail)}"
