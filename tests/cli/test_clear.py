"""The verb that a deploy script asks whether the change may start."""

from __future__ import annotations

import shutil

import pytest

from pytest_rollout.evidence.records import RecordKind
from tests.cli.conftest import Project
from tests.evidence.runs import ENTRY, EXIT, Writer, tamper


def test_two_gates_of_a_rehearsal_that_are_go(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    answer = project.rollout("clear", "demo.canary", "--env", "embedded")
    assert answer.status == 0
    assert "demo.canary/entry in embedded: clear" in answer.out
    assert answer.out.splitlines()[-1] == "demo.canary/exit in embedded: clear"
    assert (
        project.rollout("clear", "demo.canary", "--env", "embedded", "--json").json["clear"] is True
    )


def test_nothing_was_ever_decided(project: Project) -> None:
    answer = project.rollout("clear", "demo.canary", "--env", "embedded")
    assert answer.status == 11
    assert "there is no ledger" in answer.out
    with project.ledger() as ledger:
        Writer(ledger, partial=("-k",)).good()
    answer = project.rollout("clear", "demo.canary/exit", "--env", "embedded")
    assert (answer.status, "no full run" in answer.out) == (11, True)


def test_a_run_that_never_finished_takes_the_clearance_away(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
        killed = Writer(ledger, run="r2")
        killed.start()
        killed.manifest()
        killed.checks()
    answer = project.rollout("clear", "demo.canary", "--env", "embedded")
    assert answer.status == 11
    assert "run r2 never finished" in answer.out


def test_the_status_is_that_of_the_worst_gate(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good(works=(("fail", "it broke"),))
    assert project.rollout("clear", "demo.canary", "--env", "embedded").status == 10
    assert project.rollout("clear", "demo.canary/entry", "--env", "embedded").status == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM observations WHERE id = 1",
        "UPDATE records SET body = replace(body, 'pass', 'fail') WHERE sequence = 4",
        "DELETE FROM records WHERE sequence = 2",
        "DELETE FROM texts",
    ],
)
@pytest.mark.parametrize("reported", [True, False])
def test_evidence_that_was_changed(project: Project, statement: str, *, reported: bool) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    if reported:  # from where on it is verified
        project.rollout("report", "demo.canary/exit")
    tamper(project.store, statement)
    answer = project.rollout("clear", "demo.canary/exit", "--env", "embedded")
    assert answer.status == 11


def test_an_older_copy_of_the_ledger(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    shutil.copy(project.store, project.root / "old.db")
    with project.ledger() as ledger:
        Writer(ledger, run="r2").good(works=(("fail", "it broke"),))
    project.rollout("report", "demo.canary/exit")
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (project.store.parent / name).unlink(missing_ok=True)
    shutil.copy(project.root / "old.db", project.store)
    answer = project.rollout("clear", "demo.canary/exit", "--env", "embedded")
    assert answer.status == 11
    assert "is gone" in answer.out


def test_the_release_that_runs_now_is_asked(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger, environment="prod", gates=(ENTRY,)).good()
    answer = project.rollout("clear", "demo.canary", "--env", "prod")
    assert answer.status == 11
    assert "no   release: the release could not be read" in answer.out
    assert "yes  decision" in answer.out


def test_a_begun_phase_is_cleared_for_its_exit(project: Project) -> None:
    with project.ledger() as ledger:
        writer = Writer(ledger, environment="prod", gates=(ENTRY,)).good()
        begin = {"type": "begin", "t_us": 1, "says": "", "scenario": ""}
        writer.append(RecordKind.EVENT, begin, "demo", "demo.canary")
    answer = project.rollout("clear", "demo.canary", "--env", "prod")
    assert answer.out.splitlines()[-1] == f"{EXIT} in prod: NOT clear (HOLD)"


def test_how_old_a_decision_may_be(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    assert (
        project.rollout("clear", "demo.canary", "--env", "embedded", "--max-age", "1h").status == 0
    )
    answer = project.rollout("clear", "demo.canary", "--env", "embedded", "--max-age", "0.000001s")
    assert (answer.status, "longer ago" in answer.out) == (11, True)
    assert (
        project.rollout("clear", "demo.canary", "--env", "embedded", "--max-age", "soon").status
        == 4
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [("demo.canry", "canary"), ("demo", "plan.phase"), ("nope.canary", "no plan `nope`")],
)
def test_an_address_that_names_nothing(project: Project, address: str, said: str) -> None:
    answer = project.rollout("clear", address, "--env", "embedded")
    assert (answer.status, said in answer.err) == (4, True)
