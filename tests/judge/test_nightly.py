"""The nightly rule: its arithmetic against scipy, its answers, and that worse never helps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_rollout.judge.confirming import to_confirm
from pytest_rollout.judge.nightly import (
    Baseline,
    Limits,
    baseline_of,
    findable,
    found,
    narrowest,
    nights_to_find,
    weigh,
)
from pytest_rollout.judge.student import t_above, t_tail
from pytest_rollout.model.evidence import ReleaseFact, Seen
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.rule import Nightly
from pytest_rollout.model.verdict import Verdict
from tests.judge.nights import (
    DAY_US,
    PLAN,
    RELEASED,
    RULE,
    V1,
    decision,
    labelled,
    night,
    pinned,
    refused,
    samples,
)
from tests.judge.worlds import bare, criterion, plan_of, text, world_of

PINNED = Baseline(30, 0.0, 0.03)


def finding(*own: Seen, past: Sequence[Seen] = pinned(), run: str = "") -> Finding:
    return decision(own, past, run=run).criteria[0]


@pytest.mark.parametrize("freedom", [1, 2, 4, 9, 29, 400])
@pytest.mark.parametrize("chance", [0.4, 0.05, 1e-3, 2.7e-4, 1e-5])
def test_the_quantiles_are_those_of_scipy(freedom: int, chance: float) -> None:
    value = t_above(chance, freedom)
    assert value == pytest.approx(stats.t.isf(chance, freedom), rel=1e-9)
    assert t_tail(value, freedom) == pytest.approx(chance, rel=1e-9)
    assert t_tail(-value, freedom) == pytest.approx(1 - chance, rel=1e-9)


def test_the_noise_is_that_of_first_runs_and_pairs_tell_what_a_night_has_in_common() -> None:
    nights = [[math.log(1 + n / 100), math.log(1 + n / 100)] for n in range(10)]
    assert baseline_of(nights[:9]).shared is None
    alike = baseline_of(nights)
    assert alike.shared == 1
    assert alike.weight(2) == 1
    apart = baseline_of([[one[0], nights[9 - n][0]] for n, one in enumerate(nights)])
    assert apart.shared == 0
    assert apart.weight(2) == 2
    assert apart.noise == alike.noise == pytest.approx(stats.tstd([one[0] for one in nights]))
    assert baseline_of([[1.0], [1.0]]).noise == 0.001


def test_the_level_is_shared_by_the_sums() -> None:
    limits = Limits(Nightly(), 30).alarms
    tails = [stats.t.sf(limit, 29) * 365 for limit in limits]
    assert tails == pytest.approx([0.02, 0.02, 0.06])
    assert Limits(Nightly(latest=1), 30).alarms == pytest.approx([stats.t.isf(0.1 / 365, 29)])


def test_one_wild_run_does_not_alarm_and_two_do() -> None:
    assert not weigh(Nightly(), PINNED, [[3.0, 0.0]], 0.025).alarm
    assert weigh(Nightly(), PINNED, [[3.0, 0.13]], 0.025).alarm


def test_what_is_said_of_its_errors_is_what_it_does() -> None:
    rule = Nightly()
    assert found(rule, PINNED, math.log(1.08), 3) == pytest.approx(0.92, abs=0.02)
    assert found(rule, PINNED, math.log(1.05), 3) == pytest.approx(0.35, abs=0.02)
    assert found(rule, PINNED, findable(rule, PINNED), 3) == pytest.approx(0.9)
    assert nights_to_find(rule, PINNED, math.log(1.15)) == 1
    assert nights_to_find(rule, PINNED, math.log(1.08)) == 3
    assert nights_to_find(rule, PINNED, math.log(1.05)) == 18
    assert nights_to_find(rule, PINNED, 0.0001) is None
    assert narrowest(rule, PINNED, 0.025) == pytest.approx(
        0.03 * (2.045 + 2.326) * 0.7303, rel=0.01
    )


@pytest.mark.parametrize(
    ("values", "verdict", "code"),
    [
        ((100,), Verdict.PASS, "nightly.alike"),
        ((102,), Verdict.PASS, "nightly.alike"),
        ((105,), Verdict.INCONCLUSIVE, "nightly.ask"),
        ((105, 100), Verdict.PASS, "nightly.alike"),
        ((150,), Verdict.INCONCLUSIVE, "nightly.ask"),
        ((150, 100), Verdict.INCONCLUSIVE, "nightly.open"),
        ((112, 111), Verdict.INCONCLUSIVE, "nightly.open"),
        ((150, 150), Verdict.FAIL, "nightly.worse"),
        ((100, 100, 200), Verdict.PASS, "nightly.alike"),
    ],
)
def test_a_night_passes_asks_for_one_more_run_or_fails(
    values: tuple[int, ...], verdict: Verdict, code: str
) -> None:
    runs = [night(0, value, f"r{n}", minutes=n) for n, value in enumerate(values)]
    told = finding(*runs)
    assert (told.verdict, told.reason.code) == (verdict, code), text(told)


def test_the_reason_says_both_sides_the_noise_and_the_errors() -> None:
    assert text(finding(night(0, 102))) == (
        "mean of m was 102, 1.0202 times that of the first 5 nights of release v1, in 1 run of "
        "this night; at most 1.09203 times at 97.5 % confidence, allowed <= 1.15; the noise here "
        "is 2.3 % from night to night: what is 25.7 % worse is found within 3 nights 9 times in "
        "10, with at most 0.1 false alarms a year"
    )


def test_nights_add_up() -> None:
    slow = [night(ago, 118, f"{ago}{n}", minutes=n) for ago in (2, 1, 0) for n in (0, 1)]
    assert finding(*slow[4:]).verdict is not Verdict.FAIL
    told = finding(*slow)
    assert told.reason.code == "nightly.worse"
    assert ", 2 nights before added" in text(told)
    far = [replace(one, slot=replace(one.slot, t_us=one.slot.t_us - 3 * DAY_US)) for one in slow]
    assert finding(*far[:4], *slow[4:]).verdict is not Verdict.FAIL


def test_throughput_is_worse_where_it_is_less() -> None:
    rule = RULE.replace("<= 1.15", ">= 0.8")
    plan = plan_of(criterion(rule), header=RELEASED)
    runs = [night(0, 60, f"r{n}", minutes=n) for n in range(2)]
    assert decision(runs, pinned(), plan=plan).criteria[0].verdict is Verdict.FAIL
    assert decision([night(0, 150)], pinned(), plan=plan).criteria[0].verdict is Verdict.PASS
    nothing = [night(0, 0, f"r{n}", minutes=n) for n in range(2)]
    assert decision(nothing, pinned(), plan=plan).criteria[0].verdict is Verdict.FAIL


def test_nothing_slow_is_hidden_by_something_fast() -> None:
    runs = [night(0, 150, "a"), night(0, 1, "b", minutes=1)]
    assert finding(*runs).verdict is not Verdict.PASS


@pytest.mark.parametrize(("n", "verdict"), [(0, Verdict.MISSING), (4, Verdict.INCONCLUSIVE)])
def test_too_few_pinned_nights_are_counted(n: int, verdict: Verdict) -> None:
    told = finding(night(0, 100), past=pinned(V1[:n]))
    assert told.verdict is verdict
    assert text(told).startswith(f"{n} of 5 needed nights of release v1 are known: let that ")


def test_only_the_first_nights_and_the_first_run_of_each_count() -> None:
    plain = finding(night(0, 103))
    more = [night(50, 500, "later", "v1"), night(99, 500, "third", "v1", minutes=9)]
    again = finding(night(0, 103), past=[*pinned(), more[0]])
    assert again.parts[-1].estimate == plain.parts[-1].estimate
    assert finding(night(0, 103), past=[*pinned(), more[1]]).parts[-1].estimate is not None
    assert finding(night(0, 103), past=[*pinned(), more[1]]).reason == plain.reason


def test_a_lost_pinned_night_leaves_it_open() -> None:
    told = finding(night(0, 103), past=pinned((100, None, 97, 101, 99)))
    assert (told.verdict, told.reason.code) == (Verdict.INCONCLUSIVE, "other.holes")


def test_lost_runs_leave_it_open_unless_the_others_fail_anyway() -> None:
    assert finding(night(0, 100, "a"), night(0, None, "b", minutes=1), run="a").verdict is (
        Verdict.INCONCLUSIVE
    )
    assert finding(night(1, None, "b"), night(0, 100)).reason.code == "holes"
    slow = [night(ago, 300, f"{ago}{n}", minutes=n) for ago in (1, 0) for n in (0, 1)]
    assert finding(night(2, None, "x"), *slow).verdict is Verdict.FAIL


def test_a_run_needs_its_samples() -> None:
    plan = plan_of(criterion(RULE + ", need: 3"), header=RELEASED)
    many = [replace(one, value=tuple((v, 3) for v, _ in one.value)) for one in pinned()]  # type: ignore[union-attr]
    told = decision([night(0, 100)], many, plan=plan).criteria[0]
    assert told.reason.code == "few"


VALUES = st.one_of(st.none(), st.sampled_from([0, 1, 80, 95, 100, 103, 105, 108, 115, 150, 900]))
NIGHTS = st.lists(st.lists(VALUES, min_size=1, max_size=3), min_size=1, max_size=4)


@given(NIGHTS, st.data())
@settings(deadline=None, max_examples=150)
def test_worse_or_lost_values_never_help(
    nights: list[list[int | None]], data: st.DataObject
) -> None:
    worse = [[data.draw(_worse_than(value)) for value in runs] for runs in nights]
    assert not _goes(worse) or _goes(nights), (nights, worse)


def _worse_than(value: int | None) -> st.SearchStrategy[int | None]:
    if value in (None, 0):  # nothing has a ratio, and is as good as lost
        return st.just(value) if value is None else st.sampled_from([None, 0])
    return st.one_of(st.none(), st.just(value), st.integers(value, 2000))


def _goes(nights: list[list[int | None]]) -> bool:
    own = [
        night(ago, value, f"{ago}.{n}", minutes=n)
        for ago, runs in reversed(list(enumerate(nights)))
        for n, value in enumerate(runs)
    ]
    facts = tuple(ReleaseFact(when, "v2") for when in ("start", "end"))
    world = world_of(PLAN, own, environment="prod", releases=facts, id=own[-1].run)
    at_us = own[-1].slot.t_us + 60_000_000
    run = replace(world.run, started_us=at_us, ended_us=at_us)
    decision = bare(PLAN, replace(world, past=pinned(), run=run), at_us=at_us)
    return decision.criteria[0].verdict in (Verdict.PASS, Verdict.WARN)


@pytest.mark.parametrize(
    ("values", "ids"),
    [((100,), ()), ((112,), ("p.one.c",)), ((112, 111), ()), ((150, 150), ())],
)
def test_a_suspicious_night_alone_asks_for_one_more_run(
    values: tuple[int, ...], ids: tuple[str, ...]
) -> None:
    runs = [night(0, value, f"r{n}", minutes=n) for n, value in enumerate(values)]
    assert to_confirm(decision(runs, pinned())) == ids


def test_a_run_beyond_those_of_the_plan_does_not_count_and_says_so() -> None:
    runs = [night(0, value, f"r{n}", minutes=n) for n, value in enumerate((101, 102, 300))]
    assert text(finding(*runs)).startswith(
        "this run, in which it was 300, is beyond those that the plan allows, and does not count: "
    )
    assert "beyond" not in text(finding(*runs[:2]))


def test_nights_are_from_noon_to_noon_where_the_plan_lives() -> None:
    late = [night(0, 150, "a", minutes=-3 * 60), night(0, 150, "b", minutes=4 * 60)]
    assert finding(*late).verdict is Verdict.FAIL  # 19:00 and 02:00 in New York
    apart = [night(0, 150, "a", minutes=-11 * 60), night(0, 150, "b", minutes=4 * 60)]
    assert finding(*apart).reason.code == "nightly.ask"  # 11:00 is of the night before


def test_another_length_of_a_night_is_counted_from_midnight() -> None:
    plan = plan_of(criterion(RULE + ", per: 10m"), header=RELEASED)
    runs = [night(0, 150, "a"), night(0, 150, "b", minutes=9)]
    assert decision(runs, pinned(), plan=plan).criteria[0].verdict is Verdict.FAIL
    runs = [night(0, 150, "a"), night(0, 150, "b", minutes=10)]
    assert decision(runs, pinned(), plan=plan).criteria[0].reason.code == "nightly.ask"


def test_each_group_is_judged_by_itself() -> None:
    plan = plan_of(criterion(RULE + ", each: {lane: [A, B]}"), header=RELEASED)

    def lane(name: str, seen: Seen) -> Seen:
        return replace(seen, slot=replace(seen.slot, labels=(("lane", name),)))

    past = [lane(name, one) for name in "AB" for one in pinned()]
    runs = [lane("A", night(0, 100, "r")), lane("B", night(0, 150, "r"))]
    parts = decision(runs, past, plan=plan).criteria[0].parts[-2:]
    assert [part.reason.code for part in parts] == ["nightly.alike", "nightly.ask"]
    only = decision(runs[:1], past, plan=plan).criteria[0].parts[-2:]
    assert [part.verdict for part in only] == [Verdict.PASS, Verdict.MISSING]


def test_what_is_too_old_counts_against_a_night_and_never_for_it() -> None:
    old = [replace(night(ago, 118, f"{ago}"), seen_us=0) for ago in (2, 1)]
    assert finding(*old, night(0, 100, "now")).reason.code == "nightly.ask"
    stale = replace(night(0, 100, "now"), seen_us=0)
    assert finding(stale).reason.code == "holes"


ENOUGH = plan_of(criterion(RULE + ", need: 1000"), header=RELEASED)
LONG = pinned(samples(value, 1500) for value in V1)


def test_a_run_that_says_too_little_is_a_run_of_the_night() -> None:
    little = [night(0, samples(500, 300), f"a{n}", minutes=n) for n in range(2)]
    good = night(0, samples(100, 1500), "z", minutes=9)
    assert decision([good], LONG, plan=ENOUGH).criteria[0].reason.code == "nightly.alike"
    for own, said in ((little[:1], 1), (little, 2)):
        told = decision([*own, good], LONG, plan=ENOUGH).criteria[0]
        assert (told.verdict, told.reason.code) == (Verdict.INCONCLUSIVE, "nightly.unknown")
        assert text(told) == (
            "of the 2 runs that count of this night some say nothing to compare in m: "
            f"{said} with fewer than the 1000 needed samples; each may have been a bad one, so "
            "this night stays open, and the next one decides"
        )


def test_a_night_that_said_too_little_adds_nothing_to_the_next() -> None:
    little = night(1, samples(500, 300), "a")
    good = night(0, samples(100, 1500), "z")
    assert decision([little, good], LONG, plan=ENOUGH).criteria[0].verdict is Verdict.PASS


@pytest.mark.parametrize(("ago", "code"), [(0, "nightly.unknown"), (1, "nightly.alike")])
def test_a_refused_run_is_a_run_of_its_night(ago: int, code: str) -> None:
    told = decision([night(0, 100, "z", minutes=9)], pinned(), tried=[refused("a", ago=ago)])
    assert told.criteria[0].reason.code == code
    assert to_confirm(told) == ()


def test_refused_runs_use_up_those_of_the_night() -> None:
    tries = [refused("a"), refused("b", 1)]
    told = decision([night(0, 100, "z", minutes=9)], pinned(), tried=tries).criteria[0]
    assert "2 with none, because its load was refused or its check broke" in text(told)
    other = [replace(one, criteria=frozenset({"p.one.d"})) for one in tries]
    told = decision([night(0, 100, "z", minutes=9)], pinned(), tried=other).criteria[0]
    assert told.verdict is Verdict.PASS


def test_two_runs_that_are_far_worse_fail_whatever_else_was_tried() -> None:
    runs = [night(0, 150, f"r{n}", minutes=n) for n in range(2)]
    told = decision(runs, pinned(), tried=[refused("z", 9)]).criteria[0]
    assert told.verdict is Verdict.FAIL


def test_nights_of_another_load_are_not_compared() -> None:
    past = [labelled(one, offer="x") for one in pinned()]
    same = decision([labelled(night(0, 100), offer="x")], past).criteria[0]
    assert same.verdict is Verdict.PASS
    for label in ({"offer": "y"}, {}):
        told = decision([labelled(night(0, 100), **label)], past).criteria[0]
        assert (told.verdict, told.reason.code) == (Verdict.MISSING, "nightly.other-load")
    assert text(told).startswith("5 of 5 nights of release v1 are of another load: ")
    one = [labelled(past[0], offer="y"), *past[1:]]
    told = decision([labelled(night(0, 100), offer="x")], one).criteria[0]
    assert text(told).startswith("1 of 5 nights of release v1 are of another load: ")


def test_a_run_of_another_load_is_a_run_of_the_night_that_says_nothing() -> None:
    past = [labelled(one, offer="x") for one in pinned()]
    good = labelled(night(0, 100, "z", minutes=9), offer="x")
    tonight = labelled(night(0, 500, "a"), offer="y")
    told = decision([tonight, good], past).criteria[0]
    assert told.reason.code == "nightly.unknown"
    assert "1 with samples of another load" in text(told)
    before = labelled(night(1, 500, "a"), offer="y")
    assert decision([before, good], past).criteria[0].verdict is Verdict.PASS


def test_a_group_of_the_pinned_nights_that_vanished_is_missing() -> None:
    plan = plan_of(criterion(RULE + ", each: {lane: 1}"), header=RELEASED)
    past = [labelled(one, lane=name) for name in "AB" for one in pinned()]
    runs = [labelled(night(0, 100, "r"), lane=name) for name in "AB"]
    assert decision(runs, past, plan=plan).criteria[0].verdict is Verdict.PASS
    told = decision(runs[:1], past, plan=plan).criteria[0]
    assert told.verdict is Verdict.MISSING
    assert told.parts[-1].reason.code == "nightly.gone"
    assert "the nights of release v1 have it, and this run saw nothing of it in m" in text(told)


def test_a_group_may_be_missing_while_the_nights_are_collected() -> None:
    plan = plan_of(criterion(RULE + ", each: {lane: 1}"), header=RELEASED)
    past = [labelled(one, lane=name) for name in "AB" for one in pinned(V1[:3])]
    own = [labelled(night(0, 100, "r"), lane="A")]
    told = [decision(own, past, plan=plan, release=name).criteria[0] for name in ("v1", "v2")]
    kept, of_other = ({part.reason.code for part in one.parts} for one in told)
    assert "nightly.few" in kept
    assert kept == of_other - {"nightly.gone"} != of_other


@pytest.mark.parametrize("ago", [0, 1])
def test_a_time_of_nothing_has_no_ratio(ago: int) -> None:
    runs = {1: night(1, 100, "b"), 0: night(0, 100, "z")}
    runs[ago] = night(ago, 0, runs[ago].run)
    told = finding(*runs.values(), run="z")
    assert (told.verdict, told.reason.code) == (Verdict.INCONCLUSIVE, "ratio-of-nothing")


COUNTS = plan_of(
    criterion(RULE.replace("<= 1.15", ">= 0.87").replace("mean", "min")), header=RELEASED
)


@pytest.mark.parametrize(("value", "verdict"), [(39, Verdict.PASS), (20, Verdict.FAIL)])
def test_counts_are_no_finer_than_one(value: int, verdict: Verdict) -> None:
    runs = [night(0, value, f"r{n}", minutes=n) for n in range(2)]
    told = decision(runs, pinned((40,) * 5), plan=COUNTS).criteria[0]
    assert told.verdict is verdict
    assert "the noise here is 2.5 %" in text(told)


def test_a_mean_is_finer_than_what_it_is_of() -> None:
    assert "the noise here is 0.2 %" in text(finding(night(0, 40), past=pinned((40,) * 5)))


def test_a_pinned_night_without_an_answer_is_left_out_and_told() -> None:
    runs = [night(0, value, f"r{value}") for value in (40,)]
    told = decision(runs, pinned((40, 41, 0, 39, 40, 40)), plan=COUNTS).criteria[0]
    assert told.verdict is Verdict.PASS
    assert "night, 1 in which nothing was answered left out" in text(told)
    told = decision(runs, pinned((40, 41, 0, 39, 40)), plan=COUNTS).criteria[0]
    assert text(told).startswith("4 of 5 needed nights")


def test_a_pinned_night_unlike_the_others_is_told() -> None:
    told = text(finding(night(0, 100), past=pinned((100, 103, 200, 101, 99))))
    assert "the noise here is 36 % from night to night, but 1.8 % without that of 2025-" in told
    assert "unlike" not in text(finding(night(0, 100)))
