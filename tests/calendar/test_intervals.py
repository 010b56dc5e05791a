"""Sets of instants, compared with sets of whole numbers."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pytest_rollout.calendar.intervals import Span, intersect, minus, union

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def numbers(spans: list[Span]) -> set[int]:
    return {number for start, end in spans for number in range(start, end)}


def is_plain(spans: list[Span]) -> bool:
    """Sorted, without empty ones, and none touches the next."""
    ends = [edge for span in spans for edge in span]
    return all(a < b for a, b in itertools.pairwise(ends))


@given(SPANS)
def test_union(spans: list[Span]) -> None:
    assert numbers(union(spans)) == numbers(spans)
    assert is_plain(union(spans))


@given(SPANS, SPANS)
def test_intersection_and_difference(some: list[Span], others: list[Span]) -> None:
    left, right = union(some), union(others)
    assert numbers(intersect(left, right)) == numbers(left) & numbers(right)
    assert numbers(minus(left, right)) == numbers(left) - numbers(right)
    assert is_plain(intersect(left, right))
    assert is_plain(minus(left, right))
