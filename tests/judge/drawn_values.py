"""Generated values of a rule's series: good and bad ones, ones that it cannot take, worse ones."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import strategies as st

from pytest_rollout.model.evidence import Sample, Seen
from pytest_rollout.model.rule import Rule, Take

STEPS = (Fraction(1, 2), Fraction(1), Fraction(3), Fraction(9))


def is_other(rule: Rule, seen: Seen) -> bool:
    """Whether a slot is of the other side of a rule's comparison."""
    versus = rule.versus
    if versus is None or seen.slot.series != versus.metric:
        return False
    return versus.where.items() <= dict(seen.slot.labels).items()


def harmful_is_up(rule: Rule, *, other: bool = False) -> bool:
    """Whether larger values are worse for a rule; of the other side smaller ones are then."""
    upward = rule.bands.passes.upward
    share = rule.take.share_of
    up = upward is not share.upward if share is not None else not upward
    return up is not other


def can_take(rule: Rule, value: Fraction) -> bool:
    """Whether a value lies in the domain of a rule."""
    bounded = rule.confidence is not None
    if rule.take.take is Take.RATE and not (value in (0, 1) if bounded else 0 <= value <= 1):
        return False
    if rule.range is not None and not rule.range.low <= value <= rule.range.high:
        return False
    if rule.versus is not None and rule.versus.ratio:
        return value > 0 if bounded else value >= 0
    return True


def tells(rule: Rule, value: Fraction, *, other: bool) -> bool:
    """Whether a value can be taken, and is no zero that something is to be divided by."""
    zero = other and rule.versus is not None and rule.versus.ratio and value == 0
    return can_take(rule, value) and not zero


def strange(rule: Rule, *, other: bool = False) -> tuple[str, ...]:
    """Values that tell a rule nothing; none where it takes every number."""
    drawn = ("0", "0.5", "-1", "2", "-3", "9")
    return tuple(one for one in drawn if not tells(rule, Fraction(one), other=other))


@st.composite
def values(draw: st.DrawFn, rule: Rule, *, good: bool = False, other: bool = False) -> str | None:
    """A stored value, good ones more often than bad; None is a hole.

    A rate is of values from 0 to 1, and where it has a bound, of outcomes that are 0 or 1.
    """
    if good:
        return draw(good_values(rule, other=other))
    kind = draw(st.integers(0, 15))
    if kind == 0:
        return None
    outside = strange(rule, other=other)
    if outside and kind < 4:
        return draw(st.sampled_from(outside))
    rate = rule.take.take is Take.RATE
    if rate and draw(st.booleans()):
        of = draw(st.sampled_from((0, 1, 4)))
        return f'{{"bad": {draw(st.integers(0, of))}, "of": {of}}}'
    partly = ("0.5", "1") if rule.confidence is None else ("1",)
    bad = Fraction(draw(st.sampled_from(partly if rate else ("1", "2", "3", "4"))))
    number = bad if harmful_is_up(rule, other=other) else (1 if rate else 4) - bad
    if draw(st.integers(0, 7)) == 0:
        return f'[["{number}", {draw(st.integers(1, 4))}]]'
    return str(number)


@st.composite
def good_values(draw: st.DrawFn, rule: Rule, *, other: bool) -> str:
    """A value that is as good as can be, or nearly."""
    rate = rule.take.take is Take.RATE
    up = harmful_is_up(rule, other=other)
    if rule.versus is not None and rule.versus.ratio:
        large = "1" if rate else draw(st.sampled_from(("1", "4")))
        small = "1" if other or rule.confidence is not None else draw(st.sampled_from(("0", "1")))
        return small if up else large
    if other:  # as the own side has it, so that a bad value of either shows
        up = draw(st.sampled_from((up, not up)))
    if rate and draw(st.integers(0, 3)) == 0:
        return f'{{"bad": {0 if up else 4}, "of": 4}}'
    return "0" if up else "1" if rate else "4"


def worsened(draw: st.DrawFn, rule: Rule, sample: Sample, *, other: bool = False) -> Sample:
    """The sample with each of its values moved in the harmful direction, also out of the domain.

    A value that tells the rule nothing is as good as lost, so none of them is moved to where it
    tells something: then the sample stays as it is.
    """
    if rule.take.take is Take.INCREASE:
        return sample  # of a reading neither direction is worse: a smaller one is a restart
    size = draw(st.sampled_from(STEPS))
    up = harmful_is_up(rule, other=other)
    step = size if up else -size
    moved = tuple((value + step, count) for value, count in sample)
    if rule.take.take is Take.RATE and draw(st.booleans()):  # to the end of its domain
        if rule.confidence is not None:
            moved = tuple((Fraction(up), count) for _, count in sample)
        else:
            moved = tuple((min(max(value, Fraction(0)), Fraction(1)), n) for value, n in moved)
    back = any(
        not tells(rule, before, other=other) and can_take(rule, after)
        for (before, _), (after, _) in zip(sample, moved, strict=True)
    )
    return sample if back else moved
