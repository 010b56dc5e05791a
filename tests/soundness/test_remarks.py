"""Rules that can never pass, never fail or trip too often, told from the plan alone."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest

from pytest_rollout.model.rule import Rule
from pytest_rollout.soundness.alarms import alarms
from pytest_rollout.soundness.remarks import Assumed, Remark, remarks
from tests.judge.worlds import HEADER, criterion, guardrail, plan_of, samples, watched

RATE = "metric: ok, take: rate"
MAX = 'metric: m, take: max, pass: "< 1"'
FIVE = "{last: 5, need: 5}"
RATIO = " (unless each is a ratio of many, as of observe.ratio)"


def told(phase: str, assumed: Assumed | None = None, header: str = HEADER) -> list[Remark]:
    return list(remarks(plan_of(phase, header=header), assumed))


def said(phase: str, assumed: Assumed | None = None) -> list[tuple[bool, str]]:
    found = told(phase, assumed)
    return [(one.grave, str(one.problem).partition(" ")[2]) for one in found]


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
        'metric: m, take: mean, where: {v: new}, versus: {where: {v: old}}, pass: ">= -5"',
        'metric: m, take: p50, versus: {metric: n, as: ratio}, pass: "<= 1.1", confidence: 95%',
        'metric: m, take: mean, versus: {where: {v: old}, frozen: begin}, pass: "<= 1"',
        'metric: m, take: mean, versus: {release: "1.4"}, pass: ">= 0"',
        'metric: m, take: mean, versus: {metric: n, as: kayenta}, pass: "<= 1.2", need: 5, '
        "severity: soft",
        f"{RATE}, versus: {{metric: n, as: ratio}}, pass: '<= 1.1'",
        f"{MAX}, each: {{node: {{from: node_up, at_least: 3}}, lane: [A, B]}}",
        'metric: m, take: count, pass: ">= 5"',
        'metric: m, take: {share: "< 3"}, pass: ">= 0.9"',
        'metric: m, take: {share: "> 3"}, pass: "<= 0.1"',
        'metric: m, take: sum, pass: "<= 0"',
    ],
)
def test_rules_that_can_pass_and_fail(rule: str) -> None:
    assert said(criterion(rule)) == []


@pytest.mark.parametrize(
    "rule",
    [
        f"{MAX}, soak: {{for: 7d, gap: 1h}}",
        f"{MAX}, over: [{{span: 7d}}]",
    ],
)
def test_what_reaches_further_back_than_evidence_lasts(rule: str) -> None:
    lasting = HEADER.replace(", max_age: 24h", "")
    assert told(criterion(rule), header=lasting) == []
    ((grave, what),) = said(criterion(rule))
    assert grave
    assert what == (
        "criterion c can never pass in prod: it reaches further back than max_age, 1d, so that a "
        "part of it is always stale (a longer max_age of prod, or a shorter scope)"
    )


@pytest.mark.parametrize(
    "rule",
    [
        f"{MAX}, over: [{{days: 7}}]",
        f"{MAX}, per: night, in_a_row: 3",
        f"{MAX}, per: day, need: 20, over: [{{last: 7, need: 7}}]",
        f"{MAX}, over: [{{nights: 3}}], in_a_row: 2",
        f"{MAX}, per: day, soak: {{for: 7d, gap: 25h}}",
    ],
)
def test_days_that_no_run_but_one_that_reads_a_history_can_bring(rule: str) -> None:
    ((grave, what),) = said(criterion(rule))
    assert not grave
    assert what.startswith(
        "criterion c can pass in prod only where one run reads all of its days from a history: "
        "what earlier runs saw is stale after 1d"
    )


def test_what_reaches_back_to_a_begin_that_evidence_does_not_outlast() -> None:
    ((grave, what),) = said(criterion(f"{MAX}, over: [{{since: begin, until: 48h}}]"))
    assert not grave
    assert "can pass in prod only in the first 1d: then what was seen first is stale" in what


@pytest.mark.parametrize(
    ("rule", "grave", "what"),
    [
        (
            f'{RATE}, pass: "<= 1"',
            True,
            "can never fail: at worst rate of ok was 1, over 1 sample in this run; allowed <= 1 "
            "(a rate lies between 0 and 1)",
        ),
        (
            f'{RATE}, pass: "> 1"',
            True,
            "can never pass: at best rate of ok was 1, over 1 sample in this run; allowed > 1 "
            "(a rate lies between 0 and 1)",
        ),
        (
            f'{RATE}, pass: "<= 0.5", fail: "> 1"',
            True,
            "can never fail: at worst it is hold: rate of ok was 1, over 1 sample in this run; "
            "between the target <= 0.5 and the breach > 1 (a rate lies between 0 and 1)",
        ),
        (f'{RATE}, pass: "<= 0.5", warn: ">= 0"', False, "can pass only with a warning"),
        (
            'metric: m, take: count, pass: ">= 5", need: 5',
            True,
            "can never fail: at worst count of m was 5, over 5 samples in this run; allowed >= 5 "
            "(fewer than `need` are too few to judge: ask for less in `need`)",
        ),
        (
            f"{MAX}, tolerate: {{failures: 5}}, over: [{{last: 4}}]",
            True,
            "can never fail: at worst 4 of 4 samples of m are bad; tolerated 5",
        ),
        (
            f"{MAX}, per: run, over: [{{last: 3}}], in_a_row: 5",
            True,
            "can never pass: at best 3 in a row, 5 needed",
        ),
        (
            f"{MAX}, where: {{lane: A}}, each: {{lane: [A, B]}}",
            True,
            "can never pass: at best lane B: no sample of m was seen in this run; 1 sample needed",
        ),
        (
            'metric: m, take: mean, versus: {metric: m}, pass: "< 0"',
            True,
            "can never pass: at best mean of m was -1000, 0 more than that of m, "
            "over 1 sample in this run; allowed < 0",
        ),
        (
            f'{RATE}, pass: ">= 0.8", confidence: 95%, over: [{{last: 12, need: 12}}]',
            False,
            f"can never pass: 12 samples, all good, do not show rate >= 0.8 at 95 % confidence"
            f"{RATIO} (14 of 14 do: over: [{{last: 14, need: 14}}])",
        ),
        (
            f'{RATE}, pass: ">= 0.8", confidence: 95%, need: 13',
            False,
            "needs 13 samples, which cannot show rate >= 0.8 at 95 % confidence "
            "(14 good ones of 14 are the fewest that do: need: 14)",
        ),
        (
            f'{RATE}, pass: ">= 0.999999", confidence: 95%',
            False,
            "is neither shown nor ruled out by 100,000 samples, all good (ask for less)",
        ),
        (
            f"{RATE}, pass: '> 0.9', due: p.one/exit",
            True,
            "is due at p.one/exit, which is decided no later than its own gate, p.one/exit: "
            "a circle (name a gate that comes after)",
        ),
    ],
)
def test_what_is_remarked_of_a_criterion(rule: str, grave: bool, what: str) -> None:
    assert said(criterion(rule)) == [(grave, f"criterion c {what}")]


def test_of_several_scopes_the_one_that_cannot_decide_is_named() -> None:
    rule = f'{RATE}, pass: ">= 0.8", confidence: 95%, over: [{{span: 5m, need: 14}}, {FIVE}]'
    ((grave, what),) = said(criterion(rule))
    assert not grave
    assert "can never pass among the last 5: 5 samples, all good, do not show" in what


@pytest.mark.parametrize("need", [14, 29, 59, 299])
def test_the_fewest_samples_are_those_of_the_tables(need: int) -> None:
    limit = {14: "0.8", 29: "0.9", 59: "0.95", 299: "0.99"}[need]
    rule = f'{RATE}, pass: ">= {limit}", confidence: 95%, need: '
    assert said(criterion(f"{rule}{need}")) == []
    ((_, what),) = said(criterion(f"{rule}{need - 1}"))
    assert f"{need} good ones of {need} are" in what


GROUP = """\
    criteria:
      - {{id: a, kind: kpi}}
      - {{id: b, kind: kpi}}
      - {{id: both, kind: kpi, of: [a, b], need: score, pass: "{}"}}
