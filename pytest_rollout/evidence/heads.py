"""The newest records of a ledger, noted outside of it: an older copy in its place is noticed.

A note has a line for each record that nothing follows: its hash, its sequence, and what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pytest_rollout.evidence.records import Record, as_written
from pytest_rollout.evidence.store import Store
from pytest_rollout.model.evidence import Head


def note_of(store: Store) -> str:
    """The note of a ledger as it stands; empty where it holds nothing."""
    return "".join(line_of(record.first, record.name) for record in _newest(store))


def line_of(first: Head, name: str) -> str:
    """Return the line of a record: where it was first written, and what messages call it."""
    return f"{first.hash} {first.sequence} {name}\n"


def _newest(store: Store) -> Iterator[Record]:
    head = store.head()
    last = next(store.between(head.sequence, head.sequence), None)
    if last is None:
        return
    leaves = {leaf for merge in store.merges() if merge.head == head for leaf in merge.leaves}
    if last.first_hash is None or not leaves:
        yield last
        return
    yield from (record for record in store.between(0, None) if record.first.hash in leaves)


def lost(store: Store, note: str) -> str:
    """The first record of a note that a ledger never held; empty where it holds all of them.

    A record that was changed or deleted where it stood is damage, of which the chain tells.
    """
    newest = store.head().sequence
    for line in note.splitlines():
        hash_, _, words = line.partition(" ")
        number, _, name = words.partition(" ")
        place = -1
        with suppress(ValueError):
            place = int(number)
        if place < 0 or store.holds(Head(place, hash_)) or _holds(store, hash_):
            continue
        there = next(store.between(place, place), None)
        if place > newest or (there is not None and as_written(there)):
            return name
    return ""


def _holds(store: Store, hash_: str) -> bool:
    """Whether a record came into a ledger by a merge."""
    return bool(store.merges()) and any(
        record.first.hash == hash_ for record in store.between(0, None)
    )
