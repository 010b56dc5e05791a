"""Every trap, by theme, in the order of the page that lists them."""

from __future__ import annotations

from tests.traps.catalogue import (
    attempts,
    bodies,
    collection,
    deaths,
    defaults,
    endings,
    hostile,
    lost,
    masking,
    outcomes,
    outside,
    plugins,
    selection,
    shell,
    statuses,
    switches,
    workers,
)
from tests.traps.catalogue.honest import HONEST
from tests.traps.trap import Trap

__all__ = ["HONEST", "THEMES", "TRAPS"]

THEMES: dict[str, tuple[Trap, ...]] = {
    "Selecting less, or only looking": selection.TRAPS,
    "Checks that are no longer collected": lost.TRAPS,
    "Collecting nothing": collection.TRAPS,
    "Outcomes that are green": outcomes.TRAPS,
    "Subtests, reruns, set-up and tear-down": attempts.TRAPS,
    "Bodies that check nothing": bodies.TRAPS,
    "Work outside of the check": outside.TRAPS,
    "Processes that die": deaths.TRAPS,
    "Runs that are stopped": endings.TRAPS,
    "Statuses that others set": statuses.TRAPS,
    "Workers": workers.TRAPS,
    "Hooks that hide": masking.TRAPS,
    "The plugin switched off": switches.TRAPS,
    "Other plugins": plugins.TRAPS,
    "Hostile names, texts and files": hostile.TRAPS,
    "Shells": shell.TRAPS,
    "Defaults of other deciders": defaults.TRAPS,
}
TRAPS: tuple[Trap, ...] = tuple(trap for traps in THEMES.values() for trap in traps)
