"""Schedules, groups and runs of Actions, on the clock of a world."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.pipeline.actions.command import Command, Task
from fixtures.pipeline.actions.runs import Run
from fixtures.pipeline.core.agenda import Work
from fixtures.pipeline.core.days import DAY_S, HOUR_S, day
from fixtures.pipeline.core.vocabulary import ASSIGNMENT, DAILY, PROCESSING, VALIDATION
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import DEVOPS, PIPELINE
from fixtures.pipeline.github.problems import GitHubError
from fixtures.pipeline.operations.rollout_days import RolloutDays
from tests.pipeline.worlds import rollout_world

SECONDS = 90.0


def working(task: Task) -> Work:
    """A command that takes its time and leaves a file."""
    task.say(f"{task.name} {dict(task.flags)}")
    task.write(f"telemetry/{task.run.id}.jsonl", '{"result": "ok"}\n')
    yield SECONDS
    return 1 if task.on("fail") else 0


COMMANDS: dict[str, Command] = {
    f"pipeline-{name}": working
    for name in ("monitor", "assign", "process", "daily", "validate", "copilot", "report")
}


@pytest.fixture
def two_days(tmp_path: Path) -> World:
    """The first two days of the rollout, and as much of the third that nothing runs."""
    world = rollout_world(tmp_path, day(3), COMMANDS)
    world.agenda.run_until(day(3, "00:20"))
    return world


def _runs(world: World, file: str, event: str = "schedule", since: float = 0.0) -> list[Run]:
    return [
        run
        for run in reversed(world.actions.history)
        if (run.file, run.event) == (file, event) and run.created >= since
    ]


def test_runs_start_by_the_files_some_seconds_late(two_days: World) -> None:
    runs = _runs(two_days, ASSIGNMENT)
    assert [run.slot for run in runs] == [day(1) + number * 2 * HOUR_S for number in range(25)]
    assert all(20 <= run.created - run.slot < 60 for run in runs)
    assert [run.number for run in runs] == list(range(1, 26))
    assert {run.conclusion for run in runs} == {"success"}
    assert all(run.ended is not None and run.ended - run.created > SECONDS for run in runs)
    assert [run.slot % DAY_S for run in _runs(two_days, PROCESSING)][:3] == [300, 14700, 29100]


def test_the_flags_are_those_of_the_file_and_stand_in_the_log(two_days: World) -> None:
    text = _runs(two_days, ASSIGNMENT)[0].jobs[0].text()
    assert "##[group]Run pipeline-assign --limit=10 --dry-run=false --verbose=true" in text
    assert "'limit': '10', 'dry-run': 'false'" in text
    daily = _runs(two_days, DAILY)[-1]
    assert [step.name for step in daily.jobs[0].steps][2:6] == [
        *("monitoring", "assignment", "processing", "summary")
    ]
    assert daily.jobs[0].text().count("--dry-run") == 3


def test_what_a_step_uploads_is_what_commands_wrote(two_days: World) -> None:
    run = _runs(two_days, ASSIGNMENT)[0]
    assert [(each.name, each.files) for each in run.artifacts] == [
        ("telemetry", {f"{run.id}.jsonl": '{"result": "ok"}\n'})
    ]


def test_one_run_of_a_group_waits_and_a_later_one_takes_its_place(two_days: World) -> None:
    first, second, third = (
        two_days.actions.dispatch(DEVOPS, ASSIGNMENT, {"limit": str(limit)}) for limit in (1, 2, 3)
    )
    now = two_days.now
    two_days.agenda.run_until(now + 10)
    assert [run.status for run in (first, second, third)] == [
        *("in_progress", "completed", "pending")
    ]
    assert second.conclusion == "cancelled"
    two_days.agenda.run_until(now + 600)
    assert [run.conclusion for run in (first, third)] == ["success", "success"]
    assert third.started == first.ended
    assert "--limit=3" in third.jobs[0].text()


def test_a_cancelled_run_ends_and_lets_the_next_one_begin(two_days: World) -> None:
    first = two_days.actions.dispatch(DEVOPS, ASSIGNMENT, {})
    second = two_days.actions.dispatch(DEVOPS, ASSIGNMENT, {})
    now = two_days.now
    two_days.agenda.run_until(now + 20)
    two_days.actions.cancel(first)
    two_days.agenda.run_until(now + 600)
    assert (first.conclusion, second.conclusion) == ("cancelled", "success")
    with pytest.raises(GitHubError, match="completed"):
        two_days.actions.cancel(first)


def test_a_disabled_workflow_starts_neither_by_schedule_nor_by_hand(two_days: World) -> None:
    two_days.actions.set_enabled(ASSIGNMENT, enabled=False)
    with pytest.raises(GitHubError, match="disabled"):
        two_days.actions.dispatch(DEVOPS, ASSIGNMENT, {})
    since = two_days.now
    two_days.agenda.run_until(since + DAY_S / 2)
    assert not _runs(two_days, ASSIGNMENT, since=since)
    two_days.actions.set_enabled(ASSIGNMENT, enabled=True)
    two_days.agenda.run_until(since + DAY_S)
    assert len(_runs(two_days, ASSIGNMENT, since=since)) == 6


def test_a_commented_schedule_starts_nothing_and_can_be_started_by_hand(two_days: World) -> None:
    days: RolloutDays = two_days.kept[RolloutDays]
    days.stopped = True
    two_days.main.commit(PIPELINE, "Roll back", days.rolled_back())
    since = two_days.now
    two_days.agenda.run_until(since + DAY_S)
    for file in (ASSIGNMENT, PROCESSING, DAILY):
        assert not _runs(two_days, file, since=since + 60)
        run = two_days.actions.dispatch(DEVOPS, file, {})
        two_days.agenda.run_until(two_days.now + 600)
        assert run.conclusion == "success"
    text = two_days.main.read(f".github/workflows/{ASSIGNMENT}") or ""
    assert "  # schedule:\n  #   - cron: '0 */2 * * *'\n" in text
    assert 'LIMIT: "10"' in text


@pytest.mark.parametrize(
    ("file", "inputs", "says"),
    [
        (ASSIGNMENT, {"colour": "red"}, "Unexpected inputs"),
        ("none.yml", {}, "Not Found"),
    ],
)
def test_what_cannot_be_dispatched_is_refused(
    two_days: World, file: str, inputs: dict[str, str], says: str
) -> None:
    with pytest.raises(GitHubError, match=says):
        two_days.actions.dispatch(DEVOPS, file, inputs)


def test_a_failing_command_fails_its_run_and_skips_what_comes_after(tmp_path: Path) -> None:
    def failing(task: Task) -> Work:
        yield 1.0
        return 3

    world = rollout_world(tmp_path, day(2), {**COMMANDS, "pipeline-assign": failing})
    daily = _runs(world, DAILY)[-1].jobs[0]
    ended = {step.name: step.conclusion for step in daily.steps}
    assert ended["assignment"] == "failure"
    assert (ended["processing"], ended["summary"]) == ("skipped", "success")
    assert daily.conclusion == "failure"
    assert "exit code 3" in daily.text()
    assert [each.name for each in _runs(world, DAILY)[-1].artifacts] == ["telemetry"]


def test_an_edit_of_the_checkout_counts(two_days: World) -> None:
    two_days.main.check_out()
    file = two_days.folder / "checkout/.github/workflows" / ASSIGNMENT
    file.write_text(file.read_text().replace("0 */2 * * *", "30 */6 * * *"))
    two_days.actions.refresh()
    since = two_days.now
    two_days.agenda.run_until(since + DAY_S)
    slots = [(run.slot - day(3)) / HOUR_S for run in _runs(two_days, ASSIGNMENT, since=since)]
    assert slots == [0.5, 6.5, 12.5, 18.5]


def test_the_weeks_go_by_the_plan(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(25), COMMANDS)
    assert len(world.main.commits) == len({commit.sha for commit in world.main.commits})

    def limits(of: int) -> set[str]:
        runs = [run for run in _runs(world, ASSIGNMENT) if day(of) <= run.created < day(of + 1)]
        return {run.workflow.env["LIMIT"] for run in runs}

    assert [limits(of) for of in (7, 8, 9, 10, 12, 13, 14, 16)] == [
        *({"10"}, {"15"}, {"15"}, {"18"}, {"18"}, {"20"}, {"20"}, {"20"})
    ]
    hours = [run.slot % DAY_S / HOUR_S for run in _runs(world, PROCESSING) if run.created > day(24)]
    assert hours == [4, 8, 12, 16, 20]
    runs = [run for run in _runs(world, DAILY) if day(15) < run.created < day(16)]
    assert [run.slot % DAY_S / HOUR_S for run in runs] == [0, 6.5]
    skipped = [step.name for step in runs[0].jobs[0].steps if step.conclusion == "skipped"]
    assert skipped == ["assignment", "processing"]
    assert [run.slot for run in _runs(world, DAILY)][-1] == day(24, "06:30")
    assert "--dry-run" not in _runs(world, DAILY)[-1].jobs[0].text()
    starts = [run.slot for run in _runs(world, VALIDATION)]
    assert {later - earlier for earlier, later in pairwise(starts)} == {HOUR_S}
    assert "test-assignment-sandbox.yml" not in world.actions.files()


def test_the_timetable_may_come_early(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(8), COMMANDS)
    days: RolloutDays = world.kept[RolloutDays]
    days.coordinate()
    world.agenda.run_until(day(9))
    starts = [
        (run.slot - day(8)) / HOUR_S
        for file in (DAILY, ASSIGNMENT, PROCESSING)
        for run in _runs(world, file, since=day(8))
    ]
    planned = [0, 6.5, 2, 6, 10, 14, 18, 22, 4, 8, 12, 16, 20]
    assert starts == planned
