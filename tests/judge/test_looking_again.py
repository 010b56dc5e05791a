"""Looking again with a memory finds what judging all of it once more finds."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.guardrails import judge_guardrail, look_again
from pytest_rollout.judge.memory import Memory
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.reset import Reset
from tests.judge.worlds import NINE, SECOND, guardrail, plan_of, seen, text, world_of

RULES = {
    "latest": 'metric: m, over: [{last: 1}], take: last, fail: "> 2"',
    "since": 'metric: m, take: max, fail: "> 2"',
    "rate": 'metric: m, over: [{last: 2, need: 2}], take: rate, fail: "> 0.5"',
    "growth": 'metric: m, over: [{span: 4m, need: 2}], take: increase, fail: "> 4"',
    "groups": "metric: m, each: {lane: [A, B]}, over: [{span: 3m, need: 2}], take: sum,"
    ' fail: "> 4"',
    "row": 'metric: m, in_a_row: 3, take: last, fail: "> 1"',
    "skip": "metric: m, over: [{span: 2m, need: 2}], in_a_row: {n: 2, gaps: skip}, take: min,"
    ' fail: "> 0"',
    "lasting": 'metric: m, in_a_row: {for: 4m, gap: 2m}, take: last, fail: "> 0"',
    "minutes": 'metric: m, per: 1m, in_a_row: 2, take: max, fail: "> 1"',
    "stretches": 'metric: m, per: 2m, in_a_row: 2, take: max, fail: "> 1"',
    "until": 'metric: m, over: [{since: begin, until: 8m}], take: mean, fail: "> 1"',
    "of": 'of: [{metric: m, in_a_row: 2, take: last, fail: "> 2"}, {metric: m, take: sum,'
    ' fail: "> 20"}]',
    "other": 'metric: m, over: [{last: 1}], take: last, versus: {metric: o}, fail: "> 2"',
    "ratio": "metric: m, over: [{span: 3m}], take: mean, versus: {metric: o, as: ratio},"
    ' fail: "> 4"',
}


def history(seed: int) -> list[list[Seen]]:
    """Values, holes and gaps, one after the other, some with one of another series."""
    drawn, beside = random.Random(seed), random.Random(100 + seed)
    t, found = 0, []
    for _ in range(25):
        t += drawn.choice([30, 60, 60, 60, 150])
        value = drawn.choice([0, 0, 0, 1, 2, 3, None])
        if seed % 3:
            value = value or 0  # without holes
        lane = drawn.choice("AB")
        found.append([seen(value, t, lane=lane)])
        if beside.random() < 0.8:
            other = beside.choice([0, 1, 1, 1, -1 if seed % 4 else 1])
            found[-1].append(seen(other, t, "o", lane=lane))
    return found


def told(finding: Finding) -> object:
    """What is found of each group, whichever is named first."""
    parts = [(part.subject.name, text(part), part.verdict.value) for part in finding.parts]
    return finding.verdict, sorted(parts)


@pytest.mark.parametrize("reset", [None, 400])
@pytest.mark.parametrize("name", RULES)
def test_a_memory_changes_nothing(name: str, reset: int | None) -> None:
    plan = plan_of(guardrail(RULES[name]))
    phase = plan.phases[0]
    (rail,) = phase.guardrails
    verdicts = set()
    for seed in range(12):
        items, memory = history(seed), Memory()
        for upto in range(0, len(items) + 1, 3):
            known = [item for both in items[:upto] for item in both]
            at_us = max((one.slot.t_us for one in known), default=NINE) + 5 * SECOND
            world = world_of(plan, known)
            if reset is not None:
                at = Reset("p.one.g", "A", "why", NINE + reset * SECOND, "then", "tripped")
                world = replace(world, resets=(at,))
            case = Case(plan, phase, world, at_us)
            whole = judge_guardrail(case, rail)
            again, memory = look_again(case, rail, memory)
            assert told(again) == told(whole), (seed, upto)
            verdicts.add(again.verdict.value)
    assert {"fail", "pass"} <= verdicts
