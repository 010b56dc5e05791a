"""Alerts of a short runway as they arrived, and the crossings that they are due at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pytest_rollout import Message

LIMITS = {"warning": 15, "critical": 5}  # minutes of runway
EARLY, LATE = timedelta(seconds=5), timedelta(seconds=60)  # around a crossing


@dataclass(frozen=True, slots=True)
class RunwayAlert:
    """An alert of a project's runway as it arrived."""

    at: datetime
    service: str
    channel: str
    project: int
    severity: str
    text: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """A runway that fell under a limit."""

    level: str
    at: datetime  # between the two looks that it lies between, as if it fell evenly

    def early(self, alert: RunwayAlert) -> bool:
        """Whether an alert came before it."""
        return alert.at < self.at - EARLY

    def in_time(self, alert: RunwayAlert) -> bool:
        """Whether an alert came within a minute of it."""
        return self.at - EARLY <= alert.at <= self.at + LATE


def alerts_of(messages: Iterable[Message]) -> list[RunwayAlert]:
    """The runway alerts among what the channels got, in order of arrival."""
    alerts = []
    for message in messages:
        details = _details(message)
        if str(details.get("project", "")).isdecimal():
            project, severity = int(details["project"]), str(details.get("severity"))
            service, channel = message.service, message.channel
            text = words_of(message)
            alerts.append(RunwayAlert(message.at, service, channel, project, severity, text))
    return sorted(alerts, key=lambda alert: alert.at)


def words_of(message: Message) -> str:
    """What an alert says to people; all of it where it has no such text."""
    text = message.body.get("text") or message.body.get("payload", {}).get("summary")
    return str(text or message.text)


def _details(message: Message) -> dict[str, Any]:
    if message.service == "pagerduty":
        payload = message.body.get("payload", {})
        return {**payload.get("custom_details", {}), "severity": payload.get("severity")}
    attachments = message.body.get("attachments", [])
    fields = [field for attachment in attachments for field in attachment.get("fields", [])]
    return {field["title"]: field["value"] for field in fields if {"title", "value"} <= set(field)}


def crossings_of(runway: Iterable[tuple[datetime, float | None]]) -> Iterator[Crossing]:
    """Each time a runway fell under one of the limits; minutes at each look, None: not known."""
    known = [(at, minutes) for at, minutes in runway if minutes is not None]
    for level, limit in LIMITS.items():
        if known and known[0][1] < limit:
            yield Crossing(level, known[0][0])
        for (before, high), (after, low) in pairwise(known):
            if high >= limit > low:
                share = (high - limit) / (high - low)
                yield Crossing(level, before + (after - before) * share)
