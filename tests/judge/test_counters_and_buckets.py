"""Growth of counters that may restart, and buckets of any length."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_rollout.model.finding import Finding
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import (
    NINE,
    SECOND,
    at,
    compared,
    judged,
    samples,
    seen,
    text,
    watched,
)

FAIL, MISSING, INCONCLUSIVE = Verdict.FAIL, Verdict.MISSING, Verdict.INCONCLUSIVE
PASS = Verdict.PASS


# --- growth of counters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("readings", "grown"),
    [
        ([100, 140, 0, 5], "45"),
        ([100, 140], "40"),
        ([100, 100], "0"),
        ([5, 3], "3"),
        ([0, 7, 0, 0, 2], "9"),
        (["0.5", "0.75"], "0.25"),
    ],
)
def test_how_much_a_counter_grew(readings: list[object], grown: str) -> None:
    finding = judged('metric: m, take: increase, pass: "<= 45"', samples(*readings))
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    assert (finding.verdict, estimate.value, estimate.n) == (PASS, grown, len(readings))
    below = judged(f'metric: m, take: increase, pass: "< {grown}"', samples(*readings))
    assert below.verdict is FAIL


def test_readings_stand_in_order_of_event_time() -> None:
    observed = samples(100, 140, 0, 5)[::-1]
    finding = judged('metric: m, take: increase, pass: "<= 45"', observed)
    assert text(finding) == (
        "increase of m was 45 at 2025-11-10 09:03:00 EST, over 4 samples in this run; allowed <= 45"
    )


@pytest.mark.parametrize(
    ("cut", "readings", "verdict"),
    [
        ("<= 45", [100, None, 140], INCONCLUSIVE),  # it may have restarted in between
        ("<= 45", [None, 100, 140], INCONCLUSIVE),
        ("<= 30", [100, None, 140], FAIL),  # it grew by 40 at least
        ("<= 30", [100, 140, None], FAIL),
        (">= 30", [100, None, 140], INCONCLUSIVE),
        (">= 50", [100, None, 140], INCONCLUSIVE),  # what was lost may be growth without limit
        ("<= 45", [100, -1, 140], INCONCLUSIVE),
        ("<= 45", [100, None], INCONCLUSIVE),
        ("<= 45", [None, None], INCONCLUSIVE),
        ("<= 45", [100], INCONCLUSIVE),
        ("<= 45", [], MISSING),
        ("<= 45", ['{"bad": 1, "of": 9}', 3], INCONCLUSIVE),
        ("<= 45", ['[["1", 9]]', 3], INCONCLUSIVE),
    ],
)
def test_a_lost_reading_and_a_single_one_show_no_growth(
    cut: str, readings: list[object], verdict: Verdict
) -> None:
    rule = f'metric: m, take: increase, pass: "{cut}"'
    assert judged(rule, samples(*readings)).verdict is verdict


def test_one_reading_is_too_few() -> None:
    finding = judged('metric: m, take: increase, pass: "<= 45"', samples(100))
    assert text(finding) == "1 of 2 needed samples of m were seen in this run"
    none = judged('metric: m, take: increase, pass: "<= 45"', [])
    assert text(none) == "no sample of m was seen in this run; 2 samples needed"
    group = 'metric: m, each: {host: [a]}, take: increase, pass: "<= 45"'
    grown = samples(100, 140, host="a")
    assert judged(group, [*grown, *samples(1, host="b")]).verdict is INCONCLUSIVE
    assert judged(group, [*grown, *samples(1, 9, host="b")]).verdict is PASS


@pytest.mark.parametrize(
    ("readings", "state"),
    [
        ([0, 5, 10, 15], "quiet"),
        ([0, 5, 20, 25], "tripped"),
        ([100, 0, 11, 12], "tripped"),
        ([0, 5, None, 20, 25], "blind"),
        ([0], "blind"),
    ],
)
@pytest.mark.parametrize("over", ["over: [{last: 2}], ", "over: [{span: 61s}], "])
def test_growth_is_watched(readings: list[object], state: str, over: str) -> None:
    rule = f'metric: m, take: increase, {over}fail: "> 10"'
    assert watched(rule, samples(*readings), at(60 * len(readings) - 60)) == state


def test_growth_since_the_begin_is_watched_in_one_pass() -> None:
    rule = 'metric: m, take: increase, fail: "> 10"'
    assert watched(rule, samples(0, 5, 10, 0)) == "quiet"
    assert watched(rule, samples(0, 5, 10, 0, 1)) == "tripped"
    assert watched(rule, samples(0, None, 10, 0)) == "blind"
    assert watched(rule, samples(0, None, 11)) == "tripped"


# --- buckets of any length --------------------------------------------------------------------


@pytest.mark.parametrize(("per", "length"), [("1m", 60), ("1h", 3600)])
class TestBuckets:
    RULE = 'metric: m, take: mean, per: {per}, pass: "<= 1"'

    def finding(self, per: str, moments: Sequence[float], more: str = "") -> Finding:
        observed = [seen(1, t) for t in moments]
        now = at(max(moments) + 7200)
        return judged(self.RULE.format(per=per) + more, observed, now, ended_us=now)

    def test_each_is_judged(self, per: str, length: int) -> None:
        good = self.finding(per, [0, length, 2 * length])
        assert good.verdict is PASS
        assert text(good).startswith(f"all 3 stretches of {per}, the last until 2025-11-10 ")
        observed = [seen(value, n * length) for n, value in enumerate((1, 5, 1))]
        bad = judged(self.RULE.format(per=per), observed, at(5 * length))
        assert bad.verdict is FAIL
        assert text(bad).startswith(f"1 of 3 stretches of {per}, the one until 2025-11-10 ")
        assert f": mean of m was 5, over 1 sample in that stretch of {per}; allowed <= 1" in (
            text(bad)
        )

    def test_an_empty_one_in_between_is_a_gap(self, per: str, length: int) -> None:
        finding = self.finding(per, [0, 2 * length])
        assert finding.verdict is MISSING
        assert f"no sample of m was seen in that stretch of {per}; 1 sample needed" in (
            text(finding)
        )
        assert self.finding(per, [0, 2 * length], ", in_a_row: 2").verdict is INCONCLUSIVE
        skipping = ", in_a_row: {n: 2, gaps: skip}"
        assert self.finding(per, [0, 2 * length], skipping).verdict is PASS

    def test_what_is_before_the_first_and_after_the_last_is_no_gap(
        self, per: str, length: int
    ) -> None:
        assert self.finding(per, [5 * length, 6 * length]).verdict is PASS

    def test_one_that_is_not_over_is_not_judged(self, per: str, length: int) -> None:
        rule = self.RULE.format(per=per)
        observed = [seen(1, 0), seen(9, length)]
        assert judged(rule, observed, at(2 * length - 1)).verdict is PASS
        assert judged(rule, observed, at(2 * length)).verdict is FAIL
        assert judged(rule, observed[:1], at(length - 1)).verdict is MISSING

    def test_need_is_of_each_and_over_counts_them(self, per: str, length: int) -> None:
        assert self.finding(per, [0, 1, length], ", need: 2").verdict is INCONCLUSIVE
        assert self.finding(per, [0, 1, length, length + 1], ", need: 2").verdict is PASS
        short = self.finding(per, [0, length], ", over: [{last: 3, need: 3}]")
        assert short.verdict is INCONCLUSIVE
        assert text(short) == f"2 of 3 needed stretches of {per} of m are over"
        observed = [seen(9, 0), *(seen(1, n * length) for n in (1, 2, 3))]
        newest = self.RULE.format(per=per) + ", over: [{last: 3, need: 3}]"
        assert judged(newest, observed, at(9 * length)).verdict is PASS

    def test_a_guardrail_trips_at_its_close(self, per: str, length: int) -> None:
        rule = f'metric: m, take: mean, per: {per}, fail: "> 1"'
        observed = [seen(5, 0), seen(1, length)]
        assert watched(rule, observed, at(length - 1)) == "blind"
        assert watched(rule, observed, at(length)) == "tripped"
        assert watched(rule, observed, at(5 * length)) == "tripped"
        lost = [seen(None, 0), seen(1, length)]
        assert watched(rule, lost, at(5 * length)) == "blind"


@pytest.mark.parametrize("stray", [-NINE / SECOND, -300_000], ids=["1970", "days ago"])
def test_more_buckets_than_can_be_judged_are_said(stray: float) -> None:
    observed = [seen(1, stray), *samples(1, 1)]
    per = "1m" if stray < -(10**6) else "1s"
    finding = judged(f'metric: m, take: mean, per: {per}, pass: "<= 1"', observed)
    assert finding.verdict is INCONCLUSIVE
    assert text(finding).endswith(
        f"more than 100000 stretches of {per} lie between the first sample and the last"
    )
    assert watched(f'metric: m, take: mean, per: {per}, fail: "> 1"', observed) == "blind"
    both = f'{compared(f"per: {per}")}, pass: "<= 1"'
    assert judged(both, [*observed, *samples(1, 1, series="b")]).verdict is INCONCLUSIVE
