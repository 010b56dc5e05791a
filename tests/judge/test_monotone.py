"""Losing or worsening evidence never turns another decision into GO.

A world's slots are drawn first, then its values; MONOTONE_EXAMPLES says how many worlds.
"""

from __future__ import annotations

import dataclasses
import os
from fractions import Fraction

from hypothesis import HealthCheck, event, given, note, settings
from hypothesis import strategies as st

from pytest_rollout.judge.slices import opportunities
from pytest_rollout.model.evidence import Attempt, Hole, Sample, Seen, World
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Rule, Take
from pytest_rollout.model.verdict import Answer, Verdict
from tests.judge.worlds import AT, NINE, SECOND, decided, plan_of, seen, world_of

EXAMPLES = int(os.environ.get("MONOTONE_EXAMPLES", "300"))
END = (AT - NINE) // SECOND
BAD = (Verdict.FAIL, Verdict.ERROR, Verdict.MISSING)
TAKES = (
    "sum",
    "mean",
    "min",
    "max",
    "last",
    "rate",
    "p50",
    "p90",
    '{share: "< 2"}',
    '{share: ">= 2"}',
)
OVER = (
    "",
    "[{span: 10m}]",
    "[{span: 5m, need: 2}, {last: 3}]",
    "[{last: 2, need: 2}]",
    "[{since: begin}]",
    "[{span: 1m, need: 4}, {span: 20m, need: 2}, {last: 1, need: 1}]",
)
EACH = ("", "{lane: [A]}", "{lane: [A, B]}", "{lane: 2}", "{lane: [A], site: 1}")


@st.composite
def rules(draw: st.DrawFn, series: str, *, guardrail: bool) -> str:
    """A rule in flow style, with limits among the values that are drawn."""
    take = draw(st.sampled_from(TAKES))
    limit = draw(
        st.sampled_from(
            ("0.25", "0.5") if take in ("rate",) or "share" in take else ("1", "2", "3")
        )
    )
    parts = [f"metric: {series}", f"take: {take}"]
    up = draw(st.booleans())
    if guardrail:
        parts.append(f'fail: "{"<" if up else ">"} {limit}"')
    else:
        parts.append(f'pass: "{">=" if up else "<="} {limit}"')
        if draw(st.booleans()):
            parts.append(f'fail: "{"<" if up else ">"} {"0.1" if up else "4"}"')
    for key, choices in (("over", OVER), ("each", EACH)):
        if chosen := draw(st.sampled_from(choices)):
            parts.append(f"{key}: {chosen}")
    parts.append(f"need: {draw(st.sampled_from((1, 1, 2)))}")
    return ", ".join(parts)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A phase with plain checks and criteria with rules, and guardrails, each on its own series."""
    lines = ["    criteria:"]
    for index in range(draw(st.integers(1, 2))):
        severity = draw(st.sampled_from(("hard", "hard", "soft", "optional")))
        rule = draw(rules(f"c{index}", guardrail=False)) if draw(st.booleans()) else ""
        lines.append(f"      - {{id: c{index}, kind: load, severity: {severity}, {rule}}}")
    lines.append("    guardrails:")
    for index in range(draw(st.integers(0, 1))):
        rule = draw(rules(f"g{index}", guardrail=True))
        then = draw(st.sampled_from(("warn", "notify", "pause", "rollback")))
        lines.append(f"      - {{id: g{index}, {rule}, then: [{then}]}}")
    return plan_of("\n".join(lines) + "\n")


def rules_of(plan: Plan) -> list[Rule]:
    phase = plan.phases[0]
    stated = [*(one.rule for one in phase.criteria), *(one.rule for one in phase.guardrails)]
    return [rule for rule in stated if rule is not None]


def harmful_is_up(rule: Rule) -> bool:
    """Whether larger values are worse for a rule."""
    upward = rule.bands.passes.upward
    share = rule.take.share_of
    return upward is not share.upward if share is not None else not upward


@st.composite
def values(draw: st.DrawFn, rule: Rule) -> str | None:
    """A stored value within the domain of a rule's take, good ones more often than bad."""
    if draw(st.integers(0, 30)) == 0:
        return None
    if rule.take.take is Take.RATE and draw(st.booleans()):
        of = draw(st.sampled_from((0, 1, 4)))
        return f'{{"bad": {draw(st.integers(0, of))}, "of": {of}}}'
    choices = ["0", "1", "0", "1", "0", "1", "3", "4", "2"]
    if rule.take.take is Take.RATE:
        choices = ["0", "0", "0", "1", "0.5"]
    if not harmful_is_up(rule):
        top = max(map(Fraction, choices))
        choices = [str(top - Fraction(one)) for one in choices]
    one = draw(st.sampled_from(choices))
    if draw(st.integers(0, 7)) == 0:
        return f'[["{one}", {draw(st.integers(1, 4))}]]'
    return one


@st.composite
def slots(draw: st.DrawFn, rule: Rule) -> Seen:
    """One slot of a rule's series with a value."""
    t = draw(st.sampled_from((0, 60, 600, END - 600, END - 300, END - 60, END - 30, END)))
    run = draw(st.sampled_from(("r1", "r1", "r1", "r0")))
    late = draw(st.sampled_from((0, 0, 0, 700)))
    labels = (
        {"lane": draw(st.sampled_from("AAABBC")), "site": "x"} if draw(st.integers(0, 9)) else {}
    )
    seq = draw(st.integers(0, 1))
    value = draw(values(rule))
    return seen(value, t, rule.metric, seq=seq, run=run, recorded=t + late, **labels)


