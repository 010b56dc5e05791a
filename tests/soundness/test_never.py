"""Rules that can never pass or never fail, and those of which that is not said."""

from __future__ import annotations

import pytest

from tests.judge.worlds import HEADER, criterion, guardrail
from tests.soundness.plans import MAX, NEW, OLD, RATE, of_criterion, of_guardrail, said, told

FIVE = "{last: 5, need: 5}"
RATIO = " (unless each is a ratio of many, as of observe.ratio)"
IN_ITSELF = "a rate lies between 0 and 1"


@pytest.mark.parametrize(
    "rule",
    [
        f"{MAX}, need: 12",
        f'{RATE}, pass: ">= 0.85", over: [{{span: 5m, need: 7}}, {{last: 10, need: 10}}]',
        f"{MAX}, over: [{{since: begin, until: 23h}}]",
        f'{RATE}, pass: ">= 0.8", over: [{{age: 48h, need: 20}}]',
        f"{MAX}, per: run, in_a_row: 5",
        f"{MAX}, in_a_row: {{n: 3, gaps: skip}}",
        f"{MAX}, in_a_row: {{for: 5m, gap: 30s}}",
        f"{MAX}, over: [{{span: 5m, need: 2}}], in_a_row: {{for: 7m, gap: 6m}}",
        f"{MAX}, tolerate: {{failures: 2, in_a_row: 1}}, need: 2",
        f'{RATE}, pass: ">= 0.99", confidence: 95%, need: 299',
        'metric: m, take: mean, range: [0, 100], pass: ">= 5", confidence: 95%, need: 99',
        f'metric: m, take: mean, {NEW}, versus: {{{OLD}}}, pass: ">= -5"',
        'metric: m, take: p50, versus: {metric: n, as: ratio}, pass: "<= 1.1", confidence: 95%',
        f'metric: m, take: mean, versus: {{{OLD}, frozen: begin}}, pass: "<= 1"',
        'metric: m, take: mean, versus: {release: "1.4"}, pass: ">= 0"',
        'metric: m, take: mean, versus: {metric: n, as: kayenta}, pass: "<= 1.2", need: 5, '
        "severity: soft",
        f"{RATE}, versus: {{metric: n, as: ratio}}, pass: '<= 1.1', need: 299",
        f'metric: m, take: mean, {NEW}, versus: {{{OLD}}}, pass: ">= -5", need: 300',
        f"{MAX}, each: {{node: {{from: node_up, at_least: 3}}, lane: [A, B]}}",
        f"{MAX}, each: {{lane: {{from: m, at_least: 1}}}}",
        'metric: m, take: count, pass: ">= 5"',
        'metric: m, take: {share: "< 3"}, pass: ">= 0.9", need: 10',
        'metric: m, take: {share: "> 3"}, pass: "<= 0.1", need: 10',
        f'metric: m, take: {{share: "> 5"}}, {NEW}, versus: {{{OLD}, as: ratio}}, '
        'pass: ">= 0.5", need: 2',
        'metric: m, take: sum, pass: "<= 0"',
        'metric: m, take: mean, pass: "< 3", over: [{last: 299, need: 299}]',
    ],
)
def test_rules_that_can_pass_and_fail(rule: str) -> None:
    assert of_criterion(rule) == []


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (
            f'{RATE}, pass: "<= 1"',
            "! can never fail: at worst rate of ok was 1, over 1 sample in this run; allowed <= 1 "
            f'({IN_ITSELF}; for 1 percent write "<= 1%" or "<= 0.01")',
        ),
        (
            f'{RATE}, pass: "> 1"',
            "! can never pass: at best rate of ok was 1, over 1 sample in this run; allowed > 1 "
            f'({IN_ITSELF}; for 1 percent write "> 1%" or "> 0.01")',
        ),
        (
            f'{RATE}, pass: "<= 0.5", fail: "> 1"',
            "! can never fail: at worst it is hold: rate of ok was 1, over 1 sample in this run; "
            f"between the target <= 0.5 and the breach > 1 ({IN_ITSELF})",
        ),
        (f'{RATE}, pass: "<= 0.5", warn: ">= 0", need: 2', "can pass only with a warning"),
        (
            'metric: m, take: count, pass: ">= 5", need: 5',
            "! can never fail: at worst count of m was 5, over 5 samples in this run; allowed >= 5 "
            "(fewer than `need` are too few to judge: ask for less in `need`)",
        ),
        (
            f"{MAX}, tolerate: {{failures: 5}}, over: [{{last: 4}}]",
            "! can never fail: at worst 4 of 4 samples of m are bad; tolerated 5",
        ),
        (
            f"{MAX}, per: run, over: [{{last: 3}}], in_a_row: 5",
            "! can never pass: at best 3 in a row, 5 needed",
        ),
        (
            f"{MAX}, where: {{lane: A}}, each: {{lane: [A, B]}}",
            "! can never pass: at best lane B: no sample of m was seen in this run; "
            "1 sample needed",
        ),
        (
            'metric: m, take: mean, versus: {metric: m}, pass: "< 0"',
            "! can never pass: at best mean of m was -1000, 0 more than that of m, "
            "over 1 sample in this run; allowed < 0",
        ),
        (
            f'{RATE}, pass: ">= 0.8", confidence: 95%, over: [{{last: 12, need: 12}}]',
            f"can never pass: 12 samples, all good, do not show rate >= 0.8 at 95 % confidence"
            f"{RATIO} (14 of 14 do: over: [{{last: 14, need: 14}}])",
        ),
        (
            f'{RATE}, pass: ">= 0.999999", confidence: 95%',
            "is neither shown nor ruled out by 100,000 samples, all good (ask for less)",
        ),
        (
            f'{RATE}, pass: ">= 0.5", need: 2, where: {{lane: A}}, each: {{lane: [A, B]}}',
            "! can never pass: at best lane B: no sample of ok was seen in this run; "
            "2 samples needed",
        ),
        (
            f'{RATE}, {NEW}, versus: {{{OLD}, as: ratio}}, pass: ">= 0"',
            "! can never fail: at worst rate of ok was 0, 0 times that of ok (v old), over "
            "1 sample in this run; allowed >= 0",
        ),
        (
            'metric: m, take: mean, range: [0, 100], pass: ">= 0", confidence: 95%',
            "! can never fail: at worst mean of m was 0 (at least 0 at 95 % confidence), over "
            "100000 samples in this run; allowed >= 0 (its range is 0 to 100)",
        ),
        (
            'metric: m, take: mean, range: [0, 9], pass: ">= 5", fail: "< 0", confidence: 95%',
            "! can never fail: at worst it is hold: mean of m was 0 (at least 0 at 95 % "
            "confidence), over 100000 samples in this run; between the target >= 5 and the breach "
            "< 0 (its range is 0 to 9)",
        ),
    ],
)
def test_what_can_never_be_said_of_a_criterion(rule: str, what: str) -> None:
    assert of_criterion(rule) == [what]


