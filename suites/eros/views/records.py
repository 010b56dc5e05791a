"""Files of lines: logs of the service, and what people wrote down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from pytest_rollout import NoValueError, Reported, RolloutError


def lines(path: Path, what: str) -> Iterator[Reported]:
    """The objects in a file, one a line; raises RolloutError with the line of what is none."""
    if not path.is_file():
        raise RolloutError(f"there is no {what} at {path.name}")
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not text.strip():
            continue
        try:
            said = json.loads(text)
        except ValueError as error:
            raise RolloutError(f"{path.name}, line {number}: {error}") from None
        if not isinstance(said, dict):
            raise RolloutError(f"{path.name}, line {number} is no object")
        yield Reported(said, f"{path.name}, line {number}")


def logged(folder: Path, logger: str, event: str) -> list[Reported]:
    """What a logger wrote of one kind of event."""
    path = folder / f"{logger}.jsonl"
    return [line for line in lines(path, f"log {logger}") if line.text("event") == event]


def noted(path: Path, kind: str) -> list[Reported]:
    """What people wrote down of one kind, in the order in which they did."""
    return [line for line in lines(path, "record of people") if line.text("kind") == kind]


def days_between(begun: datetime, ended: datetime) -> list[date]:
    """The whole days (UTC) of a stretch of time; the day of its begin counts, too."""
    day, days = begun.date(), []
    while datetime.combine(day + timedelta(days=1), datetime.min.time(), begun.tzinfo) <= ended:
        days.append(day)
        day += timedelta(days=1)
    return days


def open_days(path: Path, phase: str, task: str, days: list[date]) -> list[tuple[date, bool]]:
    """Each day, with whether nobody put on record that they did a daily task."""
    if not days:
        raise NoValueError(f"not one day of {phase} has passed")
    done = {
        note.text("day")
        for note in noted(path, "task")
        if note.text("phase") == phase and note.text("task") == task and _in_time(note)
    }
    return [(day, day.isoformat() not in done) for day in days]


def _in_time(note: Reported) -> bool:
    """Whether a named person wrote a note on its day or the day after, and not before."""
    late = note.moment("at").date() - date.fromisoformat(note.text("day"))
    return bool(note.text("by").strip()) and timedelta(0) <= late <= timedelta(days=1)
