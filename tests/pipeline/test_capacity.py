"""Whether limits are raised, by what the step before showed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.pipeline.commands.workshop import workshop
from fixtures.pipeline.core.days import day
from fixtures.pipeline.core.vocabulary import ASSIGNMENT, PROCESSING
from fixtures.pipeline.core.world import World
from fixtures.pipeline.operations.rollout_days import RolloutDays
from tests.pipeline.test_actions import COMMANDS
from tests.pipeline.worlds import rollout_world


def _record(world: World, at: float, file: str, **more: Any) -> None:
    common = {"run_id": 1, "workflow": file.removesuffix(".yml"), "result": "ok", "stage": "x"}
    workshop(world).telemetry.add(at, {**common, **more})


def _limits(world: World, until: float) -> tuple[int, int]:
    world.agenda.run_until(until)
    settings = world.kept[RolloutDays].settings
    return settings.limit, settings.batch


def _held(world: World) -> list[dict[str, Any]]:
    log = world.folder / "records/decisions.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [json.loads(line) for line in lines]


def test_limits_rise_by_the_plan_where_nothing_speaks_against_it(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(7), COMMANDS)
    days = (7, 8, 9, 10, 12, 13, 14)
    assert [_limits(world, day(number, "12:00")) for number in days] == [
        *((10, 5), (15, 7), (15, 7), (18, 9), (18, 9), (20, 10), (20, 10)),
    ]
    assert not _held(world)


def test_a_warning_holds_both_for_one_step(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(9), COMMANDS)
    _record(world, day(9), ASSIGNMENT, event="rate_warning")
    assert _limits(world, day(10)) == (15, 7)
    assert [(held["about"], held["decision"]) for held in _held(world)] == [
        ("capacity", "hold")
    ] * 2
    assert _held(world)[0]["figures"]["rate_warnings"] == 1
    assert _limits(world, day(13)) == (20, 10)


@pytest.mark.parametrize(
    ("file", "limits"), [(ASSIGNMENT, (15, 9)), (PROCESSING, (18, 7))], ids=["assign", "process"]
)
def test_a_failed_run_or_a_slower_issue_holds_its_own_limit(
    tmp_path: Path, file: str, limits: tuple[int, int]
) -> None:
    world = rollout_world(tmp_path / "failed", day(9), COMMANDS)
    world.actions.failures.ask(file, 1)
    assert _limits(world, day(10)) == limits

    for seconds, expected in ((12.0, (18, 9)), (12.1, limits)):
        world = rollout_world(tmp_path / str(seconds), day(7), COMMANDS)
        for at, taken in ((day(7), 10.0), (day(9), seconds)):
            world.agenda.run_until(at)
            _record(world, at, file, event="item", duration_s=taken, issue=1)
        assert _limits(world, day(10)) == expected


def test_with_the_fault_nobody_looks(tmp_path: Path) -> None:
    world = rollout_world(tmp_path, day(9), COMMANDS, "step-gate-skipped")
    _record(world, day(9), ASSIGNMENT, event="rate_warning")
    assert _limits(world, day(10)) == (18, 9)
    assert not _held(world)
