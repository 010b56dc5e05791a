"""Interval logs of HdrHistogram (`.hlog`), as jHiccup and many clients write them.

Such a log names neither the unit of its values nor any failure, and has no mark of its end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import field
from itertools import pairwise

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.results.figures import (
    CUT_OFF,
    FIRST_US,
    MOST_ENDPOINTS,
    MOST_TIME_US,
    NO_DELAY,
    SECOND,
    EndpointTimes,
    Figures,
    UnreadableError,
    instant,
    kept,
)
from pytest_rollout.load.results.hdr_codec import decoded

FORMAT = "HdrHistogram log"
UNITS: Mapping[str, int] = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
ALL = "all"
_VERSION = re.compile(r"#\[Histogram log format version (1\.[0-3][0-9]?)\]")
_START = re.compile(r"#\[StartTime: *([0-9]+(?:\.[0-9]+)?) ")
_BASE = re.compile(r"#\[BaseTime: *([0-9]+(?:\.[0-9]+)?) ")
_LINE = re.compile(
    r"(?:Tag=([^,]*),)?([0-9]+(?:\.[0-9]+)?),([0-9]+(?:\.[0-9]+)?),([0-9]+(?:\.[0-9]+)?),(\S+)"
)
_LEGEND = '"StartTimestamp"'
_YEAR_US = 365 * 86_400 * SECOND
_NO_FAILURES = "it does not say which requests failed"


@dataclass(slots=True)
class _Tag:
    """What the intervals of one tag come to."""

    times: Counter[int] = field(default_factory=Counter)
    spans: list[tuple[int, int]] = field(default_factory=list)  # begin and length, as written


def read(text: str, unit: str) -> Figures:
    """Return the figures of a log whose values are in a unit; raises UnreadableError."""
    tags: dict[str, _Tag] = {}
    start: int | None = None
    base: int | None = None
    version = False
    lines = text.split("\n")
    for line, words in enumerate(lines, 1):
        words = words.rstrip("\r")
        version = version or bool(_VERSION.match(words))
        if words.startswith("#") or words.startswith(_LEGEND) or not words:
            start = _stamp(_START, words, start)
            base = _stamp(_BASE, words, base)
            continue
        interval = _LINE.fullmatch(words)
        if interval is None:
            raise UnreadableError("it is no interval of a histogram", "was it cut off?", line)
        tag = tags.setdefault(interval[1] or ALL, _Tag())
        if len(tags) > MOST_ENDPOINTS:
            raise UnreadableError(f"more than {MOST_ENDPOINTS} tags", line=line)
        tag.spans.append((_us(interval[2]), _us(interval[3])))
        for value, count in decoded(interval[5], line).items():
            took_us = -(-value * UNITS[unit] // 1000)
            if took_us > MOST_TIME_US:
                raise UnreadableError(
                    f"a value is {took_us / SECOND:.0f} s", "see `unit` in the plan", line
                )
            tag.times[kept(took_us)] += count
    if not version:
        raise UnreadableError("it is no log of HdrHistogram of version 1.0 to 1.3")
    return _figures(tags, start, base, [CUT_OFF] if lines[-1] else [], unit)


def _figures(
    tags: Mapping[str, _Tag],
    start: int | None,
    base: int | None,
    doubts: list[str],
    unit: str,
) -> Figures:
    spans = [span for tag in tags.values() for span in tag.spans]
    first, last = min(spans, default=(0, 0))[0], max((a + b for a, b in spans), default=0)
    if base is None:
        relative = start is not None and first < start - _YEAR_US
        base = (start or 0) if relative else 0
    requests = sum(tag.times.total() for tag in tags.values())
    doubts += [] if requests else ["it holds no value"]
    for name, tag in tags.items():
        doubts += _in_a_row(name, sorted(tag.spans))
    known = base + first >= FIRST_US
    return Figures(
        format=FORMAT,
        started_us=instant(base + first) if known else None,
        ended_us=instant(base + last) if known else None,
        lasted_us=last - first,
        requests=requests,
        endpoints=tuple(
            EndpointTimes(name, dict(tag.times), tag.times.total(), None)
            for name, tag in sorted(tags.items())
        ),
        doubts=tuple(doubts),
        unsaid=(NO_DELAY, _NO_FAILURES, f"the plan says that its values are {unit}"),
    )


def _in_a_row(name: str, spans: list[tuple[int, int]]) -> list[str]:
    """Why the intervals of a tag are not those of one recording; empty where they are."""
    longest = max((length for _, length in spans), default=0)
    for (begin, length), (following, _) in pairwise(spans):
        if following < begin + length // 2:
            return [f"intervals of {name} overlap: it may hold one recording twice"]
        if following > begin + length + max(SECOND, longest // 2):
            return [f"an interval of {name} is lacking after {(begin + length) / SECOND:.3f} s"]
    return []


def _stamp(pattern: re.Pattern[str], words: str, before: int | None) -> int | None:
    stamp = pattern.match(words)
    return before if stamp is None else _us(stamp[1])


def _us(text: str) -> int:
    whole, _, rest = text.partition(".")
    if len(whole) > 12:
        raise UnreadableError(f"{text:.40} is no time in seconds")
    return int(whole) * SECOND + int(rest[:6].ljust(6, "0") or 0)
