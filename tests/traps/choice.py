"""Which runs are made of each trap: one of each in turn, or the full matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.traps.trap import N0, N2, PLAIN, Trap

Run = tuple[Trap, str, bool]  # a trap, a mode, and whether every plugin of the ecosystem is on

# Plain runs are cheap, those with workers and all plugins are not: most turns are plain, and
# every pair of a mode and a set of plugins has its turn.
_SELDOM = {
    4: (N2, False),
    12: (N0, True),
    19: (N2, True),
    27: (N2, False),
    35: (PLAIN, True),
    43: (N2, False),
}
_TURNS = tuple(_SELDOM.get(turn, (PLAIN if turn % 4 else N0, False)) for turn in range(47))


def in_turn(traps: Sequence[Trap]) -> list[Run]:
    """One run of each trap; modes and plugins take turns."""
    return [(trap, *_turn(trap, number)) for number, trap in enumerate(traps)]


def _turn(trap: Trap, number: int) -> tuple[str, bool]:
    mode, everything = _TURNS[number % len(_TURNS)]
    if mode not in trap.modes:
        mode = trap.modes[0]
    return mode, everything and trap.combines


def matrix(traps: Sequence[Trap]) -> Iterator[Run]:
    """Every trap in every mode, without other plugins and with all of them together."""
    for trap in traps:
        for mode in trap.modes:
            yield trap, mode, False
            if trap.combines:
                yield trap, mode, True
