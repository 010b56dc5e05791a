"""The findings of other gates that a criterion rolls up: all must hold, the worst decides."""

from __future__ import annotations

import datetime as dt

from pytest_rollout import calendar
from pytest_rollout.judge.demands import release_of
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import Hole, Rolled, World
from pytest_rollout.model.plan import Criterion, Plan, RollsUp
from pytest_rollout.model.rule import duration_words
from pytest_rollout.model.verdict import Verdict


def roll_up(plan: Plan, criterion: Criterion, world: World) -> tuple[Part, ...]:
    """One part for each finding that a criterion names; what does not count is missing."""
    return tuple(_part(plan, criterion, one, world) for one in criterion.rolls_up)


def _part(plan: Plan, criterion: Criterion, one: RollsUp, world: World) -> Part:
    found = next((rolled for rolled in world.rolled if rolled.of == one), None)
    if found is None:
        return Part(one.name, Verdict.MISSING, f"no decision of {one.address(plan.id)} was read")
    if isinstance(found.verdict, Hole):
        return Part(one.name, Verdict.MISSING, found.verdict.why)
    said = (
        f"{found.verdict.value} in {plan.id}.{one.phase}/{one.gate}" if one.criterion else "decided"
    )
    said += _whose(plan, found, world)
    lack = _lack(plan, criterion, found, world)
    if lack:
        return Part(one.name, Verdict.MISSING, f"{said}, but {lack}")
    return Part(one.name, found.verdict, f"{said}: {found.because}")


def _whose(plan: Plan, found: Rolled, world: World) -> str:
    if found.run == world.run.id:
        return " of this run"
    return f" of run {found.run}, ended {calendar.wall(found.decided_us, plan.timezone)}"


def _lack(plan: Plan, criterion: Criterion, found: Rolled, world: World) -> str:
    """Why a finding that was read does not count; empty where it does."""
    if found.release != release_of(world.run):
        return f"of release {found.release}, not of {release_of(world.run)}"
    life_us = criterion.valid_for_us
    if life_us is not None and world.run.ended_us - found.decided_us > life_us:
        return f"longer ago than {duration_words(life_us)}"
    ends = dt.date.fromisoformat(found.until) if found.until else None
    if ends is not None and calendar.end_of_day(ends, plan.timezone) <= world.run.ended_us:
        return f"a waiver in it ended on {ends}"
    return ""
