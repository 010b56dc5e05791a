"""A gate that rolls up others, in runs that decide them together and apart."""

from __future__ import annotations

import pytest

from tests.session.project import PLAN, TESTS, Project

ROLLING = f"""{PLAN}
  - id: done
    criteria:
      - {{id: checked, kind: demo, gate: entry, rolls_up: canary/entry}}
      - {{id: all, kind: demo, rolls_up: [canary.works, canary.errors, canary/exit, done.checked]}}
"""


@pytest.fixture
def rolling(project: Project) -> Project:
    project.plan(ROLLING)
    project.tests(TESTS)
    return project


@pytest.mark.parametrize("workers", [(), ("-n2",)], ids=["alone", "two workers"])
def test_one_run_decides_both_in_order(rolling: Project, workers: tuple[str, ...]) -> None:
    assert rolling.run("-m", "demo", *workers).ret == 0
    assert rolling.verdicts(phase="done") == {"all": "pass"}
    said = rolling.reason("all", phase="done")
    assert said.startswith("canary.works: pass in demo.canary/exit of this run: both checks")
    again = rolling.rollout("decide", "demo.done/exit")
    assert "the same as was decided then, byte for byte" in again.outlines


def test_what_fails_there_fails_here(rolling: Project) -> None:
    rolling.change(
        "def test_works(part):\n    pass", "def test_works(part):\n    assert part != 'b'"
    )
    assert rolling.run("-m", "canary or done").ret == 10
    assert rolling.verdicts(phase="done") == {"all": "fail"}
    explained = rolling.rollout("explain", "demo.done.all")
    explained.stdout.fnmatch_lines(
        [
            "*Asked: canary.works and canary.errors and * must hold in their gates.",
            "*canary.works: fail*in demo.canary/exit of this run*",
        ]
    )


def test_a_rehearsal_of_it_alone_has_nothing_to_read(rolling: Project) -> None:
    rolling.run("-m", "canary")
    assert rolling.run("-m", "done").ret == 11
    assert rolling.verdicts("entry", phase="done") == {"checked": "missing"}


def test_check_knows_that_it_needs_no_test(rolling: Project) -> None:
    said = rolling.rollout("check").stdout.str()
    assert "done.all has no check" not in said
    assert "demo.done: hard criteria without a fault" not in said


def test_a_condition_that_is_due_at_a_gate_is_asked_there(project: Project) -> None:
    due = "severity: soft, due: demo.done/entry"
    text = PLAN.replace("{id: works, kind: demo", f"{{id: works, {due}, kind: demo", 1)
    done = "  - {id: done, criteria: [{id: told, kind: manual, gate: entry}]}\n"
    project.plan(text + done)
    project.tests(TESTS)
    stand_in = "  - {phase: done, criterion: told, by: the rehearsal, role: sre, note: as if}\n"
    project.write("suites/demo/attestations.embedded.yaml", f"attestations:\n{stand_in}")
    project.change("def test_works(part):\n    pass", "def test_works(part):\n    assert False")
    project.run("-m", "canary or done")
    assert project.decision(phase="canary")["decision"] == "GO"
    assert project.decision("entry", phase="done")["decision"] == "HOLD"
    (reason,) = project.reasons("entry", phase="done")
    assert "demo.canary.works is due by now and still open in the last decision of demo." in reason
    again = project.rollout("decide", "demo.done/entry")
    assert "the same as was decided then, byte for byte" in again.outlines
    project.run("-m", "done")
    assert project.decision("entry", phase="done")["decision"] == "GO", "rehearsed alone"
