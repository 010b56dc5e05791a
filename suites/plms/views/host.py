"""The host as the suite sees it: checkout, backups, units, channels, and what was recorded."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pytest_rollout import RolloutError, Stage
from suites.plms.views.tables import records

TAG, TAG_MESSAGE = "plms-v1.0.0", "PLMS Tier 1 production release"
LOGS_INSIDE = "var/log/plms"  # where the logs stand in an archive of them
ALERTS = "#plms-ops"  # the channel of alerts
ZONE = ZoneInfo("America/New_York")
_GZIP = b"\x1f\x8b"  # how such a file begins
PACKAGES = {"git": "git", "tar": "tar", "systemctl": "systemd", "systemd-analyze": "systemd"}


@dataclass(frozen=True, slots=True)
class Host:
    """Where things are on the host that a phase works on.

    A place is asked for when it is read, so that one that nobody configured takes down only what
    reads it.
    """

    place: Callable[[str], Path]  # of a name of the plan's targets

    @classmethod
    def of(cls, phase: Stage) -> Host:
        """The host of a phase, or of one of its scenarios."""
        needs("git", "tar")
        phase.operate("plms", "open-host")
        return cls(phase.file)

    @property
    def release(self) -> Path:
        """The checkout of the release."""
        return self.place("release")

    @property
    def backups(self) -> Path:
        """The folder of the backups."""
        return self.place("backups")

    @property
    def logs(self) -> Path:
        """The folder of the logs."""
        return self.place("logs")

    @property
    def units(self) -> Path:
        """The folder of installed units."""
        return self.place("units")

    @property
    def systemctl(self) -> Path:
        """The program that controls them."""
        return self.place("systemctl")

    @property
    def registry(self) -> Path:
        """The registry's file."""
        return self.place("registry")

    @property
    def history(self) -> Path:
        """The history of the invariants job."""
        return self.place("history")

    @property
    def alerting(self) -> Path:
        """The environment file of the alerts."""
        return self.place("alerting")

    @property
    def inbox(self) -> Path:
        """What arrived in the channels."""
        return self.place("inbox")

    @property
    def checker(self) -> Path:
        """The command that checks the invariants."""
        return self.release / "scripts/check_plms_invariants.py"


def needs(*programs: str) -> None:
    """Raise RolloutError where a program is missing, with the package that has it."""
    for program in programs:
        if shutil.which(program) is None:
            raise RolloutError(f"{program} is not installed: apt-get install {PACKAGES[program]}")


def open_channels(phase: Stage) -> None:
    """Open the channels of alerts in a rehearsal; raises RolloutError where one cannot be."""
    if phase.embedded and find_spec("aiosmtpd") is None:
        raise RolloutError("aiosmtpd is not installed: pip install 'pytest-rollout[receivers]'")
    phase.operate("plms", "open-channels")


def run(
    *words: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a program without a shell; raises RolloutError where it cannot start."""
    try:
        return subprocess.run(
            list(map(str, words)), env=env, capture_output=True, text=True, check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RolloutError(f"{words[0]} gave no answer: {problem}") from None


def git(checkout: Path, *words: str) -> str:
    """What git says of the checkout; raises RolloutError with its words where it refuses."""
    done = run("git", "-C", checkout, *words)
    if done.returncode:
        raise RolloutError(f"git {words[0]} in the checkout: {done.stderr.strip()}")
    return done.stdout.strip()


def tag_on_origin(checkout: Path) -> str:
    """The id of the tag's object on the remote; empty where it has none."""
    return git(checkout, "ls-remote", "--tags", "origin", f"refs/tags/{TAG}").partition("\t")[0]


def newest(folder: Path, pattern: str) -> Path:
    """The newest backup by the stamp in its name; raises AssertionError where there is none."""
    backups = sorted(folder.glob(pattern))
    assert backups, f"there is no {pattern} among the backups"
    return backups[-1]


def unpacked(archive: Path) -> str:
    """How an archive is no gzip although its name says so, in words; empty where all is well."""
    with archive.open("rb") as file:
        compressed = file.read(2) == _GZIP
    named = archive.suffix in (".gz", ".tgz")
    return f"{archive.name} is not compressed with gzip" if named and not compressed else ""


def stamped(backup: Path) -> datetime:
    """The time in a backup's name, which is what the host's clock read in New York."""
    stamp = "_".join(backup.name.partition(".")[0].split("_")[-2:])
    return datetime.strptime(stamp, "%Y%m%d_%H%M%S").replace(tzinfo=ZONE)


def contents(registry: Path) -> dict[str, list[Any]]:
    """Every row of every table; raises RolloutError where the file is no registry."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
    try:
        with closing(sqlite3.connect(f"{registry.resolve().as_uri()}?mode=ro", uri=True)) as db:
            tables = [name for (name,) in db.execute(query)]
            return {name: db.execute(f'SELECT * FROM "{name}"').fetchall() for name in tables}
    except sqlite3.Error as problem:
        raise RolloutError(f"{registry} cannot be read: {problem}") from None


def digest(registry: Path) -> str:
    """A digest of all that the registry holds."""
    return hashlib.sha256(repr(contents(registry)).encode()).hexdigest()


def restored(backup: Path, folder: Path) -> Path:
    """A backup restored into a folder; raises AssertionError where SQLite finds fault with it."""
    copy = folder / "restored.db"
    shutil.copyfile(backup, copy)
    try:
        with closing(sqlite3.connect(copy)) as db:
            (verdict,) = db.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as problem:
        raise AssertionError(f"{backup.name} is no database: {problem}") from None
    assert verdict == "ok", f"{backup.name}: integrity_check says {verdict}"
    return copy


def channels(host: Host) -> dict[str, str]:
    """The variables of the alerts' environment file."""
    if not host.alerting.is_file():
        raise RolloutError("there is no environment file of the alerts")
    lines = host.alerting.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def configured(host: Host, name: str) -> str:
    """One variable of that file; raises RolloutError where it is not configured."""
    value = channels(host).get(name, "")
    if not value or value == "your_routing_key":
        raise RolloutError(f"{name} is not configured")
    return value


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of the invariants job, as its history tells."""

    ended_at: datetime
    trigger: str
    drill: bool
    status: str
    violations: int
    exit_status: int
    details: str = ""  # what it said of each violation
    started_at: datetime | None = None

    def __str__(self) -> str:
        began = "by hand" if self.trigger == "manual" else f"by the {self.trigger}"
        kind = "a drill" if self.drill else "no drill"
        outcome = f"{self.violations} violations, exit {self.exit_status}"
        return f"started {began}, {kind}, {self.status}, {outcome}"


def job_runs(host: Host) -> list[JobRun]:
    """The history of the job, oldest first."""
    if not host.history.exists():
        return []
    return [
        JobRun(
            run.moment("ended_at"),
            run.text("trigger"),
            bool(run.whole("drill")),
            run.text("status"),
            run.whole("violations"),
            run.whole("exit_status"),
            str(run.get("details") or ""),
            run.moment("started_at"),
        )
        for run in records(host.history, "SELECT * FROM invariant_runs ORDER BY id")
    ]
