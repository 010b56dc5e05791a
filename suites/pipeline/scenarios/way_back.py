"""A rollback in week 2, while a run is at work; what it leaves, and what people do afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import Message, NoValueError, RolloutError, Stage, scenario
from suites.pipeline.scenarios.triggers import ENOUGH, Trial, not_met, tried
from suites.pipeline.views.agreement import strange_work
from suites.pipeline.views.channels import heard
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.journal import Journal, Run
from suites.pipeline.views.on_main import text_of
from suites.pipeline.views.schedules import (
    ASSIGN,
    DAILY,
    FOLDER,
    LIVE,
    PROCESS,
    WorkflowFile,
    active,
)

ON = timedelta(days=7, hours=10)  # from day 1 to the run that is interrupted: limits are raised
DAY = timedelta(days=1)
ALERTED = f"{FOLDER}/{PROCESS}"  # what the alert is about


@dataclass(frozen=True)
class Effects:
    """What a rollback can change, at one moment."""

    files: Mapping[str, str]  # text of each live workflow on main
    announcements: int
    mails: int
    entries: int  # of the progress log
    incidents: int


@dataclass(frozen=True)
class WayBack:
    """A rollback, seen from its trigger to its end."""

    trial: Trial  # what the controller did before and after the alert
    triggered: datetime
    before: Journal  # at the trigger
    working: tuple[Run, ...]  # that were at work then
    after: Journal  # a day later
    files: Mapping[str, WorkflowFile]  # active workflows then
    by_hand: Mapping[str, Run | str]  # each workflow that was then started; or why it was not
    seeded: Mapping[str, tuple[int, ...]]  # the issues that waited for it
    journal_by_hand: Journal
    first: Effects
    second: Effects  # after the same trigger again
    told: tuple[Message, ...]
    end: datetime  # when people were done
    final: Journal
    hub: Hub
    checkout: Path
    kept: Path

    @property
    def folder(self) -> Path:
        """What people and the controller kept of it; raises NoValueError without it."""
        path = self.kept / "rollback"
        if not path.is_dir():
            raise NoValueError("nothing is kept of the rollback; it belongs into records/rollback")
        return path


def effects(phase: Stage, hub: Hub, since: datetime) -> Effects:
    """What a rollback can change, as it is now."""
    checkout = phase.file("checkout")
    log = checkout / "docs/progress-log.md"
    told = heard(phase, since)
    return Effects(
        files={name: text_of(hub, f"{FOLDER}/{name}") for name in LIVE},
        announcements=sum(str(m.body.get("text", "")).startswith("rollback:") for m in told),
        mails=sum(str(m.body.get("subject", "")).startswith("[rollback]") for m in told),
        entries=len(log.read_text(encoding="utf-8").splitlines()) if log.is_file() else 0,
        incidents=len(list((checkout / "docs/incidents").glob("*.md"))),
    )


def _alert(phase: Stage, path: str, kind: str = "code-scanning") -> int:
    """The number of an alert that comes now."""
    return int(phase.operate("github", "security-alert", kind=kind, path=path)["number"])


def _until_the_alert(phase: Stage) -> Mapping[str, int]:
    """Let time pass until an assignment works; alerts that are about something else, by kind."""
    clock, at = phase.target("github").clock, phase.window[0] + ON
    clock.to(at - timedelta(hours=2))
    phase.operate("github", "coordinate-schedules")
    clock.to(at - timedelta(minutes=8))
    phase.operate("github", "seed-issues", count=20, state="triage")
    fixed = _alert(phase, "requirements.txt", "dependabot")
    _alert(phase, "requirements/docs.txt", "dependabot")
    elsewhere = _alert(phase, "src/monitor.py")
    clock.to(at + timedelta(minutes=2))
    return {"dependabot": fixed, "code-scanning": elsewhere}


@scenario(effect="disrupt", own_target=True)
def way_back(phase: Stage) -> WayBack:
    """On day 8 an alert comes while an assignment works; people have three days then.

    The timetable of week 2 is in force: the daily run has two times a day.
    """
    hub, clock = Hub.of(phase), phase.target("github").clock
    closed_later = _until_the_alert(phase)
    below = not_met(phase, "alerts concern a dependency and other code")
    before = hub.journal(clock.now())
    working = _at_work(hub, before)
    triggered = clock.now()
    _alert(phase, ALERTED)
    clock.advance(ENOUGH.total_seconds())
    trial = tried(phase, "security-alert", below, "an alert concerns a workflow", triggered)
    clock.to(triggered + DAY)
    first = effects(phase, hub, triggered)
    after = hub.journal(clock.now(), before)
    files = active(phase.file("checkout"))
    seeded, by_hand = _start_by_hand(phase, hub)
    journal = hub.journal(clock.now(), after)
    _alert(phase, f"{FOLDER}/{ASSIGN}")
    clock.advance(3600)
    for kind, number in closed_later.items():
        phase.operate("github", "close-alert", kind=kind, number=number)
    second = effects(phase, hub, triggered)
    clock.to(triggered + 3 * DAY + timedelta(hours=1))
    return WayBack(
        trial=trial,
        triggered=triggered,
        before=before,
        working=working,
        after=after,
        files=files,
        by_hand=by_hand,
        seeded=seeded,
        journal_by_hand=journal,
        first=first,
        second=second,
        told=tuple(heard(phase, triggered)),
        end=clock.now(),
        final=hub.journal(clock.now(), journal),
        hub=hub,
        checkout=phase.file("checkout"),
        kept=phase.file("records"),
    )


def _at_work(hub: Hub, journal: Journal) -> tuple[Run, ...]:
    """The live workflows' runs that have not ended; raises RolloutError where one is told oddly."""
    working = tuple(run for run in journal.runs if run.ended is None and run.file in LIVE)
    for run in working:
        if wrong := strange_work(hub, run.id):
            raise RolloutError(f"run {run.id} is at work: {wrong}")
    return working


def _start_by_hand(
    phase: Stage, hub: Hub
) -> tuple[dict[str, tuple[int, ...]], dict[str, Run | str]]:
    """Work is made for each of the three workflows, and each is started by hand."""
    seeded: dict[str, tuple[int, ...]] = {}
    by_hand: dict[str, Run | str] = {}
    for file, state in ((ASSIGN, "triage"), (PROCESS, "assigned"), (DAILY, "")):
        if state:
            said = phase.operate("github", "seed-issues", count=12, state=state)
            seeded[file] = tuple(int(number) for number in said.get("issues", ()))
        else:
            phase.operate("github", "discover", count=3)
        try:
            by_hand[file] = started(phase, hub, file)
        except RolloutError as why:
            by_hand[file] = str(why)
    return seeded, by_hand


def started(phase: Stage, hub: Hub, file: str) -> Run:
    """A run that was started by hand, an hour later; raises RolloutError where there is none."""
    known = {run.id for run in hub.runs()}
    answer = hub.ask("POST", f"/actions/workflows/{file}/dispatches", json={"ref": "main"})
    if not answer.is_success:
        raise RolloutError(f"{file} cannot be started by hand: GitHub says {answer.status_code}")
    phase.target("github").clock.advance(3600)
    new = [run for run in hub.runs() if run.id not in known and run.file == file]
    mine = [run for run in new if not run.scheduled]
    if not mine:
        raise RolloutError(f"{file} was started by hand, and no run of it is listed")
    return mine[0]
