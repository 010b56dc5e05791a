"""Files of JSON lines: access logs, webhooks, records of people, restarts."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from pytest_rollout import NotReportedError, NoValueError, Reported

OFFICE = ZoneInfo("America/New_York")
_PATIENCE_S = 5.0  # a log may be written after the answer was sent


def lines(path: Path, what: str) -> tuple[Reported, ...]:
    """The objects of a file; raises NoValueError where there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        raise NoValueError(f"there is no {what} ({path.name})") from None
    objects = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            objects.append(_object(line, f"{path.name}, line {number}"))
    return tuple(objects)


def arrived(
    path: Path, what: str, enough: Callable[[Sequence[Reported]], bool]
) -> tuple[Reported, ...]:
    """The objects of a file as soon as they are enough, or after five seconds those there are."""
    latest = time.monotonic() + _PATIENCE_S
    while not enough(objects := lines(path, what)) and time.monotonic() < latest:
        time.sleep(0.05)
    return objects


def _object(line: str, source: str) -> Reported:
    try:
        said = json.loads(line)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise NotReportedError(f"{source} holds no object but {line[:60]!r}")
    return Reported(said, source)


def whole(path: Path, what: str) -> Reported:
    """The object that a file holds; raises NoValueError where there is no file."""
    try:
        return _object(path.read_text(encoding="utf-8"), path.name)
    except OSError:
        raise NoValueError(f"there is no {what} ({path.name})") from None


def of_kind(rows: Sequence[Reported], kind: str, **fields: object) -> list[Reported]:
    """The records of a kind whose fields say this."""
    return [
        row
        for row in rows
        if row.get("kind") == kind and all(row.get(name) == said for name, said in fields.items())
    ]


def day_of(row: Reported) -> date:
    """The day of a record, in the plan's zone."""
    return row.moment("at").astimezone(OFFICE).date()
