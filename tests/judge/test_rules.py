"""From observations to the verdict of a rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from fractions import Fraction

import pytest

from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import AT, NINE, SECOND, judged, samples, seen, text

FAIL, MISSING = Verdict.FAIL, Verdict.MISSING
INCONCLUSIVE, HOLD, WARN, PASS = Verdict.INCONCLUSIVE, Verdict.HOLD, Verdict.WARN, Verdict.PASS


def value_of(take: str, observed: Sequence[Seen]) -> str:
    """The taken value, as the decision shows it."""
    finding = judged(f'metric: m, take: {take}, pass: ">= -1000"', observed)
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    return estimate.value


@pytest.mark.parametrize(
    ("take", "values", "expected"),
    [
        ("count", [5, 5, 5], "3"),
        ("sum", ["0.1", "0.1", "0.1"], "0.3"),
        ("mean", [1, 2, 6], "3"),
        ("min", [3, 1, 2], "1"),
        ("max", [3, 1, 2], "3"),
        ("last", [3, 1, 2], "2"),
        ("rate", [0, 1, 0, 0], "0.25"),
        ('{share: "< 3"}', [3, 1, 2, 4], "0.5"),
        ("p50", list(range(10, 0, -1)), "5"),  # of ten, the fifth
        ("p90", list(range(1, 11)), "9"),
        ("p91", list(range(1, 11)), "10"),
        ("p99.9", list(range(1, 11)), "10"),
        ("p1", list(range(1, 11)), "1"),
    ],
)
def test_each_take(take: str, values: list[object], expected: str) -> None:
    assert value_of(take, samples(*values)) == expected


def test_the_last_value_is_by_event_time_whatever_the_order_of_recording() -> None:
    assert value_of("last", list(reversed(samples(1, 2, 3)))) == "3"
    assert value_of("last", [seen(8, 60, seq=1), seen(7, 60, seq=0)]) == "8"


@pytest.mark.parametrize(
    ("take", "expected"),
    [("rate", "0.2"), ("sum", "4"), ("count", "20"), ("max", "1"), ("p80", "0"), ("p81", "1")],
)
def test_ratios_stand_for_all_their_opportunities(take: str, expected: str) -> None:
    observed = samples('{"bad": 1, "of": 10}', '{"bad": 3, "of": 10}', '{"bad": 0, "of": 0}')
    assert value_of(take, observed) == expected


@pytest.mark.parametrize(
    ("take", "expected"),
    [("p50", "10"), ("p60", "10"), ("p61", "100"), ("p95", "500"), ("mean", "126")],
)
def test_distributions_are_pooled(take: str, expected: str) -> None:
    observed = samples('[["10", 6], ["100", 1]]', 100, "[]", '[["500", 2]]')
    assert value_of(take, observed) == expected


def verdict(rule: str, *values: object) -> Verdict:
    return judged(f"metric: m, {rule}", samples(*values)).verdict


def test_arithmetic_is_exact() -> None:
    assert verdict('take: sum, pass: "<= 0.3"', 0.1, 0.1, 0.1) is PASS
    assert verdict('take: max, pass: "<= 10"', *(["10.0"] * 20)) is PASS
    share = 'take: {share: "> 10"}, pass: "<= 0.05"'
    assert verdict(share, *(["10.0"] * 20)) is PASS
    assert verdict('take: min, pass: "> 0.20"', "0.20") is FAIL
    assert verdict('take: min, pass: "> 0.20"', "0.2000000000000000000000001") is PASS


def test_durations_are_cut_in_seconds() -> None:
    assert verdict('take: max, pass: "<= 1.5m"', 90) is PASS
    assert verdict('take: max, pass: "< 500ms"', "0.5") is FAIL


BANDS = 'take: max, pass: "< 10", warn: ">= 8", fail: "> 12"'


@pytest.mark.parametrize(
    ("value", "expected"),
    [("7.9", PASS), (8, WARN), ("9.9", WARN), (10, HOLD), (12, HOLD), ("12.1", FAIL)],
)
def test_bands_lie_side_by_side(value: object, expected: Verdict) -> None:
    assert verdict(BANDS, 1, value) is expected


def test_without_a_fail_cut_what_does_not_pass_fails() -> None:
    assert verdict('take: max, pass: "< 10"', 10) is FAIL


def test_reasons_say_what_was_seen_and_what_was_allowed() -> None:
    finding = judged('metric: m, take: max, pass: "< 10"', samples(3, 12.5, 4, every=30))
    assert text(finding) == (
        "max of m was 12.5 at 2025-11-10 09:00:30 EST, over 3 samples in this run; allowed < 10"
    )
    assert "between the target < 10 and the breach > 12" in text(
        judged(f"metric: m, {BANDS}", samples(11))
    )
    assert ">= 8 is a warning" in text(judged(f"metric: m, {BANDS}", samples(9)))
    assert judged(f"metric: m, {BANDS}", []).allowed == "< 10, warns >= 8, fails > 12"


def test_zero_opportunities_are_missing_and_never_zero() -> None:
    rule = 'metric: m, take: sum, pass: "<= 0"'
    assert judged(rule, []).verdict is MISSING
    assert judged(rule, samples('{"bad": 0, "of": 0}', "[]")).verdict is MISSING
    assert judged(rule, samples('{"bad": 0, "of": 1}')).verdict is PASS


def test_too_few_are_inconclusive_even_where_they_are_bad() -> None:
    rule = 'metric: m, take: max, pass: "< 10", need: 3'
    finding = judged(rule, samples(1, 99))
    assert finding.verdict is INCONCLUSIVE
    assert "2 of 3 needed samples of m were seen in this run" in text(finding)
    assert judged(rule, samples(1, 1, 1)).verdict is PASS
    assert judged(rule, samples('{"bad": 0, "of": 3}')).verdict is PASS
    assert judged(rule, samples('{"bad": 1, "of": 3}')).verdict is PASS
    assert judged(rule, samples('[["1", 1], ["2", 1], ["3", 1]]')).verdict is PASS


@pytest.mark.parametrize("lost", ["NaN", "inf", "-Infinity", "x", '{"bad": 2, "of": 1}', "[[1]]"])
def test_what_is_no_finite_number_is_a_hole(lost: str) -> None:
    finding = judged('metric: m, take: mean, pass: "< 10"', samples(1, lost, 1))
    assert finding.verdict is INCONCLUSIVE
    assert "cannot be judged" in text(finding)


@pytest.mark.parametrize(
    ("rule", "values", "expected"),
    [
        ('take: max, pass: "< 10"', (11, None), FAIL),
        ('take: max, pass: "< 10"', (9, None), INCONCLUSIVE),
        ('take: min, pass: "> 10"', (9, None), FAIL),
        ('take: max, pass: "< 10", fail: "> 12"', (11, None), INCONCLUSIVE),
        ('take: last, pass: "< 10"', (1, 11, None), INCONCLUSIVE),
        ('take: last, pass: "< 10"', (1, None, 11), FAIL),
        ('take: rate, pass: "<= 0.2"', (1, 1, 0, None), FAIL),
        ('take: rate, pass: "<= 0.5"', (1, 1, 0, None), INCONCLUSIVE),
        ('take: sum, pass: "<= 0"', (5, None), INCONCLUSIVE),
        ('take: p50, pass: "< 10"', (11, 11, 11, None), FAIL),
        ('take: p50, pass: "< 10"', (1, 11, 11, None), INCONCLUSIVE),
        ('take: {share: "< 10"}, pass: ">= 0.5"', (11, 11, 11, None), FAIL),
        ('take: {share: "< 10"}, pass: ">= 0.5"', (1, 11, None), INCONCLUSIVE),
        ('take: {share: "> 10"}, pass: "<= 0.5"', (11, 11, 11, None), FAIL),
        ('take: {share: "> 10"}, pass: "<= 0.8"', (11, 11, 11, None), INCONCLUSIVE),
        ('take: rate, pass: "<= 0.2"', (1, '{"bad": 9, "of": 1}'), INCONCLUSIVE),
        ('take: max, pass: "< 10"', (None, None), INCONCLUSIVE),
    ],
)
def test_a_hole_caps_at_inconclusive_unless_it_fails_however_it_is_filled(
    rule: str, values: tuple[object, ...], expected: Verdict
) -> None:
    assert verdict(rule, *values) is expected


def test_a_hole_weighs_what_it_stood_for() -> None:
    rule = 'metric: m, take: rate, pass: "<= 0.5"'
    lost = dataclasses.replace(seen(0, 120), value=Hole("lost", 8))
    assert judged(rule, [*samples(1, 1), lost]).verdict is INCONCLUSIVE
    light = dataclasses.replace(lost, value=Hole("lost", 1))
    assert judged(rule, [*samples(1, 1), light]).verdict is FAIL


def test_a_slot_with_two_values_weighs_as_much_as_both_or_nobody_knows() -> None:
    rule = 'metric: m, take: rate, pass: "<= 0.2"'
    bad = samples(1, 1, 0)
    assert judged(rule, [*bad, seen(0, 600), seen(1, 600)]).verdict is FAIL
    heavy = seen('{"bad": 0, "of": 40}', 600)
    assert judged(rule, [*bad, seen(0, 600), heavy]).verdict is INCONCLUSIVE
    assert judged(rule, [*bad, heavy, seen('{"bad": 1, "of": 40}', 600)]).verdict is INCONCLUSIVE


def test_what_was_lost_may_outweigh_any_number_of_values() -> None:
    observed = samples('[["100", 50]]', None)
    assert judged('metric: m, take: mean, pass: "< 10"', observed).verdict is INCONCLUSIVE
    assert judged('metric: m, take: mean, pass: "> -10"', observed).verdict is INCONCLUSIVE


def test_one_slot_recorded_twice_counts_once_and_is_a_hole_where_it_differs() -> None:
    rule = 'metric: m, take: max, pass: "< 10", need: 2'
    assert judged(rule, [seen(1, 60), seen(1, 60)]).verdict is INCONCLUSIVE
    assert judged(rule, [seen(1, 60), seen(1, 60, seq=1)]).verdict is PASS
    twice = judged(rule, [seen(1, 60), seen(2, 60), seen(1, 120)])
    assert twice.verdict is INCONCLUSIVE
    assert "recorded twice with different values" in text(twice)
    assert judged(rule, [seen(1, 60), seen(2, 60), seen(1, 60), seen(1, 120)]).verdict is (
        INCONCLUSIVE
    )


@pytest.mark.parametrize("outcome", ["1.5", "-0.5", '[["0", 3], ["1.5", 1]]'])
def test_an_outcome_that_is_no_rate_is_a_hole(outcome: str) -> None:
    value = "-0.5" if outcome.startswith("-") else "1.5"
    n = 4 if outcome.startswith("[") else 1
    finding = judged('metric: m, take: rate, pass: "< 0.5"', samples(0, outcome))
    assert finding.verdict is INCONCLUSIVE
    assert text(finding) == (
        f"1 of {n + 1} samples of m cannot be judged: "
        f"a rate is of outcomes between 0 and 1, and {value} was observed"
    )
    bad = samples(*[1] * 10, outcome)  # bad enough, whatever it was
    assert judged('metric: m, take: rate, pass: "< 0.5"', bad).verdict is FAIL


def test_where_matches_labels_only() -> None:
    rule = 'metric: m, where: {demand: "yes"}, take: max, pass: "< 10"'
    observed = [seen(1, demand=True), seen(99, 1, demand=False), seen(99, 2), seen(99, 3, "n")]
    assert judged(rule, observed).verdict is PASS
    assert judged(rule, [*observed, seen(99, 4, demand="yes", lane="A")]).verdict is FAIL


EACH = 'metric: m, each: {lane: [A, B]}, take: max, pass: "< 10", need: 2'


def test_each_absent_group_is_missing_by_its_name() -> None:
    finding = judged(EACH, [*samples(1, 1, lane="A")])
    assert finding.verdict is MISSING
    assert "lane B: no sample of m was seen" in text(finding)
    assert judged(EACH, [*samples(1, 1, lane="A"), *samples(1, 1, lane="B")]).verdict is PASS


def test_groups_are_judged_apart() -> None:
    finding = judged(EACH, [*samples(1, 1, lane="A"), *samples(1, 11, lane="B")])
    assert [(p.subject.name, p.verdict) for p in finding.parts[1:]] == [
        ("lane A", PASS),
        ("lane B", FAIL),
    ]


def test_a_group_that_is_not_listed_can_only_make_things_worse() -> None:
    good = [*samples(1, 1, lane="A"), *samples(1, 1, lane="B")]
    assert judged(EACH, [*good, seen(1, lane="C")]).verdict is PASS
    assert judged(EACH, [*good, seen(11, lane="C")]).verdict is FAIL
    assert judged(EACH, [*good, seen(None, lane="C")]).verdict is INCONCLUSIVE
    assert judged(EACH, [*good, seen(11)]).verdict is FAIL


def test_a_group_that_is_not_listed_and_out_of_reach_is_not_asked_for() -> None:
    good = [*samples(1, 1, lane="A"), *samples(1, 1, lane="B")]
    elsewhere = seen(11, lane="C", run="r0")
    assert judged(EACH, [*good, elsewhere]).verdict is PASS


COUNT = 'metric: m, each: {lane: 2}, take: max, pass: "< 10", need: 2'


def test_a_count_of_groups_asks_for_that_many() -> None:
    one = samples(1, 1, lane="A")
    finding = judged(COUNT, one)
    assert finding.verdict is MISSING
    assert "1 of 2 expected groups of lane were seen in m" in text(finding)
    assert judged(COUNT, []).verdict is MISSING
    assert judged(COUNT, [*one, *samples(1, 1, lane="B")]).verdict is PASS
    assert judged(COUNT, [*one, *samples(1, lane="B")]).verdict is INCONCLUSIVE


def test_what_carries_no_label_is_not_one_of_the_counted_groups() -> None:
    assert judged(COUNT, [*samples(1, 1, lane="A"), *samples(1, 1)]).verdict is MISSING


def test_groups_of_another_run_are_not_counted() -> None:
    observed = [*samples(1, 1, lane="A"), *samples(1, 1, lane="B", run="r0")]
    assert judged(COUNT, observed).verdict is MISSING


MIXED = 'metric: m, each: {lane: [A, B], project: 2}, take: max, pass: "< 10"'


def test_a_count_beside_listed_groups_is_asked_in_each_of_them() -> None:
    lane_a = [seen(1, lane="A", project=1), seen(1, lane="A", project=2)]
    assert judged(MIXED, lane_a).verdict is MISSING
    half = [*lane_a, seen(1, lane="B", project=1)]
    assert "1 of 2 expected groups of project of lane B" in text(judged(MIXED, half))
    assert judged(MIXED, [*half, seen(1, lane="B", project=3)]).verdict is PASS


def test_two_labels_ask_for_every_combination() -> None:
    rule = 'metric: m, each: {lane: [A, B], site: [x, y]}, take: max, pass: "< 10"'
    three = [seen(1, lane="A", site="x"), seen(1, lane="A", site="y"), seen(1, lane="B", site="x")]
    finding = judged(rule, three)
    assert (finding.verdict, "lane B, site y" in text(finding)) == (MISSING, True)
    assert judged(rule, [*three, seen(1, lane="B", site="y")]).verdict is PASS


def minutes_before(*ages: float, value: object = 1) -> list[Seen]:
    return [seen(value, (AT - NINE) / SECOND - age * 60) for age in ages]


def test_a_span_leaves_out_what_is_exactly_as_old() -> None:
    rule = 'metric: m, over: [{span: 5m}], take: max, pass: "< 10"'
    assert judged(rule, minutes_before(5)).verdict is MISSING
    assert judged(rule, minutes_before(4.999, 0)).verdict is PASS
    assert judged(rule, minutes_before(5, value=99) + minutes_before(1)).verdict is PASS


def test_the_last_n_are_by_event_time_in_each_group() -> None:
    rule = 'metric: m, each: {lane: [A, B]}, over: [{last: 2, need: 2}], take: max, pass: "< 10"'
    old = [seen(99, 0, lane="A"), seen(99, 0, lane="B")]
    new = [seen(1, t, lane=lane) for lane in "AB" for t in (2, 1)]
    assert judged(rule, [*new, *old]).verdict is PASS
    assert judged(rule, [*new[1:], *old]).verdict is FAIL


def test_other_runs_count_where_a_scope_reaches_them() -> None:
    elsewhere = samples(99, run="r0")
    own = [seen(1, 600)]
    assert judged('metric: m, take: max, pass: "< 10"', [*own, *elsewhere]).verdict is PASS
    rule = 'metric: m, over: [{last: 5}], take: max, pass: "< 10"'
    assert judged(rule, [*own, *elsewhere]).verdict is FAIL


def test_what_another_run_said_of_a_slot_does_not_touch_a_rule_on_the_own_run() -> None:
    rule = 'metric: m, take: max, pass: "< 10"'
    assert judged(rule, [seen(99, run="r0"), seen(1)]).verdict is PASS


def test_since_begin_reaches_back_to_the_begin_and_nowhere_without_one() -> None:
    rule = 'metric: m, over: [{since: begin}], take: max, pass: "< 10"'
    observed = [seen(99, -1), seen(1, 0)]
    assert judged(rule, observed).verdict is PASS
    finding = judged(rule, observed, begun_us=None)
    assert finding.verdict is MISSING
    assert "the phase was not begun" in text(finding)


SCOPES = (
    "metric: m, over: [{span: 5m, need: 3}, {last: 4, need: 4}], take: max, "
    'pass: "< 10", fail: ">= 10"'
)


def test_the_first_scope_with_enough_decides() -> None:
    old = minutes_before(60, value=99)
    assert judged(SCOPES, [*old, *minutes_before(1, 2, 3)]).verdict is PASS
    assert judged(SCOPES, [*old, *minutes_before(1, 2, 30)]).verdict is FAIL
    short = judged(SCOPES, [*old, *minutes_before(1, 2)])
    assert (short.verdict, "3 of 4 needed samples" in text(short)) == (INCONCLUSIVE, True)


def test_a_lost_value_never_moves_the_judgement_to_another_scope() -> None:
    rule = 'metric: m, over: [{span: 5m, need: 50}, {last: 1}], take: rate, pass: "< 0.1"'
    bad, good = '{"bad": 90, "of": 100}', '{"bad": 0, "of": 10}'
    later = minutes_before(1, value=good)
    assert judged(rule, [*minutes_before(2, value=bad), *later]).verdict is FAIL
    assert judged(rule, [*minutes_before(2, value="{lost"), *later]).verdict is INCONCLUSIVE


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(10), "10"),
        (Fraction(1, 3), "0.333333"),
        (Fraction("10.0000001"), "10.0000001"),
        (Fraction("-0.5"), "-0.5"),
        (Fraction(0), "0"),
        (Fraction(10**16), "10000000000000000"),
        (Fraction(10**17), "1.00000e+17"),
        (Fraction(10**20), "1.00000e+20"),
        (Fraction(1, 10**16), "0.0000000000000001"),
        (Fraction(1, 10**17), "1e-17"),
        (Fraction("1.000000000000000001"), "1.00000"),
        (Fraction(10**400), "1.00000e+400"),
    ],
)
def test_numbers_are_shown_whole_where_they_can_be(value: Fraction, text: str) -> None:
    assert decimal(value) == text
