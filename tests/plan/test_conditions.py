"""Keys of a rule that do not fit are named with what to write instead."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import (
    Confidence,
    Need,
    Nightly,
    Per,
    PerUnit,
    Rule,
    ScopeKind,
    Streak,
    Tolerate,
    Versus,
)
from pytest_rollout.plan.load import Loaded, parse

BARE = "plan: p\nphases:\n  - id: one\n"
HEADER = BARE.replace("phases:", "release: {variable: RELEASE}\nphases:")


def loaded(text: str) -> Loaded:
    return parse(HEADER + text, Path("p/rollout.yaml"), "rollout.yaml")


def plan_of(text: str) -> Plan:
    found = loaded(text)
    assert found.problems == (), [str(one) for one in found.problems]
    assert found.plan is not None
    return found.plan


def rule_of(keys: str) -> Rule:
    rule = plan_of(f"    criteria: [{{id: c, kind: slo, metric: m, {keys}}}]\n")
    found = rule.phases[0].criteria[0].rule
    assert found is not None
    return found


def offence(keys: str, *, guardrail: bool = False) -> str:
    """The one offence of a rule."""
    if guardrail:
        text = f"    guardrails: [{{id: g, metric: m, {keys}, then: warn}}]\n"
    else:
        text = f"    criteria: [{{id: c, kind: slo, metric: m, {keys}}}]\n"
    (problem,) = loaded(text).problems
    return str(problem)


GOOD = 'take: rate, pass: ">= 0.9"'


@pytest.mark.parametrize(
    ("keys", "streak"),
    [
        ("in_a_row: 3", Streak(n=3)),
        ("in_a_row: {n: 3, gaps: skip}", Streak(n=3, skip=True)),
        ("in_a_row: {for: 5m, gap: 30s}", Streak(span_us=300_000_000, gap_us=30_000_000)),
        (
            "soak: {for: 7d, gap: 1h}",
            Streak(span_us=604_800_000_000, gap_us=3_600_000_000, soak=True),
        ),
    ],
)
def test_looks_in_a_row(keys: str, streak: Streak) -> None:
    rule = rule_of(f"{GOOD}, {keys}")
    assert rule.streak == streak
    (scope,) = rule.scopes
    assert (scope.kind, scope.last) == (ScopeKind.LAST, 1)


def test_every_key_at_once() -> None:
    rule = rule_of(
        'take: mean, pass: "> -5", per: day, need: 4, over: [{last: 7, need: 5}],'
        " confidence: 99.5%, range: [0, 100], versus: {where: {version: 1}, frozen: begin}"
    )
    assert (rule.per, rule.need, rule.scopes[0].need) == (Per(PerUnit.DAY), 4, 5)
    assert rule.confidence is not None
    assert (rule.confidence.level, rule.confidence.text) == (Fraction(1, 200), "99.5 %")
    assert rule.versus == Versus("m", {"version": "1"}, frozen=True)
    assert rule_of(f"{GOOD}, tolerate: {{failures: 2, in_a_row: 1}}").tolerate == Tolerate(2, 1)


def test_scopes_of_the_calendar_and_of_age() -> None:
    over = "over: [{days: 3}, {nights: 2, need: 2}, {age: 48h}, {since: begin, until: 2d}]"
    scopes = rule_of(f"{GOOD}, {over}").scopes
    assert [one.kind.value for one in scopes] == ["days", "nights", "age", "since"]
    assert [one.last for one in scopes] == [3, 2, 0, 0]
    assert [one.span_us for one in scopes] == [0, 0, 172_800_000_000, 172_800_000_000]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("in_a_row: 0", "`in_a_row` is not a whole number >= 1"),
        ("in_a_row: {gaps: skip}", "neither `n` nor `for`"),
        ("in_a_row: {n: 3, gaps: jump}", "`gaps` is break or skip"),
        ("in_a_row: {for: 5m}", "has no `gap`"),
        ("soak: {for: 5m, gap: 1h}", "the gap is longer than the whole"),
        ("soak: 7d", "is not a mapping"),
        ("in_a_row: 3, soak: {for: 7d, gap: 1h}", "both `in_a_row` and `soak`"),
        ("tolerate: {}", "has no `failures`"),
        ("tolerate: {failures: -1}", "`failures` is not a whole number >= 0"),
        ("versus: {}", "names no other side"),
        ("versus: {frozen: end}", "unknown `end`"),
        ("versus: {as: quotient}", "`as` is difference, ratio, nightly or kayenta"),
        ("confidence: often", "is no confidence; write 95%"),
        ("confidence: 20%", "is no confidence; write 95%"),
        ("confidence: {windows: 3}", "has no `level`"),
        ("range: [1, 0], confidence: 95%", "is no pair of numbers"),
        ("range: [0, 1]", "`range` without `confidence`"),
        ("tolerate: {failures: 1}, confidence: 95%", "judges each sample by itself"),
        ("per: week", "'week' is no bucket; write run, day, night or 5m"),
        ("per: day, over: [{days: 3}]", "`per` with a scope of days"),
        ("over: [{span: 5m, until: 2d}]", "`until` goes with `since: begin`"),
        ("each: {a: {from: n}}", "no `at_least`"),
        ("key: [a]", "`key` without `of`"),
    ],
)
def test_an_offence_of_a_condition(keys: str, said: str) -> None:
    assert said in offence(f"{GOOD}, {keys}")


@pytest.mark.parametrize(("take", "none"), [("{share: '< 2'}", "share"), ("count", "count")])
def test_a_single_sample_has_no_share_and_no_count(take: str, none: str) -> None:
    said = offence(f'take: {take}, pass: ">= 1", tolerate: {{failures: 1}}')
    assert f"`tolerate` judges each sample, which has no {none}" in said


@pytest.mark.parametrize(
    ("take", "said"),
    [
        ("max", "has no bound at a confidence"),
        ("sum", "has no bound at a confidence"),
        ("mean", "range: [0, 100]"),
        ("p95, versus: {where: {a: b}}", "compare means, medians (p50), rates or shares"),
    ],
)
def test_what_has_no_bound(take: str, said: str) -> None:
    assert said in offence(f'take: {take}, pass: "<= 0.9", confidence: 95%')


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("take: rate, confidence: 95%, over: [{span: 5m}]", "how many windows"),
        ("take: mean, confidence: 95%, range: [0, 1]", "has no bound at a confidence"),
        ("take: rate, confidence: 95%, versus: {where: {a: b}}", "difference that is watched"),
        ("take: rate, soak: {for: 7d, gap: 1h}", "no `soak`"),
        ("take: rate, over: [{age: 48h}]", "`age` reads one run"),
    ],
)
def test_what_a_guardrail_cannot_state(keys: str, said: str) -> None:
    assert said in offence(f'{keys}, fail: "> 0.1"', guardrail=True)


GROUP = """\
    criteria:
      - {{id: a, kind: kpi, severity: optional}}
      - {{id: b, kind: kpi, severity: optional}}
      - {{id: e, kind: kpi, gate: entry}}
      - {{id: c, kind: kpi, {keys}}}
