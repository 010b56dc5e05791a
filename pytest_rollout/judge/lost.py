"""What lost values could have been: a slice judged with its holes filled at their extremes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from pytest_rollout.judge.estimate import estimate
from pytest_rollout.judge.slices import Slice
from pytest_rollout.model.evidence import Hole
from pytest_rollout.model.rule import Rule, Take


def fails_anyway(rule: Rule, slice_: Slice) -> bool:
    """Whether it fails however its holes are filled."""
    if slice_.unknown and rule.take.take not in (Take.MIN, Take.MAX):
        return False
    return _fails(rule, slice_, harmful=False)


def could_fail(rule: Rule, slice_: Slice) -> bool:
    """Whether it has holes that could be filled so that it fails."""
    if not slice_.holes:
        return False
    if slice_.unknown:
        return True
    return slice_.n >= slice_.need and _fails(rule, slice_, harmful=True)


def _fails(rule: Rule, slice_: Slice, *, harmful: bool) -> bool:
    value = _extreme(rule, slice_, harmful=harmful)
    filled = tuple(
        replace(seen, value=((value, 1 if seen.value.n is None else seen.value.n),))
        if isinstance(seen.value, Hole)
        else seen
        for seen in slice_.seen
    )
    point = estimate(filled, rule.take)
    if isinstance(point, str):
        return harmful
    cut = rule.bands.fail
    return cut.holds(point.value) if cut else not rule.bands.passes.holds(point.value)


def _extreme(rule: Rule, slice_: Slice, *, harmful: bool) -> Fraction:
    """A value beyond every limit that the rest of the slice cannot outweigh."""
    upward = rule.bands.passes.upward is not harmful
    if rule.take.take is Take.RATE:
        return Fraction(upward)
    if rule.take.share_of is not None and not rule.take.share_of.upward:
        upward = not upward
    far = 1 + sum(_sizes(rule, slice_), Fraction(0))
    return far * (slice_.n + 1) * (1 if upward else -1)


def _sizes(rule: Rule, slice_: Slice) -> Iterator[Fraction]:
    bands = rule.bands
    for cut in (bands.passes, bands.warn, bands.fail, rule.take.share_of):
        if cut is not None:
            yield abs(cut.limit)
    for seen in slice_.seen:
        if not isinstance(seen.value, Hole):
            yield from (abs(value) * count for value, count in seen.value)
