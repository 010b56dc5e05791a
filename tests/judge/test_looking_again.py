"""Looking again with a memory finds what judging all of it once more finds."""

from __future__ import annotations

import random

import pytest

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.guardrails import judge_guardrail, look_again
from pytest_rollout.judge.memory import Memory
from pytest_rollout.model.evidence import Seen
from pytest_rollout.model.finding import Finding
from tests.judge.worlds import NINE, SECOND, guardrail, plan_of, seen, text, world_of

RULES = {
    "latest": 'metric: m, over: [{last: 1}], take: last, fail: "> 2"',
    "since": 'metric: m, take: max, fail: "> 2"',
    "groups": "metric: m, each: {lane: [A, B]}, over: [{span: 3m, need: 2}], take: sum,"
    ' fail: "> 4"',
    "row": 'metric: m, in_a_row: 3, take: last, fail: "> 1"',
    "skip": "metric: m, over: [{span: 2m, need: 2}], in_a_row: {n: 2, gaps: skip}, take: min,"
    ' fail: "> 0"',
    "lasting": 'metric: m, in_a_row: {for: 4m, gap: 2m}, take: last, fail: "> 0"',
    "growth": 'metric: m, over: [{span: 4m}], take: increase, fail: "> 4"',
    "minutes": 'metric: m, per: 1m, in_a_row: 2, take: max, fail: "> 1"',
    "of": 'of: [{metric: m, in_a_row: 2, take: last, fail: "> 2"}, {metric: m, take: sum,'
    ' fail: "> 20"}]',
}


def history(seed: int) -> list[Seen]:
    """Values, holes and gaps, one after the other."""
    drawn = random.Random(seed)
    t, items = 0, []
    for _ in range(25):
        t += drawn.choice([30, 60, 60, 60, 150])
        value = drawn.choice([0, 0, 0, 1, 2, 3, None])
        if seed % 3:
            value = value or 0  # without holes
        items.append(seen(value, t, lane=drawn.choice("AB")))
    return items


def told(finding: Finding) -> object:
    """What is found of each group, whichever is named first."""
    parts = [(part.subject.name, text(part), part.verdict.value) for part in finding.parts]
    return finding.verdict, sorted(parts)


@pytest.mark.parametrize("name", RULES)
def test_a_memory_changes_nothing(name: str) -> None:
    plan = plan_of(guardrail(RULES[name]))
    phase = plan.phases[0]
    (rail,) = phase.guardrails
    verdicts = set()
    for seed in range(12):
        items, memory = history(seed), Memory()
        for upto in range(0, len(items) + 1, 3):
            known = items[:upto]
            at_us = max((one.slot.t_us for one in known), default=NINE) + 5 * SECOND
            world = world_of(plan, known)
            case = Case(plan, phase, world, at_us)
            whole = judge_guardrail(case, rail)
            again, memory = look_again(case, rail, memory)
            assert told(again) == told(whole), (seed, upto)
            verdicts.add(again.verdict.value)
    assert {"fail", "pass"} <= verdicts
