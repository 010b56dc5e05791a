"""Cuts and units: an ordered comparison, read in the unit of what it is held against."""

from __future__ import annotations

import re
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model import units
from pytest_rollout.model.evidence import exact
from pytest_rollout.model.rule import Cut, Take, Taking, Versus
from pytest_rollout.model.units import PERCENT, Dimension

_CUT = re.compile(r"(<=|>=|<|>)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(%+|[^\W\d_][\w./-]*)?")
_WORD = re.compile(r"(?![eE][0-9])[A-Za-z][A-Za-z0-9_./-]{0,19}")
_MEANT = {
    **{unit.lower(): unit for unit in units.KNOWN},
    **dict.fromkeys(("byte", "bytes"), "B"),
    **dict.fromkeys(("µs", "μs", "usec", "microsecond", "microseconds"), "us"),
    **dict.fromkeys(("msec", "millis", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("day", "days"), "d"),
    **dict.fromkeys(("percent", "pct"), PERCENT),
}


@dataclass(frozen=True, slots=True)
class Scale:
    """What the numbers of a cut are: their unit, and why no other one goes there."""

    unit: str = ""  # a number without a unit is in it, and so is the limit
    times: bool = True  # without a unit: durations are read as seconds
    percents: bool = True  # without a unit: percents are read as hundredths
    why: str = ""  # what the value is, and what to write, where a unit does not fit


SCORE = Scale(PERCENT, why="a score is 0 to 100; write a number, or 80%")
_SHARE_OF_ONE = "a share of 1; write 0.99 or 99%"


def scale_of(taking: Taking, unit: str, versus: Versus | None) -> Scale:
    """Return what the cuts of a rule are held against."""
    take = taking.take
    if versus is not None and (versus.ratio or versus.kayenta):
        return Scale(times=False, why="a ratio has no unit; write 1.1 or 110%")
    if take in (Take.RATE, Take.SHARE):
        return Scale(times=False, why=f"a {take.value} is {_SHARE_OF_ONE}")
    if take is Take.COUNT:
        return Scale(
            times=False, percents=False, why="`take: count` counts samples; write a plain number"
        )
    if unit:
        return Scale(unit, why=f"the metric is in {unit}")
    if take in (Take.SUM, Take.INCREASE):
        why = f'`take: {take.value}` is no share; write `take: rate`, or `unit: "%"`'
        return Scale(percents=False, why=why)
    if versus is not None:
        why = f'a difference of {taking.text} is no share; write `as: ratio`, or `unit: "%"`'
        return Scale(percents=False, why=why)
    return Scale()


def cut(text: str, scale: Scale) -> Cut:
    """Return an ordered comparison, as ``< 10`` or ``> 30m``, with its limit in a scale's unit.

    Raises ValueError with the rule where it is none, or its unit does not fit.
    """
    match = _CUT.fullmatch(text.strip())
    if match is None:
        if text.strip()[:2] in ("==", "!="):
            raise ValueError(
                f'{text!r:.60} is no order; write "<= 0" for a count of bad things, and compare '
                "for equality in a test without a rule"
            )
        raise ValueError(f'{text!r:.60} is no threshold; write <, <=, > or >= and a number: "> 3"')
    operator, number, stated = match[1], match[2], match[3] or ""
    if stated.startswith("%%"):
        raise ValueError(f'{text!r:.60} states the percent sign more than once; write "< 1%"')
    limit = _limit(exact(number), stated, scale, text)
    space = " " * (units.dimension(stated) is Dimension.WORD)
    return Cut(operator, limit, f"{operator} {number}{space}{stated}")


def _limit(number: Fraction, stated: str, scale: Scale, text: str) -> Fraction:
    """Return the number in the scale's unit; raises ValueError where its own does not fit."""
    if not stated:
        return number
    if scale.unit and units.comparable(stated, scale.unit):
        return units.converted(number, stated, scale.unit)
    kind = units.dimension(stated)
    if not scale.unit and kind is Dimension.TIME and scale.times:
        return number * units.size(stated)
    if not scale.unit and kind is Dimension.SHARE and scale.percents:
        return number * units.size(stated)
    written = f"{text.strip()!r:.60} is in {stated}"
    if kind is Dimension.WORD and (meant := _MEANT.get(stated.lower())):
        raise ValueError(f"{written}, which is no unit; did you mean `{meant}`?")
    if kind in (Dimension.TIME, Dimension.SIZE, Dimension.SHARE):
        written = f"{text.strip()!r:.60} is {kind.value}"
    told = scale.unit or not scale.times or kind is Dimension.SHARE
    raise ValueError(f"{written}, but {scale.why if told else _unstated(stated)}")


def _unstated(stated: str) -> str:
    return f"the metric states no unit; write `unit: {stated}`, or a plain number"


def unit(text: str) -> str:
    """Return a metric's unit: a time, a size, ``%``, or another short word.

    Raises ValueError where it is no word, or a known unit in another spelling.
    """
    word = text.strip()
    if word in units.KNOWN:
        return word
    meant = _MEANT.get(word.lower())
    if meant:
        raise ValueError(f"{text!r:.60} is no unit; did you mean `{meant}`?")
    if not _WORD.fullmatch(word):
        known = ", ".join(units.KNOWN)
        raise ValueError(f"{text!r:.60} is no unit; write one of {known}, or a word as requests")
    return word
