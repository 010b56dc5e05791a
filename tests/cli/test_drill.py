"""`rollout drill` on a small project whose target knows faults, run as a user would."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from pytest_rollout.drill.children import Task, rehearse
from pytest_rollout.plan.load import load
from tests.cli.conftest import Project
from tests.session.project import INI

APP = """\
import json

from pytest_rollout.targets.reference import Setting, identified

FAULTS = {"sour": "tastes sour", "quiet": "says less", "dead": "does not start"}


async def plain(scope, receive, send):
    setting = Setting.from_environ()
    fault = setting.fault and setting.fault.name
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            if fault == "dead":
                await send({"type": "lifespan.startup.failed", "message": "no database here"})
                return
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    taste = "sour" if fault == "sour" else "sweet"
    body = {"taste": taste, "version": "v7", "now": setting.now.isoformat()}
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


app = identified(plain, "small")
"""
PLAN = """\
plan: demo
environments: {embedded: {targets: {small: {serve: "small:app"}}}}
release: {target: small, path: /, json: version}
phases:
  - id: canary
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: sweet, kind: demo, faults: [sour, dead]}
      - {id: loud, kind: demo, severity: soft, faults: [quiet, bitter]}
      - {id: tasty, kind: demo}
"""
TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.fixture
def said(phase):
    return phase.target("small").client.get("/").json()


@pytest.mark.criterion("ready")
def test_ready(said):
    assert said["version"] == "v7"


@pytest.mark.criterion("sweet")
def test_sweet(said):
    assert said["taste"] == "sweet"


@pytest.mark.criterion("loud")
def test_loud(said):
    assert "taste" in said


@pytest.mark.criterion("tasty")
def test_tasty(said):
    assert said["taste"] != "sour"
"""


@dataclass(frozen=True)
class Demo:
    """A project in a folder."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> Demo:
        """The project with its plan, tests and target."""
        (root / "suites/demo").mkdir(parents=True)
        (root / "pytest.ini").write_text(INI + "pythonpath = .\n")
        (root / "small.py").write_text(APP)
        (root / "suites/demo/rollout.yaml").write_text(PLAN)
        (root / "suites/demo/test_canary.py").write_text(TESTS)
        return cls(root)

    def change(self, name: str, old: str, new: str) -> None:
        """Replace something that a file holds."""
        text = (self.root / name).read_text()
        assert old in text
        (self.root / name).write_text(text.replace(old, new))

    def run(self, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `rollout` or pytest in the project."""
        command = [sys.executable, "-m", module, *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        return done

    def rollout(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return self.run("pytest_rollout.cli", *arguments)


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Demo, Any, str]:
    """The project after a drill of all its faults: what it said in JSON, and on the way."""
    demo = Demo.at(tmp_path_factory.mktemp("demo"))
    done = demo.rollout("drill", "demo", "--json")
    assert done.returncode == 10, done.stderr
    return demo, json.loads(done.stdout), done.stderr


@pytest.mark.slow
def test_the_matrix_says_of_each_fault_who_noticed_it(drilled: tuple[Demo, Any, str]) -> None:
    (phase,) = drilled[1]["phases"]
    assert phase["healthy"]["answers"] == {"entry": "GO", "exit": "GO"}
    found = {row["fault"]: row for row in phase["faults"]}
    outcomes = {name: row["criteria"][0]["outcome"] for name, row in found.items()}
    assert outcomes == {
        "sour": "caught",
        "dead": "collapsed",
        "quiet": "MISSED",
        "bitter": "not run",
    }
    assert found["sour"]["collateral"] == {"tasty": "fail"}
    assert found["sour"]["answers"] == {"entry": "GO", "exit": "NO-GO"}
    assert "did not start" in found["dead"]["criteria"][0]["because"]
    assert "unknown `bitter`" in found["bitter"]["criteria"][0]["because"]


@pytest.mark.slow
def test_it_says_on_the_way_how_it_goes(drilled: tuple[Demo, Any, str]) -> None:
    lines = drilled[2].splitlines()
    assert lines[0] == "1 phase without a fault first"
    assert lines[1].startswith("demo.canary without a fault: entry GO, exit GO (")
    assert re.fullmatch(r"4 faults, 2 at a time, about \d+ s", lines[2])
    assert re.match(r"\[1/4, about \d+ s left\] demo", lines[3])
    assert len(lines) == 7
    assert any("] demo.canary quiet: MISSED by loud (" in line for line in lines)


@pytest.mark.slow
def test_a_drill_is_evidence_of_nothing(drilled: tuple[Demo, Any, str]) -> None:
    demo = drilled[0]
    assert "no full run has asked for" in demo.rollout("decide", "demo.canary").stderr
    assert demo.rollout("verify").stdout.startswith("1 records of 0 runs")
    reported = {path.name for path in demo.root.glob("rollout-report/**/*") if path.is_file()}
    assert reported == {"drill.json", "drill.md"}
    text = (demo.root / "rollout-report/demo/drills/drill.md").read_text()
    assert text.startswith("# Drill: a fault was MISSED: 4 faults, 1 caught, 1 MISSED, ")


@pytest.mark.slow
def test_every_report_says_when_the_gate_last_said_no(drilled: tuple[Demo, Any, str]) -> None:
    demo = drilled[0]
    run = demo.run("pytest", "-m", "canary")
    assert run.returncode == 0
    said = "NO-GO in a drill of sour (release v7, plan "
    assert said in run.stdout
    assert "never drilled: nobody has shown" in run.stdout, "of the entry gate"
    folder = demo.root / "rollout-report/demo/embedded/canary/exit"
    for name in ("report.md", "report.html"):
        assert said in (folder / name).read_text()
    assert "sour" not in (folder / "decision.json").read_text()
    assert "in a drill: entry never, exit 20" in demo.rollout("status").stdout
    with (demo.root / "suites/demo/rollout.yaml").open("a") as plan:
        plan.write("# another text\n")
    assert "(outdated)" in demo.rollout("status").stdout


@pytest.mark.slow
def test_a_phase_that_does_not_pass_without_a_fault_is_not_drilled(tmp_path: Path) -> None:
    demo = Demo.at(tmp_path)
    demo.change("small.py", 'else "sweet"', 'else "salty"')
    done = demo.rollout("drill", "demo.canary", "--fault", "sour")
    assert done.returncode == 11
    assert "unproven   sweet: without the fault it is fail" in done.stdout
    assert "left out: dead, quiet, bitter" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nope"], "no plan `nope`"),
        (["demo.nope"], "demo has no phase `nope`"),
        (["demo.canary/exit"], "a drill is of a phase, both gates"),
        (["demo", "--fault", "sou"], "no criterion names `sou` (did you mean `sour`?)"),
        (["demo", "--fault", ":x"], "has no fault name"),
        (["demo", "--phase-timeout", "soon"], "--phase-timeout: 'soon' is no duration"),
        (["demo", "--jobs", "0"], "'--jobs'"),
    ],
)
def test_wrong_use_is_one_message(project: Project, arguments: list[str], says: str) -> None:
    project.plan.write_text(PLAN)
    answer = project.rollout("drill", *arguments)
    assert answer.status == 4
    assert says in answer.err
    assert not project.store.exists()


