"""Reading the world that a decision may look at, from the ledger alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.evidence.integrity import damage, seal_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.evidence import (
    Attempt,
    Head,
    Hole,
    Manifest,
    ReleaseFact,
    Run,
    Seen,
    Slot,
    World,
    decode,
    labels_of,
)
from pytest_rollout.model.plan import EMBEDDED, Address, Phase
from pytest_rollout.model.rule import ScopeKind
from pytest_rollout.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Reading:
    """A world, and the event time at which it is to be judged."""

    world: World
    at_us: int


def read_world(ledger: Ledger, run: str, address: Address, phase: Phase) -> Reading:
    """The world of a gate's deciding run.

    Raises LedgerError where the ledger cannot be read, KeyError where the run is not in it.
    """
    records = ledger.of_run(run)
    if not records or records[0].kind is not RecordKind.RUN:
        raise KeyError(run)
    name = f"{address.plan}.{address.phase}"
    facts = _run(ledger, records, name)
    seal = seal_of(records)
    head = Head(seal.sequence, seal.hash) if seal else _last(records)
    begun = _begun(ledger, records, facts.environment, address)
    own = _observations(ledger, records, name)
    at_us = _judged_at(records, facts, own, name)
    others = _other_runs(ledger, facts, address, phase, at_us, begun)
    world = World(
        run=facts,
        manifest=_manifest(records, name),
        checks=_checks(records),
        seen=(*own, *others),
        head=head,
        looks=_looks(ledger, address, facts, head),
        begun_us=begun,
    )
    return Reading(world, at_us)


def _last(records: Sequence[Record]) -> Head:
    return Head(records[-1].sequence, records[-1].hash)


def _run(ledger: Ledger, records: Sequence[Record], phase: str) -> Run:
    start = json.loads(records[0].body)
    seal = seal_of(records)
    problems = list(_ending(records, seal))
    wrong = damage(ledger, records)
    if wrong:
        problems.insert(0, f"the evidence was damaged: {wrong}")
    manifest = _manifest(records, phase)
    problems += [f"could not be collected: {module}" for module in manifest.broken]
    if _bodies(records, RecordKind.MANIFEST) == []:
        problems.append("no worker said what should run")
    return Run(
        id=records[0].run,
        environment=records[0].environment,
        started_us=records[0].at_us,
        ended_us=seal.at_us if seal else records[-1].at_us,
        sealed=seal is not None and not wrong,
        problems=tuple(problems),
        partial=(*start["partial"], *_left_out(manifest)),
        drill=start["drill"],
        releases=tuple(_releases(records, phase)),
        configured=start["configured"],
        zone_data=start["zone_data"],
        versions=start["versions"],
    )


def _ending(records: Sequence[Record], seal: Record | None) -> Iterable[str]:
    if seal is not None:
        yield from json.loads(seal.body)["problems"]
        return
    stops = _bodies(records, RecordKind.STOP)
    yield stops[-1]["why"] if stops else "the run never finished, or its seal is gone"


def _left_out(manifest: Manifest) -> tuple[str, ...]:
    if not manifest.dropped:
        return ()
    names = sorted(manifest.dropped)
    shown = ", ".join(name.rpartition("::")[2] for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    why = sorted(set(manifest.dropped.values()))
    return (f"{len(names)} bound checks did not run ({'; '.join(why)}): {shown}{more}",)


def _bodies(records: Iterable[Record], kind: RecordKind) -> list[dict[str, Any]]:
    return [json.loads(record.body) for record in records if record.kind is kind]


def _releases(records: Sequence[Record], phase: str) -> Iterable[ReleaseFact]:
    for record in records:
        if record.kind is RecordKind.RELEASE and record.subject in ("", phase):
            yield ReleaseFact(**json.loads(record.body))


def _manifest(records: Sequence[Record], phase: str) -> Manifest:
    """What the workers say should run for a phase; where they differ, all of it."""
    items: dict[str, tuple[str, ...]] = {}
    dropped: dict[str, str] = {}
    broken: set[str] = set()
    for body in _bodies(records, RecordKind.MANIFEST):
        for criterion, names in body["items"].items():
            if criterion.rpartition(".")[0] == phase:
                known = items.get(criterion, ())
                items[criterion] = (*known, *(name for name in names if name not in known))
        plan, _, _ = phase.partition(".")
        broken.update(what for where, what in body["broken"] if where == plan)
        dropped.update(body["dropped"])
    bound = {name for names in items.values() for name in names}
    left = {name: why for name, why in dropped.items() if name in bound}
    return Manifest(items, left, tuple(sorted(broken)))


def _checks(records: Sequence[Record]) -> dict[str, tuple[Attempt, ...]]:
    checks: dict[str, tuple[Attempt, ...]] = {}
    for body in _bodies(records, RecordKind.BATCH):
        attempts = tuple(Attempt(Verdict(verdict), why) for verdict, why in body["attempts"])
        checks[body["item"]] = (*checks.get(body["item"], ()), *attempts)
    return checks


def _observations(ledger: Ledger, records: Sequence[Record], phase: str) -> tuple[Seen, ...]:
    found: list[Seen] = []
    for record in records:
        if record.kind is RecordKind.BATCH and json.loads(record.body)["phase"] == phase:
            found += (_seen(row, record.run) for row in ledger.rows_of(record.sequence))
    return tuple(found)


def _seen(row: tuple[Any, ...], run: str) -> Seen:
    _, _, metric, labels, t_us, seen_us, seq, value = row
    slot = Slot(metric, labels_of(json.loads(labels)), t_us, seq)
    return Seen(slot, decode(value), seen_us, run)


def _begun(
    ledger: Ledger, records: Sequence[Record], environment: str, address: Address
) -> int | None:
    """When the phase was begun: by this rehearsal, or by `rollout begin` on a real target."""
    subject = f"{address.plan}.{address.phase}"
    if environment == EMBEDDED:
        events = [record for record in records if record.kind is RecordKind.EVENT]
        events = [record for record in events if record.subject == subject]
    else:
        events = ledger.find(RecordKind.EVENT, address.plan, subject, environment)
    begun: int | None = None
    for body in _bodies(events, RecordKind.EVENT):
        if body["type"] == "begin":
            begun = body["t_us"]
        elif body["type"] == "end" and environment != EMBEDDED:
            begun = None
    return begun


def _judged_at(records: Sequence[Record], run: Run, own: Sequence[Seen], phase: str) -> int:
    """Target time at the end of a rehearsal; elsewhere when the run ended."""
    if run.environment != EMBEDDED:
        return run.ended_us
    moments = [
        json.loads(record.body)["t_us"]
        for record in records
        if record.kind is RecordKind.EVENT and record.subject == phase
    ]
    return max([*moments, *(seen.slot.t_us for seen in own)], default=run.ended_us)


def _other_runs(
    ledger: Ledger,
    run: Run,
    address: Address,
    phase: Phase,
    at_us: int,
    begun_us: int | None,
) -> tuple[Seen, ...]:
    """Observations of earlier runs that a rule's scope may reach; a rehearsal has none."""
    stated = [*(one.rule for one in phase.criteria), *(one.rule for one in phase.guardrails)]
    rules = [rule for rule in stated if rule is not None]
    scopes = [s for rule in rules for s in rule.scopes if s.kind is not ScopeKind.RUN]
    if run.environment == EMBEDDED or not scopes:
        return ()
    edges = [calendar.bounds(scope, at_us, begun_us)[0] for scope in scopes]
    known = [edge for edge in edges if edge is not None]
    start = min(known) if len(known) == len(edges) else None
    names = ledger.runs_seen(address.plan, address.phase, run.environment, start, at_us)
    name = f"{address.plan}.{address.phase}"
    found: list[Seen] = []
    for other in names:
        if other != run.id:
            found += _other_run(ledger, other, run, name)
    return tuple(found)


def _other_run(ledger: Ledger, other: str, run: Run, phase: str) -> tuple[Seen, ...]:
    """Another run's observations: of the same release, or holes where it was never sealed."""
    records = ledger.of_run(other)
    facts = _run(ledger, records, phase)
    if facts.drill or facts.ended_us > run.ended_us:
        return ()
    if {fact.release for fact in facts.releases} != {fact.release for fact in run.releases}:
        return ()
    seen = _observations(ledger, records, phase)
    if facts.sealed:
        return seen
    return tuple(replace(item, value=Hole("its run was never sealed")) for item in seen)


def _looks(ledger: Ledger, address: Address, run: Run, head: Head) -> int:
    """How often this release has been looked at for this gate; partial runs and drills are none."""
    releases = {fact.release for fact in run.releases}
    before = 0
    for record in ledger.find(RecordKind.DECISION, address.plan, str(address), run.environment):
        if record.sequence >= head.sequence:
            break
        body = json.loads(record.body)
        before += bool(body["look"]) and {body["release"]} == releases
    return before + (not run.partial and run.drill is None)
