"""Rows of runs on both sides of each rule of the automatic rollback, and what must come of them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from suites.eros.views.conditions import Outcome, held

RULES = {  # as the service names them, and as the conditions are called here
    "success": "auto-success-rate",
    "latency": "auto-latency",
    "gates": "auto-gate-rate",
    "quality": "gr-quality",
}
_BEGUN = datetime(2025, 11, 10, 6, tzinfo=UTC)
_DRAWN = 24  # rows that are drawn for each rule


@dataclass(frozen=True, slots=True)
class Row:
    """Runs one after another: what is said of each, and why this row is asked about."""

    why: str
    values: Sequence[Any]  # of the one thing that the rule is about
    every_s: float = 60


KNOWN: Mapping[str, Sequence[Row]] = {
    "success": (
        Row("5 of 7 in five minutes", [1, 1, 1, 1, 1, 0, 0], 40),
        Row("6 of 7 in five minutes", [1, 1, 1, 1, 1, 1, 0], 40),
        Row("17 of 20 in five minutes", [1] * 17 + [0] * 3, 12),
        Row("16 of 20 in five minutes", [1] * 16 + [0] * 4, 12),
        Row("8 of the last ten, three in five minutes", [1] * 8 + [0] * 2, 120),
        Row("9 of the last ten, three in five minutes", [1] * 9 + [0], 120),
        Row("one failure in each ten slow runs", ([0] + [1] * 9) * 3, 180),
        Row("two failures that are five minutes apart", [0] + [1] * 9 + [0], 30),
    ),
    "latency": (
        Row("181 three times", [90, 181, 181, 181]),
        Row("181 twice", [90, 181, 181]),
        Row("180 four times", [180, 180, 180, 180]),
        Row("181, 179, 181, 181", [181, 179, 181, 181]),
        Row("one of 400 among 60", [100] * 30 + [400] + [100] * 29),
        Row("two of 400 among the last twenty", [100] * 30 + [400, 400, 100, 100, 100]),
    ),
    "gates": (
        Row("1 of 10", [0] * 9 + [1]),
        Row("2 of 10", [0] * 8 + [1, 1]),
        Row("two that are eleven apart", [1] + [0] * 10 + [1]),
        Row("two that are ten apart", [0, 0, 1] + [0] * 9 + [1, 0, 0]),
        Row("two that are nine apart", [0, 0, 1] + [0] * 8 + [1, 0, 0]),
        Row("two violations in one run", [0] * 9 + [2]),
    ),
    "quality": (
        Row("70 ten times", [70] * 10),
        Row("69.9 ten times", [69.9] * 10),
        Row("a mean of exactly 70", [73] * 5 + [67] * 5),
        Row("76 and then 69.99", [76] + [69.99] * 10),
        Row("60 nine times", [60] * 9),
        Row("a slow decline", [80 - step for step in range(25)]),
    ),
}
_DRAWS: Mapping[str, Sequence[Any]] = {
    "success": [1, 1, 1, 1, 1, 1, 0],
    "latency": [100, 180, 181, 181],
    "gates": [0, 0, 0, 0, 0, 0, 0, 1],
    "quality": [60, 69.9, 70, 70.1, 80],
}


def rows(rule: str) -> Iterator[Row]:
    """The known rows of a rule, then drawn ones, the same each time."""
    yield from KNOWN[rule]
    draw = random.Random(rule)
    for number in range(_DRAWN):
        values = draw.choices(_DRAWS[rule], k=draw.randint(8, 40))
        yield Row(f"drawn row {number}", values, draw.choice([10, 40, 130]))


def said(rule: str, row: Row) -> list[dict[str, Any]]:
    """The runs of a row as the controller is asked about them."""
    return [
        {
            "ended": at.isoformat(),
            "creator": "alexia",
            "outcome": "ok" if run.ok else "failed",
            "duration_s": float(run.seconds),
            "violations": ["overlap"] * run.violations,
            "quality": None if run.quality is None else float(run.quality),
        }
        for at, run in ((run.at, run) for run in outcomes(rule, row))
    ]


def outcomes(rule: str, row: Row) -> list[Outcome]:
    """The runs of a row as conditions see them; healthy in all that the rule is not about."""
    return [
        _outcome(rule, value, _BEGUN + timedelta(seconds=number * row.every_s))
        for number, value in enumerate(row.values, 1)
    ]


def _outcome(rule: str, value: Any, at: datetime) -> Outcome:
    ok = rule != "success" or bool(value)
    return Outcome(
        at,
        "alexia",
        ok,
        Fraction(str(value if rule == "latency" else 75)),
        Fraction(str(value if rule == "quality" else 85)) if ok else None,
        int(value) if rule == "gates" else 0,
    )


def fires(rule: str, row: Row) -> int | None:
    """The run after which the rule must fire, counted from 0; None where it must not."""
    for number, (_, conditions) in enumerate(held("percent25", outcomes(rule, row))):
        if RULES[rule] in conditions:
            return number
    return None
