"""Checks for rehearsals: made there, left out in a real environment, and no evidence in it."""

from __future__ import annotations

import pytest

from tests.session.project import PLAN, TESTS, Project

REAL = PLAN.replace("phases:", "environments: {prod: {}}\nphases:")
KILLS = """

@pytest.mark.rehearsal_only
@pytest.mark.criterion("ready")
def test_outage():
    assert False, "the outage was made"
"""
PROD = ("-m", "canary", "--rollout-env", "prod")


@pytest.fixture
def two_checks(project: Project) -> Project:
    """A project whose entry gate has a check that always fails beside one that passes."""
    project.plan(REAL)
    project.tests(TESTS + KILLS)
    return project


def test_a_rehearsal_makes_them(two_checks: Project, how: list[str]) -> None:
    assert two_checks.run("-m", "canary", *how).ret == 10
    assert "the outage was made" in two_checks.reason("ready", gate="entry")


def test_a_real_environment_leaves_them_out_and_says_so(
    two_checks: Project, how: list[str]
) -> None:
    result = two_checks.run(*PROD, *how)
    assert result.ret == 0
    note = "note: 1 check of demo.canary/entry left out: marked rehearsal_only, no evidence here"
    result.stdout.fnmatch_lines([note])
    decision = two_checks.decision("entry", environment="prod")
    assert (decision["decision"], decision["partial"]) == ("GO", [])
    left_out = "demo.canary.ready: suites/demo/test_canary.py::test_outage"
    assert decision["rehearsal_only"] == [left_out]
    folder = two_checks.root / "rollout-report/demo/prod/canary/entry"
    for report in ("report.md", "report.html"):
        text = (folder / report).read_text("utf-8")
        assert left_out in text.replace("\\_", "_"), report
    again = two_checks.rollout("decide", "demo.canary/entry", "--env", "prod")
    assert "the same as was decided then, byte for byte" in again.outlines


def test_one_that_stands_alone_leaves_its_criterion_without_evidence(two_checks: Project) -> None:
    two_checks.change('criterion("ready")\ndef test_ready', 'criterion("nice")\ndef test_ready')
    assert two_checks.run(*PROD).ret == 11
    decision = two_checks.decision("entry", environment="prod")
    assert [finding["verdict"] for finding in decision["criteria"]] == ["missing"]


def test_a_reviewed_list_does_not_miss_them(two_checks: Project) -> None:
    assert two_checks.rollout("check", "--write-bindings").ret == 0
    listed = (two_checks.root / "suites/demo/bindings.txt").read_text()
    assert "demo.canary.ready test_canary.py::test_outage\n" in listed
    assert two_checks.run(*PROD).ret == 0
    two_checks.change("def test_outage", "def outage")
    assert two_checks.run(*PROD).ret == 11, "one that the list names is gone, not left out"


def test_one_that_names_no_criterion_is_not_run_either(two_checks: Project) -> None:
    two_checks.change('@pytest.mark.criterion("ready")\ndef test_outage', "def test_outage")
    assert two_checks.run(*PROD).ret == 0
