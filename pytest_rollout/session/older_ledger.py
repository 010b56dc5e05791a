"""What a run says of a ledger that does not know what other runs reported or recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_rollout.evidence.anchors import Anchor, where
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.coding import decode
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.verdict import Answer

_MOST_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What of a decision.json is an anchor."""

    ledger: Head


@dataclass(frozen=True, slots=True)
class Known:
    """What a ledger knew before a run wrote to it."""

    unknown: str = ""  # a reported decision that it does not hold
    made: str = ""  # the run made it

    def notes(self, decisions: Sequence[Decision]) -> list[str]:
        """Return what people should know of it; that it is new only where that may be why."""
        go = bool(decisions) and all(decision.answer is Answer.GO for decision in decisions)
        return [note for note in (self.unknown, "" if go or self.unknown else self.made) if note]


def known(ledger: Ledger, report: Path, *, embedded: bool) -> Known:
    """Return what a ledger knows before a run writes to it. Raises LedgerError."""
    new = ledger.head().sequence == 0
    unknown = [anchor for anchor in _anchors(report) if not ledger.holds(anchor.head)]
    if unknown and not new:
        unknown = [anchor for anchor in unknown if not _merged(ledger, anchor)]
    said = ""
    if unknown:
        first = unknown[0]
        why = "this run made it" if new else "it is an older one, or another one"
        said = (
            f"{first.source} was decided from record {first.head.sequence}, which the ledger "
            f"{ledger.name} does not hold: {why} (rollout merge FILE brings evidence together)"
        )
    made = (
        f"this run made the ledger {ledger.name}: what other jobs and machines know is not in it "
        "(rollout merge FILE; artifacts leave hidden folders out)"
    )
    return Known(said, made if new and not embedded else "")


def _merged(ledger: Ledger, anchor: Anchor) -> bool:
    """Whether an anchor is of a ledger that came in by a merge."""
    return bool(ledger.store.merges()) and bool(where(ledger, [anchor]).fitting)


def _anchors(report: Path) -> Iterator[Anchor]:
    """The decisions that were reported; what is none is passed over."""
    for path in sorted(report.glob("**/decision.json")):
        try:
            if path.stat().st_size <= _MOST_BYTES:
                place = decode(_Anchored, json.loads(path.read_text(encoding="utf-8"))).ledger
                yield Anchor(place, path.relative_to(report.parent).as_posix())
        except (OSError, ValueError, RecursionError):
            continue
