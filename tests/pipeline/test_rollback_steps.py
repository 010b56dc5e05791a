"""The steps of the rollback, done one by one: each check says no before, and yes after."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.rollback import RollbackStep
from pytest_rollout.plan.load import load
from suites.pipeline.views.edits import all_dry, dried, taken_back, unscheduled
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.on_main import workflow_at
from suites.pipeline.views.schedules import ASSIGN, DAILY, LIVE, WorkflowFile
from tests.pipeline.by_hand import served as serving
from tests.plms.rehearsal import ROOT

pytestmark = pytest.mark.slow

BEGIN = "2026-01-22T10:00:00+00:00"  # in week 2: limits are raised, and monitoring is live
REPOSITORY = "acme/site-pipeline"
FILES = {"checkout": "checkout", "telemetry": "telemetry", "inbox": "inbox.jsonl"}


@dataclass(frozen=True)
class Served:
    """The target of the pipeline, served for this test."""

    client: httpx.Client
    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What a program of the plan finds."""
        paths = {name: str(self.folder / path) for name, path in FILES.items()}
        paths |= {"records": str(self.folder / "records"), "github": str(self.client.base_url)}
        targets = {f"ROLLOUT_TARGET_{name.upper()}": where for name, where in paths.items()}
        return {**os.environ, "PYTHONPATH": str(ROOT), **targets}

    def run(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        """Run a program of the plan."""
        command = [sys.executable if word == "python" else word for word in words]
        return subprocess.run(
            command, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False
        )

    def holds(self, check: Check) -> bool:
        """Whether the check of a step holds."""
        assert check.means is CheckMeans.COMMAND
        return self.run(check.argv).returncode == 0

    def do(self, action: Check) -> None:
        """Do a step."""
        if action.means is CheckMeans.HTTP:
            self.client.request(action.method, action.text).raise_for_status()
        else:
            done = self.run(action.argv)
            assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The target in week 2, on a stepped clock."""
    folder = tmp_path_factory.mktemp("target")
    setting = json.dumps({"folder": str(folder), "now": BEGIN})
    with serving(folder, ROLLOUT_TARGET=setting) as url, httpx.Client(base_url=url) as client:
        client.timeout = httpx.Timeout(120)
        yield Served(client, folder)


def steps() -> list[RollbackStep]:
    """The steps that a machine can do."""
    plan = load(ROOT / "suites/pipeline/rollout.yaml", "suites/pipeline/rollout.yaml").plan
    assert plan is not None
    phase = plan.phase("rollback")
    assert phase is not None
    return [step for step in phase.rollback.steps if step.action]


def test_after_the_steps_nothing_starts_by_itself_and_all_by_hand(served: Served) -> None:
    before = {"runs of the three workflows that are still going are cancelled", "again"}
    for step in steps():
        assert step.action is not None
        assert step.check is not None
        if step.says not in before and not step.says.endswith("again"):
            assert not served.holds(step.check), step.says
        served.do(step.action)
        assert served.holds(step.check), step.says
    assert all(served.holds(step.check) for step in steps() if step.check)
    hub = Hub(served.client, REPOSITORY)
    begun = served.client.post("/reference/clock", json={"advance_s": 60}).json()
    served.client.post("/reference/clock", json={"advance_s": 86_400})
    late = [run for run in hub.runs() if run.begun.isoformat() > str(next(iter(begun.values())))]
    assert [run.file for run in late if run.file in LIVE] == []
    assert any(run.file not in LIVE for run in late), "nothing was started at all"
    for name in LIVE:
        answer = hub.ask("POST", f"/actions/workflows/{name}/dispatches", json={"ref": "main"})
        assert answer.is_success, answer.text
    assert workflow_at(hub, ASSIGN).setting("LIMIT") == 10


WORKFLOW = """\
name: Daily  # as it is
on:
  schedule:
    - cron: '30 6 * * *'  # every morning
    - cron: '0 0 * * *'

  workflow_dispatch:
env: {LIMIT: "20"}
jobs:
  all:
    steps:
      - name: monitoring
        run: pipeline-monitor --verbose
      - name: assignment
        run: pipeline-assign --limit=20 --dry-run
"""


def test_a_schedule_becomes_a_comment_and_nothing_else_is_lost() -> None:
    assert not taken_back(WorkflowFile.read(DAILY, WORKFLOW))
    text = unscheduled(DAILY, WORKFLOW)
    file = WorkflowFile.read(DAILY, text)
    assert taken_back(file)
    assert file.by_hand
    assert file.setting("LIMIT") == 10
    assert "#   - cron: '30 6 * * *'  # every morning" in text
    assert unscheduled(DAILY, text) == text


def test_each_stage_is_dry_again_and_once() -> None:
    assert not all_dry(WorkflowFile.read(DAILY, WORKFLOW))
    text = dried(WORKFLOW)
    assert all_dry(WorkflowFile.read(DAILY, text))
    assert text.count("--dry-run") == 2
