"""What a run that was killed may have seen: a hole in every series and group, at one time."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from pytest_rollout.model.evidence import Lost, Seen, World
from pytest_rollout.model.finding import Part
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import (
    NINE,
    SECOND,
    criterion,
    decided,
    guardrail,
    plan_of,
    samples,
    seen,
    text,
    world_of,
)

END = 3600
WHY = "its run was never sealed"
SINCE = 'metric: m, take: max, pass: "<= 1", over: [{since: begin}]'


def parts(rule: str, observed: Sequence[Seen], *times: float) -> tuple[Part, ...]:
    """The parts of a rule where runs were lost at times, in seconds after nine."""
    plan = plan_of(criterion(rule))
    finding = decided(plan, _world(plan, observed, times)).criteria[0]
    return finding.parts[1:]


def _world(plan: Plan, observed: Sequence[Seen], times: Sequence[float]) -> World:
    lost = tuple(Lost(f"k{n}", NINE + round(t * SECOND), WHY) for n, t in enumerate(times))
    return dataclasses.replace(world_of(plan, observed), lost=lost)


def verdicts(rule: str, observed: Sequence[Seen], *times: float) -> dict[str, Verdict]:
    return {part.subject.name: part.verdict for part in parts(rule, observed, *times)}


def test_it_caps_a_rule_at_inconclusive() -> None:
    assert verdicts(SINCE, samples(0, 0)) == {"": Verdict.PASS}
    (part,) = parts(SINCE, samples(0, 0), 600)
    assert part.verdict is Verdict.INCONCLUSIVE
    assert text(part) == f"1 of 3 samples of m cannot be judged: {WHY}"


def test_it_does_not_hide_what_fails_anyway() -> None:
    assert verdicts(SINCE, samples(0, 2), 600) == {"": Verdict.FAIL}


def test_a_rule_over_the_run_alone_does_not_mind() -> None:
    assert verdicts('metric: m, take: max, pass: "<= 1"', samples(0), 600) == {"": Verdict.PASS}


@pytest.mark.parametrize(
    ("over", "at", "expected"),
    [
        ("{span: 10m}", END - 601, Verdict.PASS),
        ("{span: 10m}", END - 600, Verdict.PASS),
        ("{span: 10m}", END - 599, Verdict.INCONCLUSIVE),
        ("{last: 2}", END - 31, Verdict.PASS),
        ("{last: 2}", END - 30, Verdict.INCONCLUSIVE),
        ("{last: 2}", END, Verdict.INCONCLUSIVE),
        ("{since: begin}", -1, Verdict.PASS),
        ("{since: begin}", 0, Verdict.INCONCLUSIVE),
    ],
)
def test_a_scope_reaches_it_as_the_newest_of_its_time(
    over: str, at: float, expected: Verdict
) -> None:
    rule = f'metric: m, take: max, pass: "<= 1", over: [{over}]'
    observed = [seen(0, END - 30, seq=1), seen(0, END - 10)]
    assert verdicts(rule, observed, at) == {"": expected}


def test_it_lies_in_every_group_that_is_listed_whatever_labels_a_rule_asks_for() -> None:
    rule = f"{SINCE}, where: {{site: x}}, each: {{lane: [A, B]}}"
    good = [*samples(0, lane="A", site="x"), *samples(0, lane="B", site="x")]
    both = {"lane A": Verdict.INCONCLUSIVE, "lane B": Verdict.INCONCLUSIVE}
    assert verdicts(rule, good, 600) == both


def test_where_groups_are_only_counted_it_lies_in_one_of_its_own() -> None:
    rule = f"{SINCE}, each: {{lane: 2}}"
    good = [*samples(0, lane="A"), *samples(0, lane="B")]
    found = verdicts(rule, good, 600)
    assert found == {
        "lane A": Verdict.PASS,
        "lane B": Verdict.PASS,
        "lane ?": Verdict.INCONCLUSIVE,
    }
    assert verdicts(rule, samples(0, lane="A"), 600)["every lane"] is Verdict.MISSING


def test_two_runs_may_be_lost_at_once() -> None:
    (part,) = parts(SINCE, samples(0), 600, 700)
    assert text(part) == f"2 of 3 samples of m cannot be judged: {WHY}"


def test_it_blinds_a_guardrail_until_the_phase_begins_anew() -> None:
    plan = plan_of(guardrail('metric: m, over: [{last: 2}], take: max, fail: "> 1"'))
    observed = [*samples(0, 0), seen(0, END - 2), seen(0, END - 1)]
    decision = decided(plan, _world(plan, observed, [600]))
    (cause,) = decision.reasons
    assert cause.id == "p.one.g"
    assert text(cause) == f"blind: 1 of 1 sample of m cannot be judged: {WHY}"


def test_stale_or_not_it_is_a_hole() -> None:
    plan = plan_of(criterion(SINCE))
    old = -86_401
    world = _world(plan, samples(0), [old])
    early = dataclasses.replace(
        world,
        run=dataclasses.replace(world.run, environment="prod"),
        begun_us=NINE - 2 * 86_400 * SECOND,
    )
    assert decided(plan, early).answer.value == "HOLD"


@pytest.mark.parametrize(
    "scope",
    ["over: [{days: 1}]", "per: day", "per: 1d", "over: [{since: begin, until: 10m}]"],
)
def test_what_it_saw_may_be_of_an_earlier_day_or_bucket(scope: str) -> None:
    rule = f"metric: m, take: max, {scope}"
    items = [seen(0, -29.9 * 3600), seen(0, -9 * 3600), seen(0, -8.5 * 3600)]
    lost = (Lost("r0", NINE, WHY),)  # recorded after midnight, seen perhaps before
    low, high = criterion(f'{rule}, pass: "<= 1"'), guardrail(f'{rule}, fail: "> 1"')
    for plan in map(plan_of, (low, high)):
        whole = world_of(plan, items, begun_us=NINE - 30 * 3600 * SECOND)
        assert decided(plan, whole).answer.value == "GO"
        (cause,) = decided(plan, dataclasses.replace(whole, lost=lost)).reasons
        assert cause.answer.value == "HOLD"
        assert f"is lost ({WHY}), and it may be of any time before" in text(cause)
