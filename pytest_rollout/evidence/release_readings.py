"""Where in the chain a release was read: no run of it can have been before."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_rollout.evidence.decoding import release_word, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.model.evidence import ReleaseFact, Run
from pytest_rollout.model.life import Life


def releases_of(run: Run, life: Life | None) -> set[str | None]:
    """Return the releases of which earlier runs and resets count for a run.

    One that asked and was told none counts those of the release that was read last since the
    begin: a trip stands until it is reset, also while nobody can say what runs. It is no GO.
    """
    read = {fact.release for fact in run.releases}
    last = life.last_release if life is not None else None
    return (read - {None}) or ({last} if read and last is not None else read)


def first_of_release(ledger: Ledger, run: Run, phase: str, releases: set[str | None]) -> int:
    """Return from where on a run may be of one of the releases: it was read, or no other one was.

    What was recorded up to the last reading of another release before is of another. Raises
    UndecodableError.
    """
    if releases in (set(), {None}):
        return 0
    return last_before(ledger, run, phase, (None, *releases))


def last_before(ledger: Ledger, run: Run, phase: str, releases: Iterable[str | None]) -> int:
    """Return where the last other release was read before the first reading of some; 0: nowhere.

    A run of theirs that was taken out of the ledger leaves a gap after it.
    """
    plan, _, _ = phase.partition(".")
    where = (RecordKind.RELEASE, plan, phase, run.environment)
    sequences = (_first_reading(ledger, where, release) for release in releases)
    first = min((sequence for sequence in sequences if sequence is not None), default=0)
    return next((record.sequence for record in ledger.newest(*where, before=first)), 0)


def _first_reading(
    ledger: Ledger, where: tuple[RecordKind, str, str, str], release: str | None
) -> int | None:
    """Where a release, or none, was read first in the phase."""
    for record in ledger.oldest(*where, word=release_word(release)):
        if said(record, ReleaseFact).release == release:
            return record.sequence
    return None