"""


def test_a_group_of_criteria() -> None:
    keys = 'of: {a: 2, b: 0.5}, need: score, key: [a], pass: ">= 80", fail: "< 60"'
    group = plan_of(GROUP.format(keys=keys)).phases[0].criteria[3].of
    assert group is not None
    assert group.members == (("a", Fraction(2)), ("b", Fraction(1, 2)))
    assert (group.need, group.key) == (Need.SCORE, ("a",))
    plain = plan_of(GROUP.format(keys="of: [a, b]")).phases[0].criteria[3].of
    assert plain is not None
    assert (plain.need, plain.bands) == (Need.ALL, None)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("of: [a, x]", "`of` names no criterion x"),
        ("of: [a, e]", "member e belongs to the entry gate"),
        ("of: [a, c]", "`of` leads back to it"),
        ("of: [a, a]", "states a twice"),
        ("of: {a: 0}", "a has no weight above 0"),
        ("of: [a], need: score", "a score without `pass`"),
        ('of: [a], pass: ">= 1"', "cuts are of `need: score`"),
        ("of: [a], need: most", "unknown need `most`"),
        ("of: [a], key: [b]", "key member `b` is not in `of`"),
        ("of: [a], metric: m", "`metric` with `of`"),
    ],
)
def test_an_offence_of_a_group(keys: str, said: str) -> None:
    (problem,) = loaded(GROUP.format(keys=keys)).problems
    assert said in str(problem)


def test_a_guardrail_of_several_rules() -> None:
    part = '{metric: m, take: max, fail: "> 1"}'
    text = f"    guardrails: [{{id: g, of: [{part}, {part}], then: warn}}]\n"
    assert len(plan_of(text).phases[0].guardrails[0].rules) == 2
    stray = f"    guardrails: [{{id: g, of: [{part}], take: max, then: warn}}]\n"
    assert "unknown key `take`" in str(loaded(stray).problems[0])


KAYENTA = "severity: soft, take: mean, need: 5, versus: {where: {v: 1}, as: kayenta}"


def test_kayentas_rule_is_of_soft_criteria() -> None:
    rule = rule_of(f'{KAYENTA}, pass: "< 1.1"')
    assert rule.versus == Versus("m", {"v": "1"}, kayenta=True)
    assert not rule.in_theorem


@pytest.mark.parametrize(
    ("without", "instead", "said"),
    [
        ("severity: soft, ", "", "no answer may rest on it"),
        ("soft", "hard", "no answer may rest on it"),
        ("take: mean", "take: p50", "the ratio of means"),
        ("need: 5", "need: 4", "fewer than 5 samples"),
        ("need: 5", "need: 5, over: [{last: 9, need: 4}]", "fewer than 5 samples"),
        ("need: 5", "need: 5, confidence: 98%", "`confidence`"),
        ("need: 5", 'need: 5, fail: "> 2"', "`fail`"),
        ("need: 5", "need: 5, in_a_row: 2", "`in_a_row`"),
    ],
)
def test_what_kayentas_rule_cannot_state(without: str, instead: str, said: str) -> None:
    assert said in offence(f'{KAYENTA}, pass: "< 1.1"'.replace(without, instead))


NIGHTLY = 'take: p95, pass: "<= 1.15", versus: {release: "1.4", as: nightly}'


def test_nights_are_compared_with_those_of_a_release() -> None:
    keys = NIGHTLY.replace("nightly}", "nightly, baseline: 9, latest: 2, confirm: 0, alarms: 1/y}")
    rule = rule_of(f"{keys}, where: {{a: b}}, per: 6h, need: 7, confidence: 99%")
    assert rule.nightly == Nightly(9, 2, 0, Fraction(1), Per(PerUnit.SPAN, 21_600_000_000))
    assert rule.versus == Versus("m", {"a": "b"}, ratio=True, release="1.4", nightly=rule.nightly)
    assert (rule.per, rule.need) == (None, 7)
    assert rule_of(NIGHTLY).nightly == Nightly()
    assert rule_of(NIGHTLY).confidence == Confidence(Fraction(1, 20), "95 %")


@pytest.mark.parametrize(
    ("without", "instead", "said"),
    [
        ('release: "1.4", ', "", "compares with a pinned release"),
        ('"1.4"', "previous", "compares with a pinned release"),
        ("as: nightly", "as: nightly, frozen: begin", "with `frozen`"),
        ("as: nightly", "as: nightly, metric: n", "with `metric`"),
        ("as: nightly", "as: nightly, baseline: 4", "`baseline` is 5 to 400, not 4"),
        ("as: nightly", "as: nightly, latest: 11", "`latest` is 1 to 10, not 11"),
        ("as: nightly", "as: nightly, confirm: 4", "`confirm` is 0 to 3, not 4"),
        ("as: nightly", "as: nightly, alarms: 13/y", "is no number of false alarms"),
        ("as: nightly", "as: nightly, alarms: 0/y", "is no number of false alarms"),
        ("as: nightly", "as: ratio, alarms: 1/y", "`alarms` goes with `as: nightly`"),
        ("take: p95", "take: rate", "with `rate`"),
        ("<= 1.15", "<= 1", "the margin lies above 1"),
        ("<= 1.15", ">= 1.15", "the margin lies below 1"),
        ("take: p95", "take: p95, per: run", "with `per: run`"),
        ("take: p95", "take: p95, in_a_row: 2", "with `in_a_row`"),
        ("take: p95", "take: p95, over: [{last: 3}]", "with `over`"),
        ("take: p95", 'take: p95, warn: "> 1.1"', "with `warn`"),
    ],
)
def test_what_compared_nights_cannot_state(without: str, instead: str, said: str) -> None:
    assert said in offence(NIGHTLY.replace(without, instead))


def test_nights_are_of_no_guardrail_and_need_a_release_that_is_read() -> None:
    guarded = NIGHTLY.replace('pass: "<= 1.15"', 'fail: "> 1.15"')
    assert "make it a criterion" in offence(guarded, guardrail=True)
    text = f"    criteria: [{{id: c, kind: slo, metric: m, {NIGHTLY}}}]\n"
    found = parse(BARE + text, Path("p/rollout.yaml"), "rollout.yaml")
    assert "but the plan reads no release" in str(found.problems[0])


def test_kayentas_rule_is_of_no_guardrail_and_no_group() -> None:
    keys = KAYENTA.replace("severity: soft, ", "")
    assert "no answer may rest on it" in offence(f'{keys}, fail: "> 1.1"', guardrail=True)
    group = f"""\
    criteria:
      - {{id: a, kind: kpi, metric: m, {KAYENTA}, pass: "< 1.1"}}
      - {{id: c, kind: kpi, of: [a]}}
"""
    found = parse(HEADER + group, Path("p/rollout.yaml"), "rollout.yaml")
    assert "its member a is judged by Kayenta's rule" in str(found.problems[0])
