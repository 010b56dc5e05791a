"""Comparisons whose sides share samples, and ratios to nothing."""

from __future__ import annotations

import pytest

from tests.judge.worlds import guardrail
from tests.soundness.plans import NEW, OLD, RATE, of_criterion, of_guardrail, said

MEAN = 'metric: m, take: mean, pass: ">= -5"'
WHOLE = "! compares a whole with its part: its own side holds all of the other one, m "
PART = "! compares a part with the whole: the other side, "


@pytest.mark.parametrize(
    ("sides", "what"),
    [
        (
            f"versus: {{{OLD}}}",
            f"{WHOLE}(v old) (where: {{v: NEW}}, with the v that is judged)",
        ),
        (
            "where: {lane: A}, versus: {where: {lane: A, v: old}}",
            f"{WHOLE}(lane A, v old) (where: {{lane: A, v: NEW}}, with the v that is judged)",
        ),
        (
            f"{NEW}, versus: {{metric: m}}",
            f"{PART}all of m, holds all of its own (v new) "
            "(versus: {where: {v: OLD}}, with the v to compare with)",
        ),
        (
            "where: {lane: A, v: new}, versus: {where: {lane: A}}",
            f"{PART}m (lane A), holds all of its own (lane A, v new) "
            "(versus: {where: {lane: A, v: OLD}}, with the v to compare with)",
        ),
        (
            f"{NEW}, versus: {{where: {{lane: A}}}}",
            "counts a sample on both sides that has lane A, v new: the difference shrinks by it "
            "(state `lane` or `v` on both sides, with different values)",
        ),
    ],
)
def test_sides_that_share_samples(sides: str, what: str) -> None:
    assert of_criterion(f"{MEAN}, {sides}") == [what]


@pytest.mark.parametrize(
    "sides",
    [
        f"{NEW}, versus: {{{OLD}}}",
        "where: {lane: A, v: new}, versus: {where: {v: old}}",
        f"versus: {{metric: n, {OLD}}}",
        f"versus: {{{OLD}, frozen: begin}}",
        f'versus: {{{OLD}, release: "1.4"}}',
    ],
)
def test_sides_that_are_kept_apart(sides: str) -> None:
    assert of_criterion(f"{MEAN}, {sides}") == []


def test_groups_of_another_label_share_samples_too() -> None:
    def compares(each: str) -> bool:
        remarks = of_criterion(f"{MEAN}, each: {{{each}}}, versus: {{{OLD}}}")
        return any(WHOLE in what for what in remarks)

    assert compares("lane: [A]")
    assert not compares("v: [new]")  # no sample is of both groups, and so never compared


def test_a_guardrail_whose_sides_share_samples() -> None:
    ((grave, what),) = said(guardrail(f'metric: m, take: mean, versus: {{{OLD}}}, fail: "> 5"'))
    assert grave
    assert what.startswith("guardrail g compares a whole with its part: ")


RATIO = f"{NEW}, versus: {{{OLD}, as: ratio}}"


@pytest.mark.parametrize(
    ("rule", "fix"),
    [
        (f'{RATE}, {RATIO}, pass: "<= 1.1", need: 20', "need: 299"),
        (f'metric: m, take: sum, {RATIO}, pass: "<= 1.1", need: 20', "need: 299"),
        (f'metric: m, take: {{share: "> 5"}}, {RATIO}, pass: "<= 1.1", need: 20', "need: 299"),
        (
            f'{RATE}, {RATIO}, pass: "<= 1.1", over: [{{last: 20, need: 20}}]',
            "over: [{last: 299, need: 299}]",
        ),
    ],
)
def test_a_ratio_to_nothing_bad(rule: str, fix: str) -> None:
    assert 0.99**298 > 0.05 > 0.99**299
    assert of_criterion(rule) == [
        "is inconclusive where the other side has nothing bad to divide by: with 1 % bad, "
        "20 samples have none with a chance of 82 % (compare the difference, or ask for "
        f"{fix}, which leaves a chance of 5 %)"
    ]
    assert (
        of_criterion(rule.replace("need: 20", "need: 299").replace("last: 20", "last: 299")) == []
    )


@pytest.mark.parametrize(
    "rule",
    [
        f'{RATE}, {RATIO}, pass: ">= 0.5", need: 20',  # of good things there are some
        f'metric: m, take: mean, {RATIO}, pass: "<= 1.1", need: 20',
        f'{RATE}, {NEW}, versus: {{{OLD}}}, pass: "<= 0.1", need: 20',
    ],
)
def test_what_seldom_comes_to_nothing(rule: str) -> None:
    assert of_criterion(rule) == []


def test_a_share_to_divide_by_is_small_where_it_helps() -> None:
    rule = f'metric: m, take: {{share: "> 5"}}, {RATIO}, pass: "<= 50", need: 299'
    assert of_criterion(rule) == []


def test_a_guardrail_on_a_ratio_is_blind_then() -> None:
    (what,) = of_guardrail(f'{RATE}, {RATIO}, fail: "> 1.1", need: 100')
    assert what.startswith("is blind where the other side has nothing bad to divide by: with 1 % ")
    assert "100 samples have none with a chance of 37 %" in what
