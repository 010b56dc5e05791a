"""What a system says of itself against a count: differences in words, and nothing vacuous."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout import Recount, recount

START = datetime(2025, 11, 10, 14, 5, tzinfo=UTC)
TIMES = [START + timedelta(seconds=5 * number) for number in range(4)]


def depth(said: list[int], counted: list[int]) -> Recount:
    return recount("queue depth", zip(TIMES, said, counted, strict=False))


def test_what_agrees_passes() -> None:
    agreed = depth([0, 3, 3, 1], [0, 3, 3, 1])
    agreed.demand(at_least=4, varied=True)
    assert agreed.counted == {0, 1, 3}


def test_a_constant_is_told_with_its_moment() -> None:
    with pytest.raises(AssertionError) as told:
        depth([0, 0, 0, 0], [0, 3, 2, 0]).demand()
    words = str(told.value)
    assert words.startswith("queue depth: 2 of 4 figures are not what was counted")
    assert "2025-11-10T14:05:05+00:00: said 0, counted 3" in words


def test_a_reason_names_the_first_few() -> None:
    with pytest.raises(AssertionError) as told:
        depth([0, 0, 0, 0], [1, 2, 3, 4]).demand()
    assert "counted 3" in str(told.value)
    assert "counted 4" not in str(told.value)


def test_nothing_compared_is_no_pass() -> None:
    with pytest.raises(AssertionError, match="0 of 1 needed figures were compared"):
        depth([], []).demand()
    with pytest.raises(AssertionError, match="2 of 3 needed figures were compared"):
        depth([1, 2], [1, 2]).demand(at_least=3)


def test_a_count_that_never_moves_shows_nothing_of_a_constant() -> None:
    depth([1, 1], [1, 1]).demand()
    with pytest.raises(AssertionError, match="the count never moved"):
        depth([1, 1], [1, 1]).demand(varied=True)


def test_groups_that_only_one_side_knows_differ() -> None:
    compared = recount("running", [(START, {"a": 1, "b": 2}, {"b": 2, "c": 3})])
    assert [(d.group, d.said, d.counted) for d in compared.differences] == [
        ("a", 1, None),
        ("c", None, 3),
    ]
    assert compared.differences[1].words.endswith(", c: said nothing, counted 3")


def test_what_is_on_neither_side_is_not_compared() -> None:
    compared = recount("utilisation", [(START, {"a": None}, {"a": None})])
    assert (compared.compared, compared.differences) == (0, ())


def test_words_are_compared_as_they_are() -> None:
    compared = recount("status", [(START, "completed", "executing"), (START, "a", "a")])
    assert [d.words for d in compared.differences] == [
        "2025-11-10T14:05:00+00:00: said completed, counted executing"
    ]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 100))
def test_numbers_may_differ_by_what_is_allowed(said: float, counted: float, within: float) -> None:
    compared = recount("spent", [(START, said, counted)], within=within)
    assert bool(compared.differences) == (abs(said - counted) > within)


def test_nan_agrees_with_nothing() -> None:
    nan = float("nan")
    assert recount("spent", [(START, nan, nan)], within=5).differences
