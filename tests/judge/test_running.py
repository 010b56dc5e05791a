"""A watch since an anchor is judged in one pass, and found as if at each of its slots."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction

import pytest

from pytest_rollout.judge import guardrails
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.judge.rules import judge_slice
from pytest_rollout.judge.slices import Reach, Slice
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import NINE, SECOND, guardrail, plan_of, seen, world_of

RULES = (
    "take: rate, fail: '< 0.6'",
    "take: rate, fail: '> 0.4'",
    "take: rate, fail: '< 0.8', confidence: 90%",
    "take: rate, fail: '< 0.8', confidence: {level: 90%, windows: 500}",
    "take: mean, fail: '> 2.5'",
    "take: mean, fail: '< 1'",
    "take: sum, fail: '> 12'",
    "take: sum, fail: '< -3'",
    "take: increase, fail: '> 9'",
    "take: increase, fail: '< 3'",
    "take: last, fail: '> 3'",
    "take: max, fail: '> 2', tolerate: {failures: 2, in_a_row: 1}",
    "take: count, fail: '< 4'",
    "take: min, fail: '< 0'",
    "take: max, fail: '> 3'",
    "take: p50, fail: '> 2'",
    "take: p50, fail: '<= 1'",
    "take: p90, fail: '>= 3'",
    "take: p80, fail: '> 2', confidence: 90%",
    "take: {share: '<= 2'}, fail: '< 0.5'",
    "take: {share: '> 2'}, fail: '> 0.5'",
    "take: {share: '<= 2'}, fail: '< 0.7', confidence: 90%",
)
COMPARED = (
    "take: mean, fail: '> 1', versus: {metric: o}",
    "take: sum, fail: '< -2', versus: {metric: o}",
    "take: last, fail: '> 1', versus: {metric: o}",
    "take: max, fail: '> 0', versus: {metric: o}",
    "take: min, fail: '< 0', versus: {metric: o}",
    "take: min, fail: '> 1', versus: {metric: o, as: ratio}",
    "take: p50, fail: '> 1', versus: {metric: o}",
    "take: p90, fail: '< 0.5', versus: {metric: o, as: ratio}",
    "take: increase, fail: '> 2', versus: {metric: o}",
    "take: rate, fail: '< -0.2', versus: {metric: o}",
    "take: mean, fail: '> 1.5', versus: {metric: o, as: ratio}",
    "take: mean, fail: '> 0', versus: {metric: o, frozen: begin}",
    "take: p50, fail: '> 0', versus: {metric: o, release: '1.4'}",
    "take: {share: '> 2'}, fail: '> 0.4', versus: {metric: o}",
)
GROUPS = ("", "each: {lane: [A, B]}, ", "each: {lane: {from: m, at_least: 2}}, ")
SINCE = ("", "over: [{since: begin, need: 3}], ", "over: [{since: begin, until: 6m}], ")
MOVING = (
    "over: [{span: 2m, need: 2}], ",
    "over: [{last: 2, need: 2}], ",
    "over: [{last: 5, need: 2}], ",
    "over: [{span: 1m, need: 3}, {span: 4m, need: 2}, {last: 3, need: 2}], ",
    "over: [{days: 1, need: 2}, {span: 6m, need: 2}], ",
    "over: [{nights: 1, need: 2}], ",
)
ROWS = (
    *("", "", ""),
    "in_a_row: 2, ",
    "in_a_row: {n: 2, gaps: skip}, ",
    "in_a_row: {for: 90s, gap: 1m}, ",
)


def history(drawn: random.Random, *, rate: bool) -> list[Seen]:
    """What some runs saw: in order and late, whole and with holes of any weight."""
    found, t, good = [], 0, drawn.random()
    for number in range(drawn.randint(0, 25)):
        t += drawn.choice([0, 30, 30, 60]) if drawn.random() < 0.97 else 50_000
        run = f"r{drawn.choice([number // 5, number // 5, drawn.randint(0, 4)])}"
        told: float | None = drawn.choice([-1, 0, 1, 2, 3, 4])
        if rate:
            told = drawn.choice([0, 1, 1 if drawn.random() < good else 0.5])
            told = drawn.choice([-1, 2]) if drawn.random() < 0.03 else told  # no outcome
        if drawn.random() < 0.08:
            told = None
        at = t + drawn.choice([0, 200])
        one = seen(told, t, seq=number, run=run, recorded=at, lane=drawn.choice("ABC"))
        if told is None:
            one = Seen(one.slot, Hole("x", drawn.choice([None, 1, 3])), one.seen_us, one.run)
        found.append(one)
        if drawn.random() < 0.5:  # seen of what it may be compared with, at most times whole
            slot = replace(
                one.slot, series="o", t_us=one.slot.t_us - drawn.choice([0, 40 * SECOND])
            )
            value = one.value if drawn.random() < 0.3 else ((Fraction(drawn.choice([0, 1])), 1),)
            found.append(replace(one, slot=slot, value=value))
    return found


def judged(plan: Plan, items: list[Seen], begun_us: int | None) -> Finding:
    phase, at_us = plan.phases[0], NINE + 500_000 * SECOND
    world = world_of(plan, items, begun_us=begun_us)
    past = [replace(one, release="1.4") for one in items if one.slot.series == "o"]
    world = replace(world, past=tuple(past))
    return judge_guardrail(Case(plan, phase, world, at_us), phase.guardrails[0])


@pytest.mark.parametrize("rule", [*RULES, *COMPARED])
def test_totals_find_what_every_slot_would(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(rule)
    cases = []
    for _ in range(40):
        anchored = rule.endswith("confidence: 90%")  # a moving window states how many there are
        over = drawn.choice(SINCE[1:] if anchored else (*SINCE, *MOVING))
        keys = f"{drawn.choice(GROUPS)}{over}{drawn.choice(ROWS)}"
        plan = plan_of(guardrail(f"metric: m, {keys}{rule}"))
        items = history(drawn, rate="rate" in rule)
        cases.append((plan, items, drawn.choice([NINE, NINE, NINE + 100 * SECOND, None])))
    found = [judged(*case) for case in cases]
    monkeypatch.setattr(guardrails, "in_one_pass", lambda _: False)
    assert found == [judged(*case) for case in cases]
    assert len({one.verdict for one in found}) > 2


@pytest.mark.parametrize("rule", [*RULES, *COMPARED])
def test_what_windows_have_left_changes_nothing(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(f"left {rule}")
    cases = []
    for _ in range(20):
        over = drawn.choice(SINCE[1:] if rule.endswith("confidence: 90%") else MOVING)
        plan = plan_of(guardrail(f"metric: m, {drawn.choice(GROUPS)}{over}{rule}"))
        begun_us = drawn.choice([NINE, NINE + 100 * SECOND, None])
        cases.append((plan, history(drawn, rate="rate" in rule), begun_us))
    found = [judged(*case) for case in cases]
    monkeypatch.setattr(Reach, "left_behind", lambda *_: None)
    assert found == [judged(*case) for case in cases]


def test_a_late_run_takes_only_what_its_windows_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes, group = [], guardrails.__dict__["grouped"]

    def counting(rule: Rule, own: list[Seen], other: list[Seen], at_us: int) -> object:
        sizes.append(len(own))
        return group(rule, own, other, at_us)

    monkeypatch.setattr(guardrails, "grouped", counting)
    runs = [f"r{i // 20 + (i % 20 == 9)}" for i in range(1000)]  # each begins before one ends
    items = [seen(1, 60 * i, run=run) for i, run in enumerate(runs)]
    plan = plan_of(guardrail("metric: m, over: [{span: 5m}], take: mean, fail: '> 2'"))
    assert judged(plan, items, NINE).verdict is Verdict.MISSING, "it is days later"
    assert len(sizes) > 40
    assert sum(sizes) < 4 * len(items)


@pytest.mark.parametrize("lost", [(), (5, 700)])
def test_a_long_watch_is_judged_in_one_pass(
    lost: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    n, asked = 1440, 0
    items = [
        seen(None if i in lost else int(i % 50 != 25), i * 60, run=f"r{i // 20}") for i in range(n)
    ]

    def counting(rule: Rule, slice_: Slice, terms: Terms) -> Part:
        nonlocal asked
        asked += 1
        return judge_slice(rule, slice_, terms)

    monkeypatch.setattr(guardrails, "judge_slice", counting)
    plan = plan_of(guardrail("metric: m, take: rate, fail: '< 0.9'"))
    finding = judged(plan, items, NINE)
    assert finding.verdict is (Verdict.INCONCLUSIVE if lost else Verdict.PASS)
    assert asked <= 1 + len(lost)
