"""Conditions that look further than one value: rows, buckets, bounds, comparisons, groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest

from pytest_rollout.model.evidence import Attempt, Seen
from pytest_rollout.model.finding import Finding, Part
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.trust import worth
from tests.judge.worlds import (
    AT,
    NINE,
    SECOND,
    criterion,
    decided,
    judged,
    plan_of,
    samples,
    seen,
    text,
    watched,
    world_of,
)

FAIL, MISSING, INCONCLUSIVE = Verdict.FAIL, Verdict.MISSING, Verdict.INCONCLUSIVE
ERROR, HOLD, WARN, PASS = Verdict.ERROR, Verdict.HOLD, Verdict.WARN, Verdict.PASS
DAY = 86_400
LIMIT = 'metric: m, take: last, pass: "<= 1"'


def part(finding: Finding) -> Part:
    """The one measured part of a criterion."""
    return finding.parts[-1]


class TestInARow:
    @pytest.mark.parametrize(
        ("values", "verdict"),
        [
            ([1, 1, 1], PASS),
            ([9, 1, 1, 1], PASS),
            ([1, 1], INCONCLUSIVE),
            ([1, 9, 1, 1], INCONCLUSIVE),
            ([1, 1, 1, 9], FAIL),
            ([1, None, 1, 1], INCONCLUSIVE),
            ([1, 1, 1, None], INCONCLUSIVE),
            ([], MISSING),
        ],
    )
    def test_the_newest_looks_must_be_good(self, values: list[Any], verdict: Verdict) -> None:
        finding = judged(f"{LIMIT}, in_a_row: 3", samples(*values))
        assert finding.verdict is verdict

    def test_what_is_said_of_a_short_row(self) -> None:
        finding = judged(f"{LIMIT}, in_a_row: 3", samples(9, 1, 1))
        assert text(finding).startswith("2 in a row, 3 needed; before: last of m was 9")

    def test_a_warning_in_the_row_is_a_warning(self) -> None:
        rule = 'metric: m, take: last, pass: "<= 3", warn: ">= 2", in_a_row: 3'
        assert judged(rule, samples(1, 2, 1)).verdict is WARN

    def test_looks_with_too_little_break_or_are_skipped(self) -> None:
        over = "over: [{span: 90s, need: 2}]"
        observed = [seen(1, t) for t in (0, 60, 600, 660)]  # alone at 0 and at 600
        broken = f"{LIMIT}, {over}, in_a_row: {{n: 2, gaps: break}}"
        assert judged(broken, observed).verdict is INCONCLUSIVE
        assert judged(broken.replace("break", "skip"), observed).verdict is PASS

    def test_a_lost_value_is_not_skipped(self) -> None:
        rule = f"{LIMIT}, over: [{{last: 1}}], in_a_row: {{n: 3, gaps: skip}}"
        assert judged(rule, samples(1, 1, None, 1)).verdict is INCONCLUSIVE

    def test_each_group_has_a_row_of_its_own(self) -> None:
        rule = f"{LIMIT}, each: {{lane: [A, B]}}, in_a_row: 2"
        observed = [*samples(1, 1, lane="A"), *samples(1, 9, lane="B")]
        finding = judged(rule, observed)
        assert [one.verdict for one in finding.parts[1:]] == [PASS, FAIL]
        absent = judged(rule, samples(1, 1, lane="A"))
        assert [one.verdict for one in absent.parts[1:]] == [PASS, MISSING]


class TestSoak:
    RULE = f"{LIMIT}, soak: {{for: 30m, gap: 10m}}"

    def soaked(self, values: Iterable[tuple[float, object]]) -> Finding:
        """The finding an hour after nine, from (minute, value)."""
        return judged(self.RULE, [seen(value, minute * 60) for minute, value in values])

    def test_nothing_bad_for_long_enough(self) -> None:
        assert self.soaked((m, 1) for m in range(0, 61, 10)).verdict is PASS
        assert self.soaked([(0, 9), *((m, 1) for m in range(30, 61, 10))]).verdict is PASS

    def test_something_bad_begins_it_anew(self) -> None:
        finding = self.soaked([*((m, 1) for m in range(0, 41, 10)), (45, 9), (50, 1), (60, 1)])
        assert finding.verdict is INCONCLUSIVE
        assert "good for 10m, 30m needed; before: last of m was 9" in text(finding)

    def test_time_that_nobody_watched_earns_nothing(self) -> None:
        finding = self.soaked([(0, 1), (10, 1), (20, 1), (31, 1), (41, 1), (51, 1), (60, 1)])
        assert finding.verdict is INCONCLUSIVE
        assert "nobody looked from 2025-11-10 09:20:00 EST" in text(finding)

    def test_it_lasts_until_now(self) -> None:
        assert self.soaked((m, 1) for m in range(0, 41, 10)).verdict is MISSING
        assert self.soaked([*((m, 1) for m in range(0, 51, 10)), (60, 9)]).verdict is FAIL


class TestBuckets:
    RULE = 'metric: m, take: rate, pass: ">= 0.5", per: day, need: 2'

    def days(self, *rates: tuple[int, int]) -> list[Seen]:
        """Good ones of so many on days before the one that is judged on, the newest last."""
        found: list[Seen] = []
        for back, (good, of) in enumerate(reversed(rates), 1):
            found += [seen(int(n < good), -back * DAY + n) for n in range(of)]
        return found

    @pytest.mark.parametrize(
        ("rates", "verdict"),
        [
            ([(2, 2), (1, 2), (2, 2)], PASS),
            ([(2, 2), (0, 2), (2, 2)], FAIL),
            ([(2, 2), (1, 1), (2, 2)], INCONCLUSIVE),
            ([(2, 2), (2, 2)], INCONCLUSIVE),
        ],
    )
    def test_every_day_by_itself(self, rates: list[tuple[int, int]], verdict: Verdict) -> None:
        rule = f"{self.RULE}, over: [{{last: 3, need: 3}}]"
        assert judged(rule, self.days(*rates), begun_us=None).verdict is verdict

    def test_a_day_that_is_not_over_does_not_count(self) -> None:
        today = [seen(0, n) for n in range(5)]
        rule = f"{self.RULE}, over: [{{last: 1}}]"
        assert judged(rule, [*self.days((2, 2)), *today], begun_us=None).verdict is PASS

    def test_days_in_a_row(self) -> None:
        rule = f"{self.RULE}, in_a_row: 3"
        assert judged(rule, self.days((2, 2), (2, 2), (2, 2)), begun_us=None).verdict is PASS
        assert (
            judged(rule, self.days((2, 2), (0, 2), (2, 2)), begun_us=None).verdict is INCONCLUSIVE
        )

    def test_an_empty_day_since_the_begin_is_missing(self) -> None:
        begun = NINE - 3 * DAY * SECOND
        rule = f"{self.RULE}, over: [{{last: 3, need: 3}}]"
        observed = [one for one in self.days((2, 2), (2, 2), (2, 2)) if one.slot.t_us >= begun]
        thinned = [one for one in observed if one.slot.t_us < begun + DAY * SECOND]
        assert judged(rule, observed, begun_us=begun).verdict is PASS
        assert judged(rule, thinned, begun_us=begun).verdict is MISSING

    def test_runs_are_buckets_too(self) -> None:
        rule = 'metric: m, take: max, pass: "<= 1", per: run, in_a_row: 2'
        good = [seen(0, 0, run="r0"), seen(9, 60, run="r0"), seen(1, 900), seen(0, 960)]
        assert judged(rule, good).verdict is INCONCLUSIVE
        better = [seen(1, 0, run="r0"), *good[2:]]
        assert judged(rule, better).verdict is PASS

    def test_scopes_of_days_and_nights_reach_those_that_are_over(self) -> None:
        observed = [seen(v, t) for v, t in ((9, -2 * DAY), (1, -DAY), (9, 0))]
        assert judged(f"{LIMIT}, over: [{{days: 1}}]", observed).verdict is PASS
        rule = 'metric: m, take: max, pass: "<= 1", over: [{days: 2}]'
        assert judged(rule, observed).verdict is FAIL
        at_night = [seen(9, -10 * 3600), seen(1, 0)]  # eleven in the evening before
        rule = 'metric: m, take: max, pass: "<= 1", over: [{nights: 1}]'
        assert judged(rule, at_night).verdict is FAIL


class TestCohorts:
    RULE = 'metric: m, take: rate, pass: ">= 0.8", over: [{age: 30m, need: 2}]'

    def test_only_those_old_enough_count(self) -> None:
        observed = [seen(1, 0), seen(1, 30 * 60), seen(0, 31 * 60)]
        assert judged(self.RULE, observed).verdict is PASS

    def test_one_that_is_not_done_in_time_is_bad(self) -> None:
        observed = [seen(1, 0), seen(0, 29 * 60), seen(1, 31 * 60)]
        assert judged(self.RULE, observed).verdict is FAIL

    def test_none_old_enough_yet(self) -> None:
        assert judged(self.RULE, [seen(1, 31 * 60), seen(1, 32 * 60)]).verdict is MISSING

    def test_the_first_hours_of_a_phase(self) -> None:
        rule = 'metric: m, take: max, pass: "<= 1", over: [{since: begin, until: 10m}]'
        assert judged(rule, [seen(1, 0), seen(9, 601)]).verdict is PASS
        assert judged(rule, [seen(1, 0), seen(9, 600)]).verdict is FAIL


class TestConfidence:
    def rate(self, good: int, of: int, more: str = "") -> Finding:
        observed = [seen(int(n < good), n) for n in range(of)]
        return judged(f'metric: m, take: rate, pass: ">= 0.9", confidence: 95%{more}', observed)

    @pytest.mark.parametrize(
        ("good", "of", "verdict"),
        [
            (29, 29, PASS),
            (28, 28, INCONCLUSIVE),
            (20, 20, INCONCLUSIVE),
            (60, 100, FAIL),
            (90, 100, INCONCLUSIVE),
        ],
    )
    def test_the_bound_must_satisfy_the_cut(self, good: int, of: int, verdict: Verdict) -> None:
        assert self.rate(good, of).verdict is verdict

    def test_between_target_and_breach(self) -> None:
        assert self.rate(350, 500, ', fail: "< 0.5"').verdict is HOLD

    def test_a_warning_is_touched(self) -> None:
        assert self.rate(300, 300, ', warn: "<= 0.95"').verdict is PASS
        assert self.rate(40, 40, ', warn: "<= 0.95"').verdict is WARN

    def test_what_is_kept_and_said(self) -> None:
        finding = self.rate(29, 29)
        seen_ = part(finding).estimate
        assert seen_ is not None
        assert (seen_.value, seen_.low, seen_.method) == ("1", "0.901855", "Clopper-Pearson")
        assert "(at least 0.901855 at 95 % confidence)" in text(finding)
        assert list(worth(seen_)) == [
            "Bounds: 29 samples show that it is between 0.901855 and 1 "
            "(Clopper and Pearson's exact bounds of a share, at 95 % confidence).",
            "Worth: where 9.9 % or more are bad, at most 1 of 20 such runs passes, if samples are "
            "independent of each other.",
        ]

    def test_how_many_more_would_decide(self) -> None:
        seen_ = part(self.rate(20, 20)).estimate
        assert seen_ is not None
        assert seen_.more == 9
        assert list(worth(seen_))[-1] == (
            "Next: with 9 more good samples, 29 in all, the next run would pass it."
        )
        assert self.rate(29, 29).verdict is PASS
        last = part(self.rate(28, 28)).estimate
        assert list(worth(last))[-1] == (
            "Next: with one more good sample, 29 in all, the next run would pass it."
        )

    def test_each_look_halves_the_level(self) -> None:
        plan = plan_of(criterion('metric: m, take: rate, pass: ">= 0.9", confidence: 95%'))
        world = world_of(plan, [seen(1, n) for n in range(29)], environment="prod")
        assert decided(plan, world).answer is Answer.GO
        second = dataclasses.replace(world, looks=2)
        assert decided(plan, second).answer is Answer.HOLD

    def test_rehearsals_use_no_looks(self) -> None:
        plan = plan_of(criterion('metric: m, take: rate, pass: ">= 0.9", confidence: 95%'))
        world = world_of(plan, [seen(1, n) for n in range(29)])
        once, again = (decided(plan, dataclasses.replace(world, looks=n)) for n in (1, 7))
        assert (once.answer, again.looks) == (Answer.GO, 7)
        assert again.criteria == once.criteria

    def test_a_quantile_by_its_order_statistics(self) -> None:
        rule = 'metric: m, take: p95, pass: "< 10", confidence: 95%'
        assert judged(rule, [seen(n % 9, n) for n in range(59)]).verdict is PASS
        few = judged(rule, [seen(n % 9, n) for n in range(58)])
        assert few.verdict is INCONCLUSIVE
        assert "too few samples for a bound" in text(few)
        slow = [seen(11 if n < 20 else 1, n) for n in range(59)]
        assert judged(rule, slow).verdict is FAIL

    def test_a_mean_within_its_range(self) -> None:
        rule = 'metric: m, take: mean, pass: ">= 60", confidence: 95%, range: [0, 100]'
        assert judged(rule, [seen(80, n) for n in range(40)]).verdict is PASS
        assert judged(rule, [seen(80, n) for n in range(4)]).verdict is INCONCLUSIVE
        beyond = judged(rule, [seen(101, n) for n in range(40)])
        assert beyond.verdict is INCONCLUSIVE
        assert text(beyond) == (
            "40 of 40 samples of m cannot be judged: 101 lies outside of the stated range, 0 to 100"
        )
        below = [*(seen(0, n) for n in range(40)), seen(-1, 40)]
        assert judged(rule, below).verdict is FAIL  # whatever the one was

    def test_outcomes_that_are_no_yes_or_no(self) -> None:
        observed = [seen("0.5", n) for n in range(40)]
        rule = 'metric: m, take: rate, pass: ">= 0.2", confidence: 95%'
        finding = judged(rule, observed)
        assert finding.verdict is INCONCLUSIVE
        assert text(finding) == (
            "40 of 40 samples of m cannot be judged: "
            "a rate has a bound where every outcome is 0 or 1, and 0.5 was observed"
        )
        assert judged(rule.replace(", confidence: 95%", ""), observed).verdict is PASS

    def test_a_hole_caps_it(self) -> None:
        observed = [*(seen(1, n) for n in range(500)), seen(None, 501)]
        rule = 'metric: m, take: rate, pass: ">= 0.9", confidence: 95%'
        assert judged(rule, observed).verdict is INCONCLUSIVE


class TestVersus:
    RULE = 'metric: m, where: {v: new}, take: {take}, pass: "{cut}", versus: {{where: {{v: old}}}}'

    def compared(
        self, new: Iterable[object], old: Iterable[object], more: str = "", **keys: str
    ) -> Finding:
        observed = [*samples(*new, v="new"), *samples(*old, every=30, v="old")]
        stated = {"take": "mean", "cut": ">= -5", **keys}
        text = self.RULE.replace("{v: new}", "{{v: new}}").format(**stated) + more
        return judged(text, observed)

    def test_the_cut_is_on_the_difference(self) -> None:
        assert self.compared([80, 90], [88, 92]).verdict is PASS
        assert self.compared([80, 90], [88, 94]).verdict is FAIL
        finding = self.compared([80, 90], [88, 92])
        assert "mean of m was 85, 5 less than that of m (v old)" in text(finding)

    def test_the_sides_are_in_the_unit_of_the_cut(self) -> None:
        taken = text(self.compared([0.2], [0.1], cut="<= 50ms"))
        assert "mean of m was 200ms, 100ms more than that of m (v old)" in taken

    def test_a_ratio(self) -> None:
        rule = 'metric: m, where: {v: new}, take: p50, pass: "<= 1.1"'
        rule += ", versus: {where: {v: old}, as: ratio}"
        good = [*samples(110, v="new"), *samples(100, every=30, v="old")]
        assert judged(rule, good).verdict is PASS
        assert "p50 of m was 110, 1.1 times that of m (v old), over" in text(judged(rule, good))
        assert judged(rule, [seen(111, v="new"), seen(100, v="old")]).verdict is FAIL
        nothing = judged(rule, [seen(1, v="new"), seen(0, v="old")])
        assert nothing.verdict is INCONCLUSIVE
        assert text(nothing) == "a ratio needs another side above zero"
        below = judged(rule, [seen(-1, v="new"), seen(1, v="old")])
        assert below.verdict is INCONCLUSIVE
        assert text(below) == (
            "1 of 1 sample of m cannot be judged: "
            "a ratio needs values above zero, and -1 was observed"
        )

    def test_without_the_other_side_nothing_is_shown(self) -> None:
        assert self.compared([80], []).verdict is MISSING
        assert self.compared([80, 80], [80], ", need: 2").verdict is INCONCLUSIVE
        assert self.compared([80, 80], [80, None]).verdict is INCONCLUSIVE

    def test_not_rejecting_a_difference_is_no_pass(self) -> None:
        few = self.compared([1] * 10, [1] * 10, ", confidence: 95%", take="rate", cut=">= -0.05")
        assert few.verdict is INCONCLUSIVE
        ones = [*samples(*[1] * 90, every=30, v="new"), *samples(*[1] * 90, every=30, v="old")]
        cut = 'take: rate, pass: ">= -0.05", confidence: 95%'
        rule = f"metric: m, where: {{v: new}}, {cut}, versus: {{where: {{v: old}}}}"
        many = judged(rule, ones)
        assert many.verdict is PASS

    def test_a_shift_of_means_by_hodges_and_lehmann(self) -> None:
        new, old = [n % 7 for n in range(40)], [n % 7 + 1 for n in range(40)]
        assert self.compared(new, old, ", confidence: 95%", cut=">= -3").verdict is PASS
        assert self.compared(new, old, ", confidence: 95%", cut=">= 1").verdict is FAIL
        assert self.compared(new, old, ", confidence: 95%", cut=">= -1").verdict is INCONCLUSIVE

    def test_frozen_is_what_was_before_the_phase(self) -> None:
        rule = 'metric: m, where: {v: new}, take: mean, pass: ">= 0", over: [{since: begin}]'
        rule += ", versus: {where: {v: old}, frozen: begin}"
        observed = [seen(5, -60, v="old"), seen(5, 60, v="new"), seen(99, 60, v="old")]
        assert judged(rule, observed).verdict is PASS
        assert "0 more than that of m (v old) before the phase" in text(judged(rule, observed))
        assert judged(rule, observed, begun_us=None).verdict is MISSING

    def test_a_release_is_of_what_was_accepted_before(self) -> None:
        rule = 'metric: m, take: mean, pass: ">= 0", versus: {release: v1}'
        plan = plan_of(criterion(rule))
        past = dataclasses.replace(seen(5), run="r0", release="v1")
        world = dataclasses.replace(world_of(plan, [seen(5, 60)]), past=(past,))
        found = decided(plan, world).criteria[0]
        assert found.verdict is PASS
        assert "0 more than that of m in accepted runs of release v1, over" in text(found)
        other = dataclasses.replace(world, past=(dataclasses.replace(past, release="v0"),))
        assert decided(plan, other).criteria[0].verdict is MISSING


class TestTolerate:
    RULE = 'metric: m, take: last, pass: "<= 1", tolerate: {failures: 2, in_a_row: 1}'

    @pytest.mark.parametrize(
        ("values", "verdict"),
        [
            ([1, 1, 1], PASS),
            ([9, 1, 9], PASS),
            ([9, 9, 1], FAIL),
            ([9, 1, 9, 1, 9], FAIL),
            ([1, None, 1], INCONCLUSIVE),
        ],
    )
    def test_bad_ones_are_counted(self, values: list[Any], verdict: Verdict) -> None:
        assert judged(self.RULE, samples(*values)).verdict is verdict

    def test_what_is_said(self) -> None:
        because = text(judged(self.RULE, samples(1, 9, 1)))
        assert because.startswith("1 of 3 samples of m is bad, the first at 2025-11-10 09:01:00")
        assert because.endswith("tolerated 2, 1 in a row")


class TestGroups:
    TEXT = """\
    criteria:
      - {{id: a, kind: kpi, severity: optional}}
      - {{id: b, kind: kpi, severity: optional}}
      - {{id: c, kind: kpi, {keys}}}
