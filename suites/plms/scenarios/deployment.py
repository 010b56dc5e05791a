"""The scenarios of day 1: deployment and failure drill, outages, and the way back."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from pytest_rollout import Event, Message, RolloutError, Stage, read_inbox, scenario
from suites.plms.views.answers import read
from suites.plms.views.host import (
    Host,
    JobRun,
    contents,
    job_runs,
    needs,
    newest,
    open_channels,
    run,
)

TIMER = "plms-invariants.timer"
SERVICE = "plms-invariants.service"
INVALID = "INVALID_KIND"
PARTS = ("redis", "db", "filesystem")

Rows = Mapping[int, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Health:
    """What the health endpoint said at one moment; status 0: nobody answered."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FailureDrill:
    """What came of planting a row that breaks an invariant."""

    row: int | None  # None: the registry did not take it
    before: Rows  # of project_runs, by rowid
    planted: Rows
    after: Rows
    failed: JobRun | None  # the job with the row, and without it
    cleaned: JobRun | None
    messages: tuple[Message, ...]  # those of the job with the row

    @property
    def alerts(self) -> list[Message]:
        """The messages to Slack that are recognisably of a failure."""
        return [
            message
            for message in self.messages
            if message.service == "slack" and "FAIL" in message.text
        ]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What day 1 left behind."""

    host: Host
    address: tuple[str, int]  # of the Ops API
    connects: bool
    health: Health
    drill: FailureDrill
    events: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def deployed(phase: Stage) -> Deployed:
    """Timer and API are deployed; a failure is planted, noticed, and cleaned up."""
    needs("systemctl", "systemd-analyze")
    host = Host.of(phase)
    open_channels(phase)
    phase.operate("plms", "deploy-timer")
    url = _deploy_api(phase)
    health = probe(url)
    connects = accepts(url)
    drill = _drill(phase, host) if phase.embedded else _drill_of_people(phase, host)
    phase.operate("plms", "hand-over")
    events = phase.events("action", "change")
    return Deployed(host, _address(url), connects, health, drill, events)


def _deploy_api(phase: Stage) -> str:
    """Where the API is once it was deployed: the operator's word, else the plan's."""
    return str(phase.operate("plms", "deploy-api").get("url") or phase.target("plms").url)


def _drill(phase: Stage, host: Host) -> FailureDrill:
    before, heard = project_runs(host.registry), len(read_inbox(host.inbox))
    row = phase.operate("plms", "plant-row").get("row")
    planted = project_runs(host.registry)
    failed = _job(phase, host, drill=True)
    messages = read_inbox(host.inbox)[heard:]
    if row is not None:
        phase.operate("plms", "remove-row", row=row)
    after = project_runs(host.registry)
    cleaned = _job(phase, host, drill=False)
    return FailureDrill(row, before, planted, after, failed, cleaned, messages)


def _drill_of_people(phase: Stage, host: Host) -> FailureDrill:
    """The drill as people did and recorded it; the newest backup tells what was there before."""
    before, row, kind = project_runs(newest(host.backups, "registry_*.db")), None, ""
    for event in phase.events("change"):
        told = re.search(r"row (\d+) planted, .*run_kind (\w+)", event.says)
        row, kind = (int(told[1]), told[2]) if told else (row, kind)
    planted = before if row is None else {**before, row: (kind,)}
    jobs = [job for job in job_runs(host) if job.ended_at >= phase.window[0]]
    failed = next((job for job in jobs if job.drill or job.status != "OK"), None)
    cleaned = jobs[-1] if jobs and jobs[-1] != failed else None
    messages = tuple(
        message
        for message in read_inbox(host.inbox)
        if failed and failed.ended_at <= message.at < (cleaned or failed).ended_at
    )
    after = project_runs(host.registry)
    return FailureDrill(row, before, planted, after, failed, cleaned, messages)


def _job(phase: Stage, host: Host, *, drill: bool) -> JobRun | None:
    """The run of the job that the operator starts now; None where none is on record."""
    known = len(job_runs(host))
    phase.operate("plms", "run-invariants", drill=drill)
    return next(iter(job_runs(host)[known:]), None)


def project_runs(registry: Path) -> Rows:
    """Every row of project_runs: rowid to its id, project, kind and status."""
    from suites.plms.views.portfolio import rows

    query = "SELECT rowid AS row, run_id, project_id, run_kind, status FROM project_runs"
    return {row.pop("row"): tuple(row.values()) for row in rows(registry, query)}


@dataclass(frozen=True, slots=True)
class Outage:
    """What the health endpoint said while a dependency was gone, and when it was back."""

    during: Health
    after: Health


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What health noticed, and what the rollback left behind."""

    outages: Mapping[str, Outage]  # of each dependency
    enabled: str
    active: str
    accepts: bool  # the API's port, after the rollback
    lost: frozenset[str]  # what the API stands on, there before the rollback and not after
    damaged: Mapping[str, Any]  # contents of the registry before the rollback
    backup: Mapping[str, Any]
    restored: Mapping[str, Any]
    caps: Mapping[str, int]  # as the API reads them once it was started again


