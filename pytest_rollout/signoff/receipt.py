"""A receipt: what was cleared, on what, and until when; and what is wrong with one later. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.evidence import Head
from pytest_rollout.signoff.clearance import Clearance

LIFE_US = 15 * 60 * 1_000_000
KIND = "pytest-rollout/receipt"
_ENDING = ("clear.not-as-long", "clear.closes")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The names of the fields are the keys of the file."""

    gate: str
    environment: str
    release: str | None
    configuration: str | None
    targets: Mapping[str, str]  # where each target was
    run: str
    substance_digest: str  # of the decision
    overridden: tuple[str, ...]  # who accepted something; empty where nothing was
    ledger: Head  # the newest record when it was given
    cleared_at: str
    until: str
    kind: str = KIND
    schema: int = 1


def written(receipt: Receipt) -> bytes:
    """The bytes of a receipt's file."""
    return (json.dumps(encode(receipt), indent=2, sort_keys=True) + "\n").encode()


def digest_of(raw: bytes) -> str:
    """The digest by which the ledger knows a receipt."""
    return hashlib.sha256(raw).hexdigest()


def read(raw: bytes) -> Receipt:
    """The receipt in a file; raises ValueError where there is none."""
    receipt = decode(Receipt, json.loads(raw))
    assert isinstance(receipt, Receipt)
    if receipt.kind != KIND or receipt.schema != 1:
        raise ValueError(f"it is a {receipt.kind} of schema {receipt.schema}")
    return receipt


def until(now: datetime, answer: Clearance) -> datetime:
    """Until when a receipt counts: a quarter of an hour, or less where the clearance ends before.

    The clearance is one that was asked for as long as that. Where something stands against it
    now, a receipt counts no longer.
    """
    ends = [now + timedelta(microseconds=LIFE_US)]
    for finding in answer.findings:
        if finding.verdict.holds_back:
            states_end = finding.reason.code in _ENDING
            end = str(finding.reason.facts["until"]) if states_end else now.isoformat()
            ends.append(datetime.fromisoformat(end))
    return min(ends)


@dataclass(frozen=True, slots=True)
class ReceiptFacts:
    """What is known of a receipt now."""

    recorded: bool  # whether the ledger knows these bytes
    here: bool  # whether the ledger holds the record that it names
    substance: str | None  # of the decision that stands now; None: none does
    since: tuple[str, ...] = ()  # what stands against the change now


def wrong_with(receipt: Receipt, facts: ReceiptFacts, now: datetime) -> Iterator[str]:
    """What is wrong with a receipt, the worst first."""
    if not facts.here:
        yield f"it belongs to another ledger: record {receipt.ledger.sequence} is not the same here"
        return
    if not facts.recorded:
        yield "its bytes were changed: the ledger gave no such receipt"
    if now >= datetime.fromisoformat(receipt.until):
        yield f"it expired at {receipt.until}"
    if facts.substance != receipt.substance_digest:
        yield f"the decision of {receipt.gate} is another one since, or none stands"
    yield from facts.since