"""

    def grouped(self, keys: str, a: str, b: str) -> Finding:
        plan = plan_of(self.TEXT.format(keys=keys))
        checks = {"t.py::test_a": [Attempt(Verdict(a))], "t.py::test_b": [Attempt(Verdict(b))]}
        return decided(plan, world_of(plan, checks=checks)).criteria[2]

    @pytest.mark.parametrize(
        ("need", "a", "b", "verdict"),
        [
            ("all", "pass", "pass", PASS),
            ("all", "pass", "missing", MISSING),
            ("any", "pass", "missing", PASS),
            ("any", "fail", "missing", MISSING),
            ("any", "fail", "fail", FAIL),
        ],
    )
    def test_all_or_any(self, need: str, a: str, b: str, verdict: Verdict) -> None:
        assert self.grouped(f"of: [a, b], need: {need}", a, b).verdict is verdict

    SCORE = 'of: {a: 3, b: 1}, need: score, pass: ">= 75", fail: "< 50"'

    @pytest.mark.parametrize(
        ("a", "b", "verdict"),
        [
            ("pass", "pass", PASS),
            ("pass", "fail", PASS),
            ("fail", "pass", FAIL),
            ("pass", "missing", MISSING),
            ("fail", "missing", FAIL),
            ("error", "pass", ERROR),
        ],
    )
    def test_a_score(self, a: str, b: str, verdict: Verdict) -> None:
        assert self.grouped(self.SCORE, a, b).verdict is verdict

    def test_what_a_group_tells_of_itself_and_its_members(self) -> None:
        one = self.grouped("of: [a, b], need: any, says: One of two", "fail", "missing")
        assert (one.says, one.kind, one.severity) == ("One of two", "kpi", "hard")
        assert one.allowed == "any of its members"
        assert [(part.subject.name, part.verdict) for part in one.parts] == [
            ("a", FAIL),
            ("b", MISSING),
        ]
        assert text(one) == f"b: {text(one.parts[1])}"
        assert text(one.parts[1]).startswith("test_b: ")
        assert self.grouped(self.SCORE, "pass", "pass").allowed == ">= 75, fails < 50"

    def test_a_key_member_fails_whatever_the_score(self) -> None:
        finding = self.grouped(f"{self.SCORE}, key: [b]", "pass", "fail")
        assert finding.verdict is FAIL
        assert (
            text(finding)
            == "key member b fails; the score is 75 of 100, allowed >= 75; not earned in full: b"
        )


class TestWatched:
    def test_a_plain_threshold_trips_where_watching_at_a_confidence_does_not(self) -> None:
        observed = [seen(int(n % 10 > 0), n) for n in range(30)]  # 90 % good, the first is bad
        plain = 'metric: m, take: rate, fail: "< 0.9"'
        assert watched(plain, observed) == "tripped"
        assert watched(f"{plain}, confidence: 95%", observed) == "quiet"

    def test_what_is_surely_bad_trips(self) -> None:
        observed = [seen(int(n % 2), n) for n in range(30)]
        assert watched('metric: m, take: rate, fail: "< 0.9", confidence: 95%', observed) == (
            "tripped"
        )

    def test_a_moving_window_shares_its_level_out(self) -> None:
        rule = 'metric: m, take: rate, fail: "< 0.9", over: [{last: 20}]'
        rule += ", confidence: {level: 95%, windows: 500}"
        observed = [seen(int(n % 4 > 0), n) for n in range(20)]
        assert watched(rule, observed) == "quiet"
        worse = [seen(int(n % 2), n) for n in range(20)]
        assert watched(rule, worse) == "tripped"

    def test_a_quantile_is_watched_as_a_share(self) -> None:
        rule = 'metric: m, take: p90, fail: "> 10", confidence: 95%'
        assert watched(rule, [seen(11 if n % 8 == 0 else 1, n) for n in range(40)]) == "quiet"
        assert watched(rule, [seen(11 if n % 2 else 1, n) for n in range(40)]) == "tripped"

    def test_groups_that_another_series_has_are_expected(self) -> None:
        rule = "metric: m, each: {node: {from: up, at_least: 1}}, take: max, "
        rule += 'fail: "> 1"'
        up = [seen(1, 0, "up", node="a"), seen(1, 0, "up", node="b")]
        assert watched(rule, [*up, seen(0, 0, node="a")]) == "blind"
        assert watched(rule, [*up, seen(0, 0, node="a"), seen(0, 0, node="b")]) == "quiet"
        assert watched(rule, [seen(0, 0, node="a")], at_us=AT) == "quiet"


def asked(rule: str, *endpoints: str, series: str = "load_latency") -> str:
    """What is said of a rule of a load that asked some endpoints, in this run and another."""
    labels: dict[str, Any] = {"load": "peak"}
    own = [seen(1, n, series=series, endpoint=one, **labels) for n, one in enumerate(endpoints)]
    rest = seen(1, series=series, endpoint="elsewhere", load="other")
    old = seen(1, series=series, endpoint="earlier", run="r0", **labels)
    rule = f'metric: {series}, take: max, pass: "< 9", {rule}, need: 2'
    return text(judged(rule, [*own, rest, old]))


def test_an_endpoint_that_a_load_did_not_ask_is_told_with_those_that_it_asked() -> None:
    wrong = "where: {load: peak, endpoint: serach}"
    assert asked(wrong, "search", "items") == (
        "no sample of load_latency was seen in this run of endpoint `serach` (did you mean "
        "`search`?), only of items, search; 2 samples needed"
    )
    assert "`serach` (nothing has that name), only of a, b; 2" in asked(wrong, "b", "a")
    each = "where: {load: peak}, each: {endpoint: [search, itms]}"
    assert "of endpoint `itms` (did you mean `items`?)" in asked(each, "search", "search", "items")
    nothing = "no sample of load_latency was seen in this run; 2 samples needed"
    assert asked(wrong) == nothing
    assert asked("where: {load: pek, endpoint: search}", "search") == nothing
    assert "1 of 2 needed samples" in asked(wrong, "serach", "search")
    assert "no sample of m was seen in this run; 2" in asked(wrong, "search", series="m")
