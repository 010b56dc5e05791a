"""A dozen interruptions of the campaign, always the same, so that every change meets them."""

from __future__ import annotations

import pytest

from tests.campaign.draw import KINDS, draw
from tests.campaign.play import campaign

# Numbers of seed 20 that strike at a place or at rest, so that each of them lands: before the
# seal and after it, signals, a full disk, a clock, rows, bytes, a cut file and an older one.
_NUMBERS = (6, 16, 23, 83, 115, 171, 246, 258, 265, 289, 330, 930)


def test_a_dozen_interruptions_break_no_law() -> None:
    found = campaign(20, len(_NUMBERS), 2, only=_NUMBERS)
    assert [(one.words, one.broken) for one in found if one.broken] == []
    assert [one.words for one in found if not one.landed] == []
    assert len({one.kind for one in found}) > 9


@pytest.mark.quick
def test_a_seed_and_a_number_are_one_case() -> None:
    cases = [draw(7, number) for number in range(200)]
    assert cases == [draw(7, number) for number in range(200)]
    assert cases != [draw(8, number) for number in range(200)]
    assert {case.kind.name for case in cases} == set(KINDS)


@pytest.mark.quick
@pytest.mark.parametrize("shape", ["plain", "workers", "served"])
def test_a_case_of_a_shape_strikes_who_is_there(shape: str) -> None:
    roles = {case.role for case in (draw(1, n, shapes=(shape,)) for n in range(300))}
    there = {"plain": set(), "workers": {"gw0", "gw1"}, "served": {"target"}}[shape]
    assert roles == {"controller", *there}
