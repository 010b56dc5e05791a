"""A `need` that is too small for what is asked, with the number that would do."""

from __future__ import annotations

import pytest

from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.rule import Take
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import HEADER, criterion, plan_of, seen
from tests.soundness.plans import NEW, OLD, RATE, of_criterion, of_guardrail, said


@pytest.mark.parametrize("need", [14, 29, 59, 299])
def test_the_fewest_samples_are_those_of_the_tables(need: int) -> None:
    limit = {14: "0.8", 29: "0.9", 59: "0.95", 299: "0.99"}[need]
    rule = f'{RATE}, pass: ">= {limit}", confidence: 95%, need: '
    assert of_criterion(f"{rule}{need}") == []
    (what,) = of_criterion(f"{rule}{need - 1}")
    assert what == (
        f"needs {need - 1} samples, which cannot show rate >= {limit} at 95 % confidence "
        f"({need} good ones of {need} are the fewest that do: need: {need})"
    )


@pytest.mark.parametrize(
    ("asked", "need", "edge"),
    [
        ('take: p99, pass: "< 5"', 100, "largest"),
        ('take: p95, pass: "< 5"', 20, "largest"),
        ('take: p99.9, pass: "<= 5"', 1000, "largest"),
        ('take: p1, pass: "> 5"', 101, "smallest"),
        ('take: p50, pass: ">= 5"', 3, "smallest"),
    ],
)
def test_a_quantile_of_so_few_that_it_is_the_extreme(asked: str, need: int, edge: str) -> None:
    take = asked.partition("take: ")[2].partition(",")[0]
    assert of_criterion(f"metric: m, {asked}, need: {need}") == []
    assert of_criterion(f"metric: m, {asked}, need: {need - 1}") == [
        f"takes {take} of as few as {need - 1} samples, where it is the {edge}: one bad sample "
        f"keeps it from passing (need: {need}, with which one bad sample can pass)"
    ]


@pytest.mark.parametrize(
    ("asked", "need", "share"),
    [
        ('take: rate, pass: ">= 0.99"', 100, "1 %"),
        ('take: rate, pass: "< 0.01"', 101, "1 %"),
        ('take: rate, pass: "<= 0.05", fail: "> 0.5"', 20, "5.3 %"),
        ('take: {share: "< 500"}, pass: ">= 0.9"', 10, "11 %"),
        ('take: {share: "> 500"}, pass: "< 0.25"', 5, "25 %"),
        (f'take: rate, {NEW}, versus: {{{OLD}}}, pass: ">= -0.01"', 100, "1 %"),
        (f'take: rate, {NEW}, versus: {{{OLD}, as: ratio}}, pass: ">= 0.95"', 20, "5.3 %"),
    ],
)
def test_a_share_of_so_few_that_one_bad_sample_is_too_many(
    asked: str, need: int, share: str
) -> None:
    assert of_criterion(f"metric: m, {asked}, need: {need}") == []
    (what,) = of_criterion(f"metric: m, {asked}, need: {need - 1}")
    assert f" from as few as {need - 1} samples, of which one bad sample is {share} and" in what
    assert what.endswith(f" (need: {need}, with which one bad sample can pass)")


def test_what_a_confidence_needs_is_more_and_all_that_is_said() -> None:
    (what,) = of_criterion(f'{RATE}, pass: ">= 0.8", confidence: 95%, need: 3')
    assert what.endswith("(14 good ones of 14 are the fewest that do: need: 14)")


def test_the_target_is_named_and_not_the_breach() -> None:
    (what,) = of_criterion(f'{RATE}, pass: "<= 0.05", fail: "> 0.5", need: 9')
    assert what.startswith("decides on rate <= 0.05 from as few as 9 samples, ")


def test_a_quantile_is_the_extreme_of_its_own_side_of_a_ratio() -> None:
    rule = f'metric: m, take: p99, {NEW}, versus: {{{OLD}, as: ratio}}, pass: "<= 1.1", need: '
    assert of_criterion(f"{rule}100") == []
    (what,) = of_criterion(f"{rule}99")
    assert what.startswith("takes p99 of as few as 99 samples, where it is the largest: ")


def test_a_default_of_one_sample_is_the_fewest_of_all() -> None:
    assert of_criterion(f'{RATE}, pass: ">= 0.8"') == [
        "decides on rate >= 0.8 from as few as 1 sample, of which one bad sample is 100 % and "
        "keeps it from passing (need: 5, with which one bad sample can pass)"
    ]


def test_the_cut_of_a_share_is_told_from_the_cut_on_it() -> None:
    (what,) = of_criterion('metric: m, take: {share: "< 500"}, pass: ">= 0.9", need: 4')
    assert what.startswith("decides on share (< 500) >= 0.9 from as few as 4 samples, of which ")


def test_a_difference_is_called_one() -> None:
    (what,) = of_criterion(f'{RATE}, {NEW}, versus: {{{OLD}}}, pass: ">= -0.1", need: 9')
    assert what.startswith("decides on a difference of rate >= -0.1 from as few as 9 samples, of ")


