"""Bounds of differences: against scipy, and against a figure that their source prints."""

from __future__ import annotations

import random
import tracemalloc
from dataclasses import replace
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pytest_rollout.judge import ranks
from pytest_rollout.judge.compare import (
    NO_RATIO,
    Compared,
    compare,
    shift,
    ways,
)
from pytest_rollout.judge.intervals import Interval, banded
from pytest_rollout.judge.outcomes import Weighted
from pytest_rollout.judge.ranks import Pairs
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import filled, weighted
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.rule import Rule, Versus
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import criterion, judged, plan_of, samples, text


def rule(stated: str) -> Rule:
    """A rule as a plan states it, in flow style."""
    found = plan_of(criterion(f"metric: m, {stated}")).phases[0].criteria[0].rule
    assert found is not None
    return found


def outcomes(good: int, bad: int) -> Weighted:
    """Good ones as 1 and bad ones as 0, by their counts."""
    slot = Slot("m", (), 0, 0)
    return [(Fraction(1), good, slot), (Fraction(0), bad, slot)]


PLAIN = rule('take: mean, pass: ">= 0", confidence: 95%, versus: {metric: o}')
RATES = rule('take: rate, pass: ">= 0", confidence: 95%, versus: {metric: o}')
DECIMALS = st.decimals(-1000, 1000, places=3).map(Fraction)


def interval(values: Weighted, others: Weighted, a: float) -> Interval:
    found = shift(RATES if len(values) == 2 else PLAIN, values, others, a)
    assert isinstance(found, Interval)
    return found


def with_u(u: int, m: int, n: int) -> tuple[list[float], list[float]]:
    """Two samples of which the first wins u pairs, all values different."""
    wins = [min(n, max(0, u - n * index)) for index in range(m)]
    return [won + 0.5 + index / (2 * m) for index, won in enumerate(wins)], [
        float(index + 1) for index in range(n)
    ]


@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 8), (12, 7), (20, 20), (50, 50), (51, 51)])
@pytest.mark.parametrize("a", [0.1, 0.05, 0.01, 1e-4])
def test_the_smallest_shift_is_of_the_rank_that_scipy_leaves_below_the_level(
    m: int, n: int, a: float
) -> None:
    # Of distances that are all different the bound tells its rank.
    new, old = [Fraction(100 * index) for index in range(m)], [Fraction(i, n) for i in range(n)]
    found = shift(PLAIN, _weighted(new), _weighted(old), a)
    assert isinstance(found, Interval)
    ordered = sorted(x - y for x in new for y in old)
    rank = 0 if found.low is None else ordered.index(found.low) + 1
    below = [_chance(u, m, n) if u >= 0 else 0.0 for u in (rank - 1, rank)]
    assert below[0] <= a
    exact = m * n <= 2500
    assert below[1] > a or not exact
    if not exact:  # by the approximation some ranks lower, to be safe
        assert _chance(rank + rank // 50, m, n) > a


def _chance(u: int, m: int, n: int) -> float:
    """Of at most u pairs won, where both are alike."""
    found = stats.mannwhitneyu(*with_u(u, m, n), alternative="less", method="exact")
    assert found.statistic == u
    return float(found.pvalue)


def _weighted(numbers: list[Fraction]) -> Weighted:
    return [(number, 1, Slot("m", (), 0, 0)) for number in numbers]


@given(st.randoms(use_true_random=False), st.booleans(), st.sampled_from([4, 64, 4096]))
@settings(deadline=None)
def test_a_rank_is_found_as_by_making_all_pairs(
    drawn: random.Random, ratio: bool, sample: int
) -> None:
    def side() -> Weighted:
        most, unit = drawn.choice([3, 50, 10**6]), drawn.choice([1, 10])
        values = (Fraction(drawn.randint(1, most), unit) for _ in range(drawn.randint(1, 60)))
        return [(value, drawn.choice([1, 1, 3]), Slot("m", (), 0, 0)) for value in values]

    own, other = side(), side()
    every = [(x / y if ratio else x - y, m * n) for x, m, _ in own for y, n, _ in other]
    ordered = [pair for pair, count in sorted(every) for _ in range(count)]
    known = Pairs(own, other, ratio=ratio)
    assert known.n == len(ordered)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranks, "_SAMPLE", sample)
        for rank in {1, known.n, drawn.randint(1, known.n)}:
            assert known.at(rank) == ordered[rank - 1]


