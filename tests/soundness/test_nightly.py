"""What a nightly rule comes to, printed beside it, and margins that healthy nights miss."""

from __future__ import annotations

import pytest

from tests.judge.nights import RELEASED
from tests.judge.worlds import criterion
from tests.soundness.plans import said

RULE = 'metric: m, take: p95, pass: "<= 1.15", versus: {release: v1, as: nightly}'


def told(rule: str) -> list[str]:
    remarks = said(criterion(rule), header=RELEASED)
    assert not any(grave for grave, _ in remarks)
    return [text.removeprefix("criterion c ") for _, text in remarks]


def test_it_says_how_often_it_is_wrong_and_how_soon_it_finds_what() -> None:
    assert told(RULE) == [
        "fails a healthy night at most 0.1 times a year, once in 10 years, with one load a night; "
        "with a noise of 3 % from night to night it finds 7.7 % worse within 3 nights 9 times in "
        "10 (5 %: 35 % within 3, 9 in 10 within 18 nights; 8 %: 93 % within 3, 9 in 10 within 3 "
        "nights; 15 %: 100 % within 3, 9 in 10 within 1 night)"
    ]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("alarms: 2/y", "fails a healthy night at most 2 times a year, with one load a night"),
        ("baseline: 5", "5 %: 1.8 % within 3, 9 in 10 within more than 60 nights"),
        ("confirm: 2", "it finds 6.5 % worse"),
        ("latest: 1", "within 1 night 9 times in 10"),
    ],
)
def test_it_depends_on_the_keys(keys: str, words: str) -> None:
    (one,) = told(RULE.replace("nightly", f"nightly, {keys}"))
    assert words in one


def test_each_group_has_its_own_alarms() -> None:
    (one,) = told(f"{RULE}, each: {{lane: [A, B], way: 3}}")
    assert "with one load a night, for each of 6 groups" in one


def test_another_length_is_named_as_it_is() -> None:
    (one,) = told(f"{RULE}, per: 6h")
    assert "fails a healthy stretch of 6h at most" in one
    assert "within 3 stretches of 6h 9 times in 10" in one


@pytest.mark.parametrize(
    ("cut", "better"), [("<= 1.05", 'pass: "<= 1.11"'), (">= 0.95", 'pass: ">= 0.9"')]
)
def test_a_narrow_margin_is_remarked_and_a_wider_one_is_not(cut: str, better: str) -> None:
    _, narrow = told(RULE.replace("<= 1.15", cut))
    assert narrow.startswith(f"leaves many healthy nights open: pass {cut} is narrow for a noise")
    assert better in narrow
    wide = better.partition('"')[2].rstrip('"')
    assert len(told(RULE.replace("<= 1.15", wide))) == 1
