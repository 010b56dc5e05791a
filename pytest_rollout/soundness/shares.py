"""Remarks on percents that are taken for shares, and the bounds of what a cut is held against."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.rule import Cut, Rule, Take
from pytest_rollout.model.units import PERCENT
from pytest_rollout.soundness.subject import About, Remark

_SHARES = (Take.RATE, Take.SHARE)
_HALF = Fraction(1, 2)


def remarks_on(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield where a number means a percentage to its author, and something else to the judge."""
    stated = rule.range
    if rule.take.take is Take.RATE and stated and (stated.low < 0 or stated.high > 1):
        remark = (
            "takes the rate of outcomes, which are 0 or 1, and states values from "
            f"{decimal(stated.low)} to {decimal(stated.high)}: no other than 0 and 1 is ever judged"
        )
        yield about.remark(remark, "range: [0, 1], or take: mean")
    yield from _only_all(about, rule)
    yield from _hundredth(about, rule)


def _only_all(about: About, rule: Rule) -> Iterator[Remark]:
    """A rate that is bad only where every sample is: 1 was meant as a percentage."""
    versus = rule.versus
    if rule.take.take not in _SHARES or rule.tolerate is not None or (versus and versus.ratio):
        return
    passes, cut = rule.bands.passes, rule.bands.fail or rule.bands.passes
    furthest = -1 if passes.upward else 1  # as far as a difference goes; a rate to 1 alone
    harmful = ("<=" if passes.upward else ">=") if rule.bands.fail else passes.operator[0]
    if cut.limit != furthest or cut.operator != harmful or cut.unit == PERCENT:
        return
    verb = "trips" if about.watched else "fails"
    every = "every sample counts against it: 1 is all of them"
    if versus:
        every = "every sample of one side and none of the other counts against it"
    hundred = f"{cut.operator} {decimal(cut.limit * 100)}%"
    fix = f'{_percents(cut)}; else write "{hundred}"'
    yield about.remark(f'{verb} at "{cut.text}" only where {every}', fix, grave=False)


def _hundredth(about: About, rule: Rule) -> Iterator[Remark]:
    """Percents that are held against a share: ``>= 0.99`` of a metric in percent."""
    cut = rule.bands.passes
    if rule.unit != PERCENT or rule.versus is not None or rule.take.take in _SHARES:
        return
    if cut.upward and _HALF < cut.limit < 1 and cut.unit != PERCENT:
        remark = f'reads "{cut.text}" as {decimal(cut.limit)} %: its metric is in percent'
        hundred = decimal(cut.limit * 100)
        yield about.remark(remark, f'write "{cut.operator} {hundred}%"', grave=False)


def bounds(rule: Rule, cut: Cut) -> str:
    """Return between what a value lies that no cut divides, and what the cut may mean instead.

    Empty where nothing bounds it.
    """
    take, stated = rule.take.take, rule.range
    if take in _SHARES and rule.versus is None:
        return f"a {take.value} lies between 0 and 1" + _meant(rule, cut)
    if take in _SHARES and rule.versus is not None and not rule.versus.ratio:
        return f"a difference of {take.value}s lies between -1 and 1" + _meant(rule, cut)
    if take is Take.COUNT:
        return "fewer than `need` are too few to judge: ask for less in `need`"
    if rule.versus is not None:
        return ""
    if take is Take.INCREASE:
        return "an increase is never below 0"
    if stated is None:
        return ""
    within = f"its range is {decimal(stated.low)} to {decimal(stated.high)}"
    return within + (_meant(rule, cut) if stated.low >= 0 and stated.high <= 1 else "")


def _meant(rule: Rule, cut: Cut) -> str:
    """What to write for a percentage; empty where a cut can be none."""
    cuts = [stated for stated in (rule.bands.passes, rule.bands.fail, cut) if stated]
    if any(not 1 <= abs(stated.limit) <= 100 or stated.unit for stated in cuts):
        return ""
    return f"; {_percents(cut)}"


def _percents(cut: Cut) -> str:
    """A cut as a percentage, in both ways of writing one."""
    number, share = decimal(cut.limit), decimal(cut.limit / 100)
    return f'for {number} percent write "{cut.operator} {number}%" or "{cut.operator} {share}"'
