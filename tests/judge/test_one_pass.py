"""One pass over the slots of a group finds how each look at it ends, as if each was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.judge import folds, guardrails, rules
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.domain import admitted
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.judge.looks import Look
from pytest_rollout.judge.rules import could_fail, fails, judge, judge_slice, terms_of
from pytest_rollout.judge.series import Sides, grouped
from pytest_rollout.judge.slices import Reach, Slice, slice_of, slices
from pytest_rollout.judge.sliding import Window
from pytest_rollout.judge.tally import Terms
from pytest_rollout.judge.trip_candidates import changes, endings, standings
from pytest_rollout.model.evidence import Hole, Sample, Seen, Slot
from pytest_rollout.model.rule import Rule, Streak
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import NINE, SECOND, criterion, guardrail, plan_of, seen, world_of

TAKES = (
    "count",
    "sum",
    "mean",
    "min",
    "max",
    "last",
    "rate",
    "increase",
    "p50",
    "p90",
    "{share: '<= 1'}",
)
OVER = (
    "{span: 2m, need: 2}",
    "{span: 1m, need: 3}, {span: 5m, need: 2}",
    "{last: 2, need: 2}",
    "{last: 4, need: 2}, {since: begin, need: 2}",
    "{since: begin, need: 2}",
    "{since: begin, until: 3m, need: 2}",
    "{days: 1, need: 2}",
    "{nights: 1, need: 2}, {last: 3, need: 2}",
)
SIDES = (
    *("", "", ""),
    ", versus: {metric: o}",
    ", versus: {metric: o, as: ratio}",
    ", versus: {metric: o, frozen: begin}",
    ", versus: {metric: o, release: '1.4'}",
)
LIMITS = ("0", "0.5", "1", "2", "4")
ROWS = ("soak: {for: 2m, gap: 90s}", "in_a_row: 3", "in_a_row: {n: 4, gaps: skip}")


@dataclass(frozen=True)
class Group:
    """A rule and what was seen of its one group."""

    rule: Rule
    sides: Sides
    moments: Sequence[int]
    reach: Reach
    terms: Terms

    def slice_at(self, moment: int) -> Slice:
        """What is judged at a moment."""
        return slice_of(self.rule, (), self.sides, replace(self.reach, at_us=moment))


@st.composite
def stated(draw: st.DrawFn, *, watched: bool) -> str:
    """A rule of a guardrail, or of a criterion."""
    take, over = draw(st.sampled_from(TAKES)), draw(st.sampled_from(OVER))
    keys = f"take: {take}, over: [{over}]"
    versus = draw(st.sampled_from(SIDES)) if take != "count" else ""
    if "ratio" in versus and ("share" in take or take == "increase"):
        versus = ""
    keys += versus
    if not versus and take not in ("count", "increase") and "share" not in take:
        keys += draw(st.sampled_from(("", "", ", tolerate: {failures: 2, in_a_row: 1}")))
    limit, up = draw(st.sampled_from(LIMITS)), draw(st.booleans())
    if take == "count":  # of which there may be too few, and never too many
        up = not watched
    if watched:
        if take in ("rate", "p50", "p90") and not versus and "tolerate" not in keys:
            keys += draw(st.sampled_from(("", ", confidence: {level: 60%, windows: 2}")))
        return f'{keys}, fail: "{">" if up else "<"} {limit}"'
    if not versus and "tolerate" not in keys and (take == "rate" or "share" in take):
        keys += draw(st.sampled_from(("", ", confidence: 60%")))
    keys += f', pass: "{">=" if up else "<="} {limit}"'
    if draw(st.booleans()):
        keys += f', warn: "{"<=" if up else ">="} {limit}"'
    if draw(st.booleans()):
        keys += f', fail: "{"< -1" if up else "> 5"}"'
    return keys


VALUES: st.SearchStrategy[Sample | Hole] = st.one_of(
    st.sampled_from((0, 0, 1, 1, 2, 3, -1)).map(lambda value: ((Fraction(value), 1),)),
    st.sampled_from((((Fraction(1), 2), (Fraction(0), 3)), (), ((Fraction(1), 4),))),
    st.sampled_from((Hole("x"), Hole("x", 1), Hole("x", 2))),
)


@st.composite
def groups(draw: st.DrawFn, *, watched: bool) -> Group:
    """A rule, its slots and those that it is compared with, and when it is looked at."""
    text = draw(stated(watched=watched))
    plan = plan_of(guardrail(f"metric: m, {text}") if watched else criterion(f"metric: m, {text}"))
    phase = plan.phases[0]
    rule = phase.guardrails[0].rules[0] if watched else phase.criteria[-1].rule
    assert rule is not None
    sides: dict[str, list[Seen]] = {"m": [], "o": []}
    t, moments = 0, set()
    holed = draw(st.booleans())
    for seq in range(draw(st.integers(0, 14))):
        t += draw(st.sampled_from((0, 20, 40, 60, 60, 50_000)))
        series = draw(st.sampled_from("mmo"))
        value = draw(VALUES.filter(lambda value: holed or not isinstance(value, Hole)))
        at_us = NINE + t * SECOND
        sides[series].append(Seen(Slot(series, (), at_us, seq), value, at_us, "r1", "1.4"))
        if series == "m" or not draw(st.integers(0, 3)):
            moments.add(at_us)
    moments |= {NINE + (t + draw(st.integers(0, 200_000))) * SECOND for _ in range(3)}
    at_us = max(moments)
    begun_us = draw(st.sampled_from((NINE, NINE + 50 * SECOND, None)))
    case = Case(plan, phase, world_of(plan, begun_us=begun_us), at_us)
    taken = admitted(rule, sides["m"]), admitted(rule, sides["o"], other=True)
    found = grouped(rule, *taken, at_us)[()]
    terms = terms_of(rule, case)
    return Group(rule, found, sorted(moments), Reach.of(case), replace(terms, watched=watched))


def at(group: Group, moment: int) -> tuple[bool, bool, bool, bool]:
    """What judging one slice by itself says of it."""
    slice_ = group.slice_at(moment)
    judged = group.rule, slice_, group.terms
    return fails(*judged), could_fail(*judged), Look(moment, slice_).few, not slice_.own


@given(groups(watched=True))
def test_each_look_ends_as_if_it_was_judged_by_itself(group: Group) -> None:
    known = (group.rule, (), group.sides, group.moments, group.reach, group.terms)
    found = list(standings(*known))
    assert [one.at_us for one in found] == list(group.moments)
    for one in found:
        assert (one.trips, one.lost, one.few, one.empty) == at(group, one.at_us)
    changed = list(changes(*known))
    assert changed[0].at_us == group.moments[0]
    held = {one.at_us: one for one in changed}
    current = changed[0]
    for one in found:
        current = held.get(one.at_us, current)
        assert replace(current, at_us=one.at_us) == one


@given(groups(watched=False))
def test_each_look_of_a_row_ends_as_if_it_was_judged_by_itself(group: Group) -> None:
    found = endings(group.rule, (), group.sides, group.moments, group.reach, group.terms)
    for moment, verdict in zip(group.moments, found, strict=True):
        slice_ = group.slice_at(moment)
        alone = judge_slice(group.rule, slice_, group.terms).verdict
        if alone in (Verdict.PASS, Verdict.WARN):
            assert verdict is alone
        else:
            assert verdict is (None if Look(moment, slice_).few else Verdict.FAIL)


@given(groups(watched=False), st.sampled_from(ROWS), st.sampled_from((1, 2)))
def test_a_row_is_the_same_however_many_looks_are_judged_by_themselves(
    group: Group, row: str, alone: int
) -> None:
    plan = plan_of(criterion(f"metric: m, take: last, pass: '< 1', {row}"))
    found = plan.phases[0].criteria[0].rule
    assert found is not None
    rule = replace(group.rule, streak=found.streak)
    judged = partial(judge_slice, rule, terms=group.terms)
    found_by = []
    for number in (alone, 1000):
        with mock.patch.object(folds, "ALONE", number):
            found_by.append(folds.fold(rule, {(): group.sides}, group.reach, group.terms, judged))
    assert found_by[0] == found_by[1]


def case_of(text: str, items: Sequence[Seen]) -> Case:
    """A plan of one phase and what was seen, judged as the newest was."""
    plan = plan_of(text)
    world = world_of(plan, items, begun_us=NINE)
    return Case(plan, plan.phases[0], world, items[-1].slot.t_us)


@pytest.mark.parametrize("place", [5, 195])
def test_a_warning_anywhere_in_a_row_is_what_the_row_comes_to(place: int) -> None:
    items = [seen(1.8 if i == place else 1, i) for i in range(200)]
    case = case_of(criterion("metric: m, take: last, pass: '< 2', warn: '> 1.5'"), items)
    rule = case.phase.criteria[0].rule
    assert rule is not None
    found = {n: judge(replace(rule, streak=Streak(n)), case)[0].verdict for n in (4, 195)}
    assert found == {4: Verdict.PASS, 195: Verdict.WARN}


def test_where_all_is_lost_nothing_trips() -> None:
    row = "take: count, fail: '< 4', over: [{last: 2, need: 2}], in_a_row: 1"
    case = case_of(guardrail(f"metric: m, {row}"), [seen(None, 0), seen(None, 60)])
    assert judge_guardrail(case, case.phase.guardrails[0]).verdict is Verdict.INCONCLUSIVE


N = 600
LOOKED = (
    "take: p95, fail: '> 9', over: [{span: 4h}]",
    "take: mean, fail: '> 9', over: [{last: 200}]",
    "take: max, fail: '> 9', over: [{days: 1}, {last: 100}]",
    "take: max, fail: '> 9', over: [{since: begin}], in_a_row: 3",
    "take: p50, fail: '> 9', versus: {metric: o}",
    "take: mean, fail: '> 9', over: [{span: 4h}], versus: {metric: o, as: ratio}",
    "each: {lane: 2}, take: min, fail: '> 9', over: [{span: 4h}]",
)


@pytest.mark.parametrize("rule", LOOKED)
def test_a_slot_comes_into_a_window_and_leaves_it_once(
    rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, looked = 0, 0
    count, cut = Window._count, slices

    def counting(self: Window, one: Seen, sign: int) -> None:
        nonlocal counted
        counted += 1
        count(self, one, sign)

    def looking(*given: object) -> object:
        nonlocal looked
        looked += 1
        return cut(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(Window, "_count", counting)
    monkeypatch.setattr(guardrails, "slices", looking)
    items = [
        seen(1 + i % 3, 60 * i, name, lane="AB"[i % 2], seq=n)
        for i in range(N)
        for n, name in enumerate("mo")
    ]
    case = case_of(guardrail(f"metric: m, {rule}"), items)
    assert judge_guardrail(case, case.phase.guardrails[0]).verdict is Verdict.PASS
    sides = 2 if "versus" in rule else 1
    assert N <= counted <= 2 * N * sides * (2 if "days" in rule else 1)
    assert looked <= 4


@pytest.mark.parametrize("over", ["{span: 2h}", "{last: 100}", "{since: begin}"])
def test_a_long_row_judges_few_of_its_looks_by_themselves(
    over: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def counting(rule: Rule, slice_: Slice, terms: Terms) -> object:
        nonlocal asked
        asked += 1
        return judge_slice(rule, slice_, terms)

    monkeypatch.setattr(rules, "judge_slice", counting)
    items = [seen(1, 60 * i) for i in range(N)]
    text = f"metric: m, take: mean, pass: '< 2', over: [{over}], soak: {{for: 30d, gap: 1h}}"
    case = case_of(criterion(text), items)
    rule = case.phase.criteria[0].rule
    assert rule is not None
    (part,) = judge(rule, case)
    assert part.verdict is Verdict.INCONCLUSIVE
    assert str(N) in str(part.reason.facts), "all of them are in the row"
    assert asked <= 100
