"""No trap leaves a GO behind, and honest runs are GO: each in one mode and with one set of plugins.

The full matrix is `python -m tests.traps --full`. Of each theme one is tried by the quick tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tests.traps.catalogue import HONEST, THEMES, TRAPS
from tests.traps.choice import Run, in_turn, matrix
from tests.traps.run import project, spring
from tests.traps.trap import GO, HOLD, N2, PLAIN, Trap


def _named(value: object) -> str:
    if isinstance(value, Trap):
        return value.id
    return value if isinstance(value, str) else ("all plugins" if value else "no plugins")


def _is_cheap(run: Run) -> bool:
    """Whether a run is one of pytest alone, which is the cheapest way to try a trap."""
    return run[1:] == (PLAIN, False)


def _cases(traps: Sequence[Trap]) -> list[Any]:
    """Return every run of the turn; the first cheap one of each theme is quick."""
    runs = in_turn(traps)
    themes = [{trap.id for trap in theme} for theme in (*THEMES.values(), HONEST)]
    cheap = [[run for run in runs if run[0].id in theme and _is_cheap(run)] for theme in themes]
    quick = [found[0] for found in cheap if found]
    return [pytest.param(*run, marks=[pytest.mark.quick] * (run in quick)) for run in runs]


@pytest.mark.parametrize(("trap", "mode", "everything"), _cases(TRAPS), ids=_named)
def test_a_trap_is_no_go(trap: Trap, mode: str, everything: bool) -> None:
    result = spring(trap, mode, everything)
    assert not result.says_go
    assert result.faults() == []


@pytest.mark.parametrize(("trap", "mode", "everything"), _cases(HONEST), ids=_named)
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


@pytest.mark.quick
def test_the_catalogue_is_what_it_says() -> None:
    both = [*TRAPS, *HONEST]
    assert len({trap.id for trap in both}) == len(both)
    assert all(trap.answer != GO for trap in TRAPS)
    assert {trap.answer for trap in HONEST} == {GO}
    numbers = {number for trap in both for number in trap.numbers}
    assert numbers == {f"E{number}" for number in range(1, 31)}


@pytest.mark.quick
def test_every_mode_meets_every_set_of_plugins() -> None:
    met = {(mode, everything) for _, mode, everything in in_turn(TRAPS)}
    assert met == {(mode, everything) for _, mode, everything in matrix(TRAPS)}
    assert {PLAIN, N2} < {mode for mode, _ in met}
