"""Runs written to a ledger as a session writes them, without running pytest."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_rollout.cli.project import keep_texts
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.decoding import UndecodableError, decoded, words_of
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.looks import stored
from pytest_rollout.evidence.phase_life import begins_of
from pytest_rollout.evidence.records import (
    Batch,
    Entry,
    Observation,
    Record,
    RecordKind,
    seal_digest,
    spelled,
)
from pytest_rollout.evidence.world import DatedWorld, read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.coding import encode
from pytest_rollout.model.decision import Decision, canonical
from pytest_rollout.model.evidence import Head, labels_of
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import EMBEDDED, Address, Gate, Plan
from pytest_rollout.plan.load import Loaded, parse
from pytest_rollout.report.stored import to_json
from pytest_rollout.signoff.attested import verified
from tests.evidence import memory, postgres

opening.DATABASES["memory"] = memory.MemoryDatabase()
PLAN = """\
plan: demo
title: A demo
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "http://127.0.0.1:1"}}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: max, pass: "<= 0",
         need: 2}
"""
ENTRY = Address("demo", "canary", Gate.ENTRY)
EXIT = Address("demo", "canary", Gate.EXIT)
ITEMS: dict[str, tuple[str, ...]] = {
    "demo.canary.ready": ("t.py::test_ready",),
    "demo.canary.works": ("t.py::test_works",),
    "demo.canary.errors": ("t.py::test_errors",),
}
START: dict[str, object] = {  # what the first record of a run says at the least
    **{"plans": {}, "gates": [], "partial": [], "drill": None},
    **{"configured": {}, "zone_data": "", "versions": {}},
}
PASS = (("pass", ""),)
FAIL = (("fail", "it broke"),)


def plan_of(text: str = PLAN, beside: Mapping[str, str] | None = None) -> Plan:
    """The plan in a text, with the files beside it, that has no problems."""
    plan = _loaded(text, beside).plan
    assert plan is not None
    return plan


def _loaded(text: str, beside: Mapping[str, str] | None = None) -> Loaded:
    loaded = parse(text, Path("rollout.yaml"), "rollout.yaml", beside)
    assert loaded.plan is not None
    assert not loaded.problems, loaded.problems
    return loaded


def reaching(over: str) -> str:
    """The plan with a rule that reaches earlier runs."""
    return PLAN.replace("need: 2}", f"need: 2, over: [{over}]}}")


@dataclass
class Writer:
    """One run on its way to the ledger; ``good()`` is a whole one."""

    ledger: Ledger
    run: str = "r1"
    environment: str = EMBEDDED
    text: str = PLAN
    drill: str | None = None
    partial: Sequence[str] = ()
    gates: Sequence[Address] = (ENTRY, EXIT)
    release: str | None = "v1"
    authors: Authors | None = None  # of the change; None: nobody asked
    process: Process | None = None  # that runs it
    beside: Mapping[str, str] = field(default_factory=dict)  # texts of files beside the plan
    targets: Mapping[str, str] = field(default_factory=dict)  # where it asks them
    decisions: list[Decision] = field(default_factory=list)

    def append(
        self, kind: RecordKind, body: dict[str, Any], plan: str = "", subject: str = ""
    ) -> None:
        """Any record."""
        append(self.ledger, kind, self.run, body, plan, subject, self.environment)

    @property
    def judged_by(self) -> str:
        """The digest of its plan, whose text is kept."""
        digest = self.plan.digest
        self.ledger.keep_text(digest, self.text)
        return digest

    @property
    def plan(self) -> Plan:
        """What it judges by."""
        return plan_of(self.text, self.beside)

    def start(self) -> None:
        """The run begins."""
        facts = {
            "plans": {"demo": self.judged_by},
            "gates": [str(gate) for gate in self.gates],
            "partial": list(self.partial),
            "drill": self.drill,
            "configured": {},
            "zone_data": "2025b",
            "versions": {"python": "3"},
            "authors": encode({"demo": self.authors} if self.authors else {}),
            **({"process": encode(self.process)} if self.process else {}),
        }
        if self.beside:
            loaded = _loaded(self.text, self.beside)
            keep_texts(self.ledger, loaded)
            facts |= {"beside": {"demo": dict(loaded.digests)}}
        if self.targets:
            facts |= {"targets": {"demo": dict(self.targets)}}
        begins = begins_of(self.ledger, self.gates, self.environment)
        self.append(RecordKind.RUN, facts | ({"begins": begins} if begins else {}))
        self.identify("start")

    def identify(self, when: str, error: str | None = None) -> None:
        """What the target says of its release."""
        body = {
            "when": when,
            "release": None if error else self.release,
            "configuration": None,
            "reference": None,
            "error": error,
        }
        self.append(RecordKind.RELEASE, body, "demo", "demo.canary")

    def manifest(
        self,
        worker: str = "main",
        items: dict[str, tuple[str, ...]] = ITEMS,
        dropped: dict[str, str] | None = None,
        broken: Sequence[tuple[str, str]] = (),
    ) -> None:
        """What one worker says should run."""
        body = {
            "worker": worker,
            "items": {name: list(nodes) for name, nodes in items.items()},
            "phases": {},
            "dropped": dropped or {},
            "broken": [list(one) for one in broken],
        }
        self.append(RecordKind.MANIFEST, body, subject=worker)

    def batch(
        self,
        item: str,
        attempts: tuple[tuple[str, str], ...] = PASS,
        errors: Sequence[object] = (),
        t_us: int = 1_000_000,
    ) -> None:
        """What one item left, with values of the series ``errors`` a second apart."""
        seen = tuple(
            Observation(
                "demo",
                "canary",
                "errors",
                labels_of({"node": "a"}),
                t_us + number * 1_000_000,
                self.ledger_now(),
                0,
                str(value),
            )
            for number, value in enumerate(errors)
        )
        batch = Batch(item, "demo.canary", attempts, seen)
        self.ledger.append_batch(self.run, self.environment, batch, "main")

    def ledger_now(self) -> int:
        """When the run's last record was written."""
        return self.ledger.of_run(self.run)[-1].at_us

    def checks(self, works: tuple[tuple[str, str], ...] = PASS, **seen: Any) -> None:
        """A batch of every item."""
        self.batch("t.py::test_ready")
        self.batch("t.py::test_works", works)
        self.batch("t.py::test_errors", errors=seen.pop("errors", (0, 0, 0)), **seen)

    def seal(self, problems: Sequence[str] = ()) -> None:
        """The run ended by itself."""
        self.identify("end")
        records = self.ledger.of_run(self.run)
        digest = seal_digest(record.hash for record in records)
        body = {"problems": list(problems), "records": len(records), "digest": digest}
        self.append(RecordKind.SEAL, body)

    def stop(self, why: str) -> None:
        """The run ended otherwise."""
        self.append(RecordKind.STOP, {"why": why})

    def read(self, address: Address = EXIT) -> DatedWorld:
        """The world of one of its gates."""
        phase = self.plan.phase("canary")
        assert phase is not None
        return read_world(self.ledger, self.run, address, phase)

    def judged(self, address: Address = EXIT) -> Decision:
        """The decision of one of its gates, not stored."""
        plan = self.plan
        phase = plan.phase("canary")
        assert phase is not None
        assert address.gate is not None
        reading = self.read(address)
        return decide(Case(plan, phase, verified(reading.world, plan), reading.at_us), address.gate)

    def decide(self) -> Writer:
        """Decide every gate that was asked for, and store the decisions."""
        for address in self.gates:
            decision = self.judged(address)
            self.decisions.append(decision)
            body = stored(decision, to_json(decision), self.read(address).world)
            self.ledger.append(Draft(body, self.run, "demo", str(address), self.environment))
        return self

    def good(self, **seen: Any) -> Writer:
        """A whole run whose gates are decided."""
        self.start()
        self.manifest()
        self.checks(**seen)
        self.seal()
        return self.decide()