@st.composite
def worlds(draw: st.DrawFn, plan: Plan) -> World:
    """Evidence of a plan, for the most part good."""
    observed = [
        one
        for rule in rules_of(plan)
        for one in draw(st.lists(slots(rule), min_size=1, max_size=6))
    ]
    verdicts = st.sampled_from((Verdict.PASS,) * 30 + BAD)
    checks = {
        f"t.py::test_{one.id}": [
            Attempt(v) for v in draw(st.lists(verdicts, min_size=1, max_size=2))
        ]
        for one in plan.phases[0].criteria
    }
    environment = draw(st.sampled_from(("embedded", "prod")))
    return world_of(plan, observed, checks=checks, environment=environment)


def worsened(draw: st.DrawFn, rule: Rule, sample: Sample) -> Sample:
    """The sample with each of its values moved in the harmful direction, or left."""
    step = draw(st.sampled_from((Fraction(1, 2), Fraction(1), Fraction(3))))
    step = step if harmful_is_up(rule) else -step
    moved = tuple((value + step, count) for value, count in sample)
    if rule.take.take is Take.RATE:
        moved = tuple((min(max(value, Fraction(0)), Fraction(1)), count) for value, count in moved)
    return moved


@st.composite
def degradations(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The world after one step for the worse."""
    step = draw(
        st.sampled_from(
            (
                "hole",
                "hole",
                "hole",
                "harm",
                "harm",
                "harm",
                "attempt",
                "failing",
                "vanish",
                "seal",
                "partial",
                "problem",
            )
        )
    )
    run = world.run
    if step == "seal":
        return dataclasses.replace(world, run=dataclasses.replace(run, sealed=False))
    if step in ("partial", "problem"):
        lost = ("lost",)
        spoiled = (
            dataclasses.replace(run, partial=lost)
            if step == "partial"
            else dataclasses.replace(run, problems=lost)
        )
        return dataclasses.replace(world, run=spoiled)
    if step in ("hole", "harm"):
        return draw(changed_slot(plan, world, lose=step == "hole")) if world.seen else world
    return draw(changed_check(world, step))


@st.composite
def changed_check(draw: st.DrawFn, world: World, step: str) -> World:
    """The world with one attempt spoiled, a failing one added, or all of an item lost."""
    item = draw(st.sampled_from(sorted(world.checks)))
    attempts = list(world.checks[item])
    bad = Attempt(draw(st.sampled_from(BAD)))
    if step == "vanish":
        attempts = []
    elif step == "failing":
        attempts.insert(draw(st.integers(0, len(attempts))), bad)
    elif attempts:
        attempts[draw(st.integers(0, len(attempts) - 1))] = bad
    return dataclasses.replace(world, checks={**world.checks, item: tuple(attempts)})


@st.composite
def changed_slot(draw: st.DrawFn, plan: Plan, world: World, *, lose: bool) -> World:
    """The world with one value lost or worsened in place; of a lost one the weight may be too.

    A slot that was recorded twice with different values holds none that could be worsened.
    """
    chosen = draw(st.sampled_from(world.seen))
    rule = next(one for one in rules_of(plan) if one.metric == chosen.slot.series)
    value = chosen.value
    copies = [one for one in world.seen if one.slot == chosen.slot]
    if lose:
        value = Hole("lost", draw(st.sampled_from((opportunities(chosen), None))))
    elif not isinstance(value, Hole) and all(one.value == value for one in copies):
        value = worsened(draw, rule, value)
    else:
        return world
    changed = copies if draw(st.booleans()) else [chosen]
    seen_now = tuple(
        dataclasses.replace(one, value=value) if one in changed else one for one in world.seen
    )
    return dataclasses.replace(world, seen=seen_now)


MANY = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(st.data())
@MANY
def test_worse_evidence_never_turns_another_decision_into_go(data: st.DataObject) -> None:
    plan = data.draw(plans())
    world = data.draw(worlds(plan))
    before = decided(plan, world)
    event(f"before: {before.answer.value}")
    for _ in range(data.draw(st.integers(1, 4))):
        worse = data.draw(degradations(plan, world))
        after = decided(plan, worse)
        event(f"{before.answer.value} -> {after.answer.value}")
        if after.answer is Answer.GO:
            note(f"before: {before.reasons}\nafter: {after.reasons}")
            assert before.answer is Answer.GO
        world, before = worse, after


WATCHED = """\
    criteria: [{{id: c0, kind: load}}]
    guardrails: [{{id: g0, metric: g0, take: {take}, fail: "> 1", over: {over}, then: [{then}]}}]
"""


@given(st.data())
@MANY
def test_what_a_guardrail_lost_is_never_forgotten(data: st.DataObject) -> None:
    plan = plan_of(
        WATCHED.format(
            take=data.draw(st.sampled_from(("max", "mean", "sum", "last", "p50"))),
            over=data.draw(st.sampled_from(OVER[1:4])),
            then=data.draw(st.sampled_from(("warn", "pause"))),
        )
    )
    good = [seen(0, END - age, "g0") for age in (90, 60, 30)]
    (rule,) = rules_of(plan)
    early = data.draw(st.lists(slots(rule), min_size=1, max_size=5))
    world = world_of(plan, [*early, *good])
    before = decided(plan, world)
    for _ in range(data.draw(st.integers(1, 2))):
        world = data.draw(changed_slot(plan, world, lose=data.draw(st.booleans())))
        after = decided(plan, world)
        event(f"{before.answer.value} -> {after.answer.value}")
        assert before.answer is Answer.GO or after.answer is not Answer.GO
        before = after
