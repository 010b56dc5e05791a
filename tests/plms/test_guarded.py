"""Days 0 to 4 of PLMS from entry to exit in environment prod, by commands alone.

What the plan has people do is done at the console of the target and put on record with
`rollout record`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from suites.plms.scenarios.people_drill import SAYS
from tests.plms.guarded_site import OPERATIONS, Site, begin, end, gate, site, verdicts, walk
from tests.story.guarded import ROOT, Guarded, Slot

pytestmark = pytest.mark.nightly

DRILLED = {
    "drill-panel-shows-fail",
    "drill-slack-within-60s",
    "test-alert-fires",
    "slack-channel-works",
    "email-channel-works",
    "drill-cleanup-complete",
    "status-recovers",
}
DEMOS = {
    "demo1": "demo_1_idempotent_start.sh",
    "demo2": "demo_2_representative_canary.sh",
    "demo3": "demo_3_kpi_gated_completion.sh",
}


def test_days_0_to_4_go_from_entry_to_exit(tmp_path: Path) -> None:
    with site(tmp_path) as plms:
        plms.step("", "open-host")
        days = {"day0": _day_0, "day1": _day_1, "day2": _day_2, "day3": _day_3, "day4": _day_4}
        for day, work in days.items():
            walk(plms, day, work)
        intact = plms.project.rollout("verify")
        assert intact.status == 0, intact.said


def test_day_4_waits_for_the_drill_that_people_do(tmp_path: Path) -> None:
    with site(tmp_path, "day4") as plms:
        for step in ("open-host", "open-channels", "back-up"):
            plms.step("", step)
        _run_a_small_project(plms)
        _drill(plms, "")  # that of day 1: since then a time to fix is known
        gate(plms.project, "day4", "entry")
        begin(plms, "day4")
        _watched(plms)
        early = plms.project.pytest("-m", "day4", "--rollout-env=prod")
        assert early.last_line.startswith("HOLD: plms.day4/exit"), early.said
        found = verdicts(plms.project, "day4", "exit")
        assert {id_ for id_, verdict in found.items() if verdict == "missing"} >= DRILLED
        assert f'rollout record plms.day4 change --says "{SAYS}"' in early.said
        _drill(plms, "day4")
        end(plms, "day4")


def _day_0(plms: Site) -> None:
    for step in ("open-channels", "tag-release", "back-up", "dry-run-invariants", "hand-over"):
        plms.step("day0", step)
    words = ("--by", OPERATIONS, "--role", "operations", "--note", "announced on #plms-ops")
    key = ("--key", str(plms.project.key(OPERATIONS)), "--env", "prod")
    told = plms.project.rollout("attest", "plms.day0.freeze-declared", *words, *key)
    assert told.status == 0, told.said


def _day_1(plms: Site) -> None:
    plms.step("day1", "deploy-timer")
    _drill(plms, "day1")
    plms.step("day1", "hand-over")


def _drill(plms: Site, day: str) -> None:
    """A row is planted, noticed, told of and removed, and the job is run again."""
    row = plms.step(day, "plant-row")["row"]
    plms.step(day, "run-invariants", drill=True)
    time.sleep(5)  # people look at what came of it; the job's records are in whole seconds
    plms.step(day, "remove-row", row=row)
    plms.step(day, "run-invariants", drill=False)


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
    # The run that decides the exit starts both projects: somebody stores the status meanwhile.
    threading.Thread(target=_store_the_status, args=(plms,), daemon=True).start()


def _store_the_status(plms: Site) -> None:
    """Once both projects have run for some seconds, as an operator beside the run does it."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        status = httpx.get(f"{plms.console}/api/portfolio/status").json()
        if sum(_is_under_way(project) for project in status["projects"]) == 2:
            step = f"{plms.console}/reference/operator/capture-snapshot"
            stored = httpx.post(step, json={}, timeout=60).raise_for_status().json()
            kept = plms.host / "tmp"
            kept.mkdir(exist_ok=True)
            shutil.copy(stored["result"]["path"], kept)
            return
        time.sleep(2)


def _is_under_way(project: Mapping[str, Any]) -> bool:
    """Whether it is one of both projects of day 3, some seconds after its start."""
    executes = project["project_id"] in (101, 102) and project["status"] == "executing"
    return executes and project["progress"] > 0.2


def _day_4(plms: Site) -> None:
    _watched(plms)
    _drill(plms, "day4")


def _watched(plms: Site) -> None:
    """The dashboard is imported and the rules are loaded, as they stand in the release."""
    suite = ROOT / "suites/plms"
    board = json.loads((suite / "grafana/plms_invariants_dashboard.json").read_text())
    plms.watch("day4", "start-monitoring", scrape=plms.console)
    plms.watch("day4", "import-dashboard", dashboard=board)
    plms.watch("day4", "load-rules", rules=(suite / "alerts/rules.yml").read_text())
    time.sleep(5)  # until it has looked


def _run_a_small_project(plms: Site) -> None:
    """As day 3 leaves one: it is completed, and had an interval."""
    body = {"run_kind": "baseline", "lane_name": "Code-API", "tasks": 1, "task_seconds": 10}
    url = f"{plms.console}/api/projects/101/start"
    httpx.post(url, json=body, headers={"Idempotency-Key": "a-small-project"}).raise_for_status()
