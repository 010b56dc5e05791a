"""Runs that signals end: what ended is sealed, the rest is unknown until a person settles it."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import pytest_rollout
from tests.session.project import OTHERS, Project

PLAN = """\
plan: demo
no_release: a service that answers nothing
environments: {prod: {targets: {api: "http://127.0.0.1:1"}}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, kind: demo}
      - {id: errors, kind: slo, metric: errors, take: sum, pass: "<= 5", need: 3,
         over: [{span: 7d}]}
      - {id: slow, kind: demo}
"""
TESTS = """\
import os, pathlib, time
import pytest

pytestmark = pytest.mark.canary


@pytest.fixture(scope="session", autouse=True)
def torn_down():
    yield
    pathlib.Path("torn-down").write_text("begun")
    time.sleep(float(os.environ.get("TEAR_DOWN", 0)))
    pathlib.Path("torn-down").write_text("done")


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(3):
        observe("errors", int(os.environ.get("ERRORS", 0)))


@pytest.mark.criterion("slow")
def test_slow(observe):
    observe("errors", int(os.environ.get("SLOW_ERRORS", 0)))
    if "SLOW" in os.environ:
        pathlib.Path("reached").touch()
        time.sleep(60)
"""
GATE = "demo.canary/exit"
LEFT_OUT = [word for name in OTHERS for word in ("-p", f"no:{name}")]


class Runs:
    """Runs of a project as a CI job starts them: processes of their own, in prod."""

    def __init__(self, project: Project) -> None:
        self.project = project
        project.write("rollout.yaml", PLAN)
        project.write("test_canary.py", TESTS)
        (project.root / "suites/demo/rollout.yaml").unlink()
        (project.root / "suites/demo/test_canary.py").unlink()

    def start(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        """Start a run."""
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LEFT_OUT]
        command += ["-m", "canary", "--rollout-env", "prod", "--rollout-gate", "exit", *words]
        package = str(Path(pytest_rollout.__file__).parents[1])
        return subprocess.Popen(
            command,
            cwd=self.project.root,
            env={**os.environ, "PYTHONPATH": package, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def whole(self, **variables: str) -> int:
        """Let a run end by itself; its exit status."""
        run = self.start(**variables)
        run.communicate(timeout=60)
        return run.returncode

    def ended_by(
        self, *signals: int, words: Sequence[str] = (), after: str = "reached", **variables: str
    ) -> tuple[int, str]:
        """Exit status and output of a run that gets signals once it is in its last check."""
        for name in ("reached", "torn-down"):
            (self.project.root / name).unlink(missing_ok=True)
        run = self.start(*words, SLOW="1", **variables)
        for number in signals:
            self._wait_for(after, run)
            os.kill(run.pid, number)
            after = "torn-down"
        output, _ = run.communicate(timeout=50)
        return run.returncode, output

    def _wait_for(self, name: str, run: subprocess.Popen[str]) -> None:
        until = time.monotonic() + 40
        while not (self.project.root / name).exists():
            assert run.poll() is None, run.communicate()[0]
            assert time.monotonic() < until, f"{name} was never reached"
            time.sleep(0.02)

    def last(self) -> str:
        """The run that began last."""
        query = "SELECT run FROM records WHERE kind = 'run' ORDER BY sequence DESC LIMIT 1"
        return str(self._rows(query)[0][0])

    def seals(self) -> list[dict[str, Any]]:
        """What the seals say, in order."""
        query = "SELECT body FROM records WHERE kind = 'seal' ORDER BY sequence"
        return [json.loads(row[0]) for row in self._rows(query)]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.project.root / ".rollout/ledger.db")) as db:
            return db.execute(query).fetchall()

    def clear(self) -> tuple[int, str]:
        """Exit status and words of a clearance."""
        said = self.project.rollout("clear", GATE, "--env", "prod")
        return int(said.ret), said.stdout.str()

    def settle(self, run: str) -> pytest.RunResult:
        """Settle a run as a person would."""
        words = ("--by", "A. Person", "--why", "superseded by another push")
        return self.project.rollout("settle", run, *words)


@pytest.fixture
def runs(project: Project) -> Runs:
    return Runs(project)


def decision(runs: Runs) -> dict[str, Any]:
    return runs.project.decision(environment="prod")


@pytest.mark.parametrize("words", [[], ["-n2"]], ids=["plain", "n2"])
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT], ids=lambda by: by.name)
def test_what_ended_is_sealed_and_the_gate_holds(
    runs: Runs, by: signal.Signals, words: list[str]
) -> None:
    began = time.monotonic()
    status, output = runs.ended_by(by, words=words)
    assert status == 2
    assert time.monotonic() - began < 30
    assert "Traceback" not in output
    (seal,) = runs.seals()
    assert seal["cancelled"] == f"the run was ended by {by.name}"
    assert seal["problems"] == [seal["cancelled"]]
    told = decision(runs)
    assert told["decision"] == "HOLD"
    verdicts = runs.project.verdicts(environment="prod")
    assert (verdicts["ready"], verdicts["slow"]) == ("pass", "missing")
    assert f"rollout settle {told['run']} --by" in output
    assert (runs.project.root / "torn-down").read_text() == "done"
    assert runs.project.rollout("verify").ret == 0


def test_rules_that_reach_it_say_until_when_until_it_is_settled(runs: Runs) -> None:
    assert runs.whole() == 0
    runs.ended_by(signal.SIGTERM, ERRORS="1")
    cancelled = runs.last()
    assert runs.whole() == 11
    (reason,) = [one["reason"]["text"] for one in decision(runs)["reasons"]]
    assert f"run {cancelled}: the run was ended by SIGTERM; 1 of its checks did not" in reason
    assert "counts as unknown until 20" in reason
    assert f"rollout settle {cancelled}" in reason
    assert runs.settle(cancelled).ret == 0
    assert runs.whole() == 0
    told = decision(runs)
    (finding,) = [one for one in told["criteria"] if one["id"] == "demo.canary.errors"]
    value = finding["parts"][-1]["estimate"]["value"]
    assert value == "3", "what it saw before it ended counts as ever"
    assert [one["id"] for one in told["conditions"]].count("run.settled") == 1
    assert any(
        "A. Person: superseded by another push" in c["reason"]["text"] for c in told["conditions"]
    )
    assert any(f"rollout-run:{cancelled}" == one["uri"] for one in told["inputs"])


def test_a_go_stands_again_once_the_cancelled_run_after_it_is_settled(runs: Runs) -> None:
    assert runs.whole() == 0
    before = runs.last()
    assert runs.clear()[0] == 0
    runs.ended_by(signal.SIGTERM)
    status, words = runs.clear()
    assert status == 11
    assert "the run was ended by SIGTERM" in words
    assert runs.settle(runs.last()).ret == 0
    status, words = runs.clear()
    assert status == 0, words
    assert f"GO of run {before}" in words
    assert "settled at" in words
    again = runs.settle(runs.last())
    assert again.ret == 4
    assert "was settled at" in again.stderr.str()


def test_a_killed_run_is_settled_too_and_a_whole_run_is_not(runs: Runs) -> None:
    assert runs.whole() == 0
    whole = runs.settle(runs.last())
    assert whole.ret == 4
    assert "ended by itself" in whole.stderr.str()
    runs.ended_by(signal.SIGKILL)
    status, words = runs.clear()
    assert status == 11
    assert f"rollout settle {runs.last()}" in words
    assert runs.settle(runs.last()).ret == 0
    assert runs.clear()[0] == 0


@pytest.mark.parametrize(
    "seen", [{"ERRORS": "9"}, {"SLOW_ERRORS": "9"}], ids=["before", "in the check that was ended"]
)
def test_nobody_settles_what_was_seen_to_be_bad(runs: Runs, seen: dict[str, str]) -> None:
    assert runs.whole() == 0
    status, _ = runs.ended_by(signal.SIGTERM, **seen)
    assert status == 2
    said = runs.settle(runs.last())
    assert said.ret == 4
    assert "saw something bad, which nobody can settle: demo.canary.errors: " in said.stderr.str()
    assert runs.clear()[0] != 0


def test_a_second_signal_breaks_off_a_slow_tear_down_and_the_run_is_sealed(runs: Runs) -> None:
    status, output = runs.ended_by(signal.SIGINT, signal.SIGTERM, TEAR_DOWN="60")
    assert status == 2, output
    assert (runs.project.root / "torn-down").read_text() == "begun"
    (seal,) = runs.seals()
    assert seal["problems"] == ["the run was ended by SIGINT"]


def test_a_run_that_still_runs_is_not_settled(runs: Runs) -> None:
    (runs.project.root / "reached").unlink(missing_ok=True)
    run = runs.start(SLOW="1")
    try:
        runs._wait_for("reached", run)
        said = runs.settle(runs.last())
        assert said.ret == 4
        assert f"still runs, as process {run.pid}" in said.stderr.str()
    finally:
        run.kill()
        run.communicate()
