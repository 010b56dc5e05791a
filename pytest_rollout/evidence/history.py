"""Which runs and decisions the ledger holds about a gate."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class Asked:
    """A run that asked for a gate."""

    run: str
    plan_digest: str
    finished: bool  # sealed, or stopped and said so


def last_full_run(ledger: Ledger, address: Address, environment: str) -> Asked | None:
    """The newest run that set out to judge a gate whole: no drill, and no partial run.

    One that never finished counts: what it would have seen is not known.
    """
    for record in ledger.runs(address.plan, environment):
        facts = json.loads(record.body)
        if str(address) not in facts["gates"] or facts["drill"] or facts["partial"]:
            continue
        records = ledger.of_run(record.run)
        if _dropped(records):
            continue
        finished = any(one.kind in (RecordKind.SEAL, RecordKind.STOP) for one in records)
        return Asked(record.run, facts["plans"][address.plan], finished)
    return None


def _dropped(records: list[Record]) -> bool:
    manifests = [one for one in records if one.kind is RecordKind.MANIFEST]
    return any(json.loads(one.body)["dropped"] for one in manifests)


def stored_decision(ledger: Ledger, address: Address, environment: str, run: str) -> str | None:
    """The stored form of the decision that a run made of a gate."""
    for record in reversed(
        ledger.find(RecordKind.DECISION, address.plan, str(address), environment)
    ):
        if record.run == run:
            return str(json.loads(record.body)["document"])
    return None


def last_decision(ledger: Ledger, address: Address, environment: str) -> Decision | None:
    """What the newest full run decided of a gate; None where it decided nothing."""
    asked = last_full_run(ledger, address, environment)
    text = stored_decision(ledger, address, environment, asked.run) if asked else None
    if text is None:
        return None
    try:
        return from_json(text)
    except ValueError as error:
        raise LedgerError(f"a stored decision of {address} cannot be read: {error}") from error
