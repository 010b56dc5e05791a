"""A rule as the plan states it, in words for people who do not read plans."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.rule import Each, Group, Need, Rule, ScopeKind, Tolerate, Versus


def rule_words(rule: Rule, *, guardrail: bool = False) -> str:
    """``max of queue_depth, in this run, must be < 10, on at least 12 samples``."""
    return ", ".join(_clauses(rule, guardrail=guardrail))


def group_words(group: Group) -> str:
    """``a score of a (weight 2) and b, >= 80 of 100; a must not fail``."""
    names = " and ".join(
        f"{name} (weight {float(weight):g})" if weight != 1 else name
        for name, weight in group.members
    )
    if group.need is not Need.SCORE or group.bands is None:
        return f"{group.need.value} of {names}"
    key = f"; {' and '.join(group.key)} must not fail" if group.key else ""
    return f"a score of {names}, {group.bands.passes.text} of 100{key}"


def _clauses(rule: Rule, *, guardrail: bool) -> Iterator[str]:
    where = ", ".join(f"{label} {value}" for label, value in rule.where.items())
    yield _taken(rule) + (f" where {where}" if where else "")
    if rule.versus is not None:
        yield _versus(rule.versus)
    if rule.each:
        yield "for " + "; ".join(map(_each, rule.each))
    if rule.per is not None:
        yield f"of each {rule.per.value} by itself"
    if rule.per is None or any(one.kind is not ScopeKind.RUN for one in rule.scopes):
        unit = f" {rule.per.value}s" if rule.per else ""
        yield " or ".join(one.words + unit for one in rule.scopes)
    yield from _cuts(rule, guardrail=guardrail)
    if rule.tolerate is not None:
        yield _tolerated(rule.tolerate)
    if rule.streak is not None:
        yield rule.streak.words
    if rule.confidence is not None:
        yield f"with {rule.confidence.text} confidence"
    need = rule.need if rule.per else max(scope.need for scope in rule.scopes)
    of = f" of each {rule.per.value}" if rule.per else ""
    yield f"on at least {need} sample{'s' * (need > 1)}{of}"


def _taken(rule: Rule) -> str:
    return rule.metric if rule.tolerate else f"{rule.take.text} of {rule.metric}"


def _tolerated(tolerate: Tolerate) -> str:
    row = f", {tolerate.in_a_row} in a row" if tolerate.in_a_row is not None else ""
    return f"up to {tolerate.failures} bad ones are tolerated{row}"


def _versus(versus: Versus) -> str:
    where = ", ".join(f"{label} {value}" for label, value in versus.where.items())
    other = " where ".join(filter(None, (versus.metric, where)))
    how = "as a multiple of" if versus.ratio or versus.kayenta else "less"
    when = " before the phase began" * versus.frozen
    when += f" in accepted runs of release {versus.release}" if versus.release else ""
    by = ", by Kayenta's rule (outside the theorem)" * versus.kayenta
    return f"{how} that of {other}{when}{by}"


def _each(each: Each) -> str:
    if each.source:
        return f"each {each.label} that {each.source} has (at least {each.at_least})"
    return f"each {each.label} ({', '.join(each.names) or f'at least {each.at_least}'})"


def _cuts(rule: Rule, *, guardrail: bool) -> Iterator[str]:
    bands = rule.bands
    if guardrail and bands.fail is not None:
        yield f"must never be {bands.fail.text}"
        return
    yield f"must be {bands.passes.text}"
    if bands.warn:
        yield f"a warning at {bands.warn.text}"
    if bands.fail:
        yield f"a breach at {bands.fail.text}"
