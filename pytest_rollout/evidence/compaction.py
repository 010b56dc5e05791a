"""Compactions on record: observations of old runs that a person took out of the ledger.

The chain keeps all records, so what was decided and signed stays as it was. What is out cannot be
judged again: all that read such a run are told so, and no decision rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import LedgerCompacted
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.records import Record, as_written
from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Compaction:
    """Observations were taken out: of which runs, when, by whom and why."""

    runs: tuple[str, ...]
    at: str  # when it was recorded
    by: str
    why: str

    @property
    def says(self) -> str:
        """What a reader of one of the runs is told."""
        return (
            f"its observations were taken out of the ledger at {self.at} by {self.by} ({self.why})"
        )


def by_run(records: Iterable[Record]) -> dict[str, Compaction]:
    """Return the newest compaction of each run; a damaged record takes nothing out."""
    known: dict[str, Compaction] = {}
    for record in records:
        if not as_written(record):
            continue
        try:
            body = said(record, LedgerCompacted)
        except UndecodableError:
            continue
        act = Compaction(body.runs, calendar.stamp(record.at_us), body.by, body.says)
        known |= dict.fromkeys(body.runs, act)
    return known