@pytest.mark.parametrize(
    ("over", "fix"),
    [
        ("over: [{last: 9, need: 4}]", "over: [{last: 10, need: 10}]"),
        ("over: [{last: 12, need: 4}]", "need: 10"),
        ("per: 5m, need: 4", "need: 10"),
        ("per: 5m, need: 4, over: [{last: 9, need: 9}]", "need: 10"),
    ],
)
def test_the_number_is_written_where_it_belongs(over: str, fix: str) -> None:
    (what,) = of_criterion(f'{RATE}, pass: ">= 0.9", {over}')
    assert what.endswith(f"({fix}, with which one bad sample can pass)")
    wide = over.replace("need: 4", fix) if fix.startswith("need") else fix
    assert of_criterion(f'{RATE}, pass: ">= 0.9", {wide}') == []


def test_of_several_scopes_the_smallest_is_named() -> None:
    over = "over: [{span: 5m, need: 3}, {last: 20, need: 20}]"
    (what,) = of_criterion(f'{RATE}, pass: ">= 0.9", {over}')
    assert "from as few as 3 samples in the last 5m, of which" in what


@pytest.mark.parametrize(
    "rule",
    [
        f'{RATE}, pass: ">= 1"',  # none may be bad, however many there are
        f'{RATE}, {NEW}, versus: {{{OLD}}}, pass: ">= 0"',
        'metric: m, take: p99, pass: "> 5", need: 2',  # one bad sample is the smallest
        'metric: m, take: mean, pass: ">= 0.99"',
        f'{RATE}, pass: ">= 0.5", tolerate: {{failures: 1}}, need: 2',
        f'{RATE}, pass: ">= 0.5", tolerate: {{failures: 0}}, need: 1',
    ],
)
def test_what_one_bad_sample_has_no_such_weight_for(rule: str) -> None:
    assert of_criterion(rule) == []


def test_a_guardrail_whose_false_alarms_are_known_is_told_those_alone() -> None:
    (what,) = of_guardrail('metric: m, take: p99, fail: "> 5", need: 20')
    assert what.startswith("trips without need: ")


def test_a_guardrail_on_a_difference_is_told_what_one_bad_sample_does() -> None:
    rule = f'{RATE}, {NEW}, versus: {{{OLD}}}, fail: "< -0.1", need: '
    assert of_guardrail(f"{rule}10") == []
    assert of_guardrail(f"{rule}9") == [
        "decides on a difference of rate < -0.1 from as few as 9 samples, of which one bad sample "
        "is 11 % and trips it (need: 10, with which one bad sample does not trip it)"
    ]


@pytest.mark.parametrize(
    "asked", ['take: p90, pass: "<= 5"', 'take: {share: "<= 5"}, pass: ">= 0.9"']
)
def test_the_number_is_that_of_the_judge(asked: str) -> None:
    rule = plan_of(criterion(f"metric: m, {asked}")).phases[0].criteria[0].rule
    assert rule is not None
    assert rule.take.take in (Take.QUANTILE, Take.SHARE)

    def verdict(good: int) -> Verdict:
        mixed = tuple(seen(9 if number == 0 else 1, number) for number in range(good + 1))
        known = assess(rule, Slice((), mixed, rule.scopes[0], 1), Terms("UTC"))
        assert isinstance(known, Assessed)
        return known.verdict

    assert (verdict(8), verdict(9)) == (Verdict.FAIL, Verdict.PASS)
    (what,) = of_criterion(f"metric: m, {asked}, need: 9")
    assert what.endswith("(need: 10, with which one bad sample can pass)")


SURE = 'metric: load_failed, take: rate, pass: "< 1%"'


@pytest.mark.parametrize(
    "of", ["ingest: {{load: k6, lasts: 1m, need: {n}}}", "check: {{load: peak}}"]
)
def test_a_load_or_file_that_must_hold_more_is_told_of_by_what_it_must_hold(of: str) -> None:
    header = HEADER.replace(
        "phases:",
        "loads:\n  - {id: peak, locustfile: a.py, target: api, rate: 9/s, duration: 60s, need: N}"
        "\nphases:",
    )

    def of_need(n: int, more: str = "") -> list[str]:
        text = criterion(f"{SURE}{more}, {of.format(n=n)}")
        return [what for _, what in said(text, header=header.replace("N}", f"{n}}}"))]

    assert of_need(101) == []
    (what,) = of_need(99)
    assert "from as few as 99 samples, of which one bad" in what
    assert of_need(99, ", need: 101") == []
    (what,) = of_need(101, ", where: {endpoint: search}")  # of which there may be fewer
    assert "from as few as 1 sample, of which one bad" in what
    assert of_need(299, ", confidence: 95%") == []
    (what,) = of_need(298, ", confidence: 95%")
    assert "needs 298 samples, which cannot show" in what
