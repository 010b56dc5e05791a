"""Which runs are made of each trap: one of each in turn, or the full matrix."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.traps.trap import N0, N2, PLAIN, Trap

Run = tuple[Trap, str, bool]  # a trap, a mode, and whether every plugin of the ecosystem is on

# Plain runs are cheap, those with workers and all plugins are not: the turns are weighted so,
# and every pair of a mode and a set of plugins has its turn.
_PLAIN, _IDLE = (PLAIN, False), (N0, False)
_TURNS = (
    *(_PLAIN, (N2, False), _IDLE, _PLAIN, _PLAIN, _IDLE, _PLAIN, (N0, True)),
    *(_PLAIN, _IDLE, _PLAIN, _PLAIN, (N2, True), _PLAIN, _IDLE, _PLAIN, _PLAIN),
    *((N2, False), _PLAIN, _IDLE, _PLAIN, (PLAIN, True), _PLAIN),
)


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
