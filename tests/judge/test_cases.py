"""Small inputs that went wrong once, and what is next to them: the same in other scopes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import pytest

from pytest_rollout.model.evidence import Lost, Seen
from pytest_rollout.model.finding import codes
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer, State, Verdict
from tests.judge.worlds import (
    AT,
    DAY,
    NINE,
    SECOND,
    at,
    compared,
    criterion,
    decided,
    guardrail,
    judged,
    plan_of,
    samples,
    seen,
    text,
    told,
    watched,
    world_of,
)

FAIL, MISSING, INCONCLUSIVE = Verdict.FAIL, Verdict.MISSING, Verdict.INCONCLUSIVE
WARN, PASS = Verdict.WARN, Verdict.PASS
HOUR_NOW = (AT - NINE) // SECOND


def series(name: str, values: Iterable[tuple[float, object]], **more: object) -> list[Seen]:
    """What was seen of a series: seconds after nine, and values."""
    return [seen(value, t, name, **more) for t, value in values]  # type: ignore[arg-type]


# --- a look uses of both sides only what its scope holds then ---------------------------------


LOOKS = {  # what a look at 2 s holds of the other side is the 1 alone
    "last": compared("over: [{last: 1, need: 1}]"),
    "span": compared("over: [{span: 2s}]"),
    "since": compared("over: [{since: begin}]"),
    "since, for a while": compared("over: [{since: begin, until: 3s}]"),
    "frozen": compared("over: [{last: 1}]", ", frozen: begin"),
    "in a row": compared("over: [{last: 1}], in_a_row: 1"),
    "for a while": compared("over: [{last: 1}], in_a_row: {for: 2s, gap: 2s}"),
    "ratio": compared("over: [{last: 1}]", ", as: ratio"),
}
OWN = series("m", [(2, 5), (4, 5)])


@pytest.mark.parametrize("how", LOOKS)
def test_a_look_at_a_comparison_does_not_see_what_comes_later(how: str) -> None:
    lasting = how == "for a while"  # its row is bad at 2 and at 4, or it is none
    other = series("b", [(1, 1), (3, 1 if lasting else 5)])
    begun = at(1) if how == "frozen" else NINE
    plan = plan_of(guardrail(f'{LOOKS[how]}, fail: "> 1"'))
    world = world_of(plan, [*OWN, *other], begun_us=begun)
    decision = decided(plan, world, at_us=at(4))
    assert decision.answer is Answer.ROLLBACK
    told_of_trip = "5 times that of b" if how == "ratio" else "4 more than that of b"
    assert f"mean of m was 5, {told_of_trip}" in told(decision)[0]


@pytest.mark.parametrize("how", ["last", "in a row", "ratio"])
def test_what_comes_later_trips_no_look_before_it(how: str) -> None:
    other = series("b", [(1, 5), (3, 1)])
    rule = f'{LOOKS[how]}, fail: "> 1"'
    assert watched(rule, [*series("m", [(2, 5), (4, 1)]), *other], at(4)) == "quiet"
    assert watched(rule, [*OWN, *other], at(4)) == "tripped"


IN_A_ROW = ["last", "span", "since", "frozen"]


@pytest.mark.parametrize("how", IN_A_ROW)
def test_each_look_of_a_row_is_compared_with_what_was_known_then(how: str) -> None:
    rule = f'{LOOKS[how]}, in_a_row: 2, pass: "<= 1"'
    early, late = series("b", [(1, 1), (3, 5)]), series("b", [(1, 5), (3, 5)])
    begun = at(1) if how == "frozen" else NINE
    finding = judged(rule, [*OWN, *early], at(4), begun_us=begun)
    assert finding.verdict not in (PASS, WARN)
    assert "4 more" in text(finding) or "2 more" in text(finding)
    assert judged(rule, [*OWN, *late], at(4), begun_us=begun).verdict is PASS


def test_the_first_look_of_a_row_is_the_one_that_is_bad() -> None:
    finding = judged(f'{LOOKS["last"]}, in_a_row: 2, pass: "<= 1"', [*OWN, *EARLY], at(4))
    assert finding.verdict is INCONCLUSIVE
    assert text(finding) == (
        "1 in a row, 2 needed; before: mean of m was 5, 4 more than that of b, over 1 sample "
        "among the last 1; allowed <= 1; now: mean of m was 5, 0 more than that of b, over "
        "1 sample among the last 1; allowed <= 1"
    )


EARLY = series("b", [(1, 1), (3, 5)])
BUCKETS = {"per: day": DAY, "per: 1h": 3600, "per: 1m": 60}


@pytest.mark.parametrize("per", BUCKETS)
@pytest.mark.parametrize("row", ["", ", in_a_row: 2"])
def test_a_bucket_is_compared_with_the_same_bucket(per: str, row: str) -> None:
    length = BUCKETS[per]
    first = -2 * length if per == "per: day" else 0
    own = series("m", [(first + 1, 5), (first + length + 1, 5)])
    other = series("b", [(first + 2, 1), (first + length + 2, 9)])
    now = at(max(HOUR_NOW, first + 2 * length + 5))
    rule = f'{compared(per)}{row}, pass: "<= 1", fail: "> 1"'
    finding = judged(rule, [*own, *other], now, begun_us=at(first))
    assert finding.verdict is (INCONCLUSIVE if row else FAIL)
    assert "mean of m was 5, 4 more than that of b, over 1 sample in that" in text(finding)
    rail = rule.replace('pass: "<= 1", ', "").replace(row, "")
    assert watched(rail, [*own, *other], now, begun_us=at(first)) == "tripped"
    both = series("b", [(first + 2, 5), (first + length + 2, 9)])
    assert judged(rule, [*own, *both], now, begun_us=at(first)).verdict is PASS
    assert watched(rail, [*own, *both], now, begun_us=at(first)) == "quiet"


@pytest.mark.parametrize("row", ["", ", in_a_row: 2"])
def test_a_run_is_compared_with_what_it_saw_itself(row: str) -> None:
    earlier = [seen(5, 0, run="r0"), seen(1, 1, "b", run="r0")]
    deciding = [seen(5, 60), seen(5, 61, "b")]
    finding = judged(f'{compared("per: run")}{row}, pass: "<= 1"', [*earlier, *deciding])
    assert finding.verdict is (INCONCLUSIVE if row else FAIL)
    assert "mean of m was 5, 4 more than that of b, over 1 sample in that run" in text(finding)
    alike = [seen(5, 0, run="r0"), seen(5, 1, "b", run="r0"), *deciding]
    assert judged(f'{compared("per: run")}{row}, pass: "<= 1"', alike).verdict is PASS


@pytest.mark.parametrize("more", ["over: [{last: 1}]", "over: [{last: 1}], in_a_row: 1"])
def test_the_other_side_that_a_later_run_brings_late_undoes_no_trip(more: str) -> None:
    rule = f'{compared(more)}, fail: "> 1"'
    first = [*series("m", [(2, 5)]), *series("b", [(1, 1)])]
    late = series("b", [(1.5, 5), (3, 5)], run="r2", recorded=20)
    assert watched(rule, first, at(20)) == "tripped"
    later = [*late, seen(5, 4, run="r2", recorded=20)]
    assert watched(rule, [*first, *later], at(20)) == "tripped"
    assert watched(rule, [*later, *first], at(20)) == "tripped"


@pytest.mark.parametrize("late_run", ["r0", "r9"])
def test_what_a_long_run_saw_of_the_other_side_before_counts_as_known(late_run: str) -> None:
    rule = f'{compared("over: [{last: 1}]")}, fail: "> 1"'
    short = series("m", [(2, 5)], run="r1")
    early = series("b", [(1, 1)], run=late_run, recorded=1)
    late = series("b", [(1.5, 5)], run=late_run, recorded=20)
    assert watched(rule, [*short, *early], at(30)) == "tripped"
    assert watched(rule, [*short, *early, *late], at(30)) == "tripped"
    assert watched(rule, [*short, *late], at(30)) == "quiet"  # nothing was known of it then


def test_the_other_side_that_comes_late_counts_at_its_own_time() -> None:
    rule = f'{compared("over: [{last: 1}]")}, fail: "> 1"'
    first = [*series("m", [(2, 5), (4, 1)]), *series("b", [(1, 5)])]
    assert watched(rule, first, at(20)) == "quiet"
    late = series("b", [(1.5, 1)], run="r2", recorded=20)
    assert watched(rule, [*first, *late], at(20)) == "tripped"


# --- looks that could not be judged are not forgotten -----------------------------------------


Values = list[tuple[float, object]]  # seconds after nine, and what was seen
OUTSIDE: dict[str, tuple[str, Values, Values]] = {  # a rule, what trips it, and what is outside
    "last": (
        'take: rate, over: [{last: 2, need: 2}], fail: "> 0.4"',
        [(1, 0), (2, 1), (3, 0), (4, 0)],
        [(1, 0), (2, 2), (3, 0), (4, 0)],
    ),
    "span": (
        'take: rate, over: [{span: 2s, need: 2}], fail: "> 0.4"',
        [(1, 0), (2, 1), (3, 0), (4, 0)],
        [(1, 0), (2, 2), (3, 0), (4, 0)],
    ),
    "since": (
        'take: rate, fail: "> 0.4"',
        [(1, 0), (2, 1), (3, 0), (4, 0)],
        [(1, 0), (2, 2), (3, 0), (4, 0)],
    ),
    "in a row": (
        'take: rate, over: [{last: 1}], in_a_row: 3, fail: "> 0.5"',
        [(1, 1), (2, 1), (3, 1), (4, 0)],
        [(1, 1), (2, 2), (3, 1), (4, 0)],
    ),
    "day": (
        'take: rate, per: day, fail: "> 0.5"',
        [(-2 * DAY, 1), (-2 * DAY + 1, 1), (-DAY, 0), (-DAY + 1, 0)],
        [(-2 * DAY, 1), (-2 * DAY + 1, 2), (-DAY, 0), (-DAY + 1, 0)],
    ),
    "minute": (
        'take: rate, per: 1m, fail: "> 0.5"',
        [(0, 1), (1, 1), (60, 0), (61, 0)],
        [(0, 1), (1, 2), (60, 0), (61, 0)],
    ),
    "half an outcome": (
        "take: rate, confidence: {level: 95%, windows: 1}, over: [{last: 20, need: 20}], "
        'fail: "> 0.2"',
        [*((n, int(n < 12)) for n in range(20)), *((n, 0) for n in range(20, 40))],
        [*((n, 0.5 * (n < 12)) for n in range(20)), *((n, 0) for n in range(20, 40))],
    ),
    "a counter": (
        'take: increase, over: [{last: 2}], fail: "> 5"',
        [(1, 0), (2, 9), (3, 9), (4, 9)],
        [(1, 0), (2, -1), (3, 9), (4, 9), (5, 9)],
    ),
}


@pytest.mark.parametrize("how", OUTSIDE)
def test_a_guardrail_stays_blind_to_a_value_outside_of_its_domain(how: str) -> None:
    rule, trips, outside = OUTSIDE[how]
    rule = f"metric: m, {rule}"
    assert watched(rule, series("m", trips), at(200)) == "tripped"
    plan = plan_of(guardrail(rule))
    world = world_of(plan, series("m", outside))
    decision = decided(plan, world, at_us=at(200))
    assert (decision.guardrails[0].state, decision.answer) == (State.BLIND, Answer.HOLD)
    reset = Reset("p.one.g", "A. Person", "seen", at(max(t for t, _ in outside) - 0.5), "", "blind")
    lifted = decided(plan, dataclasses.replace(world, resets=(reset,)), at_us=at(200))
    assert not set(codes(lifted.guardrails[0].reason)) & {"holes", "might-complete"}


@pytest.mark.parametrize(
    ("fail", "own", "other", "states"),
    [
        ("> 1.1", "2", "1", {"tripped"}),
        ("> 1.1", "2", "0", {"blind"}),
        ("> 1.1", "0", "0", {"blind"}),
        ("> 1.1", "2", "-1", {"blind"}),
        ("< 0.9", "0.1", "1", {"tripped"}),
        ("< 0.9", "-1", "1", {"blind", "tripped"}),
        ("< 0.9", "2", "0", {"blind"}),
    ],
)
@pytest.mark.parametrize(
    "over", ["over: [{span: 60s}]", "over: [{last: 1}]", "over: [{last: 1}], in_a_row: 1"]
)
def test_a_ratio_that_was_undefined_once_is_not_forgotten(
    fail: str, own: str, other: str, states: set[str], over: str
) -> None:
    rule = f'{compared(over, ", as: ratio")}, fail: "{fail}"'
    alike = [(t, 1) for t in (120, 180)]
    first = [*series("m", [(60, own), *alike]), *series("b", [(59, other), *alike])]
    assert watched(rule, first, at(180)) in states
    assert watched(rule, [*series("m", alike), *series("b", alike)], at(180)) == "quiet"


def test_halves_among_the_last_twenty_are_no_outcomes() -> None:
    rule = "metric: m, take: rate, confidence: {level: 95%, windows: 9}, over: [{last: 20}], "
    halves = samples(*[0.5] * 5, *[0] * 15)
    assert watched(f'{rule}fail: "> 0.2"', halves) == "blind"
    assert watched(f'{rule}fail: "> 0.2"', samples(*[0] * 20)) == "quiet"


@pytest.mark.parametrize(
    "more",
    [
        "",
        "over: [{last: 3}], ",
        "over: [{span: 1d}], ",
        "over: [{since: begin}], ",
        "per: 1h, ",
        "per: run, ",
        "over: [{last: 3}], in_a_row: 1, ",
    ],
)
def test_a_criterion_is_no_better_for_a_value_outside_of_its_domain(more: str) -> None:
    rule = f'metric: m, take: rate, {more}pass: "<= 0.5"'
    finding = judged(rule, samples(0, 2, 0))
    assert finding.verdict is INCONCLUSIVE
    assert (
        "1 of 3 samples of m cannot be judged: "
        "a rate is of outcomes between 0 and 1, and 2 was observed"
    ) in text(finding)
    assert judged(rule, samples(0, 1, 0)).verdict is PASS


LOST_SIDE = {
    "last": "over: [{last: 5}]",
    "span": "over: [{span: 1h}]",
    "since": "over: [{since: begin}]",
    "per minute": "per: 1m",
    "per day": "per: day",
    "in a row": "over: [{last: 5}], in_a_row: 1",
}


@pytest.mark.parametrize("how", LOST_SIDE)
def test_what_a_killed_run_lost_of_the_other_side_is_a_hole_of_it(how: str) -> None:
    past = -DAY if how == "per day" else 0
    both = [*series("m", [(past + 61, 1), (past + 64, 1)]), *series("b", [(past + 62, 1)])]
    lost = Lost("w0", at(past + 63), "its run was never sealed", frozenset({"b"}))
    for known, verdict, state in (
        ((), PASS, State.QUIET),
        ((dataclasses.replace(lost, series=frozenset({"else"})),), PASS, State.QUIET),
        ((lost,), INCONCLUSIVE, State.BLIND),
    ):
        passes = plan_of(criterion(f'{compared(LOST_SIDE[how])}, pass: "<= 1"'))
        world = dataclasses.replace(world_of(passes, both, begun_us=at(past)), lost=known)
        finding = decided(passes, world).criteria[0]
        assert finding.verdict is verdict
        fails = plan_of(guardrail(f'{compared(LOST_SIDE[how])}, fail: "> 1"'))
        world = dataclasses.replace(world_of(fails, both, begun_us=at(past)), lost=known)
        assert decided(fails, world).guardrails[0].state is state
    edges = how in ("per minute", "per day")  # it may be of an earlier one
    lacks = "1 sample of the other side, b, cannot be judged: its run was never sealed"
    unknown = "what a run saw of m and b is lost (its run was never sealed)"
    assert (unknown if edges else lacks) in text(finding)


@pytest.mark.parametrize("t", [-1, 30])
def test_what_was_lost_is_no_hole_of_a_side_that_the_plan_fixes(t: float) -> None:
    rule = f'{compared("over: [{last: 1}]", ", frozen: begin")}, pass: "<= 1"'
    plan = plan_of(criterion(rule))
    both = [*series("m", [(61, 1)]), *series("b", [(-5, 1)])]
    lost = Lost("w0", at(t), "its run was never sealed", frozenset({"b"}))
    world = dataclasses.replace(world_of(plan, both), lost=(lost,))
    assert decided(plan, world).criteria[0].verdict is PASS


# --- reasons ----------------------------------------------------------------------------------


def test_a_hole_of_the_other_side_is_named_with_its_cause() -> None:
    rule = f'{compared("over: [{last: 3}]")}, pass: "<= 1"'
    other = [*samples(1, None, series="b"), seen("NaN", 120, "b")]
    finding = judged(rule, [*samples(1, 1), *other])
    assert finding.verdict is INCONCLUSIVE
    assert text(finding) == (
        "2 samples of the other side, b, cannot be judged: lost; no finite number was measured"
    )
    one = judged(rule, [*samples(1), seen(None, 0, "b")])
    assert text(one) == "1 sample of the other side, b, cannot be judged: lost"


def test_a_bucket_by_itself_is_not_counted_in_a_row() -> None:
    rule = 'metric: m, take: max, per: day, {}fail: "> 1"'
    plan = plan_of(guardrail(rule.format("")))
    (rail,) = decided(plan, world_of(plan, [seen(5, -DAY)])).guardrails
    assert text(rail) == (
        "tripped: max of m was 5 at 2025-11-09 09:00:00 EST, over 1 sample in that day; "
        "allowed <= 1"
    )
    plan = plan_of(guardrail(rule.format("in_a_row: 1, ")))
    (rail,) = decided(plan, world_of(plan, [seen(5, -DAY)])).guardrails
    assert text(rail).startswith("tripped: 1 in a row: max of m was 5")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([5], "the night until 2025-11-10 06:00:00 EST: max of m was 5"),
        ([5, 5, 5], "all 3 nights, the last until 2025-11-10 06:00:00 EST: max of m was 5"),
        ([0, 5, 0], "1 of 3 nights, the one until 2025-11-09 06:00:00 EST: max of m was 5"),
        ([5, 5, 0], "2 of 3 nights, the last until 2025-11-09 06:00:00 EST: max of m was 5"),
    ],
)
def test_what_is_said_of_nights(values: list[int], said: str) -> None:
    midnight = -9 * 3600
    observed = [seen(value, midnight - back * DAY) for back, value in enumerate(reversed(values))]
    begun = at(midnight - len(values) * DAY + DAY - 3600)
    finding = judged('metric: m, take: max, per: night, pass: "<= 1"', observed, begun_us=begun)
    assert finding.verdict is FAIL
    assert text(finding).startswith(said)


SCOPES = {
    "this run": "",
    "span": "over: [{span: 1h}], ",
    "last": "over: [{last: 3}], ",
    "since": "over: [{since: begin}], ",
    "since, for a while": "over: [{since: begin, until: 30m}], ",
    "age": "over: [{age: 10m}], ",
    "days": "over: [{days: 1}], ",
    "nights": "over: [{nights: 1}], ",
    "per run": "per: run, ",
    "per day": "per: day, ",
    "per minute": "per: 1m, ",
    "in a row": "over: [{last: 1}], in_a_row: 1, ",
    "for a while": "over: [{last: 1}], in_a_row: {for: 20m, gap: 20m}, ",
}
PAST = {
    "days": (-DAY,),
    "nights": (-9 * 3600,),
    "per day": (-DAY,),
    "for a while": (1500, 2700),
}


def before(how: str, value: int) -> tuple[list[Seen], int]:
    """What a scope reaches, and when the phase was begun."""
    moments = PAST.get(how, (1500,))
    return [seen(value, t) for t in moments], at(min(0, *moments))


@pytest.mark.parametrize("how", SCOPES)
def test_samples_from_after_the_moment_of_judging_leave_it_open(how: str) -> None:
    rule = f'metric: m, take: max, {SCOPES[how]}pass: "<= 1"'
    good, begun = before(how, 1)
    bad, _ = before(how, 9)
    ahead = [seen(1, HOUR_NOW + 60), seen(1, HOUR_NOW + 90)]
    assert judged(rule, good, begun_us=begun).verdict is PASS
    finding = judged(rule, [*good, *ahead], begun_us=begun)
    assert finding.verdict is INCONCLUSIVE
    assert text(finding) == (
        f"2 of {len(good) + 2} samples of m are from after the moment of judging, "
        "up to 90s ahead of this machine's clock (the newest at 2025-11-10 10:01:30 EST)"
    )
    assert judged(rule, [*bad, *ahead], begun_us=begun).verdict is FAIL
    none = judged(rule, ahead, begun_us=begun)
    assert none.verdict in (MISSING, INCONCLUSIVE)


@pytest.mark.parametrize("how", [how for how in SCOPES if how not in ("this run", "age")])
def test_a_guardrail_is_blind_to_samples_from_after_the_moment_of_judging(how: str) -> None:
    rule = f'metric: m, take: max, {SCOPES[how]}fail: "> 1"'
    good, begun = before(how, 1)
    bad, _ = before(how, 9)
    ahead = seen(1, HOUR_NOW + 1)
    assert watched(rule, good, begun_us=begun) == "quiet"
    assert watched(rule, [*good, ahead], begun_us=begun) == "blind"
    assert watched(rule, [*bad, ahead], begun_us=begun) == "tripped"
    plan = plan_of(guardrail(rule, "[warn]"))
    both = decided(plan, world_of(plan, [*bad, ahead], begun_us=begun))
    assert both.answer is Answer.HOLD
    assert (
        f"1 of {len(bad) + 1} samples of m is from after the moment of judging, up to 1s"
        in told(both)[0]
    )


@pytest.mark.parametrize("each", ["{lane: [A]}", "{lane: 1}"])
@pytest.mark.parametrize("how", ["this run", "last", "since", "per run", "in a row"])
def test_a_group_of_which_only_the_future_is_known_is_not_left_out(each: str, how: str) -> None:
    stated = f"metric: m, each: {each}, take: max, {SCOPES[how]}"
    good, other = seen(1, 1500, lane="A"), seen(9, HOUR_NOW + 60, lane="B")
    assert judged(f'{stated}pass: "<= 1"', [good]).verdict is PASS
    finding = judged(f'{stated}pass: "<= 1"', [good, other])
    assert finding.verdict is INCONCLUSIVE
    assert text(finding).startswith("lane B: 1 of 1 sample of m is from after the moment")
    if how != "this run":
        assert watched(f'{stated}fail: "> 1"', [good, other]) == "blind"


@pytest.mark.parametrize("frozen", ["", ", frozen: begin"])
def test_the_other_side_is_not_from_after_the_moment_of_judging_either(frozen: str) -> None:
    rule = f'{compared("over: [{last: 1}]", frozen)}, pass: "<= 1"'
    both = [*series("m", [(60, 1)]), *series("b", [(-1, 1)])]
    assert judged(rule, both).verdict is PASS
    finding = judged(rule, [*both, seen(1, HOUR_NOW + 3600, "b")])
    assert finding.verdict is INCONCLUSIVE
    assert text(finding).startswith(
        "1 of 3 samples of m and b is from after the moment of judging, up to 1h ahead"
    )


# --- what the documents say -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ([1, 1, None], INCONCLUSIVE),  # the one that is lost is not the one that is tolerated
        ([1, 0, None], INCONCLUSIVE),
        ([0, 0, None], FAIL),
        ([1, 0, 1], PASS),
    ],
)
@pytest.mark.parametrize("over", ["", "over: [{last: 3}], ", "over: [{span: 1d}], "])
def test_a_lost_sample_is_no_failure_that_is_tolerated(
    values: list[object], verdict: Verdict, over: str
) -> None:
    rule = f'metric: m, take: last, {over}pass: ">= 1", tolerate: {{failures: 1}}'
    assert judged(rule, samples(*values)).verdict is verdict


def test_lateness_counts_between_runs_only() -> None:
    rule = 'metric: m, over: [{last: 2, need: 2}], take: mean, fail: "> 1"'
    first = series("m", [(1, 2), (3, 2)])
    late = seen(0, 2, recorded=20)
    assert watched(rule, [*first, late], at(30)) == "quiet"
    assert watched(rule, [*first, dataclasses.replace(late, run="r2")], at(30)) == "tripped"
