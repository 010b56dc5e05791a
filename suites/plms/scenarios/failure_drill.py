"""Day 1: a row that breaks an invariant is planted, noticed, told of, and taken away again."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import (
    BeforeAfter,
    Event,
    Message,
    RolloutError,
    Snapshot,
    Stage,
    read_inbox,
    scenario,
)
from suites.plms.scenarios.checker_rules import STRICT_PROBE, run_row, write
from suites.plms.views.host import Host, JobRun, channels, job_runs, newest, open_channels
from suites.plms.views.snapshots import snapshot
from suites.plms.views.units import Unit

SERVICE = "plms-invariants.service"
INVALID, PROJECT = "INVALID_KIND", 999
CHANNEL, MAILBOX = "#plms-ops", "plms-ops@company.com"
TABLE = "project_runs"
GENUINE = "run-during-drill"  # it comes in between planting and cleaning up
_LIMIT_S = 120
_NO_COMMAND = 127
PATH = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
_PLANTED = re.compile(r"row (\d+) planted, .*run_kind (\w+)")


@dataclass(frozen=True, slots=True)
class Job:
    """One run of the job: its exit status, its record, and what it told people."""

    exit_status: int | None  # None: nobody saw it
    record: JobRun | None  # None: it left none
    messages: tuple[Message, ...]
    took: timedelta | None = None  # by the wall, until all was told; None: nobody measured it
    during: tuple[datetime, datetime] | None = None  # it ran then, by the clock that it goes by

    def by(self, service: str) -> list[Message]:
        """What it told by one service."""
        return [message for message in self.messages if message.service == service]

    @property
    def alerts(self) -> list[Message]:
        """The messages to Slack that are recognisably of a failure, whatever their channel."""
        return [message for message in self.by("slack") if says_fail(message.text)]


def says_fail(text: str) -> bool:
    """Whether a message says that the check failed, and not that all is well as well."""
    return bool(re.search(r"\bFAIL\b", text)) and not re.search(r"\bOK\b", text)


@dataclass(frozen=True, slots=True)
class FailureDrill:
    """What came of planting a row that breaks an invariant."""

    host: Host
    row: int | None  # None: the registry did not take it, or nobody planted one
    before: Snapshot  # the registry; in production the newest backup
    planted: Snapshot | None  # None: nobody looked while the row was there
    after: Snapshot
    failed: Job  # with the row
    cleaned: Job  # after the clean-up
    logs: Mapping[str, str]  # of the job
    events: tuple[Event, ...]
    rehearsed: bool = True

    @property
    def step(self) -> BeforeAfter:
        """What planting did."""
        return BeforeAfter.between(self.before, self.planted or self.before)

    @property
    def whole(self) -> BeforeAfter:
        """What planting and cleaning up did together."""
        return BeforeAfter.between(self.before, self.after)


@scenario(effect="change", own_target=True)
def drilled(phase: Stage) -> FailureDrill:
    """A row is planted and the job run, the row is removed and the job run again."""
    host = Host.of(phase)
    open_channels(phase)
    return _drill(phase, host) if phase.embedded else _drill_of_people(phase, host)


def _drill(phase: Stage, host: Host) -> FailureDrill:
    before = snapshot(host.registry)
    row = phase.operate("plms", "plant-row").get("row")
    planted = snapshot(host.registry)
    write(host.registry, run_row(GENUINE, project_id=998))
    failed = _job(phase, host, drill=True)
    if row is not None:
        phase.operate("plms", "remove-row", row=row)
    after = snapshot(host.registry)
    cleaned = _job(phase, host, drill=False)
    phase.operate("plms", "hand-over")
    events = phase.events("action", "change")
    return FailureDrill(host, row, before, planted, after, failed, cleaned, logs_of(host), events)


def _drill_of_people(phase: Stage, host: Host) -> FailureDrill:
    """The drill as people did and recorded it; the newest backup tells what was there before."""
    before, row = snapshot(newest(host.backups, "registry_*.db")), None
    for event in phase.events("change"):
        match = _PLANTED.search(event.says)
        row = int(match[1]) if match else row
    jobs = [job for job in job_runs(host) if job.ended_at >= phase.window[0]]
    failed = next((job for job in jobs if job.drill), None)
    later = jobs[jobs.index(failed) + 1 :] if failed else []
    cleaned = next((job for job in later if not job.drill and job.trigger == "manual"), None)
    heard = read_inbox(host.inbox)
    since, until = (job.ended_at if job else None for job in (failed, cleaned))
    first = tuple(m for m in heard if since and since <= m.at and not (until and until <= m.at))
    rest = tuple(m for m in heard if until and until <= m.at)
    return FailureDrill(
        host,
        row,
        before,
        None,
        snapshot(host.registry),
        Job(None, failed, first),
        Job(None, cleaned, rest),
        logs_of(host),
        phase.events("action", "change"),
        rehearsed=False,
    )


def _job(phase: Stage, host: Host, *, drill: bool) -> Job:
    """The run of the job that the operator starts now."""
    known, heard, began = len(job_runs(host)), len(read_inbox(host.inbox)), time.monotonic()
    clock = phase.target("plms").clock
    since = clock.now()
    status = phase.operate("plms", "run-invariants", drill=drill).get("exit")
    took = timedelta(seconds=time.monotonic() - began)
    record = next(iter(job_runs(host)[known:]), None)
    return Job(status, record, read_inbox(host.inbox)[heard:], took, (since, clock.now()))


def logs_of(host: Host) -> dict[str, str]:
    """The logs that the job left, by name."""
    return {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(host.logs.glob("invariants_*.log"))
    }


# What the service's unit executes


@dataclass(frozen=True, slots=True)
class UnitRun:
    """What came of executing what the unit says: with two broken rows, and without them."""

    failed: Job
    cleaned: Job


@scenario(effect="change", own_target=True)
def unit_run(phase: Stage) -> UnitRun:
    """The service's unit is executed as systemd would, over broken rows and without them.

    In production the drill by hand stands for it: the unit executes the same script.
    """
    host = Host.of(phase)
    open_channels(phase)
    if not phase.embedded:
        drill = _drill_of_people(phase, host)
        return UnitRun(drill.failed, drill.cleaned)
    phase.operate("plms", "deploy-timer")
    row = phase.operate("plms", "plant-row").get("row")
    write(host.registry, STRICT_PROBE.breaks)
    failed = _executed(host)
    write(host.registry, STRICT_PROBE.repair)
    if row is not None:
        phase.operate("plms", "remove-row", row=row)
    return UnitRun(failed, _executed(host))


def _executed(host: Host) -> Job:
    """Execute the unit's command in its environment, its folder, and nothing else."""
    unit = Unit.read(host.units, SERVICE)
    words = shlex.split(unit.value("Service.ExecStart"))
    if not words:
        return Job(_NO_COMMAND, None, ())
    folder = Path(unit.value("Service.WorkingDirectory", "/"))
    return executed(host, words, {**PATH, **environment(unit)}, folder)


