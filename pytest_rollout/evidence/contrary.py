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
from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.finding import Fact, Reason, said
from pytest_rollout.model.plan import Address
from pytest_rollout.model.verdict import Answer, Verdict

_ENDS = {RecordKind.SEAL, RecordKind.STOP}
_STOPS = (Answer.NO_GO, Answer.ROLLBACK)


def process_facts() -> dict[str, str | int]:
    """Return what tells later whether this process still runs, on the machine where it does."""
    pid = os.getpid()
    return {"host": platform.node(), "pid": pid, "began": _began(pid)}


def contrary(
    ledger: Ledger, address: Address, environment: str, asked: AskingRun, release: str | None
) -> tuple[Reason, ...]:
    """Return why other runs of a gate stand against the decision of its last full run.

    A partial run that began later and saw a bound check fail; a run that began earlier and
    went on while the last one ran, unless it is GO as well, or that is still running.
    """
    first = ledger.of_run(asked.run)[0].sequence
    names = dict.fromkeys(record.run for record in ledger.between(first))
    names |= dict.fromkeys(_alive(ledger, address, environment, first))
    reasons = (
        _against(ledger, ledger.of_run(name), first, address, environment, release)
        for name in names
        if name != asked.run
    )
    return tuple(reason for reason in reasons if reason is not None)


def _against(
    ledger: Ledger,
    records: list[Record],
    first: int,
    address: Address,
    environment: str,
    release: str | None,
) -> Reason | None:
    if not records or records[0].kind is not RecordKind.RUN or not _full(records, address):
        return None
    if records[0].environment != environment:
        return None
    decision = _decision(ledger, records, address)
    partial = bool(partial_of(evidence_of(records), address.name))
    if decision is not None and decision.release != release:
        return None
    facts: dict[str, Fact] = {"run": records[0].run, "gate": str(address)}
    if partial or records[0].sequence > first:
        return _seen_to_fail(records, decision, address, facts)
    if decision is None:
        return Reason("clear.overlapped-unfinished", {**facts, "why": "; ".join(ending(records))})
    if decision.answer is not Answer.GO:
        return Reason("clear.overlapped", {**facts, "answer": decision.answer.value})
    return None


def _full(records: list[Record], address: Address) -> bool:
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


def _seen_to_fail(
    records: list[Record], decision: Decision | None, address: Address, facts: dict[str, Fact]
) -> Reason | None:
    """Return what a partial run saw go wrong: by its decision, or by its checks if it has none."""
    if decision is not None:
        if decision.answer not in _STOPS:
            return None
        causes = tuple(
            Reason("told", {"subject": cause.id, "reason": cause.reason})
            for cause in decision.reasons
        )
        return Reason("clear.failed-since", {**facts, "causes": causes})
    causes = tuple(
        Reason("told", {"subject": criterion, "reason": said(reason or "it failed")})
        for criterion, reason in _failed(evidence_of(records), address.name)
    )
    return Reason("clear.failed-since", {**facts, "causes": causes}) if causes else None


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
