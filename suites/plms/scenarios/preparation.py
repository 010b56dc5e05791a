"""The scenario of day 0: what was prepared, and the registry before and after."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic, TypeVar

from pytest_rollout import (
    Checked,
    Event,
    RolloutError,
    Stage,
    archive_differences,
    database_differences,
    run_checker,
    scenario,
)
from suites.plms.views.checker import broken_copy, online_copy
from suites.plms.views.host import LOGS_INSIDE, Host, newest, open_channels
from suites.plms.views.tables import written_between

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Attempt(Generic[Result]):
    """One part of the work, or what it failed with: the other parts go on without it."""

    given: Result | None
    problem: Exception | None = None

    @classmethod
    def to(cls, do: Callable[[], Result]) -> Attempt[Result]:
        """Do a part; what it raises is kept for those who read its result."""
        try:
            return cls(do())
        except Exception as problem:
            return cls(None, problem)

    @property
    def result(self) -> Result:
        """What came of it; raises what it raised."""
        if self.problem is not None:
            raise self.problem
        assert self.given is not None
        return self.given


@dataclass(frozen=True, slots=True)
class BackedUp:
    """The newest backups, and what each holds otherwise than its original."""

    registry: tuple[str, ...]
    logs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DryRuns:
    """What the checker says of production, of staging, and of a copy with two broken rows."""

    production: Checked
    control: Checked


@dataclass(frozen=True, slots=True)
class Staging:
    """The registry of staging, and what the checker says of it."""

    registry: Path
    found: Checked


@dataclass(frozen=True, slots=True)
class Prepared:
    """What day 0 left behind. Each part may have failed by itself."""

    host: Host
    tagged: Attempt[bool]
    backups: Attempt[BackedUp]
    trial: Attempt[DryRuns]
    staging: Attempt[Staging]
    changes: Attempt[tuple[str, ...]]  # of what production holds
    actions: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def prepared(phase: Stage) -> Prepared:
    """The release is tagged, backups are taken, and the checker is tried."""
    host = Host.of(phase)
    with tempfile.TemporaryDirectory(prefix="day0-") as name:
        folder = Path(name)
        before = Attempt.to(lambda: _kept(host, folder)) if phase.embedded else None
        tagged = Attempt.to(lambda: _done(phase, "tag-release"))
        backups = Attempt.to(lambda: _backed_up(phase, host))
        tried = Attempt.to(lambda: _done(phase, "dry-run-invariants"))
        staging = Attempt.to(lambda: _staging(phase, host))
        trial = Attempt.to(lambda: _tried(host, folder, tried))
        handed_over = Attempt.to(lambda: _done(phase, "hand-over"))
        changes = Attempt.to(lambda: _changes(phase, host, folder, before, handed_over))
    actions = phase.events("action", "change")
    return Prepared(host, tagged, backups, trial, staging, changes, actions)


@scenario(effect="change", own_target=True)
def opened_channels(phase: Stage) -> Host:
    """The channels of alerts are open: a webhook, a mailbox, a routing key."""
    open_channels(phase)
    return Host.of(phase)


def _done(phase: Stage, step: str) -> bool:
    phase.operate("plms", step)
    return True


def _backed_up(phase: Stage, host: Host) -> BackedUp:
    """Compared at once: in a rehearsal nothing is written between the copy and this."""
    phase.operate("plms", "back-up")
    copy, archive = (newest(host.backups, name) for name in ("registry_*.db", "plms_logs_*.tar.gz"))
    # A log that is in use on the host goes on growing while nobody looks.
    since = None if phase.embedded else datetime.fromtimestamp(archive.stat().st_mtime).astimezone()
    logs = (
        archive_differences(archive, host.logs, inside=LOGS_INSIDE, grown_after=since)
        if host.logs.is_dir()
        else ("there is no log directory",)
    )
    return BackedUp(database_differences(copy, host.registry), logs)


def _checked(host: Host, registry: Path) -> Checked:
    return run_checker([host.checker, "--db", registry, "--strict", "--json"])


def _staging(phase: Stage, host: Host) -> Staging:
    registry = phase.file("staging")
    if not registry.is_file():
        raise RolloutError(f"there is no registry of staging at {registry}")
    return Staging(registry, _checked(host, registry))


def _tried(host: Host, folder: Path, people: Attempt[bool]) -> DryRuns:
    assert people.result
    production = _checked(host, host.registry)
    return DryRuns(production, _checked(host, broken_copy(host.registry, folder)))


def _kept(host: Host, folder: Path) -> Mapping[Path, Path]:
    """Copies of what production holds, by what they are of; absent files have none."""
    kept = {host.registry: online_copy(host.registry, folder / "before.db")}
    if host.history.is_file():
        kept[host.history] = online_copy(host.history, folder / "history.db")
    if host.units.is_dir():
        kept[host.units] = Path(shutil.copytree(host.units, folder / "units"))
    return kept


def _changes(
    phase: Stage,
    host: Host,
    folder: Path,
    before: Attempt[Mapping[Path, Path]] | None,
    people: Attempt[bool],
) -> tuple[str, ...]:
    """What production holds otherwise than before, in words.

    In production people worked before the suite looks: the backup tells what was there, and rows
    that are dated within the slot tell what came before the backup.
    """
    assert people.result
    dated = tuple(written_between(host.registry, *phase.window))
    after = online_copy(host.registry, folder / "after.db")
    if before is None:
        backup = newest(host.backups, "registry_*.db")
        return (*database_differences(after, backup), *dated)
    kept = before.result
    changes = database_differences(after, kept[host.registry])
    if host.history.is_file():
        ran = online_copy(host.history, folder / "history-after.db")
        earlier = kept.get(host.history)
        changes += database_differences(ran, earlier) if earlier else ("the job has run",)
    if _texts(host.units) != _texts(kept.get(host.units)):
        changes += ("units of systemd were changed",)
    return (*changes, *dated)


def _texts(folder: Path | None) -> dict[str, bytes]:
    if folder is None or not folder.is_dir():
        return {}
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
