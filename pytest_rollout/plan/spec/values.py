"""The small terms of the plan language as kinds of values."""

from __future__ import annotations

import re
from typing import Any

from pytest_rollout.model.check import Effect
from pytest_rollout.model.rule import Cut
from pytest_rollout.model.windows import Risk
from pytest_rollout.plan import cuts, terms
from pytest_rollout.plan.spec.kinds import Choice, JsonPath, Schema, Term, Text, WordKind, Words
from pytest_rollout.plan.spec.shapes import Raw

_LENGTH = r"[0-9]+(\.[0-9]+)?\s*(ms|s|m|h|d)"
_CLOCK = r"[0-9]{1,2}:[0-9]{2}"
_DAY = r"(19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}"


def _plain_cut(text: str) -> Cut:
    return cuts.cut(text, cuts.Scale())


def pattern(text: str) -> str:
    """Return a regular expression as it is written; raises ValueError where it is none."""
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text!r:.60} is no regular expression: {error}") from None
    return text


TEXT = Text()
NAME = WordKind()
NAMES = Words()
EFFECT = Choice(Effect)
RISK = Choice(Risk)
DURATION = Term(terms.duration_us, rf"^\s*{_LENGTH}\s*$", "duration: `30s`, `5m`, `48h`, `7d`")
INTERVAL = Term(terms.interval_us, DURATION.pattern, f"{DURATION.words}, at least `1s`")
DAY = Term(terms.day, f"^{_DAY}$", "day, as `2025-11-10`")
MOMENT = Term(
    terms.reading,
    rf"^\s*{_DAY}([ T][0-9]{{2}}:[0-9]{{2}})?\s*$",
    "day, or day and time, as `2025-12-20 18:00`",
)
HOURS = Term(terms.hours, rf"^\s*{_CLOCK}\s*-\s*{_CLOCK}\s*$", 'hours, as `"09:00-16:00"`')
LINES = Term(
    terms.lines,
    r"^\s*[0-9]+(\s*-\s*[0-9]+)?\s*$",
    "number of a line, or the first and the last: `12-14`",
    types=("string", "integer"),
)
ZONE = Term(terms.zone, "", "IANA time zone, as `Europe/Berlin`")
IDENTIFIER = Term(
    terms.identifier,
    "^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$",
    "a to z, A to Z, 0 to 9, `-` and `_`, at most 80",
    types=("string", "integer", "boolean"),
)
MARKER = Term(
    terms.mark,
    "^[A-Za-z_][A-Za-z0-9_]*$",
    "Python identifier of a to z, A to Z, 0 to 9 and `_`",
    types=("string", "boolean"),
)
CUT = Term(
    _plain_cut,
    r"^\s*(<=|>=|<|>)\s*[-+]?[0-9.]+([eE][-+]?[0-9]+)?\s*(%|[A-Za-z][A-Za-z0-9_./-]*)?\s*$",
    'threshold: `<`, `<=`, `>` or `>=`, a number and perhaps a unit, in quotes: `"< 1.5s"`',
)
UNIT = Term(
    cuts.unit,
    r"^\s*(%|(?![eE][0-9])[A-Za-z][A-Za-z0-9_./-]{0,19})\s*$",
    "`us ms s m h d`, `B kB MB GB TB KiB MiB GiB TiB`, `%`, or a short word",
    types=("string", "boolean"),
)
PER = Term(terms.per, rf"^(run|day|night|\s*{_LENGTH}\s*)$", "`run`, `day`, `night`, or a duration")
LEVEL = Term(
    terms.level, r"^\s*[0-9.eE+-]+\s*%?\s*$", "`50%` to `99.9999%`", types=("string", "number")
)
TAKE = Term(
    terms.taking,
    r"^(count|sum|mean|min|max|last|rate|increase|p[0-9]{1,2}(\.[0-9]+)?)$",
    "`count`, `sum`, `mean`, `min`, `max`, `last`, `rate`, `increase`, `p1` to `p99.9`",
)
ALARMS = Term(
    terms.alarms,
    r"^\s*[0-9]+(\.[0-9]+)?\s*/\s*(y|year)\s*$",
    "false alarms a year, as `0.1/y`",
)
PATTERN = Term(pattern, "", "regular expression of Python", types=("string", "number", "boolean"))
DUE = Term(
    terms.due,
    rf"^([^./]+\.[^./]+/(entry|exit)|{_DAY})$",
    "`plan.phase/entry`, `plan.phase/exit`, or a day, as `2025-11-30`",
)
JSON_PATH = JsonPath()


def statuses(least: int, most: int) -> Raw:
    """Return the kind of a number, or a list of numbers, between two bounds."""
    number: dict[str, Any] = {"type": "integer", "minimum": least, "maximum": most}
    shape: Schema = {"anyOf": [number, {"type": "array", "minItems": 1, "items": number}]}
    return Raw(f"number from {least} to {most}, or a list of them", shape)
