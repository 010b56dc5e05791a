"""Runs that do not end by themselves leave no GO."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.session.project import Project

STOPS = {
    "pytest.exit": "pytest.exit('done', returncode=0)",
    "Ctrl-C": "raise KeyboardInterrupt",
}


@pytest.mark.parametrize("what", STOPS)
def test_a_stopped_run_holds(project: Project, what: str) -> None:
    project.run("-m", "canary")
    project.change("def test_works(part):\n    pass", f"def test_works(part):\n    {STOPS[what]}")
    result = project.run_apart("-m", "canary")
    assert result.ret != 0
    assert project.decision()["decision"] == "HOLD"
    assert "the run was stopped" in project.reasons()[0]


def test_an_interrupted_run_keeps_pytests_status(project: Project) -> None:
    project.change(
        "def test_works(part):\n    pass", "def test_works(part):\n    raise KeyboardInterrupt"
    )
    assert project.run_apart("-m", "canary").ret == 2


@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_stopping_at_the_first_failure_is_never_go(project: Project, parallel: list[str]) -> None:
    project.change("def test_nice():\n    pass", "def test_nice():\n    assert False")
    project.change('@pytest.mark.criterion("errors")', '@pytest.mark.criterion("errors", "nice")')
    result = project.run("-m", "canary", "-x", *parallel)
    assert result.ret != 0
    assert project.decision()["decision"] == "HOLD"


def test_stopping_at_the_first_failure_decides_the_same_in_workers(project: Project) -> None:
    project.change("def test_works(part):\n    pass", "def test_works(part):\n    assert False")
    ends = set()
    for parallel in ([], ["-n2"]):
        result = project.run("-m", "canary", "-x", *parallel)
        reasons = project.reasons()
        ends.add((int(result.ret), project.decision()["decision"], reasons[0]))
        assert any("never reported" in reason for reason in reasons[1:]), reasons
    ((status, answer, reason),) = ends
    assert (status, answer) == (10, "NO-GO")
    assert "test_works" in reason


def test_what_a_dead_worker_left_is_not_run_elsewhere(project: Project) -> None:
    project.change("def test_nice():\n    pass", "def test_nice():\n    import os; os._exit(0)")
    project.change(
        "    for number in range(3):",
        "    open('ran.txt', 'a').write('x')\n    for number in range(3):",
    )
    project.run("-m", "canary", "-n2")
    assert not (project.root / "ran.txt").exists()


def test_a_killed_run_takes_the_go_of_the_last_one_from_its_reports(project: Project) -> None:
    project.run("-m", "canary")
    assert project.decision()["decision"] == "GO"
    project.change("def test_nice():\n    pass", "def test_nice():\n    import os; os._exit(0)")
    project.run_apart("-m", "canary")
    assert project.decision()["decision"] == "HOLD"
    assert "never finished" in project.reasons()[0]
    for folder in project.root.glob("rollout-report/demo/embedded/canary/*"):
        assert {path.name for path in folder.iterdir()} == {"decision.json", "runs", "latest"}


def test_a_killed_run_leaves_what_it_saw_and_no_seal(project: Project) -> None:
    project.change("def test_nice():\n    pass", "def test_nice():\n    import os; os._exit(0)")
    result = project.run_apart("-m", "canary")
    assert result.ret == 0, "this is why the exit status alone is worth nothing"
    with closing(sqlite3.connect(project.root / ".rollout/ledger.db")) as db:
        kinds = [row[0] for row in db.execute("SELECT kind FROM records ORDER BY sequence")]
    assert kinds.count("batch") == 3
    assert "seal" not in kinds
    assert "decision" not in kinds
    status = project.rollout("status", "--json")
    (row,) = json.loads(status.stdout.str())["phases"]
    assert row["exit"]["decision"] == "HOLD"
    assert project.rollout("decide", "demo.canary").ret == 11


BREAKS = {
    "removed": "import shutil; shutil.rmtree('.rollout')",
    "replaced": "import pathlib; [p.unlink() for p in pathlib.Path('.rollout').glob('ledger*')];"
    " pathlib.Path('.rollout/ledger.db').write_bytes(b'x' * 5000)",
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_ledger_that_breaks_on_the_way_holds(project: Project, what: str) -> None:
    project.change("def test_ready():\n    pass", f"def test_ready():\n    {BREAKS[what]}")
    result = project.run("-m", "canary")
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*nothing could be stored: the ledger*"])
    assert "Traceback" not in result.stdout.str()


@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_deleting_one_observation_takes_the_go_back(project: Project, parallel: list[str]) -> None:
    project.run("-m", "canary", *parallel)
    assert project.rollout("decide", "demo.canary").ret == 0
    with closing(sqlite3.connect(project.root / ".rollout/ledger.db")) as db:
        db.execute("DELETE FROM observations WHERE id = (SELECT max(id) FROM observations)")
        db.commit()
    result = project.rollout("decide", "demo.canary")
    assert result.ret == 11
    result.stdout.fnmatch_lines(["*damaged*sealed 3 observations, the ledger holds 2*"])


def test_an_observation_that_comes_too_late_holds(project: Project) -> None:
    project.write(
        "conftest.py",
        """
        import pytest

        @pytest.fixture(scope="session", autouse=True)
        def late(request):
            yield

        def pytest_sessionfinish(session):
            from pytest_rollout.session.fixtures import RUNNING
            running = session.config.stash[RUNNING]
            running.recorder.observe("errors", "1", 0, {})
        """,
    )
    assert project.run("-m", "canary").ret == 11
    assert "errors was observed while no test was running" in project.reasons()[0]


def test_a_report_that_cannot_be_written_changes_no_decision(project: Project) -> None:
    project.write("rollout-report", "a file where the folder should be")
    result = project.run("-m", "canary")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["note: the reports could not be written: *", "GO: *"])


def test_a_broken_plan_leaves_nothing_behind(project: Project, how: list[str]) -> None:
    project.change("take: sum", "tkae: sum", "suites/demo/rollout.yaml")
    assert project.run("-m", "canary", *how).ret == 4
    assert not project.stored


@pytest.mark.parametrize("parallel", [[], ["-n2"]], ids=["plain", "n2"])
def test_a_run_whose_last_records_vanish_before_its_seal_is_no_evidence(
    project: Project, parallel: list[str]
) -> None:
    project.write(
        "conftest.py",
        "import sqlite3\n"
        "def pytest_sessionfinish(session):\n"
        "    if not hasattr(session.config, 'workerinput'):\n"
        "        with sqlite3.connect('.rollout/ledger.db') as db:\n"
        "            newest = '(SELECT max(sequence) FROM records)'\n"
        "            db.execute(f'DELETE FROM records WHERE sequence = {newest}')\n",
    )
    assert project.run("-m", "canary", *parallel).ret == 11
    assert project.rollout("decide", "demo.canary").ret == 11


def test_a_mistake_of_ours_is_an_internal_error_and_no_damage(project: Project) -> None:
    assert project.run("-m", "canary").ret == 0
    project.write(
        "conftest.py",
        "import sys\n\n\n"
        "def pytest_sessionfinish():\n"
        "    from pytest_rollout.evidence import run_facts\n\n"
        "    def broken(*_, **__):\n"
        "        raise TypeError('a mistake of ours')\n\n"
        "    run_facts.manifest_of = broken\n",
    )
    result = project.run_apart("-m", "canary")
    assert result.ret not in (0, 11)
    said = result.stdout.str() + result.stderr.str()
    assert "TypeError: a mistake of ours" in said
    assert "damaged" not in said
    assert project.decision()["decision"] == "HOLD"  # what the run wrote as it began