@scenario(effect="disrupt", own_target=True)
def taken_back(phase: Stage) -> TakenBack:
    """Dependencies go and come, the registry is damaged, the day's changes are rolled back."""
    needs("systemctl", "systemd-analyze")
    host = Host.of(phase)
    phase.operate("plms", "deploy-timer")
    url = _deploy_api(phase)
    outages = {part: _outage(phase, part) for part in PARTS}
    phase.operate("plms", "damage-registry")
    damaged, below = contents(host.registry), _there(phase)
    phase.operate("plms", "roll-back-deployment")
    enabled, active = (ask(host, verb, TIMER) for verb in ("is-enabled", "is-active"))
    listens, lost = accepts(url), below - _there(phase)
    restored = contents(host.registry)
    caps = _caps(_deploy_api(phase))
    backup = contents(newest(host.backups, "registry_*.db"))
    return TakenBack(outages, enabled, active, listens, lost, damaged, backup, restored, caps)


def _caps(url: str) -> dict[str, int]:
    """The caps of the lanes as an API shows them; none where nobody answers."""
    try:
        lanes = read(httpx.get(f"{url}/api/portfolio/status"), "portfolio").each("lanes")
    except httpx.TransportError:
        return {}
    return {lane.text("lane_name"): lane.whole("max_concurrent") for lane in lanes}


def _there(phase: Stage) -> frozenset[str]:
    """The dependencies that are there."""
    body = probe(phase.target("plms").url).body
    return frozenset(part for part in PARTS if body.get(part) is True)


def _outage(phase: Stage, part: str) -> Outage:
    phase.operate("plms", "break-dependency", part=part)
    during = probe(phase.target("plms").url)
    phase.operate("plms", "restore-dependency", part=part)
    return Outage(during, probe(phase.target("plms").url))


def ask(host: Host, *words: str) -> str:
    """What systemctl answers; raises RolloutError where it says nothing."""
    done = run(host.systemctl, *words)
    if not done.stdout.strip() and done.stderr.strip():
        raise RolloutError(f"systemctl {words[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


def probe(url: str) -> Health:
    """The answer of the health endpoint."""
    try:
        answer = httpx.get(f"{url}/api/ops/healthz", timeout=5)
        return Health(answer.status_code, read(answer, "health", any_status=True))
    except httpx.TransportError:
        return Health(0, {})


def accepts(url: str) -> bool:
    """Whether somebody listens at an address."""
    try:
        with socket.create_connection(_address(url), 2):
            return True
    except OSError:
        return False


def _address(url: str) -> tuple[str, int]:
    parsed = httpx.URL(url)
    return parsed.host, parsed.port or 80
