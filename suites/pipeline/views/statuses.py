"""The weekly statuses and the announcement, read by the words of their templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pytest_rollout import Message
from suites.pipeline.views.people import placeholder
from suites.pipeline.views.telemetry import Record, items

FIGURES = {
    "Issues monitored": "monitoring",
    "Workflow assignments": "assignment",
    "Processing completed": "processing",
    "Copilot assignments": "copilot",
}
RATE = "Success rate"
_LISTS = {"highlights": "Highlights", "issues": "Issues", "next week": "Next Week"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_DATES = re.compile(r"\*\*Week (\d+) Summary\*\* \((.+)\)")


@dataclass(frozen=True)
class Status:
    """A weekly status as it was mailed."""

    at: datetime
    dates: str  # of the week, by its own words
    figures: Mapping[str, float]
    unfilled: Sequence[str]  # the fields of the template that nobody filled


def text_of(mail: Message) -> str:
    """The text of a mail."""
    return str(mail.body.get("text") or "")


def subject_of(mail: Message) -> str:
    """The subject of a mail."""
    return str(mail.body.get("subject") or "")


def status_of(mails: Iterable[Message], week: int) -> Status | None:
    """The status of a week that was mailed last, None where none was."""
    subject = f"Workflow Pipeline — Week {week} Status"
    mine = [mail for mail in mails if subject_of(mail) == subject]
    if not mine:
        return None
    text = text_of(mine[-1])
    figures = {}
    for name in (*FIGURES, RATE):
        said = re.search(rf"^- {re.escape(name)}: *(\S+?)%?\s*$", text, re.MULTILINE)
        if said and _NUMBER.fullmatch(said[1]):
            figures[name] = float(said[1])
    named = _DATES.search(text)
    dates = named[2] if named else ""
    return Status(mine[-1].at, dates, figures, list(_unfilled(text, week, figures)))


def _unfilled(text: str, week: int, figures: Mapping[str, float]) -> Iterable[str]:
    dates = _DATES.search(text)
    if not dates or dates[1] != str(week) or not re.search(r"\d{4}-\d\d-\d\d", dates[2]):
        yield "the dates of the week"
    yield from (name for name in (*FIGURES, RATE) if name not in figures)
    for field, title in _LISTS.items():
        entries = bullets(text, title)
        if not entries or any(placeholder(e) for e in entries if e.lower() != "none"):
            yield field  # that there is none is an answer
    if "Feedback Welcome" not in text:
        yield "the request for feedback"
    link = re.search(r"^Dashboard: *(.*)$", text, re.MULTILINE)
    if not link or placeholder(link[1]):
        yield "the link to the dashboard"
    if placeholder(last_line(text)) or last_line(text).startswith("Dashboard"):
        yield "the sender"


def bullets(text: str, title: str) -> list[str]:
    """The entries of the list below a bold title."""
    _, heading, rest = text.partition(f"**{title}**:")
    if not heading:
        return []
    entries = []
    for line in rest.splitlines()[1:]:
        if not line.startswith("- "):
            break
        entries.append(line.removeprefix("- ").strip())
    return entries


def last_line(text: str) -> str:
    """The last line of a text that is not empty, where its sender stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def week_figures(telemetry: Sequence[Record], since: datetime, until: datetime) -> dict[str, float]:
    """What the telemetry of a time comes to, by the names of the template."""
    mine = [record for record in telemetry if since < record.at <= until]
    figures: dict[str, float] = {
        name: sum(record.result == "ok" for record in items(mine, stage))
        for name, stage in FIGURES.items()
    }
    taken = [*items(mine, "assignment"), *items(mine, "processing")]
    if taken:
        good = sum(record.result == "ok" for record in taken)
        figures[RATE] = 100 * good / len(taken)
    return figures
