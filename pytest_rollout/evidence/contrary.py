"""What other runs know that the last full run of a gate does not: partial and overlapping ones."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_rollout.evidence.facts import checks_of, ending, manifest_of, partial_of
from pytest_rollout.evidence.history import AskingRun, stored_decision
from pytest_rollout.evidence.integrity import UNREADABLE, evidence_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.decision import Decision, OtherRun, from_json
from pytest_rollout.model.plan import Address
from pytest_rollout.model.verdict import Verdict

_ENDS = {RecordKind.SEAL, RecordKind.STOP}


def process_facts() -> dict[str, str | int]:
    """Return what tells later whether this process still runs, on the machine where it does."""
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "began": _began(pid)}


def contrary(
    ledger: Ledger, address: Address, environment: str, asked: AskingRun, release: str | None
) -> tuple[OtherRun, ...]:
    """Return the other runs of a gate that may stand against the decision of its last full run.

    Runs that began later and are partial, and runs that began earlier and went on while the last
    one ran, or that are still running; of the same release as far as they know.
    """
    first = ledger.of_run(asked.run)[0].sequence
    names = dict.fromkeys(record.run for record in ledger.between(first))
    names |= dict.fromkeys(_alive(ledger, address, environment, first))
    found = []
    for name in names:
        records = ledger.of_run(name) if name != asked.run else []
        if records and records[0].environment == environment and _asks(records, address):
            one = _other(ledger, records, first, address)
            if one.decision is None or one.decision.release == release:
                found.append(one)
    return tuple(found)


def _other(ledger: Ledger, records: list[Record], first: int, address: Address) -> OtherRun:
    decision = _decision(ledger, records, address)
    partial = bool(partial_of(evidence_of(records), address.name))
    return OtherRun(
        run=records[0].run,
        later=partial or records[0].sequence > first,
        decision=decision,
        failed=() if decision else tuple(_failed(evidence_of(records), address.name)),
        why="" if decision else "; ".join(ending(records)),
    )


def _asks(records: list[Record], address: Address) -> bool:
    """Whether a run asked for the gate, and was no drill."""
    try:
        start = json.loads(records[0].body)
        return str(address) in start.get("gates", ()) and not start["drill"]
    except UNREADABLE:
        return False  # the chain tells of it


def _decision(ledger: Ledger, records: list[Record], address: Address) -> Decision | None:
    text = stored_decision(ledger, address, records[0].run)
    try:
        return from_json(text) if text is not None else None
    except UNREADABLE:
        return None


def _failed(records: list[Record], phase: str) -> Iterator[tuple[str, str]]:
    checks = checks_of(records)
    for criterion, items in manifest_of(records, phase).items.items():
        for item in items:
            attempts = checks.get(item, ())
            if attempts and attempts[-1].verdict is Verdict.FAIL:
                yield criterion, attempts[-1].reason


def _alive(ledger: Ledger, address: Address, environment: str, first: int) -> Iterator[str]:
    """Runs that began before one, have not ended, and whose process runs on this machine now."""
    for record in ledger.runs(str(address), environment):
        if record.sequence < first:
            try:
                process = json.loads(record.body).get("process")
            except UNREADABLE:
                continue
            if isinstance(process, Mapping) and _runs(process):
                ended = {one.kind for one in ledger.of_run(record.run)} & _ENDS
                yield from () if ended else (record.run,)


def _runs(process: Mapping[str, object]) -> bool:
    pid, began = process.get("pid"), process.get("began")
    here = process.get("host") == platform.node() and isinstance(pid, int) and bool(began)
    return here and isinstance(pid, int) and _began(pid) == began


def _began(pid: int) -> str:
    """Return when a process began, in ticks of this machine; empty where that is not known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]
