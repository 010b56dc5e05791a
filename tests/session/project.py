"""A small project with one plan, run by pytest as a user would."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.words import told

PLAN = """\
plan: demo
title: A demo
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: nice, kind: demo, severity: soft, says: It is nice}
      - id: errors
        kind: slo
        says: No request fails
        metric: errors
        take: sum
        pass: "<= 0"
        need: 3
"""

TESTS = """\
import pytest

pytestmark = pytest.mark.canary


@pytest.mark.criterion("ready")
def test_ready():
    pass


@pytest.mark.criterion("works")
@pytest.mark.parametrize("part", ["a", "b"])
def test_works(part):
    pass


@pytest.mark.criterion("nice")
def test_nice():
    pass


@pytest.mark.criterion("errors")
def test_errors(observe):
    for number in range(3):
        observe("errors", 0, at=1_000 + number)
"""


# Plugins that are installed for other tests, and take time at every start; a run that wants one
# says so.
OTHERS = (
    "allure_pytest",
    "anyio",
    "asyncio",
    "html",
    "html_fixtures",
    "locust",
    "metadata",
    "pytest_cov",
    "pytest_jsonreport",
    "randomly",
    "respx",
    "timeout",
)
INI = f"[pytest]\naddopts = -p no:cacheprovider {' '.join(f'-p no:{one}' for one in OTHERS)}\n"


@dataclass
class Project:
    """Files of a project, and what pytest made of them."""

    pytester: pytest.Pytester

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.pytester.path

    def write(self, name: str, text: str) -> Path:
        """Write a file below the root."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def plan(self, text: str = PLAN, name: str = "demo") -> None:
        """Write a plan."""
        self.write(f"suites/{name}/rollout.yaml", text)

    def tests(self, text: str = TESTS, name: str = "demo/test_canary.py") -> None:
        """Write a test module of a suite."""
        self.write(f"suites/{name}", text)

    def change(self, old: str, new: str, name: str = "suites/demo/test_canary.py") -> None:
        """Replace something that a file holds."""
        path = self.root / name
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{name} does not hold {old!r}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process; workers are processes of their own."""
        return self.pytester.runpytest(*arguments)

    def run_apart(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own, which may end badly."""
        return self.pytester.runpytest_subprocess(*arguments)

    def rollout(self, *arguments: str) -> pytest.RunResult:
        """Run the `rollout` command."""
        return self.pytester.run(sys.executable, "-m", "pytest_rollout.cli", *arguments)

    def decision(self, gate: str = "exit", phase: str = "canary", **where: str) -> dict[str, Any]:
        """The decision that the last run wrote."""
        plan = where.get("plan", "demo")
        environment = where.get("environment", "embedded")
        folder = self.root / "rollout-report"
        if "drill" in where:
            folder = folder / "drills" / where["drill"]
        path = folder / plan / environment / phase / gate / "decision.json"
        written = [path, *path.parent.glob("runs/*/decision.json")]  # partial runs leave only these
        path = max(written, key=lambda one: one.stat().st_mtime_ns if one.exists() else 0)
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return data

    def verdicts(self, gate: str = "exit", **where: str) -> dict[str, str]:
        """The verdict of each criterion, by its slug."""
        criteria = self.decision(gate, **where)["criteria"]
        return {one["id"].rpartition(".")[2]: one["verdict"] for one in criteria}

    def reason(self, slug: str, gate: str = "exit", **where: str) -> str:
        """Why a criterion has its verdict."""
        criteria = self.decision(gate, **where)["criteria"]
        said = {one["id"].rpartition(".")[2]: one["reason"]["text"] for one in criteria}
        return str(said[slug])

    def reasons(self, gate: str = "exit", **where: str) -> list[str]:
        """What the decision rests on, a line each."""
        return told(self.decision(gate, **where)["reasons"])

    @property
    def stored(self) -> bool:
        """Whether a run left anything."""
        return (self.root / ".rollout").exists() or (self.root / "rollout-report").exists()
