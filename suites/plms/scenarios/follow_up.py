"""The end of the rollout as the suite sees it: the final report, and what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_rollout import Message, Stage, read_inbox, scenario
from suites.plms.scenarios.live_week import Entry, diary
from suites.plms.views.final_report import REPORT, Written
from suites.plms.views.host import Host, open_channels


@dataclass(frozen=True, slots=True)
class Published:
    """The final report, and the checkout in which it was published."""

    report: Written
    release: Path


@scenario(effect="change")
def final_report(phase: Stage) -> Published:
    """The report as day 7 left it in the release."""
    for step in ("open-host", "write-report", "publish-report"):
        phase.operate("plms", step)
    release = phase.file("release")
    return Published(Written.read(release / REPORT), release)


@dataclass(frozen=True, slots=True)
class After:
    """What was left on record and on disk in the two weeks after."""

    entries: tuple[Entry, ...]
    host: Host
    archives: Path
    report: str  # as it stands in the release; empty where it does not
    messages: tuple[Message, ...]
    window: tuple[datetime, datetime]

    def of(self, kind: str) -> list[Entry]:
        """The entries of one kind."""
        return [entry for entry in self.entries if entry.kind == kind]

    @property
    def release(self) -> Path:
        """The checkout of the release."""
        return self.host.release


@scenario(effect="change", own_target=True)
def followed_up(phase: Stage) -> After:
    """The PM and the team do what is due on days 8 and 14."""
    host = Host.of(phase)
    open_channels(phase)
    # As day 7 leaves it; then what is due after it.
    for step in ("write-report", "publish-report", "follow-up"):
        phase.operate("plms", step)
    path, report = phase.file("week"), host.release / REPORT
    return After(
        entries=diary(path) if path.is_file() else (),
        host=host,
        archives=phase.file("rollout-logs"),
        report=report.read_text(encoding="utf-8") if report.is_file() else "",
        messages=read_inbox(host.inbox),
        window=phase.window,
    )
