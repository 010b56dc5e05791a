"""PLMS that answers otherwise: what it misses is said in words, and takes what reads it alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.plms.other_answers import VARIABLE
from tests.plms.rehearsal import ROOT

PORTFOLIO = "/api/portfolio/status"
# Never harmed by what the portfolio says of lanes, queue and progress.
OF_OTHERS = {
    *("lane-cap-code-api", "lane-cap-data-schema", "lane-cap-narrative", "lane-cap-viz-charts"),
    *("project-a-started", "project-b-started", "lane-rows-exist", "release-is-tagged"),
    *("both-complete", "rollback-caps-lifted", "in-window", "no-change-during-standup"),
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rehearsal of another target came to."""

    status: int
    output: str
    criteria: dict[str, dict[str, Any]]  # by slug

    def verdict(self, slug: str) -> str:
        """The verdict of a criterion."""
        return str(self.criteria[slug]["verdict"])

    def why(self, slug: str) -> str:
        """The reason of a criterion."""
        return str(self.criteria[slug]["reason"]["text"])


def judged(folder: Path, changes: list[dict[str, Any]], day: str, dialect: str = "") -> Judged:
    """Rehearse a day with a target whose answers are changed."""
    shutil.copytree(
        ROOT / "suites", folder / "suites", ignore=shutil.ignore_patterns("__pycache__")
    )
    folder.joinpath("pytest.ini").write_text("[pytest]\npythonpath = .\n", encoding="utf-8")
    _edit(
        folder / "suites/plms/rollout.yaml", '"fixtures.plms:app"', '"tests.plms.other_answers:app"'
    )
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    environ |= {"PYTHONPATH": str(ROOT), VARIABLE: json.dumps(changes)}
    if dialect:  # a rehearsal speaks as the docs do, so this project's is told to listen
        _edit(folder / "suites/plms/conftest.py", '"" if phase.embedded else os', "os")
        folder.joinpath("dialect.yaml").write_text(dialect, encoding="utf-8")
        environ["PLMS_DIALECT"] = str(folder / "dialect.yaml")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", day, "-p", "no:cacheprovider", "suites"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    criteria: dict[str, dict[str, Any]] = {}
    for gate in ("entry", "exit"):
        path = folder / f"rollout-report/plms/embedded/{day}/{gate}/decision.json"
        found = json.loads(path.read_text(encoding="utf-8"))["criteria"]
        criteria |= {one["id"].rpartition(".")[2]: one for one in found}
    return Judged(done.returncode, done.stdout + done.stderr, criteria)


def _edit(path: Path, what: str, to: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(what) == 1, f"{what} stands {text.count(what)} times in {path.name}"
    path.write_text(text.replace(what, to), encoding="utf-8")


# What is taken away, and which criteria read it; the sentence names it.
ABSENT: dict[str, tuple[set[str], str]] = {
    "queue_depth": ({"queue-depth"}, "the target does not report queue_depth "
        "(GET /api/portfolio/status answers with lanes, projects"),
    "timestamp": ({"monitoring-cadence", "steady-progress"}, "does not report timestamp"),
    "lanes": ({"no-starvation", "utilization-balanced"}, "does not report lanes"),
    "lanes.*.running": ({"lane-caps-enforced", "no-starvation"}, "report lanes[0].running"),
    "lanes.*.utilization": ({"utilization-balanced", "no-starvation"}, "].utilization"),
    "lanes.*.max_concurrent": ({"lane-caps-visible-in-api"}, "lanes[0].max_concurrent"),
    "projects": ({"projects-overlap", "steady-progress"}, "does not report projects"),
    "projects.*.progress": ({"steady-progress"}, "].progress"),
}  # fmt: skip


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(field, marks=() if field == "queue_depth" else pytest.mark.nightly)
        for field in ABSENT
    ],
)
def test_an_absent_field_takes_what_reads_it(field: str, tmp_path: Path) -> None:
    needing, words = ABSENT[field]
    seen = judged(tmp_path, [{"at": PORTFOLIO, "field": field}], "day3")
    soft = field in (
        "lanes.*.max_concurrent",
        "projects.*.progress",
    )  # then it is a condition of the GO
    assert seen.status == (0 if soft else 11), seen.output
    for slug in needing:
        assert (seen.verdict(slug), words in seen.why(slug)) == ("error", True), seen.why(slug)
    assert {slug: seen.why(slug) for slug in OF_OTHERS if seen.verdict(slug) != "pass"} == {}
    for raw in ("KeyError", "TypeError", "JSONDecodeError", "AttributeError"):
        assert raw not in seen.output
    if field == "queue_depth":
        errors = {slug for slug in seen.criteria if seen.verdict(slug) == "error"}
        assert errors == needing


ODD: dict[str, tuple[object, str, str]] = {
    "queue_depth": ("many", "queue-depth", "queue_depth is 'many', not a number"),
    "lanes": (4, "no-starvation", "lanes is 4, not a list"),
    "lanes.*.utilization": ("55 %", "no-starvation", "utilization is '55 %', not a number"),
    "timestamp": ("2025-11-10T14:05:00", "monitoring-cadence", "not a time with a zone"),
}


@pytest.mark.nightly
@pytest.mark.parametrize("field", ODD)
def test_an_odd_field_is_said_in_words(field: str, tmp_path: Path) -> None:
    value, slug, words = ODD[field]
    seen = judged(tmp_path, [{"at": PORTFOLIO, "field": field, "put": value}], "day3")
    assert seen.verdict(slug) == "error"
    assert words in seen.why(slug)


@pytest.mark.nightly
def test_a_page_instead_of_json_is_said_in_words(tmp_path: Path) -> None:
    seen = judged(tmp_path, [{"at": PORTFOLIO, "whole": "<html>log in</html>"}], "day3")
    assert "answers with no JSON but '<html>log in</html>'" in seen.why("queue-depth")
    assert {slug for slug in OF_OTHERS if seen.verdict(slug) != "pass"} == set()


RENAMED: list[dict[str, Any]] = [
    {"at": PORTFOLIO, "field": "queue_depth", "move": "queue.waiting"},
    {"at": PORTFOLIO, "field": "timestamp", "move": "seen.at"},
    {"at": PORTFOLIO, "field": "lanes.*.lane_name", "move": "name"},
    {"at": PORTFOLIO, "field": "lanes.*.running", "move": "now.busy"},
    {"at": PORTFOLIO, "field": "lanes.*.max_concurrent", "move": "limit"},
    {"at": PORTFOLIO, "field": "projects.*.progress", "move": "done", "times": 100},
    {"at": PORTFOLIO, "field": "projects", "move": "runs"},
]
DIALECT = """
answers:
  portfolio:
    queue_depth: queue.waiting
    timestamp: seen.at
    lanes: {each: {lane_name: name, running: now.busy, max_concurrent: limit}}
    projects: {path: runs, each: {progress: {path: done, unit: percent}}}
"""


@pytest.mark.nightly
def test_a_target_with_names_of_its_own_is_judged_by_its_dialect(tmp_path: Path) -> None:
    seen = judged(tmp_path, RENAMED, "day3", DIALECT)
    assert seen.status == 0, seen.output
    assert {one["verdict"] for one in seen.criteria.values()} == {"pass"}
