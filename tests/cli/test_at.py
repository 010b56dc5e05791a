"""Deciding as of a past moment."""

from __future__ import annotations

import pytest

from pytest_rollout import calendar
from tests.cli.conftest import Project
from tests.evidence.runs import FAIL, Writer

REHEARSED = ("--env", "embedded")


def moments(project: Project) -> list[str]:
    """Instants: before anything, then just after each run's end."""
    found = []
    with project.ledger() as ledger:
        found.append(calendar.stamp(1))
        for run, works in (("r1", None), ("r2", FAIL), ("r3", None)):
            writer = Writer(ledger, run)
            writer.good(works=works) if works else writer.good()
            found.append(calendar.stamp(writer.ledger_now()))
    return found


def test_each_moment_has_its_own_answer(project: Project) -> None:
    before, first, second, third = moments(project)
    assert project.rollout("decide", "demo.canary/exit", *REHEARSED, "--at", before).status == 4
    for moment, status in ((first, 0), (second, 10), (third, 0)):
        answer = project.rollout("decide", "demo.canary/exit", *REHEARSED, "--at", moment)
        assert answer.status == status
        assert "byte for byte" in answer.out
    assert project.rollout("decide", "demo.canary/exit", *REHEARSED).status == 0


def test_a_run_under_way_then_holds(project: Project) -> None:
    moments(project)
    with project.ledger() as ledger:
        later = Writer(ledger, "r4")
        later.start()
        during = calendar.stamp(later.ledger_now())
        later.manifest()
        later.checks()
        later.seal()
        later.decide()
    assert project.rollout("decide", "demo.canary/exit", *REHEARSED).status == 0
    assert project.rollout("decide", "demo.canary/exit", *REHEARSED, "--at", during).status == 11


@pytest.mark.parametrize("moment", ["yesterday", "2025-11-10", "2025-11-10T11:00:00"])
def test_what_is_no_moment(project: Project, moment: str) -> None:
    moments(project)
    answer = project.rollout("decide", "demo.canary", "--at", moment)
    assert answer.status == 4
    assert "with an offset" in answer.err
