"""What people keep of the rollout, and what faults leave out of it."""

from __future__ import annotations

import csv
import random
from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from fixtures.pipeline.core.days import HOUR_S, day, instant_of, iso
from fixtures.pipeline.core.world import World
from fixtures.pipeline.people.contacts import ROLES
from fixtures.pipeline.people.reviews import PARTS, TARGETS
from tests.pipeline.lived import items_of, kept, lines, lived, records_of, shop_of

SLUGS = {
    **{role: role.lower().replace(" ", "-") for role in ROLES},
    "On-Call Engineer": "on-call",
}


def _found(tmp_path: Path, fault: str, until: float) -> World:
    return lived(tmp_path / (fault or "healthy"), until, fault)


def _before(world: World) -> dict[str, bool]:
    """What is whole before day 1, by the fault that breaks it."""
    plan, roles = kept(world, "plan.yaml"), kept(world, "roles.yaml")["roles"]
    anomalies = kept(world, "anomalies.yaml")["anomalies"]
    mail = lines(world, "inbox.jsonl")[0]["body"]["text"]
    signed = {each["role"] for each in lines(world, "records/signoffs.jsonl")}
    decided = {each["day"] for each in lines(world, "records/decisions.jsonl")}
    document = world.main.read("docs/development/workflow_refactor/production_rollout_plan.md")
    return {
        "owner-vacant": bool(plan["owner"]),
        "rollout-date-tbd": plan["start_date"] == "2026-01-12" and "2026-01-12" in str(document),
        "plan-still-draft": "Draft" not in str(document) + plan["status"],
        "one-role-unsigned": signed == set(ROLES),
        "rehearsal-missing": (world.folder / "records" / "rehearsal.yaml").exists(),
        "anomaly-undocumented": all(each["link"] for each in anomalies) and len(anomalies) == 2,
        "launch-date-placeholder": "2026-01-07" in mail and "[" not in mail,
        "decision-missing-d-1": -1 in decided,
        **{
            f"contact-{SLUGS[each['role']]}-placeholder": "[" not in each["backup"]["name"]
            for each in roles
        },
    }


def test_everything_is_settled_before_day_1(tmp_path: Path) -> None:
    assert [
        name for name, whole in _before(_found(tmp_path, "", day(1))).items() if not whole
    ] == []


@pytest.mark.parametrize(
    "fault",
    [
        *("owner-vacant", "rollout-date-tbd", "plan-still-draft", "one-role-unsigned"),
        *("rehearsal-missing", "anomaly-undocumented", "launch-date-placeholder"),
        "decision-missing-d-1",
        *(f"contact-{slug}-placeholder" for slug in SLUGS.values()),
    ],
)
def test_a_fault_leaves_one_thing_open(tmp_path: Path, fault: str) -> None:
    told = _before(_found(tmp_path, fault, day(1)))
    assert [name for name, whole in told.items() if not whole] == [fault]


def test_the_rehearsal_went_the_whole_way(tmp_path: Path) -> None:
    world = _found(tmp_path, "", day(-1))
    told = kept(world, "rehearsal.yaml")
    mine = [each for each in records_of(world) if each["run_id"] in told["runs"]]
    items = [r for r in mine if r["event"] == "item" and r["result"] == "ok"]
    seen = Counter((record["issue"], record["stage"]) for record in items)
    stages = ("monitoring", "assignment", "processing", "copilot")
    assert len(told["issues"]) == 15
    assert all(seen[issue, stage] == 1 for issue in told["issues"] for stage in stages)
    dropped = items_of(_found(tmp_path, "line-dropped", day(-1)), "assignment")
    assert len(dropped) == len(told["issues"]) - 1


def _uncovered(world: World) -> float:
    """For how many hours of week 1 nobody is on call."""
    rows = csv.DictReader((world.folder / "records" / "on-call.csv").read_text().splitlines())
    covered = sum(instant_of(row["to"]) - instant_of(row["from"]) for row in rows)
    return (day(8) - day(1) - covered) / HOUR_S


