"""Units are converted exactly, and only within what they measure."""

from __future__ import annotations

from fractions import Fraction

import pytest

from pytest_rollout.model.rule import Cut, Per, PerUnit
from pytest_rollout.model.units import KNOWN, Dimension, comparable, converted, dimension


@pytest.mark.parametrize(
    ("value", "stated", "unit", "expected"),
    [
        ("1.5", "s", "ms", Fraction(1500)),
        ("1", "us", "s", Fraction(1, 1_000_000)),
        ("0.1", "ms", "us", Fraction(100)),
        ("2", "h", "d", Fraction(1, 12)),
        ("1", "MiB", "kB", Fraction(1048576, 1000)),
        ("3", "%", "%", Fraction(3)),
        ("7", "requests", "requests", Fraction(7)),
        ("7", "", "", Fraction(7)),
    ],
)
def test_a_number_in_another_unit(value: str, stated: str, unit: str, expected: Fraction) -> None:
    assert converted(Fraction(value), stated, unit) == expected


@pytest.mark.parametrize(
    ("stated", "unit"),
    [("ms", "MB"), ("%", "s"), ("", "ms"), ("requests", "errors"), ("requests", ""), ("B", "")],
)
def test_units_of_different_things_are_not_converted(stated: str, unit: str) -> None:
    assert not comparable(stated, unit)
    with pytest.raises(ValueError, match="is no"):
        converted(Fraction(1), stated, unit)


def test_each_unit_measures_one_thing() -> None:
    measured = {unit: dimension(unit) for unit in (*KNOWN, "requests", "")}
    assert {unit for unit, what in measured.items() if what is Dimension.TIME} == {
        *("us", "ms", "s", "m", "h", "d")
    }
    assert (measured["%"], measured["requests"]) == (Dimension.SHARE, Dimension.WORD)
    assert measured[""] is Dimension.NONE
    for unit, what in measured.items():
        assert converted(Fraction(1), unit, unit) == 1
        assert comparable(unit, "ms") == (what is Dimension.TIME)


@pytest.mark.parametrize(
    ("text", "unit"),
    [("< 500ms", "ms"), (">= -1.5e3", ""), ("< 1%", "%"), ("<= 5 events", "events"), ("", "")],
)
def test_the_unit_that_a_cut_states(text: str, unit: str) -> None:
    assert Cut("<", Fraction(0), text).unit == unit


def test_a_bucket_is_named_as_the_plan_states_it() -> None:
    assert [Per(unit).words for unit in (PerUnit.RUN, PerUnit.DAY, PerUnit.NIGHT)] == [
        *("run", "day", "night")
    ]
    assert Per(PerUnit.SPAN, 60_000_000).words == "1m"
    assert Per(PerUnit.SPAN, 90_000_000).words == "90s"


def test_several_buckets_are_named_without_running_into_a_unit() -> None:
    assert [Per(unit).plural for unit in (PerUnit.RUN, PerUnit.NIGHT)] == ["runs", "nights"]
    assert Per(PerUnit.SPAN, 60_000_000).plural == "stretches of 1m"
