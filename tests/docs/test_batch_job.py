"""docs/how-to/batch-job.md: its job, rehearsed and decided on other files than the rehearsal's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.example_project import laid

ROOT = Path(__file__).parents[2]
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ORDERS = "customer,cents\nada,100\ngrace,250\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project that the page describes, in git."""
    folder = tmp_path / "project"
    page = (ROOT / "docs/how-to/batch-job.md").read_text("utf-8")
    files = dict(_FILE.findall(page))
    assert set(files) == {
        "revenue.py",
        "suites/revenue/rollout.yaml",
        "suites/revenue/test_revenue.py",
    }
    files["pytest.ini"] = "[pytest]\nrollout_plans = suites/*/rollout.yaml\n"
    files["samples/orders.csv"] = ORDERS
    return laid(folder, files)


@pytest.mark.slow
def test_the_job_is_decided_on_the_files_of_each_environment(project: Path) -> None:
    real = project.parent / "real"
    real.mkdir()
    (real / "orders.csv").write_text(ORDERS + "bob,50\n")
    program = real / "revenue"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {project}/revenue.py "$@"\n')
    program.chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{real}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "REVENUE_ORDERS": str(real / "orders.csv"),
        "REVENUE_REPORT": str(real / "report.txt"),
    }

    def last(*words: str) -> str:
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True)
        return (done.stdout or done.stderr).splitlines()[-1]

    nightly = ("pytest", "-m", "nightly", "-p", "no:cacheprovider")
    rollout = "pytest_rollout.cli"
    assert last(rollout, "check", "revenue", "--write-bindings") == "no problems"
    assert last(*nightly) == "GO: revenue.nightly/entry GO, revenue.nightly/exit GO"
    assert (project / "rehearsed.txt").read_text() == "350\n"
    assert last(*nightly, "--rollout-env", "prod").startswith("HOLD: ")  # no REVENUE_HOME
    environ["REVENUE_HOME"] = str(project)
    assert last(*nightly, "--rollout-env", "prod") == "GO: revenue.nightly/entry GO"
    last(rollout, "begin", "revenue.nightly", "--env", "prod", "--by", "A. Person")
    assert not (real / "report.txt").exists()
    assert last(*nightly, "--rollout-env", "prod") == "GO: revenue.nightly/exit GO"
    assert (real / "report.txt").read_text() == "400\n"
