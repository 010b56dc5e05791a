"""What lost values could have been: a slice judged with its holes filled at their extremes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from fractions import Fraction

from pytest_rollout.judge.assess import Terms, assess, is_hole
from pytest_rollout.judge.slices import Slice
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.rule import Rule, Take
from pytest_rollout.model.verdict import Verdict


def fails_anyway(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    """Whether it fails however its holes are filled."""
    if slice_.unknown and rule.take.take not in (Take.MIN, Take.MAX):
        return False
    if other_is_lost(slice_, terms) or not rule.in_theorem:  # no extreme is worst for it
        return False
    return _fails(rule, slice_, terms, harmful=False)


def could_fail(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    """Whether it has holes, or the other side has, that could be filled so that it fails."""
    if other_is_lost(slice_, terms):
        return bool(slice_.n)
    if not slice_.holes:
        return False
    if slice_.unknown:
        return True
    return slice_.n >= slice_.need and _fails(rule, slice_, terms, harmful=True)


def other_is_lost(slice_: Slice, terms: Terms) -> bool:
    """Whether the other side of a comparison has holes."""
    return any(map(is_hole, terms.other.get(slice_.group, ())))


def _fails(rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool) -> bool:
    value = _extreme(rule, slice_, terms, harmful=harmful)
    filled = tuple(
        replace(seen, value=((value, 1 if seen.value.n is None else seen.value.n),))
        if isinstance(seen.value, Hole)
        else seen
        for seen in slice_.seen
    )
    found = assess(rule, slice_.group, filled, terms, slice_.scope.kind)
    if isinstance(found, str):
        return harmful
    return found.verdict is Verdict.FAIL


def _extreme(rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool) -> Fraction:
    """A value beyond every limit that the rest of the slice cannot outweigh."""
    upward = rule.bands.passes.upward is not harmful
    if rule.take.take is Take.RATE:
        return Fraction(upward)
    if rule.take.share_of is not None and not rule.take.share_of.upward:
        upward = not upward
    if rule.range is not None:
        return rule.range.high if upward else rule.range.low
    other = terms.other.get(slice_.group, ())
    far = 1 + sum(_sizes(rule, (*slice_.seen, *other)), Fraction(0))
    return far * far * (slice_.n + 1) * (1 if upward else -1)


def _sizes(rule: Rule, items: Iterable[Seen]) -> Iterator[Fraction]:
    bands = rule.bands
    for cut in (bands.passes, bands.warn, bands.fail, rule.take.share_of):
        if cut is not None:
            yield abs(cut.limit)
    for seen in items:
        if not isinstance(seen.value, Hole):
            yield from (abs(value) * count for value, count in seen.value)
