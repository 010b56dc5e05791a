"""Reasons in plain words: what was seen, and what was allowed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.judge import power
from pytest_rollout.judge.assess import Assessed, Terms
from pytest_rollout.judge.numbers import decimal
from pytest_rollout.judge.slices import Slice
from pytest_rollout.model.decision import Estimate
from pytest_rollout.model.evidence import Labels, exact
from pytest_rollout.model.rule import (
    SECONDS,
    Bands,
    Rule,
    ScopeKind,
    Streak,
    Take,
    Tolerate,
    Versus,
    duration_words,
)
from pytest_rollout.model.verdict import Verdict


def count(n: int, thing: str) -> str:
    """``1 sample``, ``12 samples``."""
    return f"{n} {thing}" if n == 1 else f"{n} {thing}s"


def name(group: Labels) -> str:
    """A group's labels as a reader would say them; empty for the whole."""
    return ", ".join(f"{label} {value}" for label, value in group)


def allowed(bands: Bands) -> str:
    """The cuts of a rule in the plan's words."""
    words = [bands.passes.text]
    if bands.warn:
        words.append(f"warns {bands.warn.text}")
    if bands.fail:
        words.append(f"fails {bands.fail.text}")
    return ", ".join(words)


def taken(rule: Rule, slice_: Slice, found: Assessed, terms: Terms) -> str:
    """``max of queue_depth was 10 at 09:07:15 over 240 samples in this run``."""
    point = found.point
    over = f"over {count(point.n, 'sample')} {within(rule, slice_)}"
    when = _when(rule, found, terms)
    at = f" at {when}" if when else ""
    if rule.tolerate is not None:
        first = f", the first{at}" if at else ""
        return (
            f"{decimal(point.value)} of {count(point.n, 'sample')} of {rule.metric} are bad{first}"
        )
    if found.difference is None:
        first = ", the first bad one" if at and rule.take.take in _SUMMED else ""
        value = f"{amount(rule, point.value)}{_of(rule, found)}{first}{at}{_bound(rule, found)}"
        return f"{rule.take.text} of {rule.metric} was {value}, {over}"
    assert rule.versus is not None
    ratio = rule.versus.ratio or rule.versus.kayenta
    what = "times" if ratio else "more than" if found.difference >= 0 else "less than"
    size = decimal(found.difference) if ratio else amount(rule, abs(found.difference))
    return (
        f"{rule.take.text} of {rule.metric} was {_side(rule, point.value)}, {size} {what} that "
        f"of {other_side(rule.versus)}"
        f"{_bound(rule, found)}, {over}"
    )


_SUMMED = (Take.RATE, Take.SUM)


def _when(rule: Rule, found: Assessed, terms: Terms) -> str:
    """When the slot was that decided, or the first that counted against a rate or a sum."""
    slot = found.point.slot
    counted = rule.take.take in _SUMMED and rule.tolerate is None
    if slot is None or (counted and rule.bands.passes.upward):  # the first good one says nothing
        return ""
    return calendar.wall(slot.t_us, terms.zone)


def amount(rule: Rule, value: Fraction) -> str:
    """A value in the unit of the rule's cuts: ``650ms`` where they are in milliseconds.

    In seconds where it would have to be rounded: on which side of a cut it lies must be seen.
    """
    unit = rule.bands.passes.unit
    if unit not in SECONDS:
        return decimal(value)
    shown = decimal(value / SECONDS[unit])
    return shown + unit if exact(shown) == value / SECONDS[unit] else f"{decimal(value)}s"


def _of(rule: Rule, found: Assessed) -> str:
    """Of a rate or share that is no whole number, how many of how many."""
    part = found.point.value * found.point.n
    shared = rule.take.take in (Take.RATE, Take.SHARE) and 0 < found.point.value < 1
    return f" ({part} of {found.point.n})" if shared and part.denominator == 1 else ""


def within(rule: Rule, slice_: Slice) -> str:
    """Where the samples of a slice lie."""
    return f"in that {rule.per.words}" if rule.per else slice_.scope.words


def _side(rule: Rule, value: Fraction) -> str:
    """One side of a comparison; the cuts on a ratio say no unit of its sides."""
    ratio = rule.versus is not None and (rule.versus.ratio or rule.versus.kayenta)
    return decimal(value) if ratio else amount(rule, value)


def other_side(versus: Versus) -> str:
    """What is compared with: ``seconds (version old) before the phase began``."""
    where = ", ".join(f"{label} {value}" for label, value in versus.where.items())
    release = f" in accepted runs of release {versus.release}" if versus.release else ""
    when = " before the phase began" if versus.frozen else release
    return versus.metric + (f" ({where})" if where else "") + when


def _bound(rule: Rule, found: Assessed) -> str:
    """The end of the interval that decides, in words."""
    if rule.confidence is None or found.bound is None:
        return ""
    up = rule.bands.passes.upward
    end = found.bound.low if up else found.bound.high
    if end is None:
        return f" (at {rule.confidence.text} confidence, too few samples for a bound)"
    side = "at least" if up else "at most"
    what = "the difference is " if found.difference is not None else ""
    return f" ({what}{side} {amount(rule, end)} at {rule.confidence.text} confidence)"


