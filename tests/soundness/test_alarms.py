"""How often a plain guardrail trips on a healthy service."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from pytest_rollout.soundness.alarms import alarms
from pytest_rollout.soundness.remarks import Assumed
from tests.judge.worlds import guardrail, samples
from tests.soundness.plans import RATE, rule_of, said, tripped

LAST_FOUR = f'{RATE}, fail: "< 0.8", over: [{{last: 4, need: 4}}]'


def test_a_plain_guardrail_that_often_trips_on_a_healthy_service() -> None:
    ((grave, what),) = said(guardrail(LAST_FOUR), Assumed(Fraction(98, 100), 24))
    assert not grave
    assert what == (
        "guardrail g trips without need: a healthy service, with 2 % of its samples bad, trips it "
        "with a chance of 38 % within 24 samples (confidence: {level: 95%, windows: 24} trips it "
        "with a chance of 5 % at most)"
    )
    assert said(guardrail(LAST_FOUR), Assumed(Fraction(999, 1000), 24)) == []


def test_a_better_guardrail_may_need_a_longer_window() -> None:
    rule = f'{RATE}, fail: "> 0.9", over: [{{last: 4, need: 4}}], each: {{lane: [A, B]}}'
    ((_, what),) = said(guardrail(rule))
    assert "within 24 samples of each of 2 groups" in what
    assert "{level: 95%, windows: 24}, over: [{last: 59, need: 59}]" in what
    better = rule.replace("last: 4, need: 4", "last: 59, need: 59")
    assert said(guardrail(f"{better}, confidence: {{level: 95%, windows: 24}}")) == []


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (LAST_FOUR, 1 - 0.9**24),  # one bad one trips, so all must be good
        (f'{RATE}, fail: "< 0.8", over: [{{span: 5m, need: 4}}]', 1 - 0.9**24),
        ('metric: m, take: sum, fail: "> 1", over: [{last: 24, need: 24}]', None),
        (f'{RATE}, fail: "> 0.5", per: run, in_a_row: 24', 0.25**24),
        ("metric: m, take: max, fail: '> 0', tolerate: {failures: 0}", None),
        ('metric: m, take: max, fail: "> 0"', None),
        (f'{RATE}, fail: "> 0"', None),
    ],
)
def test_chances_that_are_known_otherwise(rule: str, expected: float | None) -> None:
    known = alarms(rule_of(rule), looks=24)
    if "sum" in rule:
        p = 1 / 48
        assert known is not None
        expected = 1 - (1 - p) ** 24 - 24 * p * (1 - p) ** 23
    assert (known.chance if known else None) == (pytest.approx(expected) if expected else None)


@pytest.mark.parametrize(
    "rule",
    [
        f'{RATE}, fail: "< 0.8", over: [{{last: 4, need: 2}}]',
        f'{RATE}, fail: "< 0.5", over: [{{last: 3, need: 3}}], in_a_row: 2',
        f'{RATE}, fail: "< 0.6", over: [{{since: begin, need: 3}}]',
        'metric: ok, take: p60, fail: "< 1", over: [{last: 4, need: 4}]',
        'metric: bad, take: sum, fail: "> 1", over: [{last: 3, need: 1}]',
        'metric: ok, take: min, fail: "< 1", tolerate: {failures: 1}, over: [{last: 4}]',
    ],
)
def test_the_chance_is_that_of_every_run_as_it_is_judged(rule: str) -> None:
    looks, bad = 6, Fraction(1, 5)
    known = alarms(rule_of(rule), 1 - bad, looks)
    expected = Fraction(0)
    series = "bad" if "bad" in rule else "ok"
    for run in product((True, False), repeat=looks):
        outcomes = samples(*(int(good is (series == "ok")) for good in run), series=series)
        if tripped(rule, outcomes):
            wrong = run.count(False)
            expected += bad**wrong * (1 - bad) ** (looks - wrong)
    assert known is not None
    assert known.chance == pytest.approx(float(expected))


def test_a_window_too_wide_to_be_followed_exactly_is_not_overstated() -> None:
    known = alarms(rule_of(f'{RATE}, fail: "> 0.2", over: [{{last: 25, need: 25}}]'), looks=50)
    assert known is not None
    assert not known.exact
    assert 0.05 < known.chance < 0.3  # two windows apart; all 26 of them trip more often


@pytest.mark.parametrize(
    "rule",
    [
        f'{RATE}, fail: "< 0.9", over: [{{last: 2000, need: 2000}}]',
        f'{RATE}, fail: "< 0.9", per: day, need: 2000',
        f'{RATE}, fail: "< 0.9", need: 2000',
    ],
)
def test_thousands_of_samples_are_reckoned_with(rule: str) -> None:
    known = alarms(rule_of(rule))
    assert known is not None
    assert known.chance == pytest.approx(0, abs=1e-9)


def test_what_to_write_instead_shares_the_budget_of_others() -> None:
    rule = f'{RATE}, fail: "> 0.9", over: [{{last: 4, need: 4}}]'
    sharing = guardrail(rule) + f'      - {{id: other, {RATE}, fail: "< 0.5", confidence: 95%}}\n'
    ((_, alone),) = said(guardrail(rule))
    ((_, shared),) = said(sharing)
    assert "over: [{last: 59, need: 59}]" in alone
    assert "over: [{last: 66, need: 66}]" in shared


def test_many_samples_since_a_begin_are_not_overstated() -> None:
    known = alarms(rule_of(f'{RATE}, fail: "< 0.999", need: 600'))
    assert known is not None
    assert not known.exact
    assert known.chance == pytest.approx(1 - 0.9995**600, rel=1e-9)
