"""The health probe over every change window of the rollout."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from pytest_rollout import NotReportedError, Stage, scenario
from suites.plms.scenarios.live_week import diary
from suites.plms.views.answers import not_done, read
from suites.plms.views.dialect import spoken
from suites.plms.views.host import ZONE

# The slots in which production changes; day 2 tests only.
SLOTS = {
    "day1": ("2025-11-08T10:00", "2025-11-08T12:00"),
    "day3": ("2025-11-10T09:00", "2025-11-10T11:00"),
    "day4": ("2025-11-11T10:00", "2025-11-11T12:00"),
    "day5": ("2025-11-12T14:00", "2025-11-12T16:00"),
    "day6": ("2025-11-13T13:00", "2025-11-13T16:00"),
    "day7": ("2025-11-14T11:00", "2025-11-14T12:30"),
}
PROBE_S = 5
_BEFORE = (PROBE_S,) * 3
_AFTER = (1,) * 10 + (PROBE_S,) * 10  # a restart is short, and comes at once or a little later
_REPEATED = 944  # the project whose one start is repeated at each probe
_START = {"run_kind": "rehearsal", "lane_name": "Narrative", "tasks": 1, "task_seconds": 60}
_PAIR = {301: "Code-API", 302: "Data-Schema"}


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """What the health probe got at one moment of a change window; 0 where nobody answered."""

    day: str
    at: datetime
    status: int
    says: str  # the status in the body; empty where a log of probes does not tell
    refused: tuple[str, ...] = ()  # what else was asked and not answered, in words


@dataclass(frozen=True, slots=True)
class Probed:
    """The probes of every window, and the moments of what was changed meanwhile, by day."""

    probes: tuple[HealthProbe, ...]
    changes: dict[str, tuple[datetime, ...]]


@scenario(effect="change", own_target=True)
def probed_changes(phase: Stage) -> Probed:
    """Each day's change is made while the API is probed; in production the probes were kept."""
    if not phase.embedded:
        return _kept(phase.file("probes"), phase.file("week"))
    phase.operate("plms", "open-host")
    # Operators begin up to 20 minutes into a slot: from here on no step moves the clock.
    phase.target("plms").clock.to(phase.window[0] + timedelta(minutes=30))
    probes: list[HealthProbe] = []
    changes = {}
    for day, change in _changes(phase).items():
        known = len(phase.events("change"))
        probes += _probe(phase, day, _BEFORE)
        change()
        changes[day] = tuple(event.at for event in phase.events("change")[known:])
        probes += _probe(phase, day, _AFTER)
    return Probed(tuple(probes), changes)


def _changes(phase: Stage) -> dict[str, Callable[[], object]]:
    """What each day changes in production, as its operator does it."""

    def steps(*names: str) -> Callable[[], object]:
        return lambda: [phase.operate("plms", name) for name in names]

    def drill() -> None:
        row = phase.operate("plms", "plant-row").get("row")
        phase.operate("plms", "remove-row", row=row)

    def launch() -> None:
        for project in _PAIR:
            key = {"Idempotency-Key": f"{phase.id}/{project}/1"}
            path = f"/api/projects/{project}/start"
            body = spoken().body("start", {"run_kind": "baseline"})
            phase.target("plms").client.post(path, headers=key, json=body).raise_for_status()
            phase.record("change", f"project {project} started")

    return {
        "day1": steps("deploy-timer", "deploy-api"),
        "day3": steps("change-caps"),
        "day4": drill,
        "day5": steps("enable-calibration"),
        "day6": launch,
        "day7": steps("tune"),
    }


def _probe(phase: Stage, day: str, pauses: tuple[int, ...]) -> Iterator[HealthProbe]:
    plms = phase.target("plms")
    for pause in pauses:
        yield HealthProbe(day, plms.clock.now(), *_health(plms.client), _refused(plms.client))
        plms.clock.advance(pause)


def _refused(client: httpx.Client) -> tuple[str, ...]:
    """What people need besides health, and does not answer: it may be gone while health is ok."""
    start, body = f"/api/projects/{_REPEATED}/start", spoken().body("start", _START)
    key = {"Idempotency-Key": f"probe-of-project-{_REPEATED}"}
    asks: dict[str, Callable[[], httpx.Response]] = {
        "a repeated start": lambda: client.post(start, headers=key, json=body),
        "the portfolio status": lambda: client.get("/api/portfolio/status"),
    }
    refusals = []
    for what, ask in asks.items():
        try:
            status = ask().status_code
        except httpx.TransportError:
            status = 0
        if status != httpx.codes.OK:
            refusals.append(f"{what} answers {status or 'nothing'}")
    return tuple(refusals)


def _health(client: httpx.Client) -> tuple[int, str]:
    try:
        answer = client.get("/api/ops/healthz")
    except httpx.TransportError:
        return 0, ""
    try:
        return answer.status_code, read(answer, "healthz", any_status=True).text("status")
    except NotReportedError:
        return answer.status_code, ""


def _kept(log: Path, week: Path) -> Probed:
    """Probes as somebody kept them: a line of JSON each, with `at` and `status`."""
    if not log.is_file():
        do = f"probe /api/ops/healthz each {PROBE_S} s in every change window, a line of JSON each"
        not_done(f"there is no log of probes at {log}", do)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines() if line]
    taken = [(datetime.fromisoformat(line["at"]), int(line["status"])) for line in lines]
    probes = [HealthProbe(day, at, status, "") for at, status in taken if (day := _day(at))]
    changes: dict[str, tuple[datetime, ...]] = {}
    for entry in diary(week):
        if entry.kind == "change" and (day := _day(entry.at)):
            changes[day] = (*changes.get(day, ()), entry.at)
    return Probed(tuple(probes), changes)


def _day(at: datetime) -> str:
    """The day in whose slot a moment lies; empty outside of all."""
    local = at.astimezone(ZONE)
    for day, (begin, end) in SLOTS.items():
        ends = [datetime.fromisoformat(text).replace(tzinfo=ZONE) for text in (begin, end)]
        if ends[0] <= local <= ends[1]:
            return day
    return ""
