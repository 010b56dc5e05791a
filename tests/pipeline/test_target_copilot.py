"""How Copilot gets on, what is told of it, and what happens when it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.pipeline.commands import COMMANDS
from fixtures.pipeline.core.days import DAY_S, HOUR_S, day, iso
from fixtures.pipeline.core.vocabulary import COPILOT, DONE, MANUAL_REVIEW
from fixtures.pipeline.core.world import World
from fixtures.pipeline.github.accounts import PIPELINE
from tests.pipeline.lived import lines, lived, shop_of
from tests.pipeline.worlds import rollout_world

SOON_S, LATER_S = 48 * HOUR_S, 7 * DAY_S


def _share(world: World, seconds: float, since: float = 0.0) -> float:
    """The share of assignments that are old enough and were complete in time."""
    given = [
        each
        for each in shop_of(world).ledger.assignments.values()
        if since <= each.at <= world.now - seconds
    ]
    assert len(given) >= 20
    return sum(each.done_by(seconds) for each in given) / len(given)


@pytest.mark.parametrize(
    ("fault", "low", "high"),
    [
        ("", 0.85, 0.97),
        ("completes-80pct", 0.75, 0.80),
        ("completes-79pct", 0.74, 0.79),
        ("completes-40pct", 0.3, 0.4),
    ],
)
def test_shares_are_what_they_are_called(
    tmp_path: Path, fault: str, low: float, high: float
) -> None:
    world = lived(tmp_path, day(6), fault)
    for since in (0.0, day(1), day(2)):
        assert low <= _share(world, SOON_S, since) <= high


@pytest.mark.slow
def test_nearly_all_is_complete_in_a_week_and_little_is_blocked(tmp_path: Path) -> None:
    for fault, whole, blocked in (
        ("", True, False),
        ("never-completes-6pct", False, False),
        ("blocks-5pct", True, True),
    ):
        world = lived(tmp_path / (fault or "healthy"), day(12), fault)
        assert (_share(world, LATER_S) >= 0.95) is whole
        given = list(shop_of(world).ledger.assignments.values())
        assert (sum(each.blocked for each in given) / len(given) >= 0.05) is blocked


def test_one_assignment_is_stale(tmp_path: Path) -> None:
    for fault, stale in (("", 0), ("stalls-8-days", 1)):
        world = lived(tmp_path / (fault or "healthy"), day(5), fault)
        held = world.tracker.open_with(COPILOT)
        assert sum(world.now - issue.labels[COPILOT] > LATER_S for issue in held) == stale


def _report(world: World) -> dict[str, object]:
    """The tracking report of the run that ended last."""
    runs = [run for run in world.actions.history if run.file == "ops-copilot-tracking.yml"]
    texts = [a.files["tracking.json"] for a in runs[1].artifacts if a.name == "tracking"]
    report: dict[str, object] = json.loads(texts[0])
    return report


def test_the_report_tells_all_and_only_what_is_old_enough(tmp_path: Path) -> None:
    world = lived(tmp_path, day(15, "06:00"))
    report = _report(world)
    completion = report["completion"]
    assert isinstance(completion, dict)
    total, types = completion["total"], completion["by_type"].values()
    assert len(types) == 4
    assert {name: sum(each[name] for each in types) for name in total} == total
    given = shop_of(world).ledger.assignments.values()
    assert total["matured_48h"] < len(given)
    assert set(report) >= {"time_to_completion_h", "blockers", "feedback"}


@pytest.mark.parametrize(
    ("fault", "lacks"),
    [
        ("ttc-missing", "time_to_completion_h"),
        ("blockers-missing", "blockers"),
        ("feedback-missing", "feedback"),
    ],
)
def test_a_fault_leaves_a_table_out(tmp_path: Path, fault: str, lacks: str) -> None:
    assert lacks not in _report(lived(tmp_path, day(15, "06:00"), fault))


def test_young_assignments_count_with_a_fault(tmp_path: Path) -> None:
    world = lived(tmp_path, day(15, "06:00"), "counts-immature")
    completion = _report(world)["completion"]
    assert isinstance(completion, dict)
    assert completion["total"]["matured_7d"] > sum(
        world.now - each.at >= LATER_S for each in shop_of(world).ledger.assignments.values()
    )


def _overdue(folder: Path, fault: str, *, released: float = 0.0) -> tuple[int, int, bool]:
    """Reminders, notices and the flag for review of an assignment that is open for 17 days."""
    world = rollout_world(
        folder, day(15), {"pipeline-copilot": COMMANDS["pipeline-copilot"]}, fault
    )
    shop = shop_of(world)
    world.actions.disabled |= {*world.actions.files()} - {"ops-copilot-tracking.yml"}
    issue = world.tracker.create(PIPELINE, "Overdue", "", (COPILOT,))
    begun = issue.labels[COPILOT]
    shop.copilot.hold(issue.number)
    if released:
        world.agenda.run_until(begun + released * DAY_S)
        shop.copilot.release(issue.number)
    world.agenda.run_until(begun + 17 * DAY_S)
    assert (DONE in issue.labels) is bool(released)
    reminders = sum(c.body.startswith("<!-- pipeline:reminder") for c in issue.comments)
    said = [m["body"].get("text", "") for m in lines(world, "inbox.jsonl")]
    notices = sum(text.startswith(f"overdue: #{issue.number} ") for text in said)
    return reminders, notices, MANUAL_REVIEW in issue.labels


@pytest.mark.parametrize(
    ("fault", "released", "taken"),
    [
        ("", 0.0, (1, 1, True)),
        ("", 6.0, (1, 0, False)),
        ("", 4.9, (0, 0, False)),
        ("day3-missing", 0.0, (0, 1, True)),
        ("day7-missing", 0.0, (1, 0, True)),
        ("day14-missing", 0.0, (1, 1, False)),
        ("ignores-completion", 6.0, (1, 1, True)),
    ],
)
def test_each_step_is_taken_once(
    tmp_path: Path, fault: str, released: float, taken: tuple[int, int, bool]
) -> None:
    assert _overdue(tmp_path, fault, released=released) == taken


def test_a_fault_reminds_on_every_look(tmp_path: Path) -> None:
    assert _overdue(tmp_path, "reminds-every-run")[0] > 24


def test_messages_are_dated_by_the_world(tmp_path: Path) -> None:
    world = lived(tmp_path, day(9))
    sent = [each["at"] for each in lines(world, "inbox.jsonl")]
    assert sent == [iso(day(-1, "16:00")), iso(day(7, "18:00"))]
