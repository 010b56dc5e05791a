"""What arrived in channels and mailboxes."""

from __future__ import annotations

import re
from datetime import datetime

from pytest_rollout import Message, Stage, read_inbox

CHANNEL, OPERATIONS = "#wf-modernization", "#copilot-ops"
LEAD = "workflow-lead@example.com"


def heard(phase: Stage, begin: datetime, end: datetime | None = None) -> list[Message]:
    """All messages of a time, in order; a channel that nobody wrote to is an empty one."""
    path = phase.file("inbox")
    messages = read_inbox(path) if path.is_file() else ()
    return [m for m in messages if begin <= m.at and (end is None or m.at < end)]


def text_of(message: Message) -> str:
    """What people read of a message: the text, of a mail the subject and then the text."""
    subject, text = message.body.get("subject", ""), message.body.get("text", "")
    return f"{subject}\n{text}" if message.service == "mail" else str(text)


def posts(messages: list[Message], begins: str, channel: str = CHANNEL) -> list[Message]:
    """The messages of a channel whose text begins so."""
    return [
        m
        for m in messages
        if m.service == "slack" and m.channel == channel and text_of(m).startswith(begins)
    ]


def findings_in(text: str) -> list[tuple[str, int]]:
    """The check and the issue that each line of a message about findings names."""
    said = [re.match(r"quality: ([a-z-]+) #(\d+)\b", line) for line in text.splitlines()]
    return [(line[1], int(line[2])) if line else ("in another form", 0) for line in said]


def mails(messages: list[Message], begins: str, address: str = "") -> list[Message]:
    """The mails whose subject begins so, of one address or of all."""
    return [
        m
        for m in messages
        if m.service == "mail"
        and (not address or m.channel == address)
        and text_of(m).startswith(begins)
    ]
