"""Bounds of differences: against scipy, and against a figure that their source prints."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from benchmarks.coverage import outcomes, rule
from pytest_rollout.judge.bounds import Interval
from pytest_rollout.judge.estimate import Weighted
from pytest_rollout.judge.versus import pairs, shift
from pytest_rollout.model.evidence import Slot

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


@pytest.mark.parametrize(("m", "n"), [(3, 3), (5, 8), (12, 7), (20, 20), (51, 51)])
@pytest.mark.parametrize("a", [0.1, 0.05, 0.01, 1e-4])
def test_the_smallest_shift_is_of_the_rank_that_scipy_leaves_below_the_level(
    m: int, n: int, a: float
) -> None:
    # Of distances that are all different the bound tells its rank.
    new, old = [Fraction(100 * index) for index in range(m)], [Fraction(i, n) for i in range(n)]
    found = shift(PLAIN, _weighted(new), _weighted(old), a)
    assert isinstance(found, Interval)
    ordered, scale = pairs(new, old)
    rank = 0 if found.low is None else ordered.index(int(found.low * scale)) + 1
    below = [_chance(u, m, n) if u >= 0 else 0.0 for u in (rank - 1, rank)]
    assert below[0] <= a
    exact = m * n <= 2500
    assert below[1] > a or not exact  # by the approximation a rank lower, to be safe


def _chance(u: int, m: int, n: int) -> float:
    """Of at most u pairs won, where both are alike."""
    found = stats.mannwhitneyu(*with_u(u, m, n), alternative="less", method="exact")
    assert found.statistic == u
    return float(found.pvalue)


def _weighted(numbers: list[Fraction]) -> Weighted:
    return [(number, 1, Slot("m", (), 0, 0)) for number in numbers]


@given(st.lists(DECIMALS, min_size=1, max_size=9), st.lists(DECIMALS, min_size=1, max_size=9))
@settings(deadline=None)
def test_differences_in_whole_numbers_are_exact(one: list[Fraction], other: list[Fraction]) -> None:
    ordered, scale = pairs(one, other)
    assert [Fraction(x, scale) for x in ordered] == sorted(x - y for x in one for y in other)


def test_newcombes_own_example() -> None:
    # 56 of 70 against 48 of 80, at 95 % on both sides (Newcombe 1998, table II, method 10).
    found = interval(outcomes(56, 14), outcomes(48, 32), 0.025)
    assert found.low is not None
    assert found.high is not None
    assert (round(float(found.low), 4), round(float(found.high), 4)) == (0.0524, 0.3339)


@given(st.integers(1, 300), st.integers(1, 300), st.data())
@settings(deadline=None)
def test_a_difference_is_made_of_the_intervals_of_scipy(
    m: int, n: int, data: st.DataObject
) -> None:
    s, t = data.draw(st.integers(0, m)), data.draw(st.integers(0, n))
    one = stats.binomtest(s, m).proportion_ci(0.9, method="wilson")
    other = stats.binomtest(t, n).proportion_ci(0.9, method="wilson")
    low = s / m - t / n - ((s / m - one.low) ** 2 + (other.high - t / n) ** 2) ** 0.5
    found = interval(outcomes(s, m - s), outcomes(t, n - t), 0.05)
    assert found.low is not None
    assert float(found.low) == pytest.approx(low, rel=2e-5, abs=1e-6)
