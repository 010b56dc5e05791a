"""Remarks on rules that reach further than a phase lasts, or than evidence may be old."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.plan import EMBEDDED, Guardrail
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind, duration_words
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.worlds import length_of

_DAY_US = 86_400_000_000


def too_short(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on a row or a soak that is longer than the phase."""
    lasts_us = length_of(about.plan, about.phase)
    streak = rule.streak
    if lasts_us is None or streak is None:
        return
    wants_us = streak.span_us or streak.n * _bucket_us(rule)
    if wants_us > lasts_us:
        remark = (
            f"wants {duration_words(wants_us)}, and the phase lasts "
            f"{duration_words(lasts_us)}: only what was seen before it can make up the rest"
        )
        yield about.remark(remark, "a shorter one, or a later phase that judges it", grave=False)


def stale(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on a scope whose older part is stale where evidence has a `max_age`."""
    if isinstance(about.stated, Guardrail):
        return
    own_us = about.stated.max_age_us
    if own_us is not None and _outlived(about, rule, EMBEDDED):
        yield _remark(about, rule, "", own_us)
    if own_us is not None:  # it takes the place of those of environments
        return
    for environment in about.plan.environments.values():
        age_us = environment.max_age_us
        if age_us is None or environment.embedded:
            continue
        if _outlived(about, rule, environment.name):
            yield _remark(about, rule, environment.name, age_us)


def _outlived(about: About, rule: Rule, environment: str) -> bool:
    return all(end.unsatisfiable for end in extremes.of_rule(about, rule, environment))


def _remark(about: About, rule: Rule, environment: str, age_us: int) -> Remark:
    age = duration_words(age_us)
    within = f" in {environment}" if environment else ""
    fix = "a longer max_age, or a shorter scope"
    if environment:
        fix = f"a max_age of its own, a longer one of {environment}, or a shorter scope"
    if all(scope.kind is ScopeKind.SINCE for scope in rule.scopes):
        remark = f"can pass{within} only in the first {age}: then what was seen first is stale"
        return about.remark(remark, fix, grave=False)
    if _bucket_us(rule):
        buckets = "buckets" if rule.per and rule.per.unit is PerUnit.SPAN else "days"
        remark = (
            f"can pass{within} only where one run reads all of its {buckets} from a history: "
            f"what earlier runs saw is stale after {age}"
        )
        return about.remark(remark, fix, grave=False)
    remark = (
        f"can never pass{within}: it reaches further back than max_age, {age}, so that a "
        "part of it is always stale"
    )
    return about.remark(remark, fix)


def _bucket_us(rule: Rule) -> int:
    """How long one judged bucket is; 0 where buckets are runs, or there are none."""
    if rule.per is None:
        return _DAY_US * (rule.scopes[0].kind in (ScopeKind.DAYS, ScopeKind.NIGHTS))
    return rule.per.length_us or _DAY_US * (rule.per.unit is not PerUnit.RUN)
