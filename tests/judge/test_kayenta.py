"""Kayenta's rule: its arithmetic against scipy, and that no answer rests on it."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_rollout.judge.kayenta import Classified, classify
from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.plan.load import parse
from pytest_rollout.report.rule_words import rule_words
from tests.judge.worlds import HEADER, decided, judged, plan_of, samples, text, world_of

RULE = (
    "severity: soft, metric: m, where: {v: new}, take: mean, need: 5, "
    'pass: "< 1.1", versus: {where: {v: old}, as: kayenta}'
)
OLD = [100, 101, 102, 103, 104]
SLOW = [130, 131, 132, 133, 134]


def weighted(numbers: list[int]) -> Weighted:
    return [(Fraction(n), 1, Slot("m", (), 0, 0)) for n in numbers]


def classified(new: list[int], old: list[int]) -> Classified:
    return classify(weighted(new), weighted(old))


def beyond(new: list[float], old: list[float]) -> bool:
    """Whether new is above old at 0.99, by scipy's Mann and Whitney."""
    if len({*new, *old}) == 1:
        return False
    asked = {"alternative": "greater", "method": "asymptotic", "use_continuity": True}
    return bool(stats.mannwhitneyu(new, old, **asked).pvalue < 0.01)


@given(
    st.lists(st.integers(-20, 60), min_size=5, max_size=25),
    st.lists(st.integers(-20, 60), min_size=5, max_size=25),
)
@settings(deadline=None)
def test_the_classes_are_those_of_scipy_at_a_quarter_of_the_median(
    new: list[int], old: list[int]
) -> None:
    by = abs(median(x - y for x in new for y in old)) / 4  # in eighths, so floats are exact
    found = classified(new, old)
    assert found.high == beyond([x - by for x in new], [float(y) for y in old])
    assert found.low == beyond([-x - by for x in new], [float(-y) for y in old])


@pytest.mark.parametrize(("high_ones", "high"), [(60, True), (61, False)])
def test_a_quarter_of_the_median_shift_is_allowed_on_top(high_ones: int, high: bool) -> None:
    # The median shift is 80, so 20 is allowed: 80 still ties with 60, and no longer beats 61.
    assert classified([80] * 8, [0] * 6 + [high_ones] * 2).high is high


@pytest.mark.parametrize(("n", "high"), [(4, False), (5, True)])
def test_values_that_do_not_overlap_are_a_shift_from_five_a_side(n: int, high: bool) -> None:
    assert classified(SLOW[:n], OLD[:n]).high is high


def test_two_constants_are_told_apart_without_noise() -> None:
    assert classified([3] * 5, [2] * 5) == Classified(high=True, low=False, effect=Fraction(3, 2))
    assert not classified([2] * 5, [2] * 5).high


def test_the_effect_is_the_ratio_of_means_and_none_where_one_is_zero() -> None:
    assert classified(SLOW, OLD).effect == Fraction(132, 102)
    assert classified([0] * 5, OLD).effect is None