def append(
    ledger: Ledger,
    kind: RecordKind,
    run: str,
    body: object,
    plan: str = "",
    subject: str = "",
    environment: str = "",
) -> Head:
    """Append a record as some other version, or some other program, would: whatever it says."""
    return append_text(ledger, kind, run, canonical(body), plan, subject, environment)


def append_text(
    ledger: Ledger,
    kind: RecordKind,
    run: str,
    text: str,
    plan: str = "",
    subject: str = "",
    environment: str = "",
) -> Head:
    """As :func:`append`, in a spelling of its own."""
    where = (run, plan, subject, environment)
    try:
        words = words_of(decoded(Record(1, kind, *where, 0, text, "", "", None)))
    except UndecodableError:
        words = spelled(())
    return ledger.store.append(Entry(kind, *where, text, words), [])


Place = str | Path  # where a ledger is: the file of SQLite's, memory://NAME, or postgresql://…


@contextmanager
def opened(place: Place) -> Iterator[Ledger]:
    """The ledger at a place, made if need be, closed at the end."""
    ledger = opening.to_write(place)
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def reading(place: Place, until_us: int | None = None) -> Iterator[Ledger]:
    """The ledger at a place, opened for reading."""
    ledger = opening.to_read(place, until_us)
    try:
        yield ledger
    finally:
        ledger.close()


def in_memory(place: Place) -> bool:
    """Whether a ledger is in memory."""
    return str(place).startswith("memory://")


def in_postgres(place: Place) -> bool:
    """Whether a ledger is in PostgreSQL."""
    return str(place).startswith("postgresql://")


def in_file(place: Place) -> bool:
    """Whether a ledger is a file."""
    return not in_memory(place) and not in_postgres(place)


def tamper(place: Place, *statements: str) -> None:
    """Change a ledger behind its back."""
    if in_memory(place):
        memory.run_on(str(place), statements)
        return
    if in_postgres(place):
        postgres.run_on(str(place), statements)
        return
    with closing(sqlite3.connect(place)) as db:
        for statement in statements:
            db.execute(statement)
        db.commit()


def rows(place: Place, query: str) -> list[tuple[Any, ...]]:
    """What a query finds in a ledger."""
    if in_memory(place):
        return memory.run_on(str(place), [query])
    if in_postgres(place):
        return postgres.run_on(str(place), [query])
    with closing(sqlite3.connect(place)) as db:
        return db.execute(query).fetchall()


def copied(place: Place, folder: Path, name: str = "copy.db") -> Place:
    """A copy of a ledger that nobody has open, at a place of its own."""
    if in_memory(place):
        return memory.copied(str(place), f"memory://{folder}/{name}")
    if in_postgres(place):
        return postgres.copied(str(place), f"{folder}/{name}")
    return Path(shutil.copy(place, folder / name))
