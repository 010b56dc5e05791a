"""Files of other tools in the ledger: each is a run of its own kind, and what was read of it.

Such a run asks no gate and holds no manifest. What it saw is never mixed with what tests saw:
only a criterion that asks for it reads it.
"""

from __future__ import annotations

import platform
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from pytest_rollout.evidence import inputs, run_facts
from pytest_rollout.evidence.bodies import Body, ItemReport, RunStart, Seal
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import Batch, Observation, Record, RecordKind, seal_digest
from pytest_rollout.evidence.result_bodies import StoredResult
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Brought, ReleaseFact, labels_of
from pytest_rollout.model.ingest import ResultFacts
from pytest_rollout.model.plan import EMBEDDED, Address
from pytest_rollout.model.provenance import Input

ITEM = "rollout ingest"
WORKER = "ingest"


@dataclass(frozen=True, slots=True)
class Sighted:
    """One value of a file: series, labels, when it was, and its stored form."""

    series: str
    labels: Mapping[str, str]
    t_us: int
    value: str


@dataclass(frozen=True, slots=True)
class Case:
    """One test case or threshold of a file, with its attempts: verdict and reason."""

    name: str
    attempts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Judging:
    """By which text of which plan a file is brought."""

    address: Address
    environment: str
    plan_digest: str
    beside: Mapping[str, str]
    now_us: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The file itself, as it is kept."""

    content: bytes
    type: str


def store(
    ledger: Ledger,
    judging: Judging,
    facts: ResultFacts,
    kept: Kept,
    sighted: Sequence[Sighted] = (),
    cases: Sequence[Case] = (),
) -> str:
    """Write the run of a file, and return its name; raises LedgerError."""
    run = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-ingest-{secrets.token_hex(3)}"
    where = judging.environment

    def append(body: Body, plan: str = "", subject: str = "") -> None:
        ledger.append(Draft(body, run, plan, subject, where))

    append(_start(judging, facts))
    attached = ledger.attach(kept.content)
    held: dict[str, Any] = {"name": facts.file, "type": kept.type}
    held |= {"digest": attached.digest, "size": attached.size}
    observations = tuple(_observation(judging, sight, seq) for seq, sight in enumerate(sighted))
    batch = Batch(ITEM, judging.address.name, (), observations, (held,))
    ledger.append_batch(run, where, batch, WORKER)
    for case in cases:
        batch = Batch(case.name, judging.address.name, case.attempts)
        ledger.append_batch(run, where, batch, WORKER)
    records = ledger.of_run(run)
    append(Seal((), len(records), seal_digest(record.hash for record in records)))
    return run


def _start(judging: Judging, facts: ResultFacts) -> RunStart:
    plan = judging.address.plan
    return RunStart(
        plans={plan: judging.plan_digest},
        gates=(),
        partial=(),
        drill=None,
        configured={},
        zone_data="",
        versions={"python": platform.python_version(), "pytest-rollout": version("pytest-rollout")},
        beside={plan: dict(judging.beside)},
        result=StoredResult.of(facts),
    )


def _observation(judging: Judging, sighted: Sighted, seq: int) -> Observation:
    where, labels = judging.address, labels_of(sighted.labels)
    return Observation(
        *(
            where.plan,
            where.phase,
            sighted.series,
            labels,
            sighted.t_us,
            judging.now_us,
            seq,
            sighted.value,
        )
    )


def brought_by(ledger: Ledger, log: RunLog, phase: str) -> Brought | None:
    """Return the file that a sealed run holds for a phase; None where it holds none for it."""
    stored = log.start.result
    if stored is None or stored.phase != phase or not log.sealed or run_facts.ending(log):
        return None
    checks = dict(log.checks)
    checks.pop(ITEM, None)
    seen = run_facts.observations_of(ledger, log, phase)
    return Brought(log.first.run, log.first.at_us, stored.facts, seen, checks)


def brought_elsewhere(
    ledger: Ledger, last: int, environment: str, brought: Sequence[Brought]
) -> tuple[tuple[Brought, ...], list[Input]]:
    """Return files with the other environments they were brought for, and the runs that say so.

    What was recorded before a last record counts. Raises UndecodableError.
    """
    if not brought:
        return (), []
    where: dict[str, list[str]] = {}
    read: dict[str, Input] = {}
    for record in ledger.between(1, last - 1):
        if record.kind is not RecordKind.RUN or record.environment in (environment, EMBEDDED):
            continue
        stored = said(record, RunStart).result
        for file in brought if stored is not None else ():
            if stored is not None and file.facts.holds_what(stored.facts):
                where.setdefault(file.run, []).append(record.environment)
                log = RunLog(part for part in ledger.of_run(record.run) if part.sequence < last)
                read[record.run] = inputs.of_run(log)
    files = (
        replace(file, elsewhere=tuple(sorted(set(where.get(file.run, ()))))) for file in brought
    )
    return tuple(files), list(read.values())


def lost_files(ledger: Ledger, record: Record) -> Iterator[str]:
    """Yield what became of a file that was brought, where it is not what was kept."""
    for attached in said(record, ItemReport).attachments:
        what = ledger.lost_file(attached.digest)
        if what is not None:
            yield f"the file of record {record.sequence} ({attached.name}) {what}"


def all_of(ledger: Ledger, environment: str) -> Iterator[tuple[Record, ResultFacts]]:
    """The files that were brought for an environment, newest first; raises UndecodableError."""
    for record in ledger.newest(RecordKind.RUN, "", "", environment):
        stored = said(record, RunStart).result
        if stored is not None:
            yield record, stored.facts


def other_release_at(
    ledger: Ledger, address: Address, environment: str, release: str, start_us: int, end_us: int
) -> str | None:
    """Return another release that was read of a target between two instants; None: none was."""
    for at_us, read in _readings(ledger, address, environment):
        if start_us <= at_us <= end_us and read != release:
            return read
    return None


def running_at(ledger: Ledger, address: Address, environment: str, at_us: int) -> str | None:
    """Return the release that was read last before an instant; None where nobody knows."""
    before = [reading for reading in _readings(ledger, address, environment) if reading[0] <= at_us]
    return max(before)[1] if before else None


def _readings(ledger: Ledger, address: Address, environment: str) -> Iterator[tuple[int, str]]:
    """When a release was read in an environment, in whichever phase of the plan."""
    head = ledger.head()
    if head.sequence < 1:
        return
    for record in ledger.between(1, head.sequence):
        same = record.environment == environment and record.plan in ("", address.plan)
        if record.kind is RecordKind.RELEASE and same:
            fact = said(record, ReleaseFact)
            if fact.release is not None:
                yield record.at_us, fact.release
