"""Days 0 to 3 of PLMS from entry to exit in environment prod, by commands alone.

The target is the reference application started by hand, behind a proxy that hides what it is.
What the plan has people do is done at its console and put on record with `rollout record`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.plms.proxy import stripping
from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Guarded, Slot

pytestmark = pytest.mark.nightly

OPERATIONS, ENGINEERING = "olga@example.com", "emil@example.com"
PEOPLE = {OPERATIONS: "operations", ENGINEERING: "engineering"}
SIGNERS = {
    "day0": (OPERATIONS,),
    "day1": (OPERATIONS,),
    "day2": (ENGINEERING,),
    "day3": (ENGINEERING, OPERATIONS),
}
PORT = 6100  # on which the plan wants the API; the address is one of loopback that nobody uses
# What breaks something on purpose is soft, and refused where the plan lets nobody disrupt.
REHEARSED_ONLY = {
    "day1": {
        "healthz-detects-outage",
        "rollback-timer-disabled",
        "rollback-api-stopped",
        "rollback-db-restored",
    },
    "day3": {
        "lane-caps-enforced-under-burst",
        "rollback-caps-lifted",
        "rollback-projects-cancelled",
    },
}
DEMOS = {
    "demo1": "demo_1_idempotent_start.sh",
    "demo2": "demo_2_representative_canary.sh",
    "demo3": "demo_3_kpi_gated_completion.sh",
}


@dataclass(frozen=True, slots=True)
class Site:
    """The application as people reach it, and the project that guards its rollout."""

    console: str
    host: Path
    project: Guarded

    def step(self, day: str, name: str, **arguments: object) -> Mapping[str, Any]:
        """Do a step of the plan and record each thing that was done."""
        url = f"{self.console}/reference/operator/{name}"
        answer = httpx.post(url, json=arguments, timeout=60).raise_for_status().json()
        for done in answer["actions"]:
            self.record(day, done["kind"], done["what"], "--at", done["at"])
        result: Mapping[str, Any] = answer["result"]
        return result

    def record(self, day: str, kind: str, what: str, *more: str) -> None:
        """Put on record what was done."""
        words = ("record", f"plms.{day}", kind, "--says", what, "--by", "Olga", *more)
        told = self.project.rollout(*words)
        assert told.status == 0, told.said


def test_days_0_to_3_go_from_entry_to_exit(tmp_path: Path) -> None:
    with site(tmp_path) as plms:
        plms.step("", "open-host")
        for day, work in (
            ("day0", _day_0),
            ("day1", _day_1),
            ("day2", _day_2),
            ("day3", _day_3),
        ):
            _gate(plms.project, day, "entry")
            began = plms.project.rollout("begin", f"plms.{day}", "--by", "Olga")
            assert began.status == 0, began.said
            assert f"plms.{day} began in prod" in began.said
            work(plms)
            _gate(plms.project, day, "exit")
            ended = plms.project.rollout("end", f"plms.{day}", "--by", "Olga")
            assert ended.status == 0, ended.said
        intact = plms.project.rollout("verify")
        assert intact.status == 0, intact.said


def _gate(project: Guarded, day: str, gate: str) -> None:
    """Decide the next gate of a day, and have it signed by each who must."""
    decided = project.pytest("-m", day, "--rollout-env=prod")
    assert decided.last_line.startswith(f"GO: plms.{day}/{gate} GO"), decided.said
    assert decided.status == 0
    stored = project.folder / "rollout-report/plms/prod" / day / gate / "decision.json"
    criteria = json.loads(stored.read_text())["criteria"]
    unsettled = {one["id"].rpartition(".")[2] for one in criteria if one["verdict"] != "pass"}
    assert unsettled == (REHEARSED_ONLY.get(day, set()) if gate == "exit" else set())
    for person in SIGNERS[day]:
        signed = project.sign(f"plms.{day}/{gate}", person, PEOPLE[person])
        assert signed.status == 0, signed.said


def _day_0(plms: Site) -> None:
    for step in ("open-channels", "tag-release", "back-up", "dry-run-invariants", "hand-over"):
        plms.step("day0", step)
    words = ("--by", OPERATIONS, "--role", "operations", "--note", "announced on #plms-ops")
    key = ("--key", str(plms.project.key(OPERATIONS)), "--env", "prod")
    told = plms.project.rollout("attest", "plms.day0.freeze-declared", *words, *key)
    assert told.status == 0, told.said


def _day_1(plms: Site) -> None:
    plms.step("day1", "deploy-timer")
    row = plms.step("day1", "plant-row")["row"]
    plms.step("day1", "run-invariants", drill=True)
    time.sleep(1)  # the job's records are in whole seconds
    plms.step("day1", "remove-row", row=row)
    plms.step("day1", "run-invariants", drill=False)
    plms.step("day1", "hand-over")


def _day_2(plms: Site) -> None:
    said = {name: _demo(plms.project, script) for name, script in DEMOS.items()}
    transcripts, documents = plms.host / "tmp", plms.project.folder / "docs/PRDs"
    for folder in (transcripts, documents):
        folder.mkdir(parents=True)
    for name, text in said.items():
        transcripts.joinpath(f"{name}_output.txt").write_text(text)
    day = Slot.around_now(timedelta()).begin
    documents.joinpath(f"PLMS_Demo_Results_{day:%Y%m%d}.txt").write_text("".join(said.values()))
    plms.record("day2", "action", "the demos were run, and their transcripts are kept")


def _demo(project: Guarded, script: str) -> str:
    environ = {**project.environ, "PYTHON": sys.executable}
    words = ["bash", str(project.folder / "suites/plms/demos" / script)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    return done.stdout


def _day_3(plms: Site) -> None:
    plms.step("day3", "enable-lane-caps")
    stored = plms.step("day3", "capture-snapshot")["path"]
    shutil.copy(stored, plms.host / "tmp")


# The application, started by hand, and the project


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """PLMS behind a proxy, and a project with its plan whose days are today."""
    host, port = folder / "host", free_port()
    host.mkdir()
    command = [sys.executable, "-m", "uvicorn", "--factory", "tests.plms.small_projects:app"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = folder.joinpath("plms.log").open("w")
    with (
        log,
        subprocess.Popen(
            [*command, "--port", str(port)], cwd=host, env=environ, stdout=log, stderr=log
        ) as process,
    ):
        console = f"http://127.0.0.1:{port}"
        try:
            wait_for(console)
            with stripping(console, ("127.0.61.1", PORT)) as url:
                yield Site(console, host, _project(folder / "project", host, url))
        finally:
            process.terminate()


def _project(folder: Path, host: Path, url: str) -> Guarded:
    shutil.copytree(ROOT / "suites", folder / "suites")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    plan = folder / "suites/plms/rollout.yaml"
    plan.write_text(_today(plan.read_text()))
    given = {
        "PLMS_URL": url,
        "PLMS_ROOT": str(host),
        "PLMS_REGISTRY": str(host / "registry.db"),
        "PLMS_RELEASE": str(host / "release"),
        "PLMS_INBOX": str(host / "inbox.jsonl"),
        "PLMS_INVARIANTS": str(host / "invariants.db"),
    }
    project = Guarded(folder, given)
    project.has_people(plan.parent, PEOPLE)
    return project


def _today(plan: str) -> str:
    """The plan with days 0 to 3 today, from five minutes ago, when changes may be made."""
    slot = Slot.around_now(timedelta(minutes=-5))
    plan = plan.replace("timezone: America/New_York", f"timezone: {slot.zone}")
    days = r"(  - id: day[0-3]\n    title: .*\n)    date: .*\n    hours: .*\n"
    dated = rf'\1    date: {slot.date}\n    hours: "{slot.hours(120)}"\n'
    plan, count = re.subn(days, dated, plan)
    assert count == 4, "days 0 to 3 are not stated as this test reads them"
    change = f'  change:\n    - {{date: {slot.date}, hours: "{slot.hours(120)}", risk: medium}}\n'
    return plan.replace("  change:\n", change, 1)