def test_a_ratio_of_rates_has_no_bound() -> None:
    rule = f'{RATE}, {NEW}, versus: {{{OLD}, as: ratio}}, pass: ">= 0.9", confidence: 95%, need: 99'
    never_fails, never_passes = of_criterion(rule)
    assert never_fails.startswith("! can never fail: at worst it is inconclusive: ")
    assert never_passes == (
        "! can never pass: at best the ratio of two rates has no bound here: "
        "compare their difference"
    )


def test_of_several_scopes_the_one_that_cannot_decide_is_named() -> None:
    rule = f'{RATE}, pass: ">= 0.8", confidence: 95%, over: [{{span: 5m, need: 14}}, {FIVE}]'
    ((grave, what),) = said(criterion(rule))
    assert not grave
    assert "can never pass among the last 5: 5 samples, all good, do not show" in what


def test_a_check_that_reads_other_gates_too_is_judged_by_its_rule_alone() -> None:
    before = "phases:\n  - {id: zero, criteria: [{id: z, kind: kpi}]}\n"
    header = HEADER.replace("phases:\n", before)
    assert said(criterion(f"{MAX}, rolls_up: [zero/exit]"), header=header) == []


def test_a_remark_has_file_and_line() -> None:
    (remark,) = told(criterion(f'{RATE}, pass: "> 1"'))
    assert (remark.id, remark.problem.file, remark.problem.line) == ("p.one.c", "rollout.yaml", 9)


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (
            f'{RATE}, fail: "> 1"',
            "! can never trip: at worst rate of ok was 1, over 4 samples since the phase "
            f'began; allowed <= 1 ({IN_ITSELF}; for 1 percent write "> 1%" or "> 0.01")',
        ),
        (
            f'{RATE}, fail: ">= 0"',
            "! can never be quiet: at best rate of ok was 0, over 1 sample since the phase "
            f"began; allowed < 0 ({IN_ITSELF})",
        ),
        (
            f'{RATE}, fail: "< 99"',
            "! can never be quiet: at best rate of ok was 1, over 1 sample since the phase "
            f'began; allowed >= 99 ({IN_ITSELF}; for 99 percent write "< 99%" or "< 0.99")',
        ),
        (
            f'{RATE}, fail: "< 0.8", over: [{FIVE}], confidence: {{level: 95%, windows: 500}}',
            f"can never trip: 5 samples, all bad, are too few to be sure of a breach{RATIO} "
            "(6 of 6 do: over: [{last: 6, need: 6}])",
        ),
    ],
)
def test_what_can_never_be_said_of_a_guardrail(rule: str, what: str) -> None:
    assert of_guardrail(rule) == [what]


@pytest.mark.parametrize(
    "rule",
    [
        'metric: m, take: max, fail: "> 5"',
        'metric: m, take: max, fail: "> 1", in_a_row: {for: 5m, gap: 30s}',
        'metric: m, take: sum, fail: "> 3", per: day, in_a_row: 2',
        f'{RATE}, fail: "< 0.8", confidence: 95%',
        f'{RATE}, fail: "< 0.8", over: [{FIVE}], confidence: {{level: 95%, windows: 24}}',
    ],
)
def test_guardrails_that_can_trip_and_be_quiet(rule: str) -> None:
    assert of_guardrail(rule) == []


def test_guardrails_that_share_their_budget_are_less_sure() -> None:
    sure = "over: [{last: 4, need: 4}], confidence: {level: 95%, windows: 24}"
    alone = guardrail(f'{RATE}, fail: "< 0.8", {sure}')
    assert said(alone) == []
    both = alone + f'      - {{id: other, {RATE}, fail: "< 0.5", confidence: 95%}}\n'
    ((_, what),) = said(both)
    assert what.startswith("guardrail g can never trip: 4 samples, all bad, are too few to be sure")
    assert what.endswith("(5 of 5 do: over: [{last: 5, need: 5}])")