def because(rule: Rule, slice_: Slice, found: Assessed, terms: Terms) -> str:
    """What was seen, and what was allowed."""
    seen, bands = taken(rule, slice_, found, terms), rule.bands
    allowed_ = f"allowed {bands.passes.text}"
    if rule.tolerate is not None:
        return f"{seen}; tolerated {_tolerated(rule.tolerate)}"
    if not rule.in_theorem:
        shifted = "a harmful shift" if found.verdict is Verdict.FAIL else "no shift beyond it"
        return f"{seen}; {allowed_}, and the test of ranks finds {shifted}"
    match found.verdict:
        case Verdict.HOLD:
            assert bands.fail is not None
            return (
                f"{seen}; between the target {bands.passes.text} and the breach {bands.fail.text}"
            )
        case Verdict.WARN:
            assert bands.warn is not None
            return f"{seen}; {allowed_}, but {bands.warn.text} is a warning"
        case Verdict.INCONCLUSIVE:
            return f"{seen}; {allowed_}, neither shown nor ruled out yet"
        case _:
            return f"{seen}; {allowed_}"


def outside(reason: str) -> str:
    """A reason by Kayenta's rule, marked as what it is."""
    return f"{reason} (Kayenta's rule, outside the theorem: worse evidence may turn it into a pass)"


def _tolerated(tolerate: Tolerate) -> str:
    row = f", {tolerate.in_a_row} in a row" if tolerate.in_a_row is not None else ""
    return f"{tolerate.failures}{row}"


def no_look(rule: Rule) -> str:
    """Nothing that could be looked at."""
    return f"no sample of {rule.metric} was seen"


def few_buckets(rule: Rule, found: int, need: int) -> str:
    """Too few days, nights or runs."""
    assert rule.per is not None
    return f"{found} of {need} needed {rule.per.plural} of {rule.metric} are over"


def bucket(rule: Rule, at_us: int, said: str, telling: int, of: int, zone: str) -> str:
    """What one bucket says, and how many say so."""
    assert rule.per is not None
    unit = rule.per.words
    many = f"{telling} of {count(of, unit)}" if telling < of else f"all {count(of, unit)}"
    return f"{many}, the last until {calendar.wall(at_us, zone)}: {said}"


def gap(from_us: int, to_us: int, zone: str) -> str:
    """A stretch that nobody looked at."""
    return f"nobody looked from {calendar.wall(from_us, zone)} to {calendar.wall(to_us, zone)}"


def row(streak: Streak, good: int, lasted_us: int, ended: str, newest: str) -> str:
    """How long a row of good looks is, what ended it, and the newest of them."""
    if streak.n:
        many = f"{good} in a row, {streak.n} needed"
    else:
        many = f"good for {duration_words(lasted_us)}, {duration_words(streak.span_us)} needed"
    before = f"; before: {ended}" if ended else ""
    return f"{many}{before}; now: {newest}"


def short_of(rule: Rule, slice_: Slice) -> str:
    """Too few samples, or none."""
    if slice_.scope.kind is ScopeKind.SINCE and not slice_.begun:
        return f"the phase was not begun, so no sample of {rule.metric} counts"
    if slice_.n == 0:
        need = f"{count(slice_.need, 'sample')} needed"
        return f"no sample of {rule.metric} was seen {within(rule, slice_)}; {need}"
    return (
        f"{slice_.n} of {slice_.need} needed samples of {rule.metric} "
        f"were seen {within(rule, slice_)}"
    )


def holes(rule: Rule, slice_: Slice) -> str:
    """How many slots are holes, and why."""
    why = "; ".join(sorted({hole.why for hole in slice_.holes})[:3])
    many = len(slice_.holes)
    return f"{many} of {count(slice_.n, 'sample')} of {rule.metric} cannot be judged: {why}"


def shown(rule: Rule, found: Assessed, terms: Terms) -> Estimate:
    """What was taken, as the decision keeps it."""
    point, bound = found.point, found.bound
    passed = found.verdict in (Verdict.PASS, Verdict.WARN) and not terms.watched
    return Estimate(
        value=decimal(found.value),
        n=point.n,
        at=_when(rule, found, terms) or None,
        low=_end(bound.low) if bound else None,
        high=_end(bound.high) if bound else None,
        method=bound.method if bound else None,
        catches=power.catches(rule, point.n, terms.level) if passed else None,
        more=power.more(rule, found, terms.level),
        unit="s" if rule.bands.passes.unit in SECONDS else None,
    )


def _end(value: Fraction | None) -> str | None:
    return None if value is None else decimal(value)


def joined(reasons: Sequence[str], most: int = 3) -> str:
    """The first few reasons as one sentence."""
    rest = len(reasons) - most
    tail = f"; and {rest} more" if rest > 0 else ""
    return "; ".join(reasons[:most]) + tail
