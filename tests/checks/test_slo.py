"""What suites compute from samples: exact where limits are exact, loud where nothing is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout import crossings, fairness, gaps, relative_error

START = datetime(2025, 11, 13, 18, tzinfo=UTC)


def test_an_error_of_whole_numbers_is_not_cut_off() -> None:
    assert relative_error(10, 13) == 0.3
    assert relative_error(13, 10) == pytest.approx(3 / 13)


def test_an_actual_of_zero_is_no_sample_without_error() -> None:
    with pytest.raises(ValueError, match="zero"):
        relative_error(0, 10)


def test_gaps_are_told_where_they_end() -> None:
    times = [START + timedelta(seconds=s) for s in (0, 10, 70)]
    assert list(gaps(times)) == [(times[1], 10.0), (times[2], 60.0)]
    assert list(gaps(times[:1])) == []


@pytest.mark.parametrize(
    ("shares", "index"), [([1, 1], 1), ([1, 0], Fraction(1, 2)), ([3, 3, 3, 0], Fraction(3, 4))]
)
def test_fairness_of_known_shares(shares: list[float], index: Fraction) -> None:
    assert fairness(shares) == index


@given(st.lists(st.floats(0.01, 1), min_size=1, max_size=6), st.floats(0.5, 2))
def test_fairness_is_between_one_nth_and_one_whatever_the_unit(
    shares: list[float], unit: float
) -> None:
    found = fairness(shares)
    assert 1 / len(shares) - 1e-9 <= found <= 1 + 1e-9
    assert fairness([unit * share for share in shares]) == pytest.approx(found)


def test_a_value_that_meets_the_limit_is_not_below_it() -> None:
    samples = [(1, 15.1), (2, 15.0), (3, 14.9), (4, 14.0), (5, None), (6, 14.0), (7, 16), (8, 3)]
    assert list(crossings(samples, 15)) == [3, 6, 8]
