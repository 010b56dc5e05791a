"""Remarks on nights that are compared: how often such a rule is wrong, and how soon it is right."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from pytest_rollout.judge.nightly import Baseline, findable, found, narrowest, nights_to_find
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.rule import Each, Nightly, Rule
from pytest_rollout.report.fact_words import buckets
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import percent

SUPPOSED = 0.03  # the noise from night to night (of logarithms), where nothing was measured
SIZES = (5, 8, 15)  # percent worse
_ASKED = 60  # nights that are tried


def remarks_on(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield the errors of a nightly rule at a supposed noise, and a margin that is too narrow."""
    nightly = rule.nightly
    assert nightly is not None
    base = supposed(nightly)
    yield about.remark(f"{_alarms(rule, nightly)}; {finds(nightly, base)}", grave=False)
    narrow = _narrow(rule, nightly, base)
    if narrow:
        yield about.remark(*narrow, grave=False)


def supposed(nightly: Nightly, noise: float = SUPPOSED) -> Baseline:
    """Return pinned nights of a supposed noise, and none of it common to the runs of a night."""
    return Baseline(nightly.baseline, 0.0, noise)


def _alarms(rule: Rule, nightly: Nightly) -> str:
    alarms, groups = nightly.alarms, _groups(rule.each)
    per = _many(nightly, 1)
    years = f", once in {decimal(Fraction(round(10 / alarms), 10))} years" if alarms < 1 else ""
    of_each = f", for each of {groups} groups" if groups > 1 else ""
    return (
        f"fails a healthy {per} at most {decimal(alarms)} times a year{years}, "
        f"with one load a {per}{of_each}"
    )


def _many(nightly: Nightly, n: int) -> str:
    return buckets(nightly.per.words, n)


def _groups(each: tuple[Each, ...]) -> int:
    return math.prod(max(len(group.names), group.at_least) for group in each)


def finds(nightly: Nightly, base: Baseline) -> str:
    """Return in words how often, and within how many nights, some sizes are found."""
    per, many = _many(nightly, 1), f"{nightly.latest} {_many(nightly, nightly.latest)}"
    least = percent(math.expm1(findable(nightly, base)))
    sizes = "; ".join(_size(nightly, base, size) for size in SIZES)
    return (
        f"with a noise of {percent(math.expm1(base.noise))} from {per} to {per} it finds {least} "
        f"worse within {many} 9 times in 10 ({sizes})"
    )


def _size(nightly: Nightly, base: Baseline, size: int) -> str:
    shift = math.log1p(size / 100)
    share = percent(min(0.999, found(nightly, base, shift, nightly.latest)))
    nights = nights_to_find(nightly, base, shift, most=_ASKED)
    soon = f"more than {_ASKED}" if nights is None else str(nights)
    soon += f" {_many(nightly, nights or _ASKED)}"
    return f"{size} %: {share} within {nightly.latest}, 9 in 10 within {soon}"


def _narrow(rule: Rule, nightly: Nightly, base: Baseline) -> tuple[str, str] | None:
    """What a margin that healthy nights often miss is told, and a wider one."""
    assert rule.confidence is not None
    limit = float(rule.bands.passes.limit)
    margin = -math.log(limit) if rule.bands.passes.upward else math.log(limit)
    needed = narrowest(nightly, base, float(rule.confidence.level) / (1 + nightly.confirm))
    if margin >= needed:
        return None
    wide = math.exp(-needed if rule.bands.passes.upward else needed)
    edge = math.floor(wide * 100) / 100 if rule.bands.passes.upward else math.ceil(wide * 100) / 100
    operator = rule.bands.passes.operator
    remark = (
        f"leaves many healthy {nightly.per.plural} open: pass {rule.bands.passes.text} is narrow "
        f"for a noise of {percent(math.expm1(base.noise))}"
    )
    return remark, f'pass: "{operator} {edge:g}", or a longer load, which is less noisy'
