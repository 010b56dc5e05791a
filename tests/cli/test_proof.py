"""`rollout explain`: from a line of the plan's document to its proof."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_rollout.cli.proving import function_lines
from pytest_rollout.model.drill import DrillOutcome
from pytest_rollout.model.plan import Source
from pytest_rollout.model.proof import FaultProof, Proof, TestPlace
from pytest_rollout.report.proof import proof_lines
from tests.cli.test_drill import Demo

SWEET = "{id: sweet, kind: demo, faults: [sour, dead]}"
PLACED = """\
id: sweet
        kind: demo
        faults: [sour, dead]
        source: {section: Taste, lines: 3-4}"""


@pytest.mark.slow
def test_explain_shows_source_test_faults_and_the_last_drill(tmp_path: Path) -> None:
    demo = Demo.at(tmp_path)
    demo.change("suites/demo/rollout.yaml", "plan: demo\n", "plan: demo\ndocument: The recipe\n")
    demo.change("suites/demo/rollout.yaml", SWEET, PLACED)
    before = demo.rollout("explain", "demo.canary.sweet", "--env", "embedded")
    assert before.returncode == 4
    assert "  Source: Taste, lines 3-4 of The recipe.\n" in before.stdout
    assert "  Faults: sour: never drilled; dead: never drilled.\n" in before.stdout
    assert demo.rollout("drill", "demo.canary", "--fault", "sour").returncode == 0
    assert demo.run("pytest", "-m", "canary", "-q").returncode == 0
    said = demo.rollout("explain", "demo.canary.sweet", "--env", "embedded").stdout
    lines = (demo.root / "suites/demo/test_canary.py").read_text().splitlines()
    place = f"suites/demo/test_canary.py:{lines.index('def test_sweet(said):') + 1}"
    assert f"  Checks: {place}\n" in said
    stated = (demo.root / "suites/demo/rollout.yaml").read_text().splitlines()
    line = next(number for number, text in enumerate(stated, 1) if "id: sweet" in text)
    assert f"  Stated: suites/demo/rollout.yaml:{line}\n" in said
    assert "  Faults: sour: caught (20" in said
    assert "; dead: never drilled.\n" in said
    proof = json.loads(
        demo.rollout("explain", "demo.canary.sweet", "--env", "embedded", "--json").stdout
    )["proof"]
    assert proof["source"] == {"section": "Taste", "lines": [3, 4], "derived": ""}
    assert [fault["outcome"] for fault in proof["faults"]] == ["caught", None]


def test_check_carries_sentence_and_source(tmp_path: Path) -> None:
    demo = Demo.at(tmp_path)
    demo.change("suites/demo/rollout.yaml", SWEET, PLACED)
    rows = json.loads(demo.rollout("check", "--json").stdout)["criteria"]
    by_id = {row["id"]: row for row in rows}
    assert by_id["demo.canary.sweet"]["source"] == {
        "section": "Taste",
        "first_line": 3,
        "last_line": 4,
        "derived": None,
    }
    assert by_id["demo.canary.loud"]["source"] is None
    assert by_id["demo.canary.loud"]["says"] == "loud"


def test_words_for_each_sort_of_proof() -> None:
    proof = Proof(
        stated="rollout.yaml:7",
        source=Source("Day 3", (9, 9), "nobody would notice"),
        tests=(TestPlace("t.py::test_a[x]", "t.py", 4), TestPlace("t.py::test_a[y]", "t.py", 4)),
        faults=(FaultProof("slow", DrillOutcome.MISSED, "2025-11-10T14:00:00Z", outdated=True),),
    )
    assert list(proof_lines(proof, "UTC")) == [
        "Source: Day 3, line 9; derived: nobody would notice.",
        "Stated: rollout.yaml:7",
        "Checks: t.py:4",
        "Faults: slow: MISSED (2025-11-10 14:00:00 UTC, by another text of the plan).",
    ]
    assert next(proof_lines(Proof("rollout.yaml:7"), "UTC")).startswith("Source: not said (")


def test_lines_of_functions_in_classes(tmp_path: Path) -> None:
    file = tmp_path / "test_it.py"
    file.write_text(
        "class TestIt:\n\n    def test_a(self):\n        pass\n\nasync def test_b():\n  1\n"
    )
    assert function_lines(file) == {("TestIt", "test_a"): 3, ("test_b",): 6}
    file.write_text("def (")
    assert function_lines(file) == {}
    assert function_lines(tmp_path / "absent.py") == {}
