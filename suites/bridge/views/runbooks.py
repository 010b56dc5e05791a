"""Runbooks and the log of their drills: what they say, and whether what they name exists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from pytest_rollout import Reported
from suites.bridge.views import papers
from suites.bridge.views.said import is_sentence

CASES = (
    "service-unavailable",
    "storage-contention",
    "delivery-delay",
    "authz-misconfiguration",
    "token-issuer-outage",
    "escalation-flood",
    "wake-trigger-failure",
    "unmanaged-runtime",
    "collision-timeout",
)
SECTIONS = ("Symptoms", "Checks", "Actions", "Escalation")
CALLED = ("operator", "platform engineer", "security owner", "product owner", "workflow owner")
EVENTS = re.compile(r"[a-z]+\.[a-z][a-z_-]*")  # as tick.failed
_METRIC = re.compile(r"[a-z][a-z0-9_]*_(?:total|seconds|minute|day|threads|triggers)(?:\{.*\})?")
_FILE = re.compile(r"\S+\.(?:jsonl|json|yaml|md|db)")
_PATH = re.compile(r"(?:(?:GET|POST|PUT|DELETE|PATCH) )?(/[A-Za-z0-9_/{}.-]*)(?:\?\S*)?")
_COMMAND = re.compile(r"(?:bin/)?bridge ([a-z][a-z-]+)")
_ID = re.compile(r"\(([a-z][a-z-]+)\)\s*$")


@dataclass(frozen=True, slots=True)
class Known:
    """What a runbook may name, because it is there."""

    metrics: frozenset[str]
    events: frozenset[str]
    paths: tuple[str, ...]  # with {names} in them
    commands: frozenset[str]

    def path(self, path: str) -> bool:
        """Whether an address is served."""
        wanted = re.sub(r"\{[^}]*\}|<[^>]*>", "X", path)
        return any(re.sub(r"\{[^}]*\}", "X", known) == wanted for known in self.paths)

    def lacks(self, name: str) -> str:
        """What a name claims to be and is not; empty where it exists, or claims nothing."""
        if _FILE.fullmatch(name):
            return ""
        if (command := _COMMAND.match(name)) is not None:
            return "" if command.group(1) in self.commands else f"there is no command {name}"
        if (path := _PATH.fullmatch(name)) is not None:
            return "" if self.path(path.group(1)) else f"{name} is not served"
        if EVENTS.fullmatch(name):
            return "" if name in self.events else f"no log has {name}"
        if _METRIC.fullmatch(name):
            bare = name.partition("{")[0]
            return "" if bare in self.metrics else f"/metrics has no {bare}"
        return ""

    def signal(self, name: str) -> bool:
        """Whether a name is a metric, an event of a log or an address, and is there."""
        kinds = (_PATH, EVENTS, _METRIC)
        return any(kind.fullmatch(name) for kind in kinds) and not self.lacks(name)


def runbooks(repository: Path) -> dict[str, dict[str, str]]:
    """The sections of each runbook, by its id."""
    books = {}
    for heading, text in papers.sections(papers.document(repository, papers.RUNBOOKS), 2).items():
        named = _ID.search(heading)
        if named is not None:
            books[named.group(1)] = papers.sections(text, 3)
    return books


def section_problem(section: str, said: Mapping[str, str], known: Known) -> str:
    """What is wrong with a section of a runbook; empty where people can follow it."""
    text = said.get(section, "")
    if not is_sentence(text):
        return "it says nothing"
    unknown = [problem for name in papers.named(text) if (problem := known.lacks(name))]
    if unknown:
        return unknown[0]
    if section == "Symptoms" and not any(map(known.signal, papers.named(text))):
        return "it names no signal that exists"
    if section == "Escalation" and not any(role in text.lower() for role in CALLED):
        return "it names nobody to call"
    return ""


def signals(said: Mapping[str, str]) -> list[str]:
    """The signals that a runbook's symptoms name."""
    return papers.named(said.get("Symptoms", ""))


@dataclass(frozen=True, slots=True)
class Drill:
    """An entry of the log of drills."""

    row: Reported

    @property
    def started(self) -> datetime:
        """When it began."""
        return self.row.moment("started")

    @property
    def ended(self) -> datetime:
        """When its runbook was through."""
        return self.row.moment("ended")

    def problem(self, now: datetime, most_days: int) -> str:
        """What is wrong with the entry; empty where it shows a drill that passed lately."""
        if self.row.text("result") != "passed":
            return f"its result is {self.row.text('result')}"
        if not self.row.text("operator").strip():
            return "nobody is named who did it"
        if not self.row.text("signal").strip():
            return "no signal is named that was seen"
        if not self.started < self.ended <= now + timedelta(minutes=1):
            return f"it lasted from {self.started} to {self.ended}"
        if date.fromisoformat(self.row.text("date")) != self.started.date():
            return f"it is dated {self.row.text('date')} and began {self.started}"
        if now - self.ended > timedelta(days=most_days):
            return f"it is {(now - self.ended).days} days old"
        return ""


def drill_log(repository: Path) -> dict[str, Drill]:
    """The newest entry of each runbook's drills."""
    rows = papers.table(papers.document(repository, papers.DRILLS), papers.DRILLS)
    drills: dict[str, Drill] = {}
    for row in rows:
        drill, case = Drill(row), row.text("runbook")
        if case not in drills or drill.started >= drills[case].started:
            drills[case] = drill
    return drills
