"""Day 4 in a real environment: what records, the job's history and the inboxes say of a drill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from fixtures.kit.database import changing
from fixtures.plms.host.invariants import records
from fixtures.plms.host.invariants.records import Record
from pytest_rollout import Message, Stage
from suites.plms.scenarios import people_drill
from suites.plms.scenarios.monitoring import Shown
from suites.plms.scenarios.people_drill import SAYS, Drilled, drilled_by_people

TEN = datetime(2025, 11, 11, 15, tzinfo=UTC)
NOTHING = Shown({}, None, {}, {}, None)
NAMED = "run_kind: project 999 has run_kind INVALID_KIND"


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody recorded."""

    says: str


@dataclass(frozen=True, slots=True)
class Slot:
    """Day 4 as a phase gives it."""

    folder: Path
    told: tuple[Said, ...]
    window: tuple[datetime, datetime] = (TEN, TEN + timedelta(hours=2))

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name

    def events(self, *types: str) -> tuple[Said, ...]:
        """What was recorded."""
        return self.told if "change" in types else ()

    def now(self) -> datetime:
        """After all of it."""
        return self.window[1]


def at(minute: int) -> datetime:
    return TEN + timedelta(minutes=minute)


def judged(
    folder: Path, monkeypatch: pytest.MonkeyPatch, runs: dict[int, str], says: str = SAYS
) -> tuple[Drilled | None, list[datetime]]:
    """The drill of runs of the job (minute: status) that each told Slack, and what was looked at.

    A backup has two runs, of which one is gone.
    """
    looked: list[datetime] = []

    def look(_: Stage, moment: datetime) -> Shown:
        looked.append(moment)
        return NOTHING

    monkeypatch.setattr(people_drill, "shown_at", look)
    for minute, status in runs.items():
        when, bad = at(minute).isoformat(), status == "FAIL"
        told = (NAMED,) if bad else ()
        run = Record(when, when, "manual", bad, status, int(bad), int(bad), told)
        records.add(folder / "history", run)
        with (folder / "inbox").open("a") as inbox:
            inbox.write(Message("slack", "#plms-ops", at(minute), {"text": status}).line() + "\n")
    for name, ids in (("registry", "b"), ("backups/registry_1.db", "ab")):
        (folder / name).parent.mkdir(exist_ok=True)
        with changing(folder / name) as db:
            db.execute("CREATE TABLE project_runs (run_id, project_id, run_kind, status)")
            rows = [(run_id, 1, "baseline", "completed") for run_id in ids]
            db.executemany("INSERT INTO project_runs VALUES (?, ?, ?, ?)", rows)
    return drilled_by_people(cast(Stage, Slot(folder, (Said(says),))), NOTHING), looked


def test_the_newest_drill_is_judged_by_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = {5: "FAIL", 10: "OK", 20: "FAIL", 30: "OK"}
    drill, looked = judged(tmp_path, monkeypatch, runs)
    assert drill is not None
    assert drill.failed_at == at(20)
    assert [one.at for one in drill.told_by_runner] == [at(10), at(20), at(30)]
    assert looked == [at(20), at(30) - timedelta(milliseconds=1)], "before it, and at its end"
    assert (drill.planted, drill.seen, drill.left, drill.lost) == (1, 1, 0, 1)


def test_a_drill_that_nobody_ended_is_looked_at_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill, looked = judged(tmp_path, monkeypatch, {5: "OK", 20: "FAIL"})
    assert drill is not None
    assert looked[-1] == at(120)


@pytest.mark.parametrize(
    ("runs", "says"),
    [({5: "OK"}, SAYS), ({20: "FAIL", 30: "OK"}, "dashboard imported"), ({-5: "FAIL"}, SAYS)],
    ids=["no run found it", "nobody recorded it", "before the slot"],
)
def test_what_nobody_did_is_no_drill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: dict[int, str], says: str
) -> None:
    assert judged(tmp_path, monkeypatch, runs, says) == (None, [])
