"""Samples that are supposed: of counters, of buckets of any length, of earlier releases."""

from __future__ import annotations

import time

import pytest

from tests.judge.worlds import HEADER, criterion
from tests.soundness.plans import LASTING, MAX, NEW, OLD, RATE, of_criterion, of_guardrail, said

GROWTH = "metric: m, take: increase"
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")


@pytest.mark.parametrize(
    "rule",
    [
        f'{GROWTH}, pass: "<= 5"',
        f'{GROWTH}, pass: ">= 5", need: 10',
        f'{GROWTH}, pass: "< 3", need: 500',
        f'{GROWTH}, pass: "< 3", over: [{{last: 5, need: 5}}]',
        f'{GROWTH}, pass: "< 3", over: [{{last: 5, need: 2}}], in_a_row: 3',
        f'{GROWTH}, pass: "< 3", per: 5m, in_a_row: 3',
        f'{GROWTH}, {NEW}, versus: {{{OLD}}}, pass: "< 3"',
        f'{GROWTH}, {NEW}, versus: {{{OLD}, frozen: begin}}, pass: "> -3"',
        f"{MAX}, per: 1m, soak: {{for: 1h, gap: 1m}}",
        f"{MAX}, per: 5m, soak: {{for: 1h, gap: 30m}}",
        f"{MAX}, per: 5m, need: 3, over: [{{span: 1h, need: 10}}]",
        f"{MAX}, per: 1h, over: [{{last: 20, need: 20}}]",
    ],
)
def test_rules_that_can_pass_and_fail(rule: str) -> None:
    assert of_criterion(rule) == []


@pytest.mark.parametrize("rule", ["take: mean", "take: p50, confidence: 95%"])
def test_a_comparison_with_the_previous_release(rule: str) -> None:
    phase = criterion(f'metric: m, {rule}, versus: {{release: previous}}, pass: "< 3"')
    assert said(phase, header=RELEASED) == []


def test_a_guardrail_on_growth() -> None:
    assert of_guardrail(f'{GROWTH}, fail: "> 3", per: 5m, in_a_row: 2') == []


@pytest.mark.parametrize(
    ("cut", "what"),
    [
        (">= 0", "! can never fail: at worst increase of m was 0, over 2 samples in this run; "),
        ("< 0", "! can never pass: at best increase of m was 0, over 2 samples in this run; "),
    ],
)
def test_nothing_grows_by_less_than_nothing(cut: str, what: str) -> None:
    assert of_criterion(f'{GROWTH}, pass: "{cut}", need: 2') == [
        f"{what}allowed {cut} (an increase is never below 0)"
    ]


def test_a_row_of_spans_that_are_too_few() -> None:
    (what,) = of_criterion(f"{MAX}, per: 5m, over: [{{last: 3}}], in_a_row: 5")
    assert what == "! can never pass: at best 3 in a row, 5 needed"


def test_looks_further_apart_than_the_gap_are_no_row() -> None:
    (what,) = of_criterion(f"{MAX}, per: 5m, soak: {{for: 1h, gap: 1m}}")
    assert what.startswith("! can never pass: at best good for 0s, 1h needed; before: nobody ")


def test_false_alarms_of_spans() -> None:
    (what,) = of_guardrail(f'{RATE}, fail: "< 0.9", per: 5m, need: 10')
    assert "trips it with a chance of 88 % within 24 buckets of 5m (look at more" in what


@pytest.mark.parametrize(
    ("much", "told"),
    [
        ("per: day, over: [{last: 1000000, need: 1000000}]", "1,000,000 looks or samples"),
        ("over: [{days: 1000000}]", "1,000,001 looks or samples"),
        ("per: 1s, in_a_row: 200000", "200,000 looks or samples"),
        ("in_a_row: 100000", "100,001 looks or samples"),
        ("soak: {for: 4000000d, gap: 1d}", "4000000d"),
        ("over: [{since: begin, until: 4000000d}]", "4000000d"),
    ],
)
def test_what_is_too_much_to_try(much: str, told: str) -> None:
    began = time.process_time()
    assert of_criterion(f"{MAX}, {much}") == [
        f"asks for {told} at once, too much to try whether it can pass and fail (ask for less)"
    ]
    assert time.process_time() - began < 5


def test_a_long_window_is_tried() -> None:
    assert said(criterion(f"{MAX}, over: [{{last: 1000000, need: 1000000}}]"), header=LASTING) == []
