"""The small terms of the plan language: durations, buckets, takes, hours, days."""

from __future__ import annotations

import difflib
import keyword
import re
from datetime import date, datetime, time
from fractions import Fraction
from zoneinfo import ZoneInfo, available_timezones

from pytest_rollout.model.evidence import exact
from pytest_rollout.model.plan import Address
from pytest_rollout.model.rule import SECONDS, Per, PerUnit, Take, Taking, duration_words
from pytest_rollout.model.windows import Hours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IDENTIFIER = re.compile(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*")


def level(text: str) -> Fraction:
    """A confidence, as ``95%`` or ``0.95``."""
    number = text.strip().removesuffix("%").strip()
    rule = f"{text!r:.60} is no confidence; write 95%, between 50% and 99.9999%"
    try:
        share = exact(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError as error:
        raise ValueError(rule) from error
    if not Fraction(1, 2) <= share <= Fraction(999_999, 1_000_000):
        raise ValueError(rule)
    return share


def percent(share: Fraction) -> str:
    """A share as people write it in percent: ``95``, ``99.9``."""
    return f"{float(share * 100):g}"


def duration_us(text: str) -> int:
    """A duration such as ``5m``, ``48h`` or ``7d`` in microseconds."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)", text.strip())
    if match is None:
        raise ValueError(f"{text!r:.60} is no duration; write 30s, 5m, 48h or 7d")
    microseconds = exact(match[1]) * SECONDS[match[2]] * 1_000_000
    if microseconds.denominator != 1 or microseconds <= 0:
        raise ValueError(f"{text!r:.60} is no positive duration in whole microseconds")
    return int(microseconds)


def interval_us(text: str) -> int:
    """Return how often something is done, a duration of at least a second."""
    every_us = duration_us(text)
    if every_us < _STEPS_US[-1]:
        raise ValueError(f"{text!r:.60} is shorter than a second")
    return every_us


_DAY_US = 86_400_000_000
_STEPS_US = (3_600_000_000, 60_000_000, 1_000_000)  # hours, minutes, seconds


def per(text: str) -> Per:
    """What closes a bucket: ``run``, ``day``, ``night``, or a duration that divides a day."""
    named = {unit.value: unit for unit in PerUnit if unit is not PerUnit.SPAN}
    if text in named:
        return Per(named[text])
    try:
        length = duration_us(text)
    except ValueError:
        raise ValueError(f"{text!r:.60} is no bucket; write run, day, night or 5m") from None
    if length < _STEPS_US[-1]:
        raise ValueError(f"{text!r:.60} is shorter than a second; write 1s or more")
    if _DAY_US % length:
        raise ValueError(f"{text!r:.60} does not divide a day evenly; write {_dividing(length)}")
    return Per(PerUnit.SPAN, length)


def _dividing(length_us: int) -> str:
    """The lengths next to one that divide a day, in its own unit: ``6m or 8m``."""
    step = next((step for step in _STEPS_US if length_us % step == 0), _STEPS_US[-1])
    day = _DAY_US // step
    fitting = [many * step for many in range(1, day + 1) if day % many == 0]
    near = [max((length for length in fitting if length < length_us), default=0)]
    near.append(min((length for length in fitting if length > length_us), default=0))
    return " or ".join(duration_words(near_us) for near_us in near if near_us)


def taking(text: str) -> Taking:
    """A take by name; quantiles are p1 to p99.9."""
    match = re.fullmatch(r"p([0-9]{1,2}(?:\.[0-9]+)?)", text)
    if match and exact(match[1]) > 0:
        return Taking(Take.QUANTILE, text, quantile=exact(match[1]) / 100)
    plain = {take.value: take for take in Take if take not in (Take.QUANTILE, Take.SHARE)}
    if text in plain:
        return Taking(plain[text], text)
    names = ", ".join([*plain, "p50 .. p99.9", 'share as {share: "< 500"}'])
    raise ValueError(f"{text!r:.60} is no take; known: {names}")


_MOST_ALARMS = 12


def alarms(text: str) -> Fraction:
    """False alarms a year, of ``0.1/y``."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*(?:y|year)\s*", text)
    rate = exact(match[1]) if match else Fraction(0)
    if not Fraction(1, 1000) <= rate <= _MOST_ALARMS:
        raise ValueError(f"{text!r:.60} is no number of false alarms; write 0.1/y, at most 12/y")
    return rate


_PER_SECOND = {"s": 1, "m": 60, "h": 3600}
_MOST_RATE = 1_000_000


def arrival_rate(text: str) -> float:
    """Arrivals a second, of ``40/s``, ``90/m`` or ``600/h``."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*([smh])\s*", text)
    rate = float(match[1]) / _PER_SECOND[match[2]] if match else 0.0
    if not 0 < rate <= _MOST_RATE:
        raise ValueError(f"{text!r:.60} is no rate; write 40/s, 90/m or 600/h")
    return rate


def times(text: str) -> float:
    """How many times something is taken: a number of at least 1."""
    rule = f"{text!r:.60} is no number of times; write 2 or 1.5"
    try:
        many = float(exact(text))
    except ValueError:
        raise ValueError(rule) from None
    if not 1 <= many <= 1_000:
        raise ValueError(rule)
    return many


def host_and_port(text: str) -> str:
    """Where something listens, as ``0.0.0.0:5557``."""
    host, _, port = text.strip().rpartition(":")
    if not host or not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r:.60} is no address; write 0.0.0.0:5557")
    return f"{host}:{int(port)}"


def day(text: str) -> date:
    """A calendar day, as 2025-11-10."""
    rule = f"{text!r:.60} is no day; write it as 2025-11-10"
    if not re.fullmatch(r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(rule)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(rule) from None


def lines(text: str) -> tuple[int, int]:
    """Return the first and the last line of ``12`` or ``12-14``; they count from 1."""
    match = re.fullmatch(r"\s*([0-9]{1,7})(?:\s*-\s*([0-9]{1,7}))?\s*", text)
    if match is None:
        raise ValueError(f"{text!r:.60} are no lines; write 12, or 12-14")
    first = int(match[1])
    last = int(match[2] or first)
    if first < 1 or last < first:
        raise ValueError(f"{text!r:.60} are no lines: they count from 1, the first comes first")
    return first, last


def due(text: str) -> str:
    """Return the gate by which a condition is met, as plan.phase/entry, or the last day for it."""
    if re.fullmatch(r"[0-9]+-[0-9-]*", text):
        return day(text).isoformat()
    if Address.parse(text).gate is None:
        raise ValueError(f"{text!r} names no gate; write plan.phase/entry or plan.phase/exit")
    return text


def hours(text: str) -> Hours:
    """Hours of a day, as ``09:00-16:00`` or over midnight; 24:00 is the end of the day."""
    match = re.fullmatch(r"([0-9]{1,2}):([0-9]{2})\s*-\s*([0-9]{1,2}):([0-9]{2})", text.strip())
    rule = f'{text!r:.60} are no hours; write "09:00-16:00"'
    if match is None:
        raise ValueError(rule)
    h1, m1, h2, m2 = (int(part) for part in match.groups())
    try:
        since = time(h1, m1)
        until = time(0, 0) if (h2, m2) == (24, 0) else time(h2, m2)
    except ValueError:
        raise ValueError(rule) from None
    if until == since and (h2, m2) != (24, 0):
        raise ValueError(f'{text!r:.60} begin and end at once; a whole day is "00:00-24:00"')
    return Hours(since, until)


def reading(text: str) -> date | datetime:
    """A day, or a reading of the clock on a day, as 2025-12-20 or 2025-12-20 18:00."""
    match = re.fullmatch(r"(\S+)[ T]([0-9]{2}):([0-9]{2})", text.strip())
    if match is None:
        return day(text.strip())
    try:
        clock = time(int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError(f"{text!r:.60} is no moment; write it as 2025-12-20 18:00") from None
    return datetime.combine(day(match[1]), clock)


def zone(text: str) -> str:
    """The name of a time zone, as America/New_York."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        close = difflib.get_close_matches(text, available_timezones(), n=1, cutoff=0.6)
        fix = f"did you mean `{close[0]}`?" if close else "write an IANA name: America/New_York"
        raise ValueError(f"unknown timezone `{text:.60}` ({fix})") from None
    return text


def days(text: str) -> frozenset[int]:
    """Days of the week, as ``mon-thu``, ``sat-sun`` or ``fri``; Monday is 0."""
    first, dash, last = text.strip().lower().partition("-")
    if first not in _DAYS or (dash and last not in _DAYS):
        raise ValueError(f"{text!r:.60} are no days; write mon-thu, sat-sun or fri")
    begin, end = _DAYS.index(first), _DAYS.index(last or first)
    span = (end - begin) % 7
    return frozenset((begin + step) % 7 for step in range(span + 1))


def identifier(text: str) -> str:
    """A name made of letters, digits, hyphens and underscores."""
    if len(text) > 80 or not _IDENTIFIER.fullmatch(text):
        raise ValueError(
            f"{text!r:.60} is no name; use letters, digits, - and _ (a to z, A to Z, 0 to 9)"
        )
    return text


def mark(text: str) -> str:
    """A name that pytest's -m understands."""
    if not text.isidentifier() or keyword.iskeyword(text) or text in ("and", "or", "not"):
        raise ValueError(f"{text!r:.60} is no marker; markers are Python identifiers")
    return text
