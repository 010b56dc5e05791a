"""The pilot's record: projects and teams that worked, and what each day was like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pytest_rollout import Reported
from suites.bridge.views import papers, people
from suites.bridge.views.lines import lines
from suites.bridge.views.service import Bridge

PROJECTS = 2  # that are worked on each day of the pilot
_SHARES = {"post_success": 0.99, "read_success": 0.995}
_TIMES = {"post_to_visible": 2.0, "message_to_wake": 3.0}


def finished(threads: Sequence[Reported], bridge: Bridge, label: str) -> dict[str, int]:
    """How many threads of each label were closed in which at least two agents wrote."""
    counts: dict[str, int] = {}
    for thread in threads:
        name = thread.get(label)
        if not name or thread.text("state") != "closed":
            continue
        writers = {message.text("from") for message in bridge.operator.read(thread.text("id"))}
        if len(writers) >= 2:
            counts[str(name)] = counts.get(str(name), 0) + 1
    return counts


@dataclass
class Day:
    """A day of the pilot: what was told of it, and what else is on record."""

    day: date
    told: Reported
    incidents: list[Reported] = field(default_factory=list)  # of severity 1, that touched it
    projects: set[str] = field(default_factory=set)  # of the pilot, in which a thread was opened
    failed: Counter[str] = field(default_factory=Counter)  # posts and reads, by the log
    lost: list[str] = field(default_factory=list)  # threads whose messages are not all there


def days_of(
    repository: Path, records: Path, logs: Path, threads: Sequence[Reported], bridge: Bridge
) -> list[Day]:
    """The days of the pilot, oldest first."""
    days = {}
    for line in lines(repository / papers.DAILY, "list of days"):
        day = Day(date.fromisoformat(line.text("day")), line)
        days[day.day] = day
    for name, at in failures(logs):
        if at.date() in days:
            days[at.date()].failed[name] += 1
    for incident in people.written(records, "incident"):
        if incident.whole("severity") == 1:
            first, last = (incident.moment(name).date() for name in ("began", "ended"))
            for day in days.values():
                if first <= day.day <= last:
                    day.incidents.append(incident)
    chosen = list(papers.structured(repository, papers.PILOT)["projects"])
    for thread in threads:
        opened = days.get(thread.moment("created_at").date())
        if opened is None or thread.get("project") not in chosen:
            continue
        opened.projects.add(thread.text("project"))
        numbers = [message.whole("seq") for message in bridge.operator.read(thread.text("id"))]
        if numbers != list(range(1, thread.whole("last_seq") + 1)):
            opened.lost.append(thread.text("id"))
    return [days[day] for day in sorted(days)]


def failures(logs: Path) -> Iterator[tuple[str, datetime]]:
    """Each post and read of messages that failed, by the log of requests, and when."""
    names = {"POST": "post_success", "GET": "read_success"}
    for line in lines(logs / "bridge.jsonl", "log of the bridge"):
        if line.get("event") != "request" or not str(line.get("route")).endswith("/messages"):
            continue
        if line.whole("status") >= 500 and line.get("method") in names:
            yield names[line.text("method")], line.moment("at")


def missed(told: Reported) -> list[str]:
    """The targets that a day missed, by its own counts; one without a count is missed."""
    targets = []
    for name, least in _SHARES.items():
        figures = told.inner(name)
        posted, failed = figures.whole("n"), figures.whole("failed")
        if not posted or (posted - failed) / posted < least:
            targets.append(name)
    for name, most in _TIMES.items():
        figures = told.inner(name)
        if not figures.whole("n") or figures.number("p95") > most:
            targets.append(name)
    return targets


def stable(day: Day) -> str:
    """Why a day was not stable; empty where it was. What begins with "told" is told wrongly."""
    targets = missed(day.told)
    if day.told.flag("met") != (not targets):
        return f"told as met: {day.told.flag('met')}, and missed were {targets or 'none'}"
    for name, count in day.failed.items():
        said = day.told.inner(name).whole("failed")
        if said < count:
            return f"told with {said} failures in {name}, and {count} are logged"
    if targets:
        return f"{', '.join(targets)} missed"
    if day.incidents:
        return f"{len(day.incidents)} incidents of severity 1"
    if len(day.projects) < PROJECTS:
        return f"threads were opened in {sorted(day.projects) or 'no project'} only"
    return f"thread {day.lost[0]} has lost messages" if day.lost else ""
