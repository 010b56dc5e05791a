"""The scenario of day 0: what was prepared, and the registry before and after."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_rollout import Checked, Event, Stage, run_checker, scenario
from suites.plms.views.host import Host, digest, newest, open_channels


@dataclass(frozen=True, slots=True)
class Prepared:
    """What day 0 left behind."""

    host: Host
    dry_run: Checked  # of the checker on production, run here
    before: str  # digests of the registry
    after: str
    actions: tuple[Event, ...]


@scenario(effect="change", own_target=True)
def prepared(phase: Stage) -> Prepared:
    """The release is tagged, backups are taken, and the checker is tried."""
    host = Host.of(phase)
    open_channels(phase)
    # People did the steps before the suite looks; then the backup tells what was there.
    before = digest(host.registry if phase.embedded else newest(host.backups, "registry_*.db"))
    for step in ("tag-release", "back-up", "dry-run-invariants"):
        phase.operate("plms", step)
    dry_run = run_checker([host.checker, "--db", host.registry, "--strict", "--json"])
    phase.operate("plms", "hand-over")
    after = digest(host.registry)
    return Prepared(host, dry_run, before, after, phase.events("action", "change"))
