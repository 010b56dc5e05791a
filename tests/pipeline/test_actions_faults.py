"""What each fault of Actions makes of runs and workflow files."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.pipeline.actions.runs import Run
from fixtures.pipeline.actions.workflow_file import FOLDER, read_workflow
from fixtures.pipeline.core.days import day
from fixtures.pipeline.core.vocabulary import ASSIGNMENT, DAILY, PROCESSING, VALIDATION
from fixtures.pipeline.core.world import World
from fixtures.pipeline.operations import wrong_edits
from fixtures.pipeline.operations.rollout_days import RolloutDays
from tests.pipeline.test_actions import COMMANDS
from tests.pipeline.worlds import rollout_world


def _world(folder: Path, fault: str, opens: float, until: float) -> World:
    world = rollout_world(folder, opens, COMMANDS, fault)
    world.agenda.run_until(until)
    return world


def _two_days(folder: Path, fault: str) -> World:
    return _world(folder, fault, day(1), day(3) - 1)


def _of(world: World, file: str) -> list[Run]:
    return [run for run in reversed(world.actions.history) if run.file == file]


@pytest.mark.parametrize(
    ("fault", "file", "good", "all_"),
    [
        ("first-runs-fail", ASSIGNMENT, 3, 24),
        ("processing-first-runs-fail", PROCESSING, 2, 12),
        ("one-run-fails", ASSIGNMENT, 23, 24),
        ("two-of-three-fail", ASSIGNMENT, 8, 24),
        ("skips-every-second-slot", ASSIGNMENT, 12, 12),
        ("processing-skips-slot", PROCESSING, 6, 6),
        ("assignment-cron-3h", ASSIGNMENT, 16, 16),
        ("assignment-cron-commented", ASSIGNMENT, 0, 0),
        ("processing-cron-commented", PROCESSING, 0, 0),
    ],
)
def test_runs(tmp_path: Path, fault: str, file: str, good: int, all_: int) -> None:
    runs = _of(_two_days(tmp_path, fault), file)
    assert (sum(run.conclusion == "success" for run in runs), len(runs)) == (good, all_)


def test_a_schedule_that_never_fires_is_started_by_hand(tmp_path: Path) -> None:
    runs = _of(_two_days(tmp_path, "schedule-never-fires"), ASSIGNMENT)
    assert [run.event for run in runs] == ["workflow_dispatch"] * 24


@pytest.mark.parametrize(
    ("fault", "file", "stands"),
    [
        ("assignment-limit-25", ASSIGNMENT, 'LIMIT: "25"'),
        ("assignment-still-dry", ASSIGNMENT, 'DRY_RUN: "true"'),
        ("assignment-quiet", ASSIGNMENT, 'VERBOSE: "false"'),
        ("processing-batch-12", PROCESSING, 'BATCH_SIZE: "12"'),
        ("processing-still-dry", PROCESSING, 'DRY_RUN: "true"'),
        ("processing-quiet", PROCESSING, 'VERBOSE: "false"'),
        ("assignment-limit-50", DAILY, "--limit=50"),
        ("processing-batch-20", DAILY, "--batch-size=20"),
        ("cron-0730", DAILY, "30 7 * * *"),
        ("daily-overlaps-assignment", ASSIGNMENT, "- cron: '30 */2"),
    ],
)
def test_files_of_week_1(tmp_path: Path, fault: str, file: str, stands: str) -> None:
    text = _two_days(tmp_path, fault).main.read(FOLDER + file) or ""
    assert stands in text
    assert read_workflow(text).inputs is not None


@pytest.mark.parametrize(
    ("fault", "file", "on", "stands"),
    [
        ("assignment-limit-jumps-to-20", ASSIGNMENT, 8, 'LIMIT: "20"'),
        ("assignment-limit-19", ASSIGNMENT, 14, 'LIMIT: "19"'),
        ("processing-batch-jumps-to-10", PROCESSING, 8, 'BATCH_SIZE: "10"'),
        ("processing-batch-9-final", PROCESSING, 14, 'BATCH_SIZE: "9"'),
        ("processing-0005-left", PROCESSING, 15, "- cron: '5 0 * * *'"),
        ("assignment-slot-removed", ASSIGNMENT, 15, "0 2,6,14,18,22"),
        ("validation-cron-daily", VALIDATION, 15, "20 5 * * *"),
        ("two-crons", DAILY, 23, "30 18 * * *"),
    ],
)
def test_files_of_later_weeks(tmp_path: Path, fault: str, file: str, on: int, stands: str) -> None:
    world = _world(tmp_path, fault, day(on, "12:00"), day(on, "12:00"))
    text = world.main.read(FOLDER + file) or ""
    assert stands in text
    assert read_workflow(text).crons


@pytest.mark.parametrize(
    ("fault", "on", "live"),
    [
        ("w2-assignment-live", 9, {"monitoring", "assignment"}),
        ("w3-processing-live", 16, {"monitoring", "assignment", "processing"}),
        ("w4-processing-dry", 23, {"monitoring", "assignment"}),
    ],
)
def test_stages(tmp_path: Path, fault: str, on: int, live: set[str]) -> None:
    world = _world(tmp_path, fault, day(on), day(on))
    days: RolloutDays = world.kept[RolloutDays]
    assert days.settings.live == live


def test_dispatch_is_removed_and_everything_else_stays(tmp_path: Path) -> None:
    world = _two_days(tmp_path, "dispatch-removed")
    text = world.main.read(FOLDER + PROCESSING) or ""
    workflow = read_workflow(text)
    assert (workflow.inputs, workflow.crons) == (None, ("5 */4 * * *",))
    assert len(_of(world, PROCESSING)) == 12


def test_without_a_group_two_runs_overlap(tmp_path: Path) -> None:
    world = _two_days(tmp_path, "concurrency-missing")
    first, second = (world.client().dispatch(ASSIGNMENT) for _ in range(2))
    world.agenda.run_until(world.now + 30)
    assert [run.status for run in (first, second)] == ["in_progress", "in_progress"]


def test_artifacts_are_missing(tmp_path: Path) -> None:
    runs = _of(_two_days(tmp_path, "artifact-upload-missing"), DAILY)
    assert runs
    assert not any(run.artifacts for run in runs)


def test_a_day_and_an_hour_are_skipped(tmp_path: Path) -> None:
    world = _world(tmp_path / "d", "day-skipped", day(1), day(8) - 1)
    assert len([run for run in _of(world, DAILY) if run.created > day(1)]) in (5, 6)
    world = _world(tmp_path / "h", "validation-skips-hour", day(15), day(16) - 1)
    assert len(_of(world, VALIDATION)) == 23


def test_every_edit_changes_a_version_of_its_file(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(25), COMMANDS)
    versions = {
        (path.removeprefix(FOLDER), text)
        for commit in world.main.commits
        for path, text in commit.changes.items()
        if text
    }
    edits = [each for each in wrong_edits.FAULTS if each.part is wrong_edits.WrongEdit]
    assert len(edits) > 20
    for declared in edits:
        edit = declared.planted({}).of(wrong_edits.WrongEdit)
        assert any(edit.of(file, text) != text for file, text in versions), declared.name
