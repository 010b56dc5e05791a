"""The other service as it runs, and a project whose plan guards it by commands alone."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from tests.plms.test_prod import free_port, wait_for
from tests.story.guarded import ROOT, Answer, Guarded, Slot

CAPS = {"Code-API": 4, "Data-Schema": 2, "Narrative": 6, "Viz-Charts": 3}
PAIR = {"301": "alpha", "302": "beta"}
DEMOS = {
    "demo1": "demo_1_idempotent_start.sh",
    "demo2": "demo_2_representative_canary.sh",
    "demo3": "demo_3_kpi_gated_completion.sh",
}
DIALECT = Path(__file__).with_name("dialect.yaml")


@dataclass(frozen=True, slots=True)
class Site:
    """The service, the host that people work on, and the project that guards its rollout."""

    url: str
    host: Path
    project: Guarded

    def begin(self, day: str) -> Answer:
        """Decide the entry gate of a day and begin it."""
        decided = self.project.pytest("-m", day, "--rollout-env=prod")
        begun = self.project.rollout("begin", f"plms.{day}", "--by", "Olga")
        return Answer(begun.status, decided.said + begun.said)

    def exit(self, day: str) -> Answer:
        """Decide the exit gate of a day."""
        return self.project.pytest("-m", day, "--rollout-env=prod")

    def findings(self, day: str, gate: str = "exit") -> dict[str, tuple[str, str]]:
        """Verdict and reason of each criterion, as the last full run of the gate decided."""
        stored = self.project.folder / "rollout-report/plms/prod" / day / gate / "decision.json"
        criteria = json.loads(stored.read_text())["criteria"]
        return {
            said["id"].rpartition(".")[2]: (said["verdict"], (said["reason"] or {}).get("text", ""))
            for said in criteria
        }

    def record(self, day: str, kind: str, what: str) -> None:
        """Put on record what was done."""
        words = ("record", f"plms.{day}", kind, "--says", what, "--by", "Olga")
        told = self.project.rollout(*words)
        assert told.status == 0, told.said

    def write(self, sql: str) -> None:
        """Change the registry as the plan's shell commands do."""
        with closing(sqlite3.connect(self.registry, timeout=30, isolation_level=None)) as registry:
            registry.executescript(sql)

    def run_the_demos(self) -> None:
        """Do the tasks of day 2."""
        said = {name: self._demo(script) for name, script in DEMOS.items()}
        for name, text in said.items():
            self.host.joinpath(f"tmp/{name}_output.txt").write_text(text)
        documents = self.project.folder / "docs/PRDs"
        documents.mkdir(parents=True)
        day = Slot.around_now(timedelta()).begin
        results = documents / f"PLMS_Demo_Results_{day:%Y%m%d}.txt"
        results.write_text("".join(said.values()))
        self.record("day2", "action", "the demos were run, and their transcripts are kept")

    def _demo(self, script: str) -> str:
        environ = {**self.project.environ, "PYTHON": sys.executable}
        words = ["bash", str(self.project.folder / "suites/plms/demos" / script)]
        done = subprocess.run(words, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def rehearse_the_scheduler(self) -> None:
        """Have both projects of day 3 completed, as day 5 wants it."""
        for project in (101, 102):
            self.start(project, run_kind="baseline")
        until = time.monotonic() + 120
        while {run["state"] for run in self.get("/api/portfolio/status")["runs"].values()} != {
            "completed"
        }:
            assert time.monotonic() < until, "the projects of day 3 do not end"
            time.sleep(0.5)

    def start(self, project: int, **asked: object) -> None:
        """Start a project."""
        key = {"Idempotency-Key": f"{project}-{time.time()}"}
        url = f"{self.url}/api/projects/{project}/start"
        httpx.post(url, json=asked, headers=key).raise_for_status()

    def enable_calibration(self) -> None:
        """Do the first task of day 5, and note the newest prior for its roll-back."""
        self.write(
            "insert into system_config select 'calibration_newest_prior', max(seq)"
            " from estimate_versions"
        )
        self.write("update system_config set value = 'true' where key = 'calibration_enabled'")
        self.record("day5", "change", "calibration_enabled set to true")

    def store_final_metrics(self) -> None:
        """Store what day 6 wants once both projects have ended, as an operator beside the run."""
        threading.Thread(target=self._store_final_metrics, daemon=True).start()

    def _store_final_metrics(self) -> None:
        until = time.monotonic() + 900
        while time.monotonic() < until:
            runs = self.get("/api/portfolio/status")["runs"]
            if all(runs.get(project, {}).get("state") == "completed" for project in PAIR):
                break
            time.sleep(0.5)
        errors = [self._stored_error(project, name) for project, name in PAIR.items()]
        self.host.joinpath("tmp/estimation_errors.json").write_text(json.dumps(errors))
        names = ", ".join(f"{name}_final_metrics.json" for name in PAIR.values())
        self.record("day6", "action", f"final metrics stored as {names}")
        said = "estimation errors stored as estimation_errors.json"
        self.record("day6", "action", said)

    def _stored_error(self, project: str, name: str) -> dict[str, object]:
        said = self.get(f"/api/projects/{project}/metrics?with_ci=1")
        text = json.dumps(said)
        self.host.joinpath(f"tmp/{name}_final_metrics.json").write_text(text)
        errors = {
            f"{of}_error": abs(said[f"{of}_actual"] - said[f"{of}_mean"]) / said[f"{of}_actual"]
            for of in ("tokens", "duration")
        }
        digest = hashlib.sha256(text.encode()).hexdigest()
        read = f"{name}_final_metrics.json"
        return {"project": int(project), "read": read, "sha256": digest, **errors}

    @property
    def registry(self) -> Path:
        """Where its registry is."""
        return self.host / "other.db"

    def get(self, path: str) -> Any:
        """What the service answers."""
        return httpx.get(f"{self.url}{path}").raise_for_status().json()

    def set_caps(self) -> None:
        """Do the first task of day 3."""
        self.set_caps_only()
        told = ", ".join(f"{lane} {cap}" for lane, cap in CAPS.items())
        self.record("day3", "change", f"lane caps set: {told}")

    def set_caps_only(self) -> None:
        """Give each lane its cap."""
        for lane, cap in CAPS.items():
            self.write(f"update lane_configs set max_concurrent = {cap} where lane_name = '{lane}'")

    def store_the_status(self) -> None:
        """Store the portfolio status once both projects run, as an operator beside the run."""
        threading.Thread(target=self._store_the_status, daemon=True).start()

    def _store_the_status(self) -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until:
            try:
                said = self.get("/api/portfolio/status")
            except httpx.TransportError:  # the day is over, and the service has ended
                return
            if sum(25 < run["done_pct"] < 100 for run in said["runs"].values()) >= 2:
                self.host.joinpath("tmp/portfolio_status_day3.json").write_text(json.dumps(said))
                return
            time.sleep(0.5)


@contextmanager
def served(
    folder: Path, *twists: str, task_s: float = 20, speed: float = 20, edit: Any = str
) -> Iterator[Site]:
    """The service with its project; ``edit`` changes the text of the dialect."""
    host, port = folder / "host", free_port()
    host.joinpath("tmp").mkdir(parents=True)
    command = [sys.executable, "-m", "tests.plms.other_service.served"]
    words = [*command, str(port), str(host), str(task_s), str(speed), *twists]
    with (
        folder.joinpath("service.log").open("w") as log,
        subprocess.Popen(words, cwd=ROOT, stdout=log, stderr=log) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url)
            yield Site(
                url, host, _project(folder / "project", host, url, edit(DIALECT.read_text()))
            )
        finally:
            process.terminate()


def _project(folder: Path, host: Path, url: str, dialect: str) -> Guarded:
    shutil.copytree(ROOT / "suites", folder / "suites")
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n")
    folder.joinpath("dialect.yaml").write_text(dialect)
    plan = folder / "suites/plms/rollout.yaml"
    plan.write_text(relaxed(plan.read_text()))
    given = {
        "PLMS_URL": url,
        "PLMS_ROOT": str(host),
        "PLMS_REGISTRY": str(host / "other.db"),
        "PLMS_INBOX": str(host / "inbox.jsonl"),
        "PLMS_DIALECT": str(folder / "dialect.yaml"),
    }
    return Guarded(folder, given)


def relaxed(plan: str) -> str:
    """The plan with all days today, alone and without signatures, and with few samples."""
    slot = Slot.around_now(timedelta(minutes=-5))
    plan = plan.replace("timezone: America/New_York", f"timezone: {slot.zone}")
    days = r"(  - id: day[2356]\n    title: .*\n)    date: .*\n    hours: .*\n"
    dated = rf'\1    date: {slot.date}\n    hours: "{slot.hours(120)}"\n'
    plan, count = re.subn(days, dated, plan)
    assert count == 4, "the days are not stated as this test reads them"
    plan = re.sub(r"    (requires|any_release|signoff): .*\n", "", plan)
    plan = re.sub(r"        need: (12|60|30|100)\n", "        need: 2\n", plan)
    plan = plan.replace("[{last: 12, need: 12}]", "[{last: 2, need: 2}]")
    for ours, theirs in {
        "POST /api/ops/calibration/policy": "POST /v2/learning/decide",
        "POST /api/projects/*/simulate": "POST /v2/projects/*/dry-run",
    }.items():
        plan = plan.replace(ours, theirs)
    change = f'  change:\n    - {{date: {slot.date}, hours: "{slot.hours(120)}", risk: high}}\n'
    return plan.replace("  change:\n", change, 1)
