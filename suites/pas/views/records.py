"""What people wrote down, and what reached channels, mailboxes and pagers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from pytest_rollout import Message, NotReportedError, NoValueError, Reported, read_inbox

ZONE = ZoneInfo("America/New_York")
HOLIDAYS = (date(2025, 11, 27), date(2025, 12, 25), date(2026, 1, 1))
CHANNEL, OPERATIONS = "#plms-rollout", "plms-ops@company.com"
ROLES = ("Engineering", "Operations", "PM")


class Records:
    """The records, in the order of their times."""

    def __init__(self, path: Path) -> None:
        self.lines: list[Reported] = []
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        for number, line in enumerate(text.splitlines(), start=1):
            where = f"line {number} of {path.name}"
            try:
                record = json.loads(line)
            except ValueError as error:
                raise NotReportedError(f"{where} is no JSON: {error}") from error
            self.lines.append(Reported(record, where))
        self.lines.sort(key=lambda record: record.moment("at"))

    def of(self, kind: str, **fields: object) -> list[Reported]:
        """Records of a kind whose fields are so."""
        return [
            record
            for record in self.lines
            if record.get("kind") == kind and all(record.get(k) == v for k, v in fields.items())
        ]

    def demand(self, kind: str, why: str, **fields: object) -> list[Reported]:
        """Records of a kind; raises NoValueError where there is none."""
        records = self.of(kind, **fields)
        if not records:
            raise NoValueError(why)
        return records


def received(path: Path) -> Sequence[Message]:
    """What arrived; nothing where nobody wrote."""
    return read_inbox(path) if path.is_file() else ()


def text_of(message: Message) -> str:
    """What people read of a message."""
    subject, text = message.body.get("subject", ""), message.body.get("text", "")
    return f"{subject}\n{text}".strip()


def local(moment: datetime) -> datetime:
    """A moment as the clock on the wall in New York shows it."""
    return moment.astimezone(ZONE)


def working_days(begin: date, end: date) -> list[date]:
    """Monday to Friday without holidays, both ends included."""
    days = [begin + timedelta(days=number) for number in range((end - begin).days + 1)]
    return [day for day in days if day.weekday() < 5 and day not in HOLIDAYS]


def may_change(moment: datetime) -> bool:
    """Whether changes may be made: Monday to Thursday from 09:00 to 16:00, on no holiday."""
    there = local(moment)
    open_ = time(9) <= there.time() < time(16)
    return there.weekday() < 4 and open_ and there.date() not in HOLIDAYS


def in_stand_up(moment: datetime) -> bool:
    """Whether a moment falls into the quarter of an hour from 09:30 on a working day."""
    there = local(moment)
    return there.weekday() < 5 and time(9, 30) <= there.time() < time(9, 45)
