"""The announcement of Week 1, and which of its eight fields nobody filled in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import date

from pytest_rollout import Message, NoValueError
from suites.pipeline.views.people import placeholder
from suites.pipeline.views.statuses import bullets, last_line, subject_of, text_of

SUBJECT = "Unified Workflow Pipeline — Production Rollout (Phase 1)"
TEAM = "team@example.com"
LINK = "docs/development/workflow_refactor/production_rollout_plan.md"


def announced(mails: Iterable[Message]) -> Message:
    """The announcement that was mailed last; raises NoValueError where none was."""
    named = [mail for mail in mails if "Production Rollout (Phase 1)" in subject_of(mail)]
    mine = [mail for mail in named if mail.channel == TEAM]
    if not mine:
        raise NoValueError(f"no announcement of Week 1 to {TEAM} is in the inbox")
    return mine[-1]


def unfilled(
    mail: Message, rehearsed_on: date, senders: Collection[str], *, leads_there: bool
) -> dict[str, bool]:
    """Each field of the template, and whether it is unfilled or untrue."""
    text = text_of(mail)
    changing = bullets(text, "What's Changing")
    return {
        "subject": subject_of(mail) != SUBJECT,
        "rehearsal date": f"live rehearsal on {rehearsed_on.isoformat()}" not in text,
        "what changes": len(changing) != 3 or not _hours(changing[0]) or not _hours(changing[1]),
        "what to expect": _lacks(bullets(text, "What to Expect"), 3),
        "what you can do": _lacks(bullets(text, "What You Can Do"), 3),
        "monitoring window": not re.search(r"\*\*Monitoring Window\*\*: *48 hours", text),
        "plan link": LINK not in text or not leads_there,
        "sender": not any(name and name in last_line(text) for name in senders),
    }


def _hours(entry: str) -> bool:
    return bool(re.search(r"every \d+ hours", entry))


def _lacks(entries: list[str], count: int) -> bool:
    return len(entries) < count or any(placeholder(entry) for entry in entries)
