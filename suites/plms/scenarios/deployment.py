"""The scenarios of day 1: timer and Ops API are deployed, fail, and are taken back."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from pytest_rollout import Event, RolloutError, Stage, scenario
from suites.plms.views.answers import read
from suites.plms.views.host import Host, contents, needs, newest, open_channels, run, stamped
from suites.plms.views.portfolio import caps as stored_caps

TIMER = "plms-invariants.timer"
SERVICE = "plms-invariants.service"
PARTS = ("redis", "db", "filesystem")


@dataclass(frozen=True, slots=True)
class Health:
    """What the health endpoint said at one moment; status 0: nobody answered."""

    status: int
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TimerDeployed:
    """The timer as day 1 left it."""

    host: Host
    events: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def timer_deployed(phase: Stage) -> TimerDeployed:
    """Units and log directory are installed, the timer is enabled and started."""
    needs("systemctl", "systemd-analyze")
    host = Host.of(phase)
    open_channels(phase)
    phase.operate("plms", "deploy-timer")
    return TimerDeployed(host, phase.events("action", "change"))


@dataclass(frozen=True, slots=True)
class ApiDeployed:
    """The Ops API as day 1 left it."""

    address: tuple[str, int]
    connects: bool
    health: Health
    caps: Mapping[str, int]  # of the lanes, as the API shows them
    stored: Mapping[str, int]  # as they stand in the registry
    events: tuple[Event, ...]


@scenario(effect="change")
def api_deployed(phase: Stage) -> ApiDeployed:
    """The Ops API is started."""
    url = _deploy_api(phase)
    health, connects = probe(url), accepts(url)
    caps, stored = _caps(url), stored_caps(phase.file("registry"))
    return ApiDeployed(
        _address(url), connects, health, caps, stored, phase.events("action", "change")
    )


def _deploy_api(phase: Stage) -> str:
    """Where the API is once it was deployed: the operator's word, else the plan's."""
    return str(phase.operate("plms", "deploy-api").get("url") or phase.target("plms").url)


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
    _lay_older(host)
    phase.operate("plms", "roll-back-deployment")
    enabled, active = (ask(host, verb, TIMER) for verb in ("is-enabled", "is-active"))
    listens, lost = accepts(url), below - _there(phase)
    restored = contents(host.registry)
    caps = _caps(_deploy_api(phase))
    backup = contents(newest(host.backups, "registry_*.db"))
    return TakenBack(outages, enabled, active, listens, lost, damaged, backup, restored, caps)


def _lay_older(host: Host) -> None:
    """Put a backup of a day earlier with other caps beside the newest, which is to be restored."""
    last = newest(host.backups, "registry_*.db")
    older = last.with_name(f"registry_{stamped(last) - timedelta(days=1):%Y%m%d_%H%M%S}.db")
    if older.exists():
        return
    shutil.copyfile(last, older)
    with closing(sqlite3.connect(older)) as db, db:
        db.execute("UPDATE lane_configs SET max_concurrent = max_concurrent + 7")


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
    """What systemctl answers; raises RolloutError where it says nothing, or cannot show it."""
    done = run(host.systemctl, *words)
    failed = words[0] == "show" and done.returncode
    if failed or (not done.stdout.strip() and done.stderr.strip()):
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
