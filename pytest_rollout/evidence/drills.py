"""Drills in the ledger: keeping one, and when a gate last said no in one."""

from __future__ import annotations

import json

from pytest_rollout import calendar
from pytest_rollout.evidence.integrity import UNREADABLE, as_written
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Draft, RecordKind
from pytest_rollout.model.drill import Drill, LastNo, noes, to_data
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import EMBEDDED, Address


def keep(ledger: Ledger, drill: Drill) -> Head:
    """Add a drill to the chain; it belongs to no run and satisfies nothing. Raises LedgerError."""
    plan, phase = drill.address.plan, str(drill.address)
    return ledger.append(Draft(RecordKind.DRILL, "", to_data(drill), plan, phase, EMBEDDED))


def last_no(ledger: Ledger, gate: Address, plan_digest: str) -> LastNo | None:
    """When a gate last said no in a drill; None where it never did. Raises LedgerError.

    A record that was changed, or cannot be read, proves nothing and is passed over.
    """
    assert gate.gate is not None
    phase = gate.name
    for record in ledger.newest(RecordKind.DRILL, gate.plan, phase, EMBEDDED):
        try:
            data = json.loads(record.body)
            said = next(noes(data, gate.gate), None) if as_written(record) else None
            if said is not None:
                fault, answer = said
                digest, release = str(data["plan_digest"]), data["release"]
                at = calendar.stamp(record.at_us)
                return LastNo(at, fault, answer, release, digest, digest != plan_digest)
        except UNREADABLE:
            continue
    return None