class TestRule:
    def finding(self, new: list[object], old: list[object]) -> tuple[Verdict, str]:
        observed = [*samples(*new, v="new"), *samples(*old, every=30, v="old")]
        found = judged(RULE, observed)
        return found.verdict, text(found)

    def test_a_significant_shift_beyond_the_effect_fails(self) -> None:
        verdict, because = self.finding([*SLOW], [*OLD])
        assert verdict is Verdict.FAIL
        assert "mean of m was 132, 1.29" in because

    def test_a_significant_shift_within_the_effect_passes(self) -> None:
        assert self.finding([105, 106, 107, 108, 109], [*OLD])[0] is Verdict.PASS

    def test_the_harmful_direction_is_that_of_the_cut(self) -> None:
        assert self.finding([*OLD], [*SLOW])[0] is Verdict.PASS
        rule = RULE.replace('"< 1.1"', '"> 0.9"')
        observed = [*samples(*OLD, v="new"), *samples(*SLOW, every=30, v="old")]
        assert judged(rule, observed).verdict is Verdict.FAIL

    @pytest.mark.parametrize(
        ("new", "old", "verdict"),
        [
            ([], OLD, Verdict.MISSING),
            (SLOW, [], Verdict.MISSING),
            (SLOW[:4], OLD, Verdict.INCONCLUSIVE),
            ([*SLOW, None], OLD, Verdict.INCONCLUSIVE),
            (SLOW, [*OLD, None], Verdict.INCONCLUSIVE),
            ([*SLOW, *SLOW, None], [0] * 10, Verdict.INCONCLUSIVE),
        ],
    )
    def test_nothing_too_little_and_lost_are_no_pass(
        self, new: list[object], old: list[object], verdict: Verdict
    ) -> None:
        assert self.finding(new, old)[0] is verdict

    @pytest.mark.parametrize("new", [SLOW, OLD, SLOW[:4], []])
    def test_every_reason_says_that_it_is_outside_the_theorem(self, new: list[object]) -> None:
        assert self.finding(new, [*OLD])[1].endswith(
            " (Kayenta's rule, outside the theorem: worse evidence may turn it into a pass)"
        )

    def test_the_decision_and_the_rule_in_words_say_so_too(self) -> None:
        plan = plan_of(f"    criteria: [{{id: c, kind: slo, {RULE}}}]\n")
        both = [*samples(*SLOW, v="new"), *samples(*OLD, every=30, v="old")]
        part = decided(plan, world_of(plan, both)).criteria[0].parts[-1]
        assert part.estimate is not None
        assert part.estimate.method == "Kayenta, outside the theorem"
        stated = plan.phases[0].criteria[0].rule
        assert stated is not None
        assert "that of m (only v old), by Kayenta's rule (outside the theorem)" in rule_words(
            stated
        )

    def test_worse_evidence_can_turn_it_into_a_pass(self) -> None:
        old: list[object] = [0, 0, 4, 5, 6]
        assert self.finding([7, 10, 11, 11, 11], old)[0] is Verdict.FAIL
        assert self.finding([7, 10, 11, 11, 21], old)[0] is Verdict.PASS


@pytest.mark.parametrize("severity", ["soft", "optional"])
@pytest.mark.parametrize(
    ("new", "verdict"), [(SLOW, Verdict.FAIL), (OLD, Verdict.PASS), ([], Verdict.MISSING)]
)
def test_no_answer_rests_on_it(severity: str, new: list[object], verdict: Verdict) -> None:
    rule = RULE.replace("soft", severity)
    text = f"    criteria: [{{id: ok, kind: slo}}, {{id: c, kind: slo, {rule}}}]\n"
    plan = plan_of(text)
    observed = [*samples(*new, v="new"), *samples(*OLD, every=30, v="old")]
    decision = decided(plan, world_of(plan, observed))
    assert (decision.criteria[1].verdict, decision.answer) == (verdict, Answer.GO)
    expected = severity == "soft" and verdict is not Verdict.PASS
    assert [one.id for one in decision.conditions] == ["p.one.c"] * expected


def test_its_pass_is_not_what_a_gate_of_waived_criteria_lacks() -> None:
    text = (
        f"{HEADER}    criteria:\n      - {{id: c, kind: slo, {RULE}}}\n"
        "      - {id: h, kind: slo, metric: h, take: max, pass: '< 1'}\n"
    )
    waiver = (
        "waivers: [{phase: one, criterion: h, reason: two hosts only, author: A. One, "
        "approver: B. Two, until: 2025-11-30}]\n"
    )
    found = parse(text, Path("p/rollout.yaml"), "rollout.yaml", {"waivers.yaml": waiver})
    assert found.plan is not None
    both = [*samples(*OLD, v="new"), *samples(*OLD, every=30, v="old")]
    decision = decided(found.plan, world_of(found.plan, [*both, *samples(2, series="h")]))
    assert [one.verdict for one in decision.criteria] == [Verdict.PASS, Verdict.WAIVED]
    assert decision.answer is Answer.HOLD


def test_a_gate_in_which_it_alone_passes_is_held() -> None:
    plan = plan_of(f"    criteria: [{{id: c, kind: slo, {RULE}}}]\n")
    observed = [*samples(*OLD, v="new"), *samples(*OLD, every=30, v="old")]
    decision = decided(plan, world_of(plan, observed))
    assert decision.criteria[0].verdict is Verdict.PASS
    assert decision.answer is Answer.HOLD