def test_somebody_is_on_call(tmp_path: Path) -> None:
    assert _uncovered(_found(tmp_path, "", day(1))) == 0
    assert _uncovered(_found(tmp_path, "on-call-gap", day(1))) == 4


def _sheet(world: World, week: int) -> tuple[str, list[dict[str, str]]]:
    head, *rows = (
        (world.folder / "records" / "reviews" / f"week-{week}.csv").read_text().splitlines()
    )
    return head, list(csv.DictReader(rows))


def _means(world: World) -> dict[str, float]:
    _, rows = _sheet(world, 1)
    return {part: fmean(float(row[part]) for row in rows) for part in PARTS}


def test_a_week_is_reviewed_at_random(tmp_path: Path) -> None:
    world = _found(tmp_path, "", day(8))
    head, rows = _sheet(world, 1)
    given = shop_of(world).ledger.assignments.values()
    population = sorted(each.number for each in given if day(1) <= each.at < day(8))
    seed = int(head.rpartition(" ")[2])
    drawn = random.Random(seed).sample(population, 10)
    assert [int(row["issue"]) for row in rows] == drawn
    assert all(_means(world)[part] > 100 * TARGETS[part] for part in PARTS)
    assert _sheet(world, 0)[0].split(",")[0] != head.split(",")[0]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_just_at_its_target(tmp_path: Path, part: str) -> None:
    means = _means(_found(tmp_path, f"{part}-score-at-target", day(8)))
    assert means[part] == round(100 * TARGETS[part])
    assert all(means[other] > 100 * TARGETS[other] for other in PARTS if other != part)


def test_faults_of_the_review(tmp_path: Path) -> None:
    rows = _sheet(_found(tmp_path, "sample-of-9", day(8)), 1)[1]
    assert len(rows) == 9
    rows = _sheet(_found(tmp_path, "sample-first-ten", day(8)), 1)[1]
    numbers = [int(row["issue"]) for row in rows]
    assert numbers == sorted(numbers)
    rows = _sheet(_found(tmp_path, "row-unscored", day(8)), 1)[1]
    assert [row["persona"] for row in rows].count("") == 1
    weights = kept(_found(tmp_path, "weights-105", day(1)), "rubric.yaml")["weights"]
    assert sum(weights.values()) == pytest.approx(1.05)
    same = _found(tmp_path, "same-team-twice", day(8))
    assert len({_sheet(same, week)[0].split(",")[0] for week in (0, 1)}) == 1


def _decisions(world: World) -> list[dict[str, Any]]:
    return lines(world, "records/decisions.jsonl")


def test_decisions_come_before_what_they_release(tmp_path: Path) -> None:
    for fault, in_time in (("", True), ("phase-order-ignored", False)):
        world = _found(tmp_path, fault, day(9))
        (entry,) = [each for each in _decisions(world) if each["day"] == 7]
        assert (entry["at"] < iso(day(8))) is in_time
        about = [each["about"] for each in _decisions(world)]
        assert "capacity" in about
        assert "validated monitoring" in about
    for fault, lacking in (
        ("justification-missing", "capacity"),
        ("flag-removed-unvalidated", "validated monitoring"),
    ):
        told = [each["about"] for each in _decisions(_found(tmp_path, fault, day(8)))]
        assert lacking not in told


def test_the_status_of_a_week_is_counted(tmp_path: Path) -> None:
    for fault, over, rate in (
        ("", 0, True),
        ("status-miscounts", 1, True),
        ("status-field-blank", 0, False),
    ):
        world = _found(tmp_path, fault, day(8))
        (mail,) = [m for m in lines(world, "inbox.jsonl") if "Week 1" in m["body"]["subject"]]
        done = [r for r in items_of(world, "processing") if iso(day(1)) < r["ts"] <= mail["at"]]
        assert f"Processing completed: {len(done) + over}\n" in mail["body"]["text"]
        assert ("100.0%" in mail["body"]["text"]) is rate
