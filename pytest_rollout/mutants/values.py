"""Changes of one value, as data files and short texts hold it: numbers, times, units, names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from pytest_rollout.mutants import schedules
from pytest_rollout.mutants.edits import Edit

_OTHER = "-other"  # what a name ends with that is another one
_OPPOSITE = {"true": "false", "yes": "no", "on": "off", "enabled": "disabled"}
_OPPOSITES = {**_OPPOSITE, **{no: yes for yes, no in _OPPOSITE.items()}}
_SIGNS = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_UNITS: Mapping[str, str] = {
    **{"us": "ms", "ms": "s", "s": "ms", "sec": "min", "secs": "mins", "m": "s", "min": "h"},
    **{"mins": "hours", "h": "m", "d": "h", "w": "d", "second": "minute", "seconds": "minutes"},
    **{"minute": "hour", "minutes": "hours", "hour": "day", "hours": "days", "day": "week"},
    **{"days": "weeks", "week": "day", "weeks": "days"},
    **{"B": "KB", "KB": "MB", "MB": "GB", "GB": "MB", "TB": "GB", "kB": "MB"},
    **{"KiB": "MiB", "MiB": "GiB", "GiB": "MiB", "TiB": "GiB", "Ki": "Mi", "Mi": "Gi", "Gi": "Mi"},
    "%": "",
}
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_TIME = re.compile(r"(?<![\w:.-])([01]?\d|2[0-3]):([0-5]\d)(:[0-5]\d)?(?![\w:])")
_DATE = re.compile(r"(?<![\w-])\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(?=T|\b)(?!-)")
_VERSION = re.compile(r"(?<![\w.-])v?\d+\.\d+\.\d+(?![\w.])")
_QUANTITY = re.compile(rf"(?<![\w.:-])(\d+(?:\.\d+)?)(\s?)({_UNIT})(?![\w%])")
_FREE = re.compile(r"(?<![\w.:/@#-])\d+(?:\.\d+)?(?![\w:/@-]|\.\d)")
_SIGN = re.compile(r"(?<![<>=!~-])(<=|>=|==|!=|<|>)(?=\s*[-+]?[\d.])")
_JUNCTION = re.compile(r"\b(and|or|AND|OR)\b")
_CHANGED_JUNCTION = {"and": "or", "or": "and", "AND": "OR", "OR": "AND"}
Found = Iterator[tuple[int, int, str, str]]


def of_value(value: str, *, name: str = _OTHER) -> Iterator[Edit]:
    """Yield the changes of a value: of what is measured in it, or of it as a name.

    ``name`` is what a text gets at its end to be another one; with "" texts are left alone.
    """
    bare = value.strip()
    start = value.find(bare)
    if not bare:
        return
    if bare.lower() in _OPPOSITES:
        yield Edit(start, start + len(bare), _as_written(bare), "boolean")
    elif _NUMBER.fullmatch(bare):
        for replacement in numbers(bare):
            yield Edit(start, start + len(bare), replacement, "number")
    else:
        scheduled = list(schedules.of_text(bare))
        yield from (edit.moved(start) for edit in scheduled or inside(bare))
        measured = scheduled or _JUST_A_MEASURE.fullmatch(bare) or _SIGN.search(bare)
        if name and not measured:
            end = start + len(bare)
            yield Edit(end, end, name, "text")


def is_data(value: str) -> bool:
    """Return whether a text is a measure, a moment, a schedule or a limit, and nothing else."""
    whole = (_TIME, _DATE, _VERSION, _QUANTITY, _LIMIT)
    return any(pattern.fullmatch(value) for pattern in whole) or schedules.is_schedule(value)


def inside(text: str) -> Iterator[Edit]:
    """Yield the changes of what is measured in a text; what one pattern takes, no other does."""
    taken: list[tuple[int, int]] = []
    for pattern, changes in _PATTERNS:
        for match in pattern.finditer(text):
            if any(match.start() < end and start < match.end() for start, end in taken):
                continue
            taken.append(match.span())
            for start, end, replacement, operator in changes(match):
                yield Edit(start, end, replacement, operator)
    if _SIGN.search(text):
        for match in _JUNCTION.finditer(text):
            yield Edit(*match.span(), _CHANGED_JUNCTION[match[0]], "and/or")


def numbers(text: str) -> Iterator[str]:
    """Yield other numbers for a written one: the next, and one of another size."""
    if re.fullmatch(r"[-+]?\d+", text):
        yield _signed(text, str(int(text) + 1))
        if abs(int(text)) > 1:
            yield f"{text}0"
        return
    number = Decimal(text)
    if "e" in text.lower():
        yield str(number * 10)
        return
    places = len(text.partition(".")[2])
    following = number + Decimal(1).scaleb(-places)
    if float(following) != float(number):  # of more digits than a float holds it is the same
        yield _plain(following)
    if number:
        yield _plain(number * 10)


def _signed(text: str, replacement: str) -> str:
    """A whole number with as many digits as another, because 02 is written so for a reason."""
    digits = text.lstrip("+-")
    return replacement.zfill(len(digits)) if text == digits else replacement


def _plain(number: Decimal) -> str:
    return f"{number:f}"


def _as_written(word: str) -> str:
    """The opposite of a word, in capitals as it is."""
    opposite = _OPPOSITES[word.lower()]
    if word.isupper():
        return opposite.upper()
    return opposite.capitalize() if word[0].isupper() else opposite


def _time(match: re.Match[str]) -> Found:
    hour = int(match[1])
    for replacement in ((hour + 1) % 24, (hour + 12) % 24):
        yield match.start(1), match.end(1), str(replacement).zfill(len(match[1])), "time"


def _date(match: re.Match[str]) -> Found:
    try:
        day = dt.date.fromisoformat(match[0])
        yield *match.span(), (day + dt.timedelta(days=1)).isoformat(), "date"
    except (ValueError, OverflowError):
        return


def _version(match: re.Match[str]) -> Found:
    start = match[0].rindex(".") + 1
    replacement = str(int(match[0][start:]) + 1)
    yield match.start() + start, match.end(), replacement, "version"


def _quantity(match: re.Match[str]) -> Found:
    operator = "duration" if match[3][0].islower() else "size"
    for replacement in numbers(match[1]):
        yield *match.span(1), replacement, "number" if match[3] == "%" else operator
    start = match.start(3) if _UNITS[match[3]] else match.start(2)
    yield start, match.end(3), _UNITS[match[3]], "unit"


def _free(match: re.Match[str]) -> Found:
    for replacement in numbers(match[0]):
        yield *match.span(), replacement, "number"


def _sign(match: re.Match[str]) -> Found:
    yield *match.span(), _SIGNS[match[0]], "comparison"


_PATTERNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Found]], ...] = (
    (_DATE, _date),
    (_TIME, _time),
    (_VERSION, _version),
    (_QUANTITY, _quantity),
    (_FREE, _free),
    (_SIGN, _sign),
)
_JUST_A_MEASURE = re.compile(
    "|".join(f"(?:{pattern.pattern})" for pattern in (_TIME, _DATE, _VERSION, _QUANTITY))
)
_LIMIT = re.compile(r"(<=|>=|==|!=|<|>)\s*[-+]?\d+(\.\d+)?\s*\S{0,3}")
