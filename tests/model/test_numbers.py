"""Numbers as people read them."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_rollout.model.numbers import for_people


@pytest.mark.parametrize(
    ("number", "read"),
    [
        (Fraction(2, 3), "0.666667"),
        (Fraction("0.023264683447749809"), "0.0232647"),
        (Fraction("-0.024637523000023975"), "-0.0246375"),
        (Fraction("123456789.123"), "123456789"),
        (Fraction("9.9999999999"), "9.9999999999"),
        (Fraction("0.30000000001"), "0.30000000001"),
        (Fraction("1234.5678"), "1234.5678"),
        (Fraction(10), "10"),
    ],
)
def test_people_read_few_digits_and_never_the_number_of_a_cut(number: Fraction, read: str) -> None:
    assert for_people(number) == read
