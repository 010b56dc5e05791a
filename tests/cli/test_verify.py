"""The verb that says whether the ledger is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Project
from tests.evidence.runs import Writer, opened, tamper


def written(project: Project) -> Path:
    """A good run, with its reports; the exit gate's decision.json."""
    with project.ledger() as ledger:
        Writer(ledger).good()
    project.rollout("report", "demo.canary/exit")
    return project.root / "rollout-report/demo/embedded/canary/exit/decision.json"


def test_a_whole_ledger_is_anchored_by_its_reports(project: Project) -> None:
    file = written(project)
    answer = project.rollout("verify")
    assert answer.status == 0
    assert answer.out.splitlines()[-1] == "whole"
    assert str(file) in answer.out
    assert project.rollout("verify", "--json").json["problems"] == []


def test_damage_is_named(project: Project) -> None:
    written(project)
    tamper(project.store, "DELETE FROM observations WHERE id = 1")
    answer = project.rollout("verify")
    assert answer.status == 11
    assert "the ledger holds" in answer.out
    assert answer.out.splitlines()[-1] == "NOT whole"


def test_the_texts_of_plans_are_verified(project: Project) -> None:
    written(project)
    tamper(project.store, "UPDATE texts SET text = text || '#'")
    assert "was changed after it was stored" in project.rollout("verify").out
    tamper(project.store, "DELETE FROM texts")
    answer = project.rollout("verify")
    assert (answer.status, "is gone" in answer.out) == (11, True)


def test_a_cut_tail_shows_by_a_decision_kept_elsewhere(project: Project) -> None:
    kept = project.root / "kept.json"
    kept.write_text(written(project).read_text())
    tamper(project.store, "DELETE FROM records WHERE sequence > 3")
    tamper(project.store, "DELETE FROM observations")
    answer = project.rollout("verify", "--anchor", str(kept))
    assert answer.status == 11
    assert "kept.json, is gone" in answer.out


def test_what_is_no_anchor(project: Project) -> None:
    written(project)
    (project.root / "x.json").write_text("{}")
    assert project.rollout("verify", "--anchor", "x.json").status == 4
    assert project.rollout("verify", "--anchor", "none.json").status == 4


def test_a_gate_that_a_dead_run_left_open_is_not_trusted(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
        Writer(ledger, run="r2").start()
    answer = project.rollout("verify")
    assert answer.status == 11
    assert "demo.canary/exit in embedded holds until a full run of it is sealed" in answer.out
    with project.ledger() as ledger:
        Writer(ledger, run="r3").good()
    answer = project.rollout("verify")
    assert answer.status == 0
    assert "run r2 has not finished" in answer.out


@pytest.mark.parametrize("text", ["[" * 100_000, '{"ledger": {"sequence": 1e999, "hash": 1}}'])
def test_an_anchor_that_explodes_is_one_message(project: Project, text: str) -> None:
    written(project)
    (project.root / "x.json").write_text(text)
    answer = project.rollout("verify", "--anchor", "x.json")
    assert answer.status == 4
    assert "is no decision.json with an anchor" in answer.err


def test_an_anchor_is_read_up_to_a_size(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    file = written(project)
    monkeypatch.setattr("pytest_rollout.cli.verify._MOST_BYTES", 100)
    answer = project.rollout("verify", "--anchor", str(file))
    assert answer.status == 4
    assert "larger than 100 bytes" in answer.err


def test_a_report_of_another_ledger_takes_no_place_and_is_no_anchor(
    project: Project,
) -> None:
    anchored = written(project)
    before = anchored.read_bytes()
    other = project.root / "other.db"
    with opened(other) as ledger:
        Writer(ledger, "r9").good()
    shown = project.rollout("report", "demo.canary", "--env", "embedded", "--ledger", str(other))
    assert shown.out.rstrip().endswith("runs/r9")
    assert anchored.read_bytes() == before
    assert (anchored.parent / "runs/r9/report.html").is_file()
    assert project.rollout("verify").status == 0


def test_a_report_of_a_later_run_takes_the_place_of_an_earlier_one(
    project: Project,
) -> None:
    anchored = written(project)
    with project.ledger() as ledger:
        Writer(ledger, "r2").good()
    project.rollout("report", "demo.canary", "--env", "embedded")
    assert json.loads(anchored.read_text())["run"] == "r2"
    assert json.loads((anchored.parent / "runs/r1/decision.json").read_text())["run"] == "r1"
    assert (anchored.parent / "latest").resolve().name == "r2"


def test_a_run_that_was_settled_holds_nothing_and_says_by_whom(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger, environment="prod").good()
        Writer(ledger, run="r2", environment="prod").start()
    assert "in prod holds until a full run of it" in project.rollout("verify").out
    settled = project.rollout("settle", "r2", "--by", "Ada", "--why", "the runner was lost")
    assert settled.status == 0, settled.err
    answer = project.rollout("verify")
    assert answer.status == 0, answer.out
    assert "holds until" not in answer.out
    (line,) = [line for line in answer.out.splitlines() if line.startswith("run r2")]
    assert line.startswith("run r2 has not finished: settled by Ada at 20")
    assert line.endswith(" (the runner was lost)")
    (told,) = project.rollout("verify", "--json").json["settled"]
    assert (told["run"], told["by"]) == ("r2", "Ada")
