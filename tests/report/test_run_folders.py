"""Reports of a run stay: beside the last full one's, each of its own, and not too many."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import files, run_folders
from tests.report import report_decisions as given

GO = replace(given.decision(Answer.GO), run="20260101T000001-aaaaaa", partial=())


def written(root: Path, decision: Decision, before: str | None = None) -> Path:
    """A run ends: its reports are written."""
    for folder in files.folders_of_run(root, decision):
        for form in files.own_formats(lambda _: ""):
            files.write_format(folder, decision, form)
    files.settle(root, decision, before)
    return root / files.folder_of(decision)


def partial(run: str) -> Decision:
    return replace(given.decision(Answer.HOLD), run=run, partial=("-k x",))


def test_a_partial_run_leaves_the_reports_of_the_full_one(tmp_path: Path) -> None:
    folder = written(tmp_path, GO)
    before = (folder / "report.html").read_bytes()
    written(tmp_path, partial("20260101T000002-bbbbbb"))
    assert run_folders.run_in(folder) == GO.run
    assert (folder / "report.html").read_bytes() == before
    own = run_folders.of_run(folder, "20260101T000002-bbbbbb")
    assert json.loads((own / "decision.json").read_text())["decision"] == "HOLD"
    assert (folder / "latest").resolve().name == GO.run


def test_another_full_run_takes_its_place_and_leaves_it_in_its_own_folder(tmp_path: Path) -> None:
    folder = written(tmp_path, GO)
    no = replace(given.decision(Answer.NO_GO), run="20260101T000003-cccccc", partial=())
    files.mark(tmp_path, no)
    assert run_folders.run_in(folder) == no.run
    assert not (folder / "report.html").exists()
    written(tmp_path, no)
    assert (folder / "latest").resolve().name == no.run
    kept = run_folders.of_run(folder, GO.run)
    assert json.loads((kept / "decision.json").read_text())["decision"] == "GO"
    assert (kept / "report.html").is_file()


def test_a_run_that_proves_partial_at_its_end_gives_the_place_back(tmp_path: Path) -> None:
    folder = written(tmp_path, GO)
    late = replace(partial("20260101T000004-dddddd"))
    foreign = run_folders.of_run(folder, "20260101T000005-ffffff")
    shutil.copytree(run_folders.of_run(folder, GO.run), foreign)
    before = files.mark(tmp_path, replace(late, partial=()))
    assert (before, run_folders.run_in(folder)) == (GO.run, late.run)
    written(tmp_path, late, before)
    assert run_folders.run_in(folder) == GO.run
    assert (folder / "report.md").is_file()


def test_a_partial_run_is_not_marked_and_alone_leaves_no_last_one(tmp_path: Path) -> None:
    alone = partial("20260101T000005-eeeeee")
    folder = written(tmp_path, alone)
    assert {path.name for path in folder.iterdir()} == {"runs"}
    written(tmp_path, GO)
    files.mark(tmp_path, alone)
    assert run_folders.run_in(folder) == GO.run


def test_so_many_runs_are_kept_and_the_last_full_one_whatever_comes(tmp_path: Path) -> None:
    folder = written(tmp_path, GO)
    for number in range(run_folders.MOST_RUNS + 5):
        written(tmp_path, partial(f"20260102T0000{number:02}-ffffff"))
    kept = sorted(path.name for path in (folder / "runs").iterdir())
    assert len(kept) == run_folders.MOST_RUNS + 1
    assert kept[0] == GO.run
    assert kept[-1].startswith(f"20260102T0000{run_folders.MOST_RUNS + 4}")


@pytest.mark.parametrize("known", [True, False])
def test_a_report_again_replaces_only_what_its_ledger_knows_as_earlier(
    tmp_path: Path, *, known: bool
) -> None:
    folder = written(tmp_path, GO)
    other = replace(given.decision(Answer.NO_GO), run="20260101T000006-abcdef", partial=())
    found = files.write(tmp_path, other, known=lambda run: known and run == GO.run)
    assert run_folders.run_in(folder) == (other.run if known else GO.run)
    assert found == (folder if known else run_folders.of_run(folder, other.run))
    assert run_folders.run_in(run_folders.of_run(folder, GO.run)) == GO.run
    assert (found / "report.html").is_file()
    anchors = [path.parent.name for path in run_folders.decisions(tmp_path)]
    assert other.run not in anchors or known, "what another ledger noted is no anchor of this one"


def test_an_anchor_is_the_last_full_run_and_the_newest_of_all(tmp_path: Path) -> None:
    folder = written(tmp_path, GO)
    for number in range(3):
        written(tmp_path, partial(f"2026010{number + 2}T000000-ffffff"))
    found = [path.relative_to(folder).as_posix() for path in run_folders.decisions(tmp_path)]
    assert found == ["decision.json", "runs/20260104T000000-ffffff/decision.json"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run": "../x"}', '{"run": 3}', '{"run": ".."}'])
def test_a_folder_whose_decision_cannot_be_read_is_of_no_run(tmp_path: Path, text: str) -> None:
    (tmp_path / "decision.json").write_text(text)
    assert run_folders.run_in(tmp_path) is None
    run_folders.keep(tmp_path)
    assert not (tmp_path / "runs").exists()
