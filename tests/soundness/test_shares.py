"""Percents that are taken for shares."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pytest_rollout.soundness.remarks import remarks
from tests.soundness.plans import NEW, OLD, RATE, changed, of_criterion, of_guardrail

SHARE = 'metric: m, take: {share: "> 5"}'


@pytest.mark.parametrize(
    ("rule", "fix"),
    [
        (
            f'{RATE}, pass: ">= 99"',
            'a rate lies between 0 and 1; for 99 percent write ">= 99%" or ">= 0.99"',
        ),
        (
            f'{SHARE}, pass: "<= 2.5"',
            'a share lies between 0 and 1; for 2.5 percent write "<= 2.5%" or "<= 0.025"',
        ),
        (
            f'{RATE}, {NEW}, versus: {{{OLD}}}, pass: ">= -5", need: 20',
            'a difference of rates lies between -1 and 1; for -5 percent write ">= -5%" '
            'or ">= -0.05"',
        ),
        (
            'metric: m, take: mean, range: [0, 1], confidence: 95%, need: 9, pass: ">= 95"',
            'its range is 0 to 1; for 95 percent write ">= 95%" or ">= 0.95"',
        ),
        (
            f'{RATE}, pass: "<= 1", fail: "> 5"',
            'a rate lies between 0 and 1; for 5 percent write "> 5%" or "> 0.05"',
        ),
        (f'{RATE}, pass: "<= 200"', "a rate lies between 0 and 1"),
        (f'{RATE}, pass: ">= 0"', "a rate lies between 0 and 1"),
    ],
)
def test_a_cut_that_no_share_reaches(rule: str, fix: str) -> None:
    (what,) = of_criterion(rule)
    assert what.startswith("! can never ")
    assert what.endswith(f" ({fix})")


def test_what_is_written_instead_is_sound() -> None:
    assert of_criterion(f'{RATE}, pass: ">= 0.99", need: 100') == []
    assert of_criterion(f'{RATE}, {NEW}, versus: {{{OLD}}}, pass: ">= -0.05", need: 20') == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (f'{RATE}, pass: "< 1", need: 2', 'fails at "< 1"'),
        (f'{RATE}, pass: "< 0.5", fail: ">= 1", need: 3', 'fails at ">= 1"'),
        (f'{SHARE}, pass: "< 1", need: 2', 'fails at "< 1"'),
    ],
)
def test_a_rate_that_fails_only_where_all_are_bad(rule: str, what: str) -> None:
    cut = what.partition('"')[2].rstrip('"')
    operator = cut.partition(" ")[0]
    assert of_criterion(rule) == [
        f"{what} only where every sample counts against it: 1 is all of them (for 1 percent write "
        f'"{operator} 1%" or "{operator} 0.01"; else write "{operator} 100%")'
    ]


@pytest.mark.parametrize(
    ("cuts", "cut", "fix"),
    [
        ('pass: "> -1"', "> -1", 'for -1 percent write "> -1%" or "> -0.01"; else write "> -100%"'),
        ('pass: "< 1"', "< 1", 'for 1 percent write "< 1%" or "< 0.01"; else write "< 100%"'),
        (
            'pass: ">= -0.5", fail: "<= -1"',
            "<= -1",
            'for -1 percent write "<= -1%" or "<= -0.01"; else write "<= -100%"',
        ),
    ],
)
def test_a_difference_that_fails_only_where_all_are_bad(cuts: str, cut: str, fix: str) -> None:
    assert of_criterion(f"{RATE}, {NEW}, versus: {{{OLD}}}, {cuts}, need: 2") == [
        f'fails at "{cut}" only where every sample of one side and none of the other counts '
        f"against it ({fix})"
    ]


def test_a_guardrail_that_trips_only_where_all_are_bad() -> None:
    (what,) = of_guardrail(f'{RATE}, fail: ">= 1", need: 2')
    assert what.startswith('trips at ">= 1" only where every sample counts against it: ')


@pytest.mark.parametrize(
    "cuts",
    [
        'pass: ">= 1"',
        'pass: "<= 0.99", need: 200',
        'pass: "> 0", need: 2',
        'pass: "< 0.01", need: 101',
    ],
)
def test_rates_that_mean_what_they_say(cuts: str) -> None:
    assert of_criterion(f"{RATE}, {cuts}") == []


@pytest.mark.parametrize(
    "rule",
    [
        f'{RATE}, {NEW}, versus: {{{OLD}, as: ratio}}, pass: "< 1", need: 299',  # better than old
        f'{RATE}, pass: "< 1", tolerate: {{failures: 1}}, need: 2',  # of each sample by itself
        'metric: m, take: mean, pass: "< 1"',
    ],
)
def test_other_values_than_shares_may_be_held_against_one(rule: str) -> None:
    assert of_criterion(rule) == []


def test_all_of_them_can_be_said_in_percent() -> None:
    def hundred(text: str) -> list[str]:
        plan = changed(
            f'{RATE}, pass: "< 1", need: 2',
            lambda rule: replace(
                rule, bands=replace(rule.bands, passes=replace(rule.bands.passes, text=text))
            ),
        )
        return [remark.problem.what for remark in remarks(plan)]

    assert len(hundred("< 1")) == 1
    assert hundred("< 100%") == []


def test_a_rate_of_values_that_are_no_outcomes() -> None:
    rule = f'{RATE}, pass: ">= 0.95", confidence: 95%, need: 59, range: '
    assert of_criterion(f"{rule}[0, 1]") == []
    assert of_criterion(f"{rule}[0, 100]") == [
        "! takes the rate of outcomes, which are 0 or 1, and states values from 0 to 100: no "
        "other than 0 and 1 is ever judged (range: [0, 1], or take: mean)"
    ]


def test_a_share_that_is_held_against_percents() -> None:
    def in_percent(cut: str) -> list[str]:
        plan = changed(
            f'metric: m, take: mean, pass: "{cut}"', lambda rule: replace(rule, unit="%")
        )
        return [str(remark.problem).partition("criterion c ")[2] for remark in remarks(plan)]

    assert in_percent(">= 99") == []
    assert in_percent("< 0.9") == []
    assert in_percent(">= 0.99") == [
        'reads ">= 0.99" as 0.99 %: its metric is in percent (write ">= 99%")'
    ]
    assert of_criterion('metric: m, take: mean, pass: ">= 0.99"') == []