"""


def test_scores_that_no_member_changes() -> None:
    fix = "(state a score between 0 and 100 that depends on the members)"
    assert said(GROUP.format(">= 50")) == []
    ((_, low),) = said(GROUP.format(">= 0"))
    ((_, high),) = said(GROUP.format("> 100"))
    assert low == (
        "criterion both can never fail: with all members failing the score is 0 "
        f"of 100, allowed >= 0; not earned in full: a, b {fix}"
    )
    assert high == (
        "criterion both can never pass: with all members passing the score is 100 "
        f"of 100, allowed > 100 {fix}"
    )


def test_a_condition_that_is_due_before_it_is_made() -> None:
    phases = """\
    criteria: [{id: c, kind: kpi, severity: soft, gate: GATE, due: p.DUE}]
  - {id: two, requires: [one], criteria: [{id: d, kind: kpi, severity: soft, due: p.one/entry}]}
  - {id: three, requires: [two], criteria: [{id: e, kind: kpi, severity: soft, due: p.one/exit}]}
"""
    late = phases.replace("GATE", "entry").replace("DUE", "one/exit")
    assert [one.id for one in told(late)] == ["p.two.d", "p.three.e"]
    early = phases.replace("GATE", "exit").replace("DUE", "one/entry")
    assert [one.id for one in told(early)] == ["p.one.c", "p.two.d", "p.three.e"]


def test_a_soak_that_is_longer_than_its_phase() -> None:
    header = HEADER.replace(", max_age: 24h", "") + "    date: 2025-11-10\n    hours: 09:00-11:00\n"
    ((soak,), (nights,)) = (
        told(criterion(f"{MAX}, {key}"), header=header)
        for key in ("soak: {for: 7d, gap: 1h}", "per: night, in_a_row: 3")
    )
    assert (soak.grave, nights.grave) == (False, False)
    assert "wants 7d, and the phase lasts 2h: only what was seen before it" in str(soak.problem)
    assert "wants 3d, and the phase lasts 2h" in str(nights.problem)


def test_a_remark_has_file_and_line() -> None:
    (found,) = told(criterion(f'{RATE}, pass: "> 1"'))
    assert (found.id, found.problem.file, found.problem.line) == ("p.one.c", "rollout.yaml", 9)


@pytest.mark.parametrize(
    ("rule", "grave", "what"),
    [
        (
            f'{RATE}, fail: "> 1"',
            True,
            "can never trip: at worst quiet: rate of ok was 1, over 4 samples since the phase "
            "began; allowed <= 1 (a rate lies between 0 and 1)",
        ),
        (
            f'{RATE}, fail: ">= 0"',
            True,
            "can never be quiet: at best tripped: rate of ok was 0, over 1 sample since the phase "
            "began; allowed < 0 (a rate lies between 0 and 1)",
        ),
        (
            f'{RATE}, fail: "< 0.8", over: [{FIVE}], confidence: {{level: 95%, windows: 500}}',
            False,
            f"can never trip: 5 samples, all bad, are too few to be sure of a breach{RATIO} "
            "(6 of 6 do: over: [{last: 6, need: 6}])",
        ),
    ],
)
def test_what_is_remarked_of_a_guardrail(rule: str, grave: bool, what: str) -> None:
    assert said(guardrail(rule)) == [(grave, f"guardrail g {what}")]


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
    assert said(guardrail(rule)) == []


def test_guardrails_that_share_their_budget_are_less_sure() -> None:
    sure = "over: [{last: 4, need: 4}], confidence: {level: 95%, windows: 24}"
    alone = guardrail(f'{RATE}, fail: "< 0.8", {sure}')
    assert said(alone) == []
    both = alone + f'      - {{id: other, {RATE}, fail: "< 0.5", confidence: 95%}}\n'
    ((_, what),) = said(both)
    assert what.startswith("guardrail g can never trip: 4 samples, all bad, are too few to be sure")
    assert what.endswith("(5 of 5 do: over: [{last: 5, need: 5}])")


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


def rule_of(text: str) -> Rule:
    return plan_of(guardrail(text)).phases[0].guardrails[0].rules[0]


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
    found = alarms(rule_of(rule), looks=24)
    if "sum" in rule:
        p = 1 / 48
        assert found is not None
        expected = 1 - (1 - p) ** 24 - 24 * p * (1 - p) ** 23
    assert (found.chance if found else None) == (pytest.approx(expected) if expected else None)


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
    found = alarms(rule_of(rule), 1 - bad, looks)
    expected = Fraction(0)
    series = "bad" if "bad" in rule else "ok"
    for run in product((True, False), repeat=looks):
        outcomes = samples(*(int(good is (series == "ok")) for good in run), series=series)
        if watched(rule, outcomes) == "tripped":
            wrong = run.count(False)
            expected += bad**wrong * (1 - bad) ** (looks - wrong)
    assert found is not None
    assert found.chance == pytest.approx(float(expected))


def test_a_window_too_wide_to_be_followed_exactly_is_not_overstated() -> None:
    found = alarms(rule_of(f'{RATE}, fail: "> 0.2", over: [{{last: 25, need: 25}}]'), looks=50)
    assert found is not None
    assert not found.exact
    assert 0.05 < found.chance < 0.3  # two windows apart; all 26 of them trip more often
