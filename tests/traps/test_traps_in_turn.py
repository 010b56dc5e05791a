"""No trap leaves a GO behind, and honest runs are GO: each in one mode and with one set of plugins.

The full matrix is `python -m tests.traps --full`.
"""

from __future__ import annotations

import pytest

from tests.traps.catalogue import HONEST, TRAPS
from tests.traps.choice import in_turn, matrix
from tests.traps.run import project, spring
from tests.traps.trap import GO, HOLD, N2, PLAIN, Trap


def _named(value: object) -> str:
    if isinstance(value, Trap):
        return value.id
    return value if isinstance(value, str) else ("all plugins" if value else "no plugins")


@pytest.mark.parametrize(("trap", "mode", "everything"), in_turn(TRAPS), ids=_named)
def test_a_trap_is_no_go(trap: Trap, mode: str, everything: bool) -> None:
    result = spring(trap, mode, everything)
    assert not result.says_go
    assert result.faults() == []


@pytest.mark.parametrize(("trap", "mode", "everything"), in_turn(HONEST), ids=_named)
def test_an_honest_run_is_go(trap: Trap, mode: str, everything: bool) -> None:
    result = spring(trap, mode, everything)
    assert result.says_go
    assert result.faults() == []


@pytest.mark.parametrize("trap", [one for one in TRAPS if one.after_go], ids=_named)
def test_a_run_that_never_finished_takes_back_an_earlier_go(trap: Trap) -> None:
    with project(trap) as folder:
        folder.honest()
        before = folder.said()
        assert before.answer == before.status == GO
        folder.spring()
        folder.gate(trap.modes[0], everything=False)
        after = folder.said()
    assert after.answer == after.status == HOLD
    assert after.run != before.run


def test_the_catalogue_is_what_it_says() -> None:
    both = [*TRAPS, *HONEST]
    assert len({trap.id for trap in both}) == len(both)
    assert all(trap.answer != GO for trap in TRAPS)
    assert {trap.answer for trap in HONEST} == {GO}
    numbers = {number for trap in both for number in trap.numbers}
    assert numbers == {f"E{number}" for number in range(1, 31)}


def test_every_mode_meets_every_set_of_plugins() -> None:
    met = {(mode, everything) for _, mode, everything in in_turn(TRAPS)}
    assert met == {(mode, everything) for _, mode, everything in matrix(TRAPS)}
    assert {PLAIN, N2} < {mode for mode, _ in met}
