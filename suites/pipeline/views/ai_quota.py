"""What was used of the AI API each day, as it was billed and as the telemetry has it."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from pytest_rollout import NoValueError
from suites.pipeline.views.people import kept
from suites.pipeline.views.plan_days import DAY, midnight
from suites.pipeline.views.telemetry import Record, read_all


def billed(records: Path) -> dict[date, float]:
    """The units of each day; raises NoValueError where nobody keeps the bill."""
    path = records / "ai-usage.csv"
    if not path.is_file():
        raise NoValueError("there is no ai-usage.csv among the records")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {date.fromisoformat(row["date"]): float(row["units"]) for row in rows}


def told_and_billed(
    records: Path, told: Iterable[Record], begin: datetime, end: datetime
) -> list[tuple[datetime, float, float | None]]:
    """For each whole day of a time the units that telemetry has, and those that were billed."""
    units, spent = billed(records), _spent(told)
    return [(day, spent[day.date()], units.get(day.date())) for day in _whole_days(begin, end)]


def _spent(told: Iterable[Record]) -> dict[date, float]:
    spent: dict[date, float] = defaultdict(float)
    for record in told:
        spent[record.at.date()] += record.ai_units
    return spent


def _whole_days(begin: datetime, end: datetime) -> Iterator[datetime]:
    day = midnight(begin.date())
    while day < end and day + DAY <= end + timedelta(hours=1):
        yield day
        day += DAY


def shares_of_quota(
    records: Path, telemetry: Path, begin: datetime, end: datetime
) -> Iterator[tuple[datetime, float]]:
    """The share of the quota that each whole day of a time used, at the day's last second.

    The greater of bill and telemetry counts. Raises NoValueError for a day without a bill.
    """
    quota = kept(records, "ai-quota.yaml").number("per_day")
    for day, told, paid in told_and_billed(records, read_all(telemetry), begin, end):
        if paid is None:
            raise NoValueError(f"ai-usage.csv has nothing of {day.date()}")
        yield day + DAY - timedelta(seconds=1), max(paid, told) / quota