@pytest.mark.parametrize("take", [PLAIN, replace(PLAIN, versus=Versus("m", {}, ratio=True))])
def test_many_pairs_are_never_made(take: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn, made = random.Random(1), 0
    one, other = (
        _weighted([Fraction(drawn.randrange(1, 10**9), 1000) for _ in range(4000)])
        for _ in range(2)
    )
    stated = Pairs._pair

    def noted(self: Pairs, own: int, other: int) -> Fraction:
        nonlocal made
        made += 1
        return stated(self, own, other)

    monkeypatch.setattr(Pairs, "_pair", noted)
    assert isinstance(shift(take, one, other, 0.05), Interval)
    assert made < 60_000  # of 16 million


@pytest.mark.parametrize("m", [1, 2, 5, 13])
@pytest.mark.parametrize("n", [1, 4, 13])
def test_every_order_has_a_u_and_as_many_lie_on_either_side(m: int, n: int) -> None:
    found = ways(m, n)
    assert len(found) == m * n + 1
    assert sum(found) == comb(m + n, m)
    assert found == found[::-1]
    assert min(found) >= 1


def test_newcombes_own_example() -> None:
    # 56 of 70 against 48 of 80, at 95 % on both sides (Newcombe 1998, table II, method 10).
    found = interval(outcomes(56, 14), outcomes(48, 32), 0.025)
    assert found.low is not None
    assert found.high is not None
    assert (round(float(found.low), 4), round(float(found.high), 4)) == (0.0524, 0.3339)
    assert found.method == "Newcombe"


@given(st.integers(1, 300), st.integers(1, 300), st.data())
@settings(deadline=None)
def test_a_difference_is_made_of_the_intervals_of_scipy(
    m: int, n: int, data: st.DataObject
) -> None:
    s, t = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    one = stats.binomtest(s, m).proportion_ci(0.9, method="wilson")
    other = stats.binomtest(t, n).proportion_ci(0.9, method="wilson")
    low = s / m - t / n - ((s / m - one.low) ** 2 + (other.high - t / n) ** 2) ** 0.5
    high = s / m - t / n + ((one.high - s / m) ** 2 + (t / n - other.low) ** 2) ** 0.5
    found = interval(outcomes(s, m - s), outcomes(t, n - t), 0.05)
    assert found.low is not None
    assert found.high is not None
    assert float(found.low) == pytest.approx(low, rel=2e-5, abs=1e-6)
    assert float(found.high) == pytest.approx(high, rel=2e-5, abs=1e-6)
    assert found.low <= low + 1e-12
    assert found.high >= high - 1e-12


def test_a_share_is_compared_by_what_lies_inside_of_its_cut() -> None:
    shares = rule('take: {share: "< 5"}, pass: ">= 0", confidence: 95%, versus: {metric: o}')
    one, other = _weighted([Fraction(1)] * 8 + [Fraction(9)] * 2), _weighted([Fraction(7)] * 4)
    assert shift(shares, one, other, 0.05) == shift(RATES, outcomes(8, 2), outcomes(0, 4), 0.05)


@pytest.mark.parametrize("halves", [(0,), (1,), (0, 1)])
def test_half_an_outcome_has_no_bound_on_either_side(halves: tuple[int, ...]) -> None:
    own, other = ([0.5] if side in halves else [1, 1, 1, 0] for side in (0, 1))
    both = [*samples(*own), *samples(*other, series="o")]
    compared = 'metric: m, take: rate, pass: ">= 0", confidence: 95%, versus: {metric: o}'
    found = judged(compared, both)
    assert found.verdict is Verdict.INCONCLUSIVE
    side = "1 sample of the other side, o," if 1 in halves else "1 of 1 sample of m"
    assert text(found) == (
        f"{side} cannot be judged: "
        "a rate has a bound where every outcome is 0 or 1, and 0.5 was observed"
    )


RATIO_OF_RATES = 'take: rate, pass: ">= 0", confidence: 95%, versus: {metric: o, as: ratio}'


def test_a_ratio_of_two_rates_has_no_bound() -> None:
    ratio = replace(RATES, versus=replace(versus_of(RATES), ratio=True))
    found = shift(ratio, outcomes(3, 1), outcomes(3, 1), 0.05)
    assert found == Reason("no-bound-of-ratio")
    said = text(judged(f"metric: m, {RATIO_OF_RATES}", [*samples(1), *samples(1, series="o")]))
    assert said == "the ratio of two rates has no bound here: compare their difference"


RATIO = 'metric: m, take: mean, pass: ">= -9", versus: {metric: o, as: ratio}'


@pytest.mark.parametrize(("own", "other", "times"), [("0", "1", "0"), ("0.5", "0.25", "2")])
def test_a_ratio_of_two_values(own: str, other: str, times: str) -> None:
    finding = judged(RATIO, [*samples(own), *samples(other, series="o")])
    assert finding.verdict is Verdict.PASS
    assert text(finding).startswith(f"mean of m was {own}, {times} times that of o, over 1 sample")
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    assert estimate.value == times


@pytest.mark.parametrize(
    ("own", "other", "said"),
    [
        (1, 0, "a ratio needs another side above zero"),
        (0, 0, "a ratio needs another side above zero"),
        (
            -1,
            1,
            "1 of 1 sample of m cannot be judged: "
            "a ratio needs values above zero, and -1 was observed",
        ),
        (
            1,
            -1,
            "1 sample of the other side, o, cannot be judged: "
            "on the other side, a ratio needs values above zero, and -1 was observed",
        ),
    ],
)
def test_no_ratio_without_values_above_zero(own: int, other: int, said: str) -> None:
    finding = judged(RATIO, [*samples(own), *samples(other, series="o")])
    assert (finding.verdict, text(finding)) == (Verdict.INCONCLUSIVE, said)


def _bounded(stated: Rule, m: int, n: int) -> tuple[Interval, list[Fraction], list[Fraction]]:
    one = [Fraction(index * index + 1) for index in range(m)]
    other = [Fraction(3 * index + 1, 7) for index in range(n)]
    found = shift(stated, _weighted(one), _weighted(other), 0.05)
    assert isinstance(found, Interval)
    return found, one, other


def test_both_bounds_are_as_many_ranks_from_their_ends() -> None:
    found, one, other = _bounded(PLAIN, 6, 7)
    ordered = sorted(x - y for x in one for y in other)
    assert found.low is not None
    assert found.high == ordered[-1 - ordered.index(found.low)]


def test_a_ratio_is_bounded_by_ratios() -> None:
    ratio = replace(PLAIN, versus=replace(versus_of(PLAIN), ratio=True))
    found, one, other = _bounded(ratio, 6, 7)
    plain = _bounded(PLAIN, 6, 7)[0]
    rank = sorted(x - y for x in one for y in other).index(plain.low or Fraction(0))
    ordered = sorted(x / y for x in one for y in other)
    assert (found.low, found.high) == (ordered[rank], ordered[-1 - rank])
    zero = _weighted([Fraction(0), Fraction(1)])
    some = _weighted([Fraction(1), Fraction(2)])
    for sides in ((zero, some), (some, zero), (zero, zero)):
        assert shift(ratio, *sides, 0.05) == NO_RATIO


@pytest.mark.parametrize("ratio", [False, True])
def test_of_very_few_values_there_is_no_bound(ratio: bool) -> None:
    stated = replace(PLAIN, versus=replace(versus_of(PLAIN), ratio=ratio))
    found = _bounded(stated, 2, 2)[0]
    assert (found.low, found.high) == (None, None)


def test_a_shift_says_by_which_method_it_is_bounded() -> None:
    found = shift(PLAIN, _weighted([Fraction(i) for i in range(9)]), outcomes(9, 9), 0.05)
    assert isinstance(found, Interval)
    assert found.method == "Hodges-Lehmann"


NUMBERS = st.lists(st.fractions(Fraction(1, 9), 9, max_denominator=9), min_size=4, max_size=9)


@pytest.mark.slow
@given(
    NUMBERS,
    NUMBERS,
    st.integers(1, 3),
    st.booleans(),
    st.sampled_from((">=", "<=")),
    st.sampled_from(("-8", "0.5", "8")),
    st.booleans(),
)
@settings(deadline=None)
def test_what_stands_for_lost_samples_lies_beyond_all_others(
    own: list[Fraction],
    other: list[Fraction],
    lost: int,
    ratio: bool,
    operator: str,
    limit: str,
    harmful: bool,
) -> None:
    stated = rule(f"take: mean, pass: '{operator} {limit}', confidence: 75%, versus: {{metric: o}}")
    stated = replace(stated, versus=replace(versus_of(stated), ratio=ratio))
    both = [*samples(*own, *[None] * lost), *samples(*other, series="o")]
    mine, theirs = (tuple(one for one in both if one.slot.series == name) for name in "mo")
    slice_ = Slice((), mine, stated.scopes[0], 1, theirs)
    found = compare(stated, slice_, Terms("UTC", 0.25), harmful=harmful)
    values = weighted(filled(stated, mine, harmful=harmful))
    bound = shift(stated, values, weighted(theirs), 0.25)
    if isinstance(bound, Reason):
        assert found == bound
        return
    assert isinstance(found, Compared)
    assert found.bound is not None
    assert banded(stated.bands, found.bound) is banded(stated.bands, bound)


def test_many_lost_samples_take_no_more_room_than_others() -> None:
    shifted = 'metric: m, take: mean, pass: "<= 1", confidence: 95%, versus: {metric: o}'
    lost = [*samples(1, *[None] * 100, every=1), *samples(*[1] * 300, every=1, series="o")]
    tracemalloc.start()
    try:
        assert judged(shifted, lost).verdict is Verdict.INCONCLUSIVE
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20_000_000


def versus_of(stated: Rule) -> Versus:
    """What a rule compares with."""
    assert stated.versus is not None
    return stated.versus
