"""Faults of reference targets: declared beside their part, planted with parameters."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_rollout import Faults, fault, one_of
from pytest_rollout.targets.reference import Fault

SIZES = ("small", "large")


@dataclass(frozen=True)
class Kettle:
    """A part of a target."""

    degrees: int = 100
    share: float = 1.0
    size: str = one_of("small", SIZES)
    lid: bool = True
    label: str = ""
    owner: int | None = None


@dataclass(frozen=True)
class Cup:
    """Another part, healthy while the kettle is not."""

    cracked: bool = False


class Pouring:
    """A part that does something; its faults do something else."""

    def poured(self, wanted: int) -> int:
        return wanted


@dataclass(frozen=True)
class Spills(Pouring):
    by: int = 1

    def poured(self, wanted: int) -> int:
        return wanted - self.by


KETTLE = (
    fault("cold", Kettle, "The water stays cold.", degrees=20),
    fault("open", Kettle, "The lid is off.", lid=False),
)
KNOWN = Faults(KETTLE, (fault("spills", Spills, "Some of it is spilt."),))


def planted(text: str) -> Kettle:
    return KNOWN.planted(Fault.parse(text)).of(Kettle)


def test_a_target_without_a_fault_is_healthy() -> None:
    assert KNOWN.planted(None).of(Kettle) == Kettle()


def test_a_fault_changes_its_own_part_alone() -> None:
    broken = KNOWN.planted(Fault("cold"))
    assert (broken.of(Kettle), broken.of(Cup)) == (Kettle(degrees=20), Cup())


def test_a_fault_may_be_a_part_that_acts_otherwise() -> None:
    assert KNOWN.planted(None).of(Pouring).poured(5) == 5
    assert KNOWN.planted(Fault.parse("spills:by=2")).of(Pouring).poured(5) == 3


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("cold:degrees=30", Kettle(degrees=30)),
        ("cold:share=0.5", Kettle(degrees=20, share=0.5)),
        ("cold:size=large", Kettle(degrees=20, size="large")),
        ("cold:lid=no,label=mine", Kettle(degrees=20, lid=False, label="mine")),
        ("open:owner=7", Kettle(lid=False, owner=7)),
        ("open:owner=any", Kettle(lid=False)),
    ],
)
def test_a_parameter_is_read_as_its_field_is(text: str, wanted: Kettle) -> None:
    assert planted(text) == wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hot", "'hot' is not a fault of this target; known are cold, open, spills"),
        ("spills:to=2", "spills has no parameter 'to'; it has by"),
        ("cold:size=huge", "cold: size is one of small, large, not 'huge'"),
        ("cold:lid=off", "cold: lid is yes or no, not 'off'"),
        ("cold:degrees=warm", "cold: degrees is a number, not 'warm'"),
        ("cold:degrees=-1", "cold: degrees is zero or more, not '-1'"),
        ("cold:share=nan", "cold: share is zero or more, not 'nan'"),
    ],
)
def test_what_is_not_known_is_said(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="^" + sentence):
        KNOWN.planted(Fault.parse(text))


def test_the_faults_are_read_as_names_and_sentences() -> None:
    assert dict(KNOWN) == {
        "cold": "The water stays cold.",
        "open": "The lid is off.",
        "spills": "Some of it is spilt.",
    }
    assert KNOWN.declared("cold").part is Kettle


def test_a_fault_of_a_field_that_is_not_there_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="colour"):
        fault("red", Kettle, "The kettle is red.", colour="red")


def test_two_faults_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two faults are called 'cold'"):
        Faults(KETTLE, KETTLE)
