"""Failures that are tolerated where there is nothing else, and limits that never decide."""

from __future__ import annotations

import pytest

from tests.judge.worlds import criterion
from tests.soundness.plans import LASTING, MAX, RATE, of_criterion, of_guardrail, said


@pytest.mark.parametrize(
    ("rule", "need"),
    [
        (f'{RATE}, pass: ">= 1", tolerate: {{failures: 2}}', 3),
        (f"{MAX}, tolerate: {{failures: 1}}", 2),
        (f"{MAX}, tolerate: {{failures: 3, in_a_row: 1}}", 2),
        (f"{MAX}, tolerate: {{failures: 2}}, over: [{{last: 9}}]", 3),
        (f"{MAX}, tolerate: {{failures: 2}}, per: run", 3),
    ],
)
def test_it_can_pass_with_nothing_but_failures(rule: str, need: int) -> None:
    assert of_criterion(f"{rule}, need: {need}") == []
    (what,) = of_criterion(f"{rule}, need: {need - 1}")
    many = f"{need - 1} of {need - 1} sample"
    assert what.startswith(f"! can pass with nothing but failures: {many}")
    assert what.endswith(f" (need: {need})")


def test_a_week_is_no_more_than_it_needs() -> None:
    rule = f"{MAX}, tolerate: {{failures: 3}}, over: [{{days: 7, need: NEED}}]"
    assert said(criterion(rule.replace("NEED", "4")), header=LASTING) == []
    ((grave, what),) = said(criterion(rule.replace("NEED", "3")), header=LASTING)
    assert grave
    assert "3 of 3 samples of m are bad; tolerated 3 (need: 4)" in what


def test_of_several_scopes_each_must_need_enough() -> None:
    over = "over: [{span: 5m, need: 1}, {last: 9, need: 3}]"
    assert of_criterion(f"{MAX}, tolerate: {{failures: 2}}, {over}") == [
        "! can pass in the last 5m with nothing but failures: 1 of 1 sample of m is bad; "
        "tolerated 2 (need: 3)"
    ]


def test_a_guardrail_is_quiet_for_as_long() -> None:
    rule = 'metric: m, take: max, fail: "> 1", tolerate: {failures: 2}'
    assert of_guardrail(f"{rule}, need: 3") == []
    assert of_guardrail(f"{rule}, need: 2") == [
        "is quiet with nothing but failures: 2 of 2 samples of m are bad; tolerated 2 (need: 3)"
    ]


FOUR = "over: [{last: 4, need: 4}]"


@pytest.mark.parametrize(
    ("limits", "over", "what"),
    [
        ("failures: 2, in_a_row: 1", "need: 9", None),
        ("failures: 1, in_a_row: 1", FOUR, "1 in a row"),
        ("failures: 1, in_a_row: 1", "over: [{last: 2, need: 2}]", "1 in a row"),
        (
            "failures: 2, in_a_row: 2",
            "need: 9",
            "tolerates 2 in a row, a limit that never decides: more than 2 bad in a row are more "
            "than 2 in all (in_a_row: 1, or leave it out)",
        ),
        (
            "failures: 0, in_a_row: 1",
            "need: 9",
            "tolerates 1 in a row, a limit that never decides: more than 1 bad in a row are more "
            "than 0 in all (leave it out)",
        ),
        (
            "failures: 2, in_a_row: 0",
            "need: 9",
            "tolerates 2 failures, a limit that never decides: with 0 in a row at most, none can "
            "be bad (in_a_row: 1, or failures: 0)",
        ),
        (
            "failures: 2, in_a_row: 1",
            FOUR,
            "tolerates 2 failures, a limit that never decides: with 1 in a row at most, 2 of the "
            "last 4 can be bad (failures: 1, or more in a row)",
        ),
        ("failures: 2, in_a_row: 1", "over: [{last: 5, need: 5}]", None),
        ("failures: 2, in_a_row: 1", "per: run, need: 9, over: [{last: 4, need: 4}]", None),
    ],
)
def test_a_limit_that_never_decides(limits: str, over: str, what: str | None) -> None:
    remarks = of_criterion(f"{MAX}, tolerate: {{{limits}}}, {over}")
    assert len(remarks) == (what is not None)
    assert what is None or what in remarks[0]


def test_a_row_as_long_as_the_window() -> None:
    rule = f"{MAX}, tolerate: {{failures: 3, in_a_row: ROW}}, over: [{{last: 5, need: 5}}]"
    assert of_criterion(rule.replace("ROW", "2")) == []
    (what,) = of_criterion(rule.replace("ROW", "3"))
    assert what.startswith("tolerates 3 in a row, a limit that never decides: more than 3 bad in ")
