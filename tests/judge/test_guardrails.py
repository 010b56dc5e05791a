"""Guardrails: tripped, quiet or blind."""

from __future__ import annotations

import pytest

from pytest_rollout.model.verdict import Answer, Verdict
from tests.judge.worlds import (
    AT,
    NINE,
    SECOND,
    decided,
    guardrail,
    plan_of,
    samples,
    seen,
    text,
    told,
    watched,
    world_of,
)

CAP = 'metric: m, take: max, fail: "> 0"'
RECENT = 'metric: m, over: [{span: 5m, need: 2}], take: max, fail: "> 0"'
END = (AT - NINE) // SECOND


def test_good_values_are_quiet_and_none_are_blind() -> None:
    assert watched(CAP, samples(0, 0)) == "quiet"
    assert watched(CAP, []) == "blind"


def test_a_trip_latches() -> None:
    bad_then_good = samples(0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    assert watched(RECENT, bad_then_good, at_us=NINE + 540 * SECOND) == "tripped"
    assert (
        watched('metric: m, over: [{last: 1}], take: last, fail: "> 0"', bad_then_good) == "tripped"
    )


def test_too_few_in_the_window_are_blind_at_the_end() -> None:
    assert watched(RECENT, samples(0, 0, 0), at_us=NINE + 130 * SECOND) == "quiet"
    assert watched(RECENT, samples(0, 0, 0)) == "blind"


def test_a_lone_bad_value_without_enough_beside_it_does_not_trip() -> None:
    observed = [seen(1, 0), seen(0, END - 2), seen(0, END - 1)]
    assert watched(RECENT, observed) == "quiet"


def test_a_hole_that_could_have_been_a_trip_stays_blind() -> None:
    late = [seen(0, END - 2), seen(0, END - 1)]
    assert watched(RECENT, [*samples(0, 0, None), *late]) == "blind"
    assert watched(RECENT, [*samples(0, None), *late]) == "blind"
    assert watched(RECENT, [*samples(0, 0, 1), *late]) == "tripped"
    assert watched(RECENT, [*samples(0, 0, 0), *late]) == "quiet"


@pytest.mark.parametrize(
    ("take", "fail", "good"),
    [
        ("max", "> 1", 0),
        ("min", "< -1", 0),
        ("max", "> 0", 0),
        ('{share: "< 10"}', "< 0.5", 1),
        ('{share: "< 10"}', "> 0.5", 11),
        ('{share: "> 10"}', "< 0.5", 11),
        ('{share: "> 10"}', "> 0.5", 1),
        ("rate", "> 0.5", 0),
        ("rate", "< 0.5", 1),
    ],
)
def test_a_hole_that_stood_alone_could_have_been_a_trip(take: str, fail: str, good: int) -> None:
    rule = f'metric: m, over: [{{last: 1}}], take: {take}, fail: "{fail}"'
    assert watched(rule, samples(good, good)) == "quiet"
    assert watched(rule, samples(None, good)) == "blind"


def test_a_hole_that_could_not_have_been_a_trip_does_not_stay_blind() -> None:
    rate = 'metric: m, over: [{span: 5m, need: 3}], take: rate, fail: "> 0.5"'
    late = [seen(0, END - 3), seen(0, END - 2), seen(0, END - 1)]
    assert watched(rate, [*samples(0, 0, 0, None), *late]) == "quiet"
    assert watched(rate, [*samples(0, 1, 1, None), *late]) == "tripped"
    assert watched(rate, [*samples(0, 0, 1, None, None), *late]) == "blind"
    assert watched(RECENT, [seen(None, 0), *late]) == "quiet"  # alone it was not enough


def test_a_hole_of_unknown_weight_could_have_been_enough() -> None:
    rate = 'metric: m, over: [{span: 5m, need: 20}], take: rate, fail: "> 0.5"'
    late = [seen('{"bad": 0, "of": 20}', END - 1)]
    assert watched(rate, [seen('{"bad": 20, "of": 20}'), *late]) == "tripped"
    assert watched(rate, [seen('{"bad": 20, "of"'), *late]) == "blind"


def test_a_rule_with_holes_trips_where_it_trips_however_they_are_filled() -> None:
    assert watched(CAP, samples(0, None, 1)) == "tripped"


def test_several_groups_fold_to_tripped_before_blind_before_quiet() -> None:
    rule = 'metric: m, each: {lane: [A, B]}, take: max, fail: "> 0"'
    good = samples(0, lane="A")
    assert watched(rule, good) == "blind"
    assert watched(rule, [*good, *samples(0, lane="B")]) == "quiet"
    assert watched(rule, samples(1, lane="A")) == "tripped"


def test_a_count_of_groups_that_falls_short_is_blind() -> None:
    rule = 'metric: m, each: {lane: 2}, take: max, fail: "> 0"'
    assert watched(rule, samples(0, lane="A")) == "blind"
    assert watched(rule, [*samples(0, lane="A"), *samples(0, lane="B")]) == "quiet"


@pytest.mark.parametrize("then", ["[warn]", "[notify]"])
def test_a_trip_that_only_warns_does_not_hide_that_the_guardrail_is_blind(then: str) -> None:
    plan = plan_of(guardrail('metric: m, each: {lane: [A, B]}, take: max, fail: "> 0"', then))
    tripped_and_absent = decided(plan, world_of(plan, samples(1, lane="A")))
    assert tripped_and_absent.answer.value == "HOLD"
    assert "blind: no sample of m" in told(tripped_and_absent)[0]
    both = [*samples(1, lane="A"), *samples(0, lane="B")]
    assert decided(plan, world_of(plan, both)).answer.value == "GO"
    with_hole = [*samples(1, None, lane="A"), *samples(0, lane="B")]
    assert decided(plan, world_of(plan, with_hole)).answer.value == "HOLD"


RATE = 'metric: m, over: [{last: 10, need: 10}], take: rate, fail: "> 0.1"'


def test_what_a_later_run_brings_late_does_not_undo_a_trip() -> None:
    first = samples(1, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    late = seen(0, 30, run="r2", recorded=900)
    assert watched(RATE, first) == "tripped"
    assert watched(RATE, [*first, late]) == "tripped"
    assert watched(RATE, [late, *first]) == "tripped"


def test_what_comes_late_counts_at_the_time_it_happened() -> None:
    first = [*samples(*[0] * 9), seen(1, 600)]
    assert watched(RATE, first) == "quiet"
    assert watched(RATE, [*first, seen(1, 570, run="r2", recorded=780)]) == "tripped"


def test_a_value_that_was_recorded_anew_with_another_value_does_not_undo_a_trip() -> None:
    observed = [seen(0, 1, run="r2", recorded=900), seen(1, 1)]
    assert watched(CAP, observed) == "tripped"


def test_windows_move_with_every_look_and_not_only_with_the_last() -> None:
    rate = 'metric: m, over: [{span: 1m, need: 2}], take: rate, fail: "> 0.6"'
    observed = [seen(0, 0), seen(1, 30), seen(1, 59), seen(0, 60), seen(0, END - 1), seen(0, END)]
    assert watched(rate, observed[:2] + observed[4:]) == "quiet"
    assert watched(rate, observed) == "tripped"


def test_an_old_phase_stays_quiet_while_something_new_is_seen() -> None:
    old, new = seen(0, END - 86_401), seen(0, END - 1)
    begun = NINE - 2 * 86_400 * SECOND
    assert watched(CAP, [old, new], environment="prod", begun_us=begun) == "quiet"
    assert watched(CAP, [old], environment="prod", begun_us=begun) == "blind"
    bad = seen(1, END - 86_401)
    assert watched(CAP, [bad, new], environment="prod", begun_us=begun) == "tripped"


@pytest.mark.parametrize(("age", "state"), [(86_400, "quiet"), (86_401, "blind")])
def test_what_is_exactly_as_old_as_allowed_is_fresh(age: int, state: str) -> None:
    begun = NINE - 2 * 86_400 * SECOND
    observed = [seen(0, END - age)]
    assert watched(CAP, observed, environment="prod", begun_us=begun) == state


def test_each_listed_group_must_be_fresh_and_no_other() -> None:
    rule = 'metric: m, each: {lane: [A, B]}, take: max, fail: "> 0"'
    begun = NINE - 2 * 86_400 * SECOND
    a, b, c = (seen(0, END, lane=lane) for lane in "ABC")
    old = {lane: seen(0, END - 86_401, lane=lane) for lane in "ABC"}
    assert watched(rule, [a, b, old["C"]], environment="prod", begun_us=begun) == "quiet"
    assert watched(rule, [a, old["B"], c], environment="prod", begun_us=begun) == "blind"
    assert watched(rule, [old["A"], b, c], environment="prod", begun_us=begun) == "blind"


def test_a_guardrail_since_begin_is_blind_where_the_phase_was_not_begun() -> None:
    assert watched(CAP, samples(0, 0), begun_us=None) == "blind"


def test_a_group_that_came_and_went_is_not_waited_for() -> None:
    rule = 'metric: m, each: {lane: [A]}, over: [{span: 5m}], take: max, fail: "> 0"'
    observed = [seen(0, END, lane="A"), seen(0, 10, lane="B")]
    assert watched(rule, observed) == "quiet"
    assert watched(rule, [*observed, seen(1, 20, lane="B")]) == "tripped"


def test_a_trip_is_told_as_it_was_first_seen() -> None:
    plan = plan_of(guardrail(CAP))
    finding = decided(plan, world_of(plan, samples(0, 3, 9))).guardrails[0]
    assert text(finding) == (
        "tripped: max of m was 3 at 2025-11-10 09:01:00 EST, over 2 samples since the phase began; "
        "allowed <= 0"
    )


TWICE = 'metric: m, over: [{last: 2, need: 2}], take: max, fail: "> 1", in_a_row: 2'


@pytest.mark.parametrize("value", [1, 2], ids=["good", "bad"])
def test_what_is_lost_weighs_no_less_where_what_is_left_is_worse(value: int) -> None:
    assert watched(TWICE, [seen(value, 0), seen(None, 60)]) == "blind"


def test_a_row_of_bad_looks_that_lost_something_is_tripped_and_blind() -> None:
    plan = plan_of(guardrail(TWICE, "[warn]"))
    world = world_of(plan, [seen(9, 0), seen(9, 60), seen(None, 120), seen(9, 180)])
    decision = decided(plan, world)
    assert decision.guardrails[0].verdict is Verdict.FAIL
    assert decision.answer is Answer.HOLD
