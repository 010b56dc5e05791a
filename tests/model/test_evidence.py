"""Numbers as text and back: exact, bounded, and holes where there is none."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from numbers import Rational, Real
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_rollout.model.evidence import (
    Hole,
    decode,
    encode_distribution,
    encode_ratio,
    exact,
    labels_of,
    number_text,
)
from tests.timing import fastest_s


def one(value: object) -> Fraction:
    """The exact number that an observed value is judged as."""
    sample = decode(number_text(value))
    assert not isinstance(sample, Hole), sample
    ((number, count),) = sample
    assert count == 1
    return number


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(0.1)
@example(5e-324)
@example(1.7976931348623157e308)
def test_a_float_is_judged_as_the_decimal_that_it_prints(value: float) -> None:
    assert one(value) == Fraction(repr(value))
    assert float(one(value)) == value


def test_a_tenth_is_a_tenth() -> None:
    assert one(0.1) == Fraction(1, 10)
    assert one(0.1) * 3 == one(0.3)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value="-1e300", max_value="1e300"))
def test_a_decimal_is_itself(value: Decimal) -> None:
    assert one(value) == Fraction(value)


@given(st.fractions() | st.integers(-(10**900), 10**900))
def test_fractions_and_integers_are_themselves(value: Fraction) -> None:
    assert one(value) == value


@pytest.mark.parametrize(
    ("value", "number"), [(True, 1), (False, 0), (-0.0, 0), (Decimal("0e9"), 0)]
)
def test_small_things_that_are_numbers(value: object, number: int) -> None:
    assert one(value) == number


class Level(IntEnum):
    HIGH = 3


class Odd(int, Enum):
    HIGH = 3


class Scalar:
    """A number that only knows how to become a float, as those of numpy."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


class Integer:
    """A number with a numerator, as integers of numpy."""

    numerator = 7
    denominator = 1


Real.register(Scalar)
Rational.register(Integer)


@pytest.mark.parametrize(
    ("value", "number"),
    [(Level.HIGH, 3), (Odd.HIGH, 3), (Scalar(0.1), Fraction(1, 10)), (Integer(), 7)],
)
def test_numbers_of_other_libraries(value: object, number: Fraction) -> None:
    assert one(value) == number


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        math.inf,
        -math.inf,
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("Infinity"),
        Scalar(math.nan),
        10**5000,
        -(10**5000),
        Fraction(1, 10**5000),
        Decimal("1e999999999"),
        Decimal("1e-999999999"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_judged_is_a_hole(value: object) -> None:
    assert isinstance(decode(number_text(value)), Hole)


@pytest.mark.parametrize("value", ["1", None, b"1", 1j, [1], object()])
def test_what_is_no_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="a value is a number"):
        number_text(value)


@pytest.mark.parametrize(
    "text",
    [
        "1e999999999",
        "-1e999999999",
        "1e-999999999",
        "9" * 100_000,
        "1/" + "9" * 100_000,
        "1e1001",
        "1." + "0" * 100_000 + "1",
    ],
    ids=lambda text: text[:12],
)
def test_huge_numbers_are_refused_at_once(text: str) -> None:
    listed = json.dumps([[text, 1]])
    assert isinstance(decode(text), Hole)
    assert isinstance(decode(listed), Hole)
    assert fastest_s(lambda: (decode(text), decode(listed))) < 0.5


@pytest.mark.parametrize("text", ["1e400", "-1e-400", "1e1000", "0e999999999"])
def test_large_numbers_within_reach_are_exact(text: str) -> None:
    mantissa, _, exponent = text.partition("e")
    expected = int(mantissa) and int(mantissa) * Fraction(10) ** int(exponent)
    assert exact(text) == expected


@given(st.text())
@example("")
@example("1/0")
@example("{")
@example("[" * 100_000)
@example('{"bad":1}')
@example('{"bad":1,"of":NaN}')
@example('{"bad":0.5,"of":1.5}')
@example('{"bad":true,"of":true}')
@example('{"bad":0,"of":Infinity}')
@example('[["1",-1]]')
@example('[["1",1.5]]')
@example('[["NaN",1]]')
@example('[["1"]]')
@example("[1]")
@example('[[{"a":1},1]]')
def test_any_stored_text_is_a_number_or_a_hole(text: str) -> None:
    value = decode(text)
    if isinstance(value, Hole):
        assert value.why
    else:
        assert all(isinstance(n, Fraction) and type(c) is int and c > 0 for n, c in value)


@pytest.mark.parametrize(
    "text",
    [
        '{"bad":2,"of":1}',
        '{"bad":-1,"of":1}',
        '{"bad":0.5,"of":1}',
        '{"bad":true,"of":true}',
        '{"bad":0,"of":Infinity}',
        '{"bad":"1","of":"2"}',
        '{"of":1}',
        '[["1",-1]]',
        '[["1",1.5]]',
        '[["1",true]]',
        '[["NaN",1]]',
        '[["x",1],["1",1]]',
        "[" * 100_000,
        "",
        "NaN",
        "nan",
        "-Infinity",
        "one",
    ],
    ids=lambda text: text[:20],
)
def test_these_are_holes(text: str) -> None:
    assert isinstance(decode(text), Hole)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_ratio_is_its_opportunities(bad: int, good: int) -> None:
    sample = decode(encode_ratio(bad, bad + good))
    assert not isinstance(sample, Hole)
    assert dict(sample) == {
        number: count for number, count in ((Fraction(1), bad), (Fraction(0), good)) if count
    }


def test_a_ratio_of_nothing_is_no_opportunity_not_zero_events() -> None:
    assert decode(encode_ratio(0, 0)) == ()


def test_a_ratio_takes_integers_of_any_library_and_nothing_else() -> None:
    class Whole:
        def __index__(self) -> int:
            return 3

    whole: Any = Whole()
    assert encode_ratio(whole, whole) == '{"bad":3,"of":3}'
    half: Any = 0.5
    with pytest.raises(TypeError):
        encode_ratio(half, 1)


@given(st.dictionaries(st.integers(-99, 99), st.integers(0, 99)))
def test_a_distribution_is_its_numbers_with_their_counts(counts: dict[int, int]) -> None:
    sample = decode(encode_distribution({number_text(n / 10): c for n, c in counts.items()}))
    assert not isinstance(sample, Hole)
    expected = {Fraction(n, 10): c for n, c in counts.items() if c}
    assert dict(sample) == expected


def test_one_number_that_cannot_be_read_makes_the_whole_distribution_a_hole() -> None:
    assert isinstance(decode(encode_distribution({"1": 5, "NaN": 1})), Hole)


@given(st.dictionaries(st.text(), st.text() | st.booleans() | st.integers()))
@example({"node": "\ud800", "\udcff": 1})
def test_labels_have_one_order_and_are_text(labels: dict[str, object]) -> None:
    found = labels_of(labels)
    assert found == labels_of(dict(reversed(labels.items())))
    assert [key for key, _ in found] == sorted(labels)
    assert all(isinstance(value, str) for _, value in found)


def test_true_and_false_are_yes_and_no() -> None:
    assert labels_of({"b": True, "a": False, "c": 1}) == (("a", "no"), ("b", "yes"), ("c", "1"))
