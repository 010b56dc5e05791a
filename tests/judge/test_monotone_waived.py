"""The theorem with waivers: worse evidence still never turns another decision into GO.

A waiver is part of the plan, so it is the same before and after. Of a waived plain check a
failure is what is accepted, so there the way for the worse leads from a pass over a failure to
nothing seen: a check that was never heard of and then fails has been heard of.
"""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import event, given, note
from hypothesis import strategies as st

from pytest_rollout.model.evidence import Attempt, World
from pytest_rollout.model.plan import Criterion, Plan
from pytest_rollout.model.rule import Cut
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, Waives
from tests.judge.drawn_plans import planned, rules
from tests.judge.drawn_worlds import worlds
from tests.judge.test_monotone import MANY
from tests.judge.worlds import bare, decided, plan_of, seen, told, world_of
from tests.judge.worsening import changed_slot, degradations

UNSEEN = (Verdict.ERROR, Verdict.MISSING)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A phase with a good check, a plain check and a rule, the last two of them waivable."""
    rule = draw(rules("c0", guardrail=False))
    return planned(
        "    criteria:\n"
        "      - {id: ok, kind: demo}\n"
        f"      - {{id: c0, kind: load, {rule}}}\n"
        f"      - {{id: c1, kind: demo, severity: {draw(st.sampled_from(('hard', 'optional')))}}}\n"
    )


@st.composite
def waived(draw: st.DrawFn, plan: Plan) -> Plan:
    """The plan with waivers of what fails often, the rule with a limit or without."""
    last = draw(st.sampled_from((dt.date(2025, 11, 9), *[dt.date(2025, 11, 30)] * 5)))
    waivers = tuple(
        Waiver(Waives.CRITERION, "one", one.id, "because", "A", "B", last, draw(limits(one)))
        for one in plan.phases[0].criteria
        if one.id != "ok" and draw(st.integers(0, 3))
    )
    return dataclasses.replace(plan, waivers=waivers)


@st.composite
def limits(draw: st.DrawFn, stated: Criterion) -> Cut | None:
    """No limit, or one beyond what passes."""
    if stated.rule is None or draw(st.booleans()):
        return None
    passes = stated.rule.bands.passes
    further = draw(st.sampled_from((1, 2, 4)))
    limit = passes.limit - further if passes.upward else passes.limit + further
    return Cut(passes.operator, limit, f"{passes.operator} {limit}")


@st.composite
def worse(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The world after a step for the worse, of a waived check away from what is accepted."""
    if draw(st.booleans()) and world.seen:
        return draw(changed_slot(plan, world, lose=draw(st.booleans())))
    _, changed = draw(degradations(plan, world))
    accepted = {f"t.py::test_{one.what}" for one in plan.waivers}
    for item in accepted:
        before, after = world.checks.get(item, ()), changed.checks.get(item, ())
        told = any(one.verdict in UNSEEN for one in before) or not before
        if before != after and told and any(one.verdict is Verdict.FAIL for one in after):
            lost = tuple(
                Attempt(Verdict.MISSING) if one.verdict is Verdict.FAIL else one for one in after
            )
            changed = dataclasses.replace(changed, checks={**changed.checks, item: lost})
    return changed


@pytest.mark.slow
@given(st.data())
@MANY
def test_worse_evidence_never_turns_another_decision_into_go(data: st.DataObject) -> None:
    plan = data.draw(waived(data.draw(plans())))
    world = data.draw(worlds(plan))
    before = decided(plan, world)
    event(f"before: {before.answer.value}, {'waived' if _accepted(before.waivers) else 'plain'}")
    for _ in range(data.draw(st.integers(1, 4))):
        changed = data.draw(worse(plan, world))
        after = bare(plan, changed)
        event(f"{before.answer.value} -> {after.answer.value}")
        if after.answer is Answer.GO:
            note(f"before: {told(before)}\nafter: {told(after)}")
            assert before.answer is Answer.GO
        world, before = changed, after


def _accepted(waivers: tuple[object, ...]) -> bool:
    return any(getattr(one, "use", "") == "applied" for one in waivers)


@pytest.mark.slow
@given(st.data())
@MANY
def test_what_was_lost_is_never_waived(data: st.DataObject) -> None:
    take = data.draw(st.sampled_from(("max", "sum", "p50", "p90", "last", "mean")))
    rule = f'metric: c0, take: {take}, pass: "<= 1", need: {data.draw(st.integers(1, 3))}'
    plan = data.draw(
        waived(plan_of(f"    criteria: [{{id: ok, kind: demo}}, {{id: c0, kind: load, {rule}}}]\n"))
    )
    values = data.draw(
        st.lists(st.sampled_from(("0", "1", "2", "9", None)), min_size=1, max_size=4)
    )
    world = world_of(plan, [seen(value, 60 * at, "c0") for at, value in enumerate(values)])
    before = decided(plan, world)
    for _ in range(data.draw(st.integers(1, 3))):
        world = data.draw(changed_slot(plan, world, lose=data.draw(st.booleans())))
        after = bare(plan, world)
        event(f"{before.answer.value} -> {after.answer.value}")
        assert before.answer is Answer.GO or after.answer is not Answer.GO
        before = after


@pytest.mark.slow
@given(st.data())
@MANY
def test_a_waiver_takes_no_go_away(data: st.DataObject) -> None:
    unwaived = data.draw(plans())
    world = data.draw(worlds(unwaived))
    if decided(unwaived, world).answer is Answer.GO:
        assert decided(data.draw(waived(unwaived)), world).answer is Answer.GO