def test_a_plan_that_names_no_fault_proves_nothing(project: Project) -> None:
    answer = project.rollout("drill", "demo")
    assert answer.status == 11
    assert "nothing was drilled: no criterion names a fault" in answer.out
    assert "no criterion names a fault: canary" in answer.out


@pytest.mark.slow
def test_check_says_which_hard_criteria_no_drill_proves(project: Project) -> None:
    answer = project.rollout("check")
    assert "no drill can show that they fail: ready, works, errors (faults: [NAME])" in answer.out
    text = project.plan.read_text()
    project.plan.write_text(text.replace("{id: works,", "{id: works, faults: [sour],"))
    answer = project.rollout("check")
    assert "no drill can show that they fail: ready, errors (faults: [NAME])" in answer.out


STUCK = """\
import os
import subprocess
import time
from pathlib import Path

child = subprocess.Popen(["sleep", "300"])
Path("pids").write_text(f"{os.getpid()} {child.pid}")
try:
    time.sleep(300)
except KeyboardInterrupt:
    time.sleep(300)
"""


@pytest.mark.slow
def test_a_drill_that_is_ended_ends_all_that_it_started(tmp_path: Path) -> None:
    demo = Demo.at(tmp_path)
    (demo.root / "suites/demo/test_stuck.py").write_text(STUCK)
    pids = demo.root / "pids"
    command = [sys.executable, "-m", "pytest_rollout.cli", "drill", "demo.canary"]
    drill = subprocess.Popen(command, cwd=demo.root, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not (pids.exists() and pids.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    drill.terminate()
    assert drill.wait(60) == 128 + signal.SIGTERM
    assert not any(_alive(int(pid)) for pid in pids.read_text().split())


def test_the_bound_of_a_rehearsal_is_kept(tmp_path: Path) -> None:
    demo = Demo.at(tmp_path)
    (demo.root / "suites/demo/test_stuck.py").write_text(STUCK)
    plan = load(demo.root / "suites/demo/rollout.yaml", "suites/demo/rollout.yaml").plan
    assert plan is not None
    before = time.monotonic()
    seen = rehearse(Task(plan, plan.phases[0], None, tmp_path / "child"), demo.root, 0.5, Event())
    assert seen.trouble == "it took more than 0.5 s"
    assert time.monotonic() - before < 60


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
