"""Criteria that are made of others, and conditions that are due too early."""

from __future__ import annotations

from tests.judge.worlds import criterion
from tests.soundness.plans import RATE, of_criterion, said, told

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


NEVER = f'{RATE}, pass: ">= 0"'
SOMETIMES = f'{RATE}, pass: ">= 0.9", need: 10'


def group(a: str, need: str, also: str = "") -> list[str]:
    """What is said of the group `g` of `a`, which has a rule, and of `b`, which has none."""
    phase = f"""\
    criteria:
      - {{id: a, kind: kpi, {a}}}
      - {{id: b, kind: kpi}}
{also}      - {{id: g, kind: kpi, of: {need}}}
"""
    begin = "criterion g "
    return [text.removeprefix(begin) for _, text in said(phase) if text.startswith(begin)]


def test_a_member_that_never_fails_is_enough_for_any() -> None:
    assert group(SOMETIMES, "[a, b], need: any") == []
    assert group(NEVER, "[a, b]") == []
    assert group(NEVER, "[a, b], need: any") == [
        "can never fail: a, which never fails, makes it pass whatever others do "
        "(have it able to fail, or leave it out)"
    ]


def test_a_member_that_fails_in_one_scope_can_fail() -> None:
    over = "over: [{span: 5m, need: 5}, {last: 9, need: 3}]"  # five samples are always five
    assert group(f'metric: m, take: count, pass: ">= 5", {over}', "[a, b], need: any") == []


def test_a_member_that_is_too_much_to_try_is_taken_to_fail() -> None:
    much = 'metric: m, take: max, pass: "< 1", per: 1s, in_a_row: 200000'
    assert group(much, "[a, b], need: any") == []


def test_a_member_that_never_fails_may_earn_the_score() -> None:
    assert group(NEVER, '{a: 1, b: 2}, need: score, pass: ">= 50"') == []
    (told_,) = group(NEVER, '{a: 1, b: 1}, need: score, pass: ">= 50"')
    assert told_.startswith("can never fail: a, which never fails, makes it pass")


def test_a_group_within_a_group_never_fails_either() -> None:
    inner = "      - {id: inner, kind: kpi, of: [a, b], need: any}\n"
    assert group(SOMETIMES, "[b, inner], need: any", inner) == []
    (told_,) = group(NEVER, "[a, inner]", inner)
    assert told_ == (
        "can never fail: a and inner, which never fail, make it pass whatever others do "
        "(have them able to fail, or leave them out)"
    )


def test_a_condition_that_is_due_before_it_is_made() -> None:
    phases = """\
    criteria: [{id: c, kind: kpi, severity: soft, gate: GATE, due: p.DUE}]
  - {id: two, requires: [one], criteria: [{id: d, kind: kpi, severity: soft, due: p.one/entry}]}
  - {id: three, requires: [two], criteria: [{id: e, kind: kpi, severity: soft, due: p.one/exit}]}
"""
    late = phases.replace("GATE", "entry").replace("DUE", "one/exit")
    assert [remark.id for remark in told(late)] == ["p.two.d", "p.three.e"]
    early = phases.replace("GATE", "exit").replace("DUE", "one/entry")
    assert [remark.id for remark in told(early)] == ["p.one.c", "p.two.d", "p.three.e"]


def test_the_circle_of_a_condition_is_named() -> None:
    assert of_criterion(f"{RATE}, pass: '> 0.9', need: 11, due: p.one/exit") == [
        "! is due at p.one/exit, which is decided no later than its own gate, p.one/exit: "
        "a circle (name a gate that comes after)"
    ]
    later = criterion(f"{RATE}, pass: '> 0.9', need: 11, due: p.two/exit")
    assert said(later + "  - {id: two, criteria: [{id: d, kind: kpi}]}\n") == []