def executed(host: Host, words: Sequence[str], env: Mapping[str, str], folder: Path) -> Job:
    """Execute a command that runs the job; raises RolloutError where it gives no answer."""
    known, heard = len(job_runs(host)), len(read_inbox(host.inbox))
    since, began = datetime.now(UTC), time.monotonic()
    try:
        done: subprocess.CompletedProcess[Any] = subprocess.run(
            words, cwd=folder, env=env, capture_output=True, check=False, timeout=_LIMIT_S
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RolloutError(f"{words[0]} gave no answer: {problem}") from None
    took, until = timedelta(seconds=time.monotonic() - began), datetime.now(UTC)
    record = next(iter(job_runs(host)[known:]), None)
    return Job(done.returncode, record, read_inbox(host.inbox)[heard:], took, (since, until))


def environment(unit: Unit) -> dict[str, str]:
    """The variables that a unit gives: those of its file over those that it states."""
    lines = [word for value in unit.values("Service.Environment") for word in shlex.split(value)]
    for file in unit.values("Service.EnvironmentFile"):
        path = Path(file.removeprefix("-"))
        if path.is_file():
            lines += path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] not in "#;")


def mailbox(host: Host) -> str:
    """Where mails of failures go."""
    return channels(host).get("ALERT_EMAIL") or MAILBOX
