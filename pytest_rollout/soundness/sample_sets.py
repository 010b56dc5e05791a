"""What is supposed of samples: how many there are, and as good or as bad as a rule allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from math import ceil

from pytest_rollout.judge.slices import least
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Sample
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind, Streak, Take, duration_words

ENOUGH = 100_000  # opportunities that decide, unless a plan asks for nearly the impossible
SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
_MOST_SLOTS = 200
_MOST = 20_000  # slots of one group: more take minutes
_LONGEST_US = 20_000 * DAY  # more leads back to where calendars end
_SPREAD = 4  # slots over a stretch of time, so that some of them are old
_PAIRS = 60  # samples on each side of a comparison
_CLOSED = (ScopeKind.DAYS, ScopeKind.NIGHTS)


@dataclass(frozen=True, slots=True)
class Supposed:
    """What is supposed of the samples of one rule with one scope."""

    rule: Rule
    good: bool
    slots: int  # a group's, in each slice or bucket
    weight: int = 1  # opportunities that each slot stands for


def scoped(rule: Rule) -> Iterator[Rule]:
    """Yield the rule with each of its scopes by itself."""
    for scope in rule.scopes:
        yield replace(rule, scopes=(scope,))


def tractable(rule: Rule) -> Rule:
    """Return the rule with at most some hundreds of looks in a row, which judge alike."""
    streak = rule.streak
    if streak is None or streak.n:
        return rule
    gap_us = max(streak.gap_us, streak.span_us // _MOST_SLOTS)
    return replace(rule, streak=Streak(span_us=streak.span_us, gap_us=gap_us, soak=streak.soak))


def supposing(rule: Rule, *, good: bool) -> Supposed:
    """Return as many samples as the rule's one scope can hold."""
    scope = rule.scopes[0]
    need = least(rule, rule.need if rule.per else scope.need)
    counted = rule.take.take is Take.COUNT and not good  # the fewest are the worst
    readings = rule.take.take is Take.INCREASE  # of a counter: each is a slot of its own
    if scope.kind is ScopeKind.LAST and rule.per is None:
        need = need if counted else max(need, scope.last)
        one_by_one = readings or need <= _MOST_SLOTS
        return Supposed(rule, good, need, 1) if one_by_one else Supposed(rule, good, 1, need)
    if rule.tolerate is not None:
        need = max(need, rule.tolerate.failures + 1 + (rule.tolerate.in_a_row or 0))
    elif rule.take.take is Take.COUNT and good:
        need = max(need, ceil(rule.bands.passes.limit) + 1)
    elif rule.confidence or not rule.in_theorem:
        need = max(need, _PAIRS if rule.versus else ENOUGH)
    slots = need if readings else min(need, _MOST_SLOTS)
    if scope.kind in (ScopeKind.SPAN, ScopeKind.SINCE) and (good or not counted):
        slots = max(slots, _SPREAD)
    return Supposed(rule, good, slots, ceil(need / slots))


def beyond(rule: Rule) -> str:
    """Return what a rule asks for that is too much to suppose; empty where nothing is."""
    longest_us = max(
        rule.streak.span_us if rule.streak else 0, *(scope.span_us for scope in rule.scopes)
    )
    if longest_us > _LONGEST_US:
        return duration_words(longest_us)
    most = max(_size(supposing(tractable(alone), good=True)) for alone in scoped(rule))
    return f"{most:,} looks or samples" if most > _MOST else ""


def _size(supposed: Supposed) -> int:
    """How many slots there are of each group."""
    rule, scope = supposed.rule, supposed.rule.scopes[0]
    if rule.per is not None:
        return buckets(rule) * supposed.slots
    if scope.kind in _CLOSED:
        return buckets(rule) + supposed.slots
    streak = rule.streak
    looks = (streak.n or streak.span_us // (streak.gap_us or SECOND)) if streak else 0
    return looks + supposed.slots


def buckets(rule: Rule) -> int:
    """Return how many runs, days, nights or spans a rule's scope and row want."""
    scope, streak = rule.scopes[0], rule.streak
    row = 1
    if streak is not None:
        row = streak.n or ceil(streak.span_us / min(streak.gap_us, _bucket_us(rule))) + 1
    if rule.per is None:
        return scope.last + row - 1
    return max(scope.need, scope.last, row)


def _bucket_us(rule: Rule) -> int:
    """How long a bucket is, where it is no run: those are supposed to be an hour apart."""
    if rule.per is None:
        return DAY
    return rule.per.length_us or (HOUR if rule.per.unit is PerUnit.RUN else DAY)


def values(rule: Rule, *, good: bool) -> tuple[Fraction, Fraction]:
    """Return the most that a sample can help, or harm, and the same of the other side.

    Of a counter, what it grows by from one reading to the next.
    """
    large = rule.bands.passes.upward is good
    low, high = _ends(rule)
    cut = rule.take.share_of
    if cut is not None and not cut.upward:  # inside of the cut are its small values
        low, high = high, low
    versus = rule.versus
    divided = versus is not None and (versus.ratio or versus.kayenta)
    if divided and rule.take.take is not Take.SHARE:
        if rule.take.take is Take.RATE:
            few = Fraction(1, 1 if rule.confidence else 1000)  # bounds are of whole outcomes
            return (high if large else Fraction(0)), few
        return (high if large else 1 / high), Fraction(1)
    return (high, low) if large else (low, high)


def other_sample(rule: Rule, value: Fraction, weight: int) -> Sample:
    """Return what a slot of the other side holds: of a share to divide by, a few inside the cut."""
    cut = rule.take.share_of
    if cut is None or rule.versus is None or not rule.versus.ratio:
        return ((value, weight),)
    outcomes = (values(rule, good=True)[0], values(rule, good=False)[0])
    return tuple((outcome, 1 if cut.holds(outcome) else 999) for outcome in outcomes)


def _ends(rule: Rule) -> tuple[Fraction, Fraction]:
    """The least and the greatest value that a sample can have."""
    if rule.take.take is Take.RATE:
        return Fraction(0), Fraction(1)
    if rule.range is not None:
        return rule.range.low, rule.range.high
    bands = rule.bands
    cuts = [cut for cut in (bands.passes, bands.warn, bands.fail, rule.take.share_of) if cut]
    far = 1000 * (1 + sum((abs(cut.limit) for cut in cuts), Fraction(0)))
    return (Fraction(0) if rule.take.take is Take.INCREASE else -far), far
