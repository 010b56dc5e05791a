"""Ways in which pytest exits 0 without evidence, and what the gate says."""

from __future__ import annotations

from tests.session.project import PLAN, Project


def test_two_plans_of_one_name_are_refused(project: Project, how: list[str]) -> None:
    project.plan(PLAN, "other")
    result = project.run("-m", "canary", *how)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: suites/*: the plan's id demo is also that of suites/*"])


def test_a_gate_without_a_hard_criterion_holds(project: Project) -> None:
    text = PLAN.replace("kind: demo, says: It works", "kind: demo, severity: soft, says: It works")
    project.plan(text.replace("kind: slo", "kind: slo\n        severity: soft"))
    assert project.run("-m", "canary").ret == 11
    assert "no hard criterion applies" in project.reasons()[0]


def test_a_criterion_that_does_not_apply_is_no_unbound_failure(project: Project) -> None:
    project.change(
        "{id: nice, ", "{id: nice, when: {configured: NOPE_X}, ", "suites/demo/rollout.yaml"
    )
    project.change("def test_nice():\n    pass", "def test_nice():\n    assert False")
    assert project.run("-m", "canary").ret == 0
    assert project.verdicts()["nice"] == "fail"  # it is soft
    project.change("def test_nice():\n    assert False", "def test_nice():\n    pass")
    assert project.run("-m", "canary").ret == 0
    assert project.verdicts()["nice"] == "not_applicable"


def test_a_child_that_a_test_forked_decides_nothing(project: Project) -> None:
    fork = (
        "import os, sys\n    child = os.fork()\n"
        "    if child == 0: sys.exit(3)\n    os.waitpid(child, 0)"
    )
    project.change("def test_works(part):\n    pass", f"def test_works(part):\n    {fork}")
    result = project.run_apart("-m", "canary")
    assert project.decision()["decision"] == "GO"
    assert result.ret == 0
    answers = [line for line in result.outlines if line.startswith(("GO:", "HOLD:"))]
    assert [line for line in answers if " in embedded" not in line] == [
        "GO: demo.canary/entry GO, demo.canary/exit GO"
    ]


def test_a_number_of_any_size_is_judged(project: Project, how: list[str]) -> None:
    project.change('observe("errors", 0,', 'observe("errors", 10**400,')
    assert project.run("-m", "canary", *how).ret in (10, 11)
    assert project.decision()["decision"] != "GO"


def test_a_failed_scenario_says_why_it_is_not_run_again(project: Project) -> None:
    project.write(
        "suites/demo/conftest.py",
        """
        from pytest_rollout import scenario

        @scenario()
        def work(phase):
            raise OSError("no disk")
        """,
    )
    project.change("def test_works(part):", "def test_works(work, part):")
    assert project.run("-m", "canary", "--reruns", "1").ret == 11
    assert "no disk" in project.reason("works")


def test_an_outcome_that_nobody_knows_is_no_evidence(project: Project) -> None:
    project.write(
        "suites/demo/conftest.py",
        """
        import pytest

        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            if item.name.startswith("test_works") and report.when == "call":
                report.outcome = "quarantined"
            return report
        """,
    )
    assert project.run("-m", "canary").ret == 11
    assert "'quarantined', says nothing" in project.reason("works")
