"""Assignment and processing on their schedules, and what faults make of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from fixtures.pipeline.core.days import HOUR_S, day
from fixtures.pipeline.core.vocabulary import ASSIGNED, COPILOT, COPILOT_BOT, TRIAGE, states_of
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import PIPELINE
from fixtures.pipeline.people.steps import seed
from fixtures.pipeline.quality import guidance
from tests.pipeline.lived import items_of, lived, records_of, shop_of

ASSIGN, PROCESS = "ops-workflow-assignment", "ops-issue-processing"
MORNING = day(1) + 9 * HOUR_S


def _sizes(world: World, stage: str, workflow: str) -> list[int]:
    """How many issues each run of day 1 took."""
    taken = Counter(
        record["run_id"] for record in items_of(world, stage) if record["workflow"] == workflow
    )
    runs = [run for run in world.actions.runs.values() if run.file == f"{workflow}.yml"]
    return [taken[run.id] for run in runs if run.started is not None and run.started >= day(1)]


def _busy(folder: Path, fault: str = "") -> World:
    """The first morning, with thirty issues more."""
    world = lived(folder, day(1), fault)
    seed(shop_of(world), 30, assigned=False)
    world.agenda.run_until(MORNING)
    return world


def test_the_first_morning_is_as_planned(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    assert _sizes(world, "assignment", ASSIGN)[:4] == [10, 10, 10, 10]
    assert _sizes(world, "processing", PROCESS) == [5, 5, 5]
    for issue in world.tracker.open_with(COPILOT):
        said = guidance.read(issue.body)
        assert said is not None
        assert said.complete
        assert said.file in world.refs.branches[said.branch].files
        assert COPILOT_BOT in issue.assignees
        assert states_of(issue.labels) == (COPILOT,)
    assert not [i for i in world.tracker.open_with(ASSIGNED) if TRIAGE in i.labels]


def test_telemetry_adds_up_to_the_bill(tmp_path: Path) -> None:
    world = _busy(tmp_path)
    used = Counter[str]()
    for record in records_of(world):
        used[record["ts"][:10]] += record["ai_units"] or 0
    assert {day: units for day, units in used.items() if units} == dict(shop_of(world).ai.used)


@pytest.mark.parametrize(
    ("fault", "sizes", "batches"),
    [
        ("limit-off-by-one", [11] * 4, [5] * 3),
        ("no-output", [0] * 5, None),
        ("batch-ignored", None, None),
        ("batch-half", None, [2] * 3),
    ],
)
def test_faults_change_how_much_is_taken(
    tmp_path: Path, fault: str, sizes: list[int] | None, batches: list[int] | None
) -> None:
    world = _busy(tmp_path, fault)
    assert sizes is None or _sizes(world, "assignment", ASSIGN)[: len(sizes)] == sizes
    taken = _sizes(world, "processing", PROCESS)
    assert batches is None or taken == batches
    assert fault != "batch-ignored" or max(taken) > 5


def _comments(world: World) -> int:
    return max(
        sum(each.body.startswith("<!-- pipeline:assigned") for each in issue.comments)
        for issue in world.tracker.issues.values()
    )


def test_faults_change_what_is_written(tmp_path: Path) -> None:
    def world(fault: str) -> World:
        return _busy(tmp_path / fault, fault)

    assert [
        i for i in world("keeps-triage-label").tracker.open_with(ASSIGNED) if TRIAGE in i.labels
    ]
    assert _comments(world("duplicate-comment")) > 1
    straight = world("skips-assigned").tracker.issues.values()
    assert [i for i in straight if COPILOT in i.labels and guidance.read(i.body) is None]
    silent = world("assigns-without-guidance").tracker.open_with(COPILOT)
    assert [issue for issue in silent if guidance.read(issue.body) is None]
    dropped = world("guidance-section-dropped").tracker.open_with(COPILOT)
    said = [guidance.read(issue.body) for issue in dropped if issue.labels[COPILOT] >= day(1)]
    assert said
    assert not any(each and each.complete for each in said)
    assert not [
        issue
        for issue in world("copilot-assignee-missing").tracker.open_with(COPILOT)
        if issue.assignees
    ]


def test_one_attempt_in_eight_fails_and_is_taken_again(tmp_path: Path) -> None:
    world = lived(tmp_path, day(1), "fails-1-in-8", day(3))
    failed = [r for r in items_of(world, "processing", "failed") if r["ts"] >= "2026-01-12"]
    good = [r for r in items_of(world, "processing") if r["ts"] >= "2026-01-12"]
    assert len(failed) / len(failed + good) > 0.1
    assert {record["issue"] for record in failed} & {record["issue"] for record in good}


def test_an_item_that_fails_leaves_the_others_alone(tmp_path: Path) -> None:
    for fault, reached in (("", 4), ("aborts-on-first-error", 1)):
        world = lived(tmp_path / (fault or "healthy"), day(1), fault, day(1, "00:04"))
        numbers = [issue.number for issue in world.tracker.open_with(ASSIGNED)[:5]]
        shop_of(world).troubles.failing.add(numbers[1])
        world.agenda.run_until(day(1) + HOUR_S)
        done = [n for n in numbers if COPILOT in world.tracker.issue(n).labels]
        assert len(done) == reached


def test_a_crash_after_the_guidance_leaves_one_guidance(tmp_path: Path) -> None:
    for fault, count in (("", 1), ("duplicate-guidance", 2)):
        world = lived(tmp_path / (fault or "healthy"), day(1), fault, day(1, "00:04"))
        number = world.tracker.open_with(ASSIGNED)[0].number
        shop_of(world).troubles.dying.add(number)
        world.agenda.run_until(day(1) + 5 * HOUR_S)
        issue = world.tracker.issue(number)
        assert COPILOT in issue.labels
        assert issue.body.count(guidance.BEGIN) == count


def _written(world: World) -> int:
    """How many events of issues are the pipeline's."""
    return sum(event.actor == PIPELINE for event in world.tracker.events)


def test_a_dry_daily_run_writes_nothing(tmp_path: Path) -> None:
    for fault, writes in (("", False), ("daily-dry-run-writes", True)):
        world = lived(tmp_path / (fault or "healthy"), day(1, "06:10"), fault)
        seed(shop_of(world), 3, assigned=False)
        before = _written(world)
        world.agenda.run_until(day(1, "06:50"))
        assert (_written(world) > before) is writes
        assert len(items_of(world, "assignment", "dry-run")) >= 3
