"""Places in the chain that somebody noted outside of the ledger, and where they stand in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.lineage import Merge
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Head


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the chain that somebody noted outside of the ledger."""

    head: Head
    source: str
    run: str = ""  # of which run; empty where that is not known


@dataclass(slots=True)
class Placed:
    """Anchors by what the chain says of them."""

    fitting: list[Anchor] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)  # what became of those that do not fit
    foreign: list[Anchor] = field(default_factory=list)  # of another ledger
    beyond: list[Anchor] = field(default_factory=list)  # of a run that is not here, past the end


def where(ledger: Ledger, anchors: Iterable[Anchor]) -> Placed:
    """Return where each anchor stands in a ledger, or in one that was merged into it.

    A place that another record holds, noted by a run that this chain never had, is of another
    chain. Where the chain ends before it, the end may as well have been cut off.
    """
    merges = ledger.store.merges()
    known = heads(merges)
    if merges:
        firsts = (record.first for record in ledger.between(0))
        known |= {(first.sequence, first.hash) for first in firsts}
    placed = Placed()
    for anchor in anchors:
        place = f"record {anchor.head.sequence}, noted in {anchor.source},"
        elsewhere = bool(anchor.run) and not ledger.of_run(anchor.run)
        sequence = anchor.head.sequence
        if ledger.holds(anchor.head) or (sequence, anchor.head.hash) in known:
            placed.fitting.append(anchor)
        elif next(ledger.between(sequence, sequence), None) is None:
            placed.missed.append(f"{place} is gone")
            placed.beyond += [anchor] * elsewhere
        elif elsewhere:
            placed.foreign.append(anchor)
        else:
            placed.missed.append(f"{place} was cut off or replaced")
    return placed


def heads(merges: Iterable[Merge]) -> set[tuple[int, str]]:
    """Return the end of the chain that each merge made."""
    return {(merge.head.sequence, merge.head.hash) for merge in merges}
