"""Reading the world that a decision may look at, from the ledger alone."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pytest_rollout import calendar
from pytest_rollout.evidence import attestations, facts
from pytest_rollout.evidence.integrity import (
    UNREADABLE,
    as_written,
    chain_problems,
    damage,
    damage_since,
    evidence_of,
    seal_of,
    unreadable,
)
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Hole, Run, Seen, World
from pytest_rollout.model.plan import EMBEDDED, Address, Phase
from pytest_rollout.model.rule import Scope, ScopeKind


@dataclass(frozen=True, slots=True)
class Reading:
    """A world, and the event time at which it is to be judged."""

    world: World
    at_us: int


def read_world(ledger: Ledger, run: str, address: Address, phase: Phase) -> Reading:
    """The world of a gate's deciding run.

    What was written after the run's evidence is no part of it, so that the same run reads
    the same at any later time; damage since then is. Raises LedgerError where the ledger
    cannot be read or the run is not in it.
    """
    records = ledger.of_run(run)
    kept = evidence_of(records)
    if not kept:
        raise LedgerError(f"run {run} is not in the ledger {ledger.path}")
    wrong = damage(ledger, records) or damage_since(ledger, kept[-1].sequence)
    if wrong is None:
        try:
            return _reading(ledger, kept, address, phase)
        except UNREADABLE as error:
            wrong = unreadable(error)
    known, manifest = facts.damaged_run(kept, _name(address), wrong)
    return Reading(World(known, manifest, {}, (), facts.head_of(kept)), known.ended_us)


def _name(address: Address) -> str:
    return f"{address.plan}.{address.phase}"


def _reading(ledger: Ledger, kept: Sequence[Record], address: Address, phase: Phase) -> Reading:
    name = _name(address)
    run = facts.run_of(kept, name, None)
    begun = _begun(ledger, kept, address)
    own = facts.observations_of(ledger, kept, name)
    at_us = _judged_at(kept, run, own, name)
    others = _Others(ledger, kept, run, name)
    seen, problems = others.read(_edge(_scopes(run, phase), at_us, begun))
    said, broken = _attested(ledger, kept, address, phase, run)
    problems += broken
    world = World(
        run=replace(run, sealed=run.sealed and not problems, problems=(*run.problems, *problems)),
        manifest=facts.manifest_of(kept, name),
        checks=facts.checks_of(kept),
        seen=(*own, *seen),
        head=facts.head_of(kept),
        looks=_looks(ledger, address, run, kept[-1].sequence),
        begun_us=begun,
        attestations=said,
    )
    return Reading(world, at_us)


def _attested(
    ledger: Ledger, kept: Sequence[Record], address: Address, phase: Phase, run: Run
) -> tuple[tuple[Attestation, ...], tuple[str, ...]]:
    """What people had attested by the end of a run, and what is damaged of it."""
    if run.environment == EMBEDDED:
        return (), ()
    records = attestations.all_of(ledger, address, phase, run.environment)
    releases = {fact.release for fact in run.releases} or {None}
    said, broken = attestations.known_at(ledger, records, kept[-1].sequence, releases)
    return said, tuple(f"an attestation was damaged: {what}" for what in broken)


def _begun(ledger: Ledger, kept: Sequence[Record], address: Address) -> int | None:
    """When the phase was begun: by this rehearsal, or by `rollout begin` on a real target."""
    subject, environment = _name(address), kept[0].environment
    embedded = environment == EMBEDDED
    events = kept if embedded else ledger.find(RecordKind.EVENT, address.plan, subject, environment)
    before = [one for one in events if one.subject == subject and one.sequence < kept[-1].sequence]
    return facts.begun_us(before, embedded=embedded)


def _judged_at(kept: Sequence[Record], run: Run, own: Sequence[Seen], phase: str) -> int:
    """Target time at the end of a rehearsal; elsewhere when the run ended."""
    if run.environment != EMBEDDED:
        return run.ended_us
    events = [record for record in kept if record.subject == phase]
    moments = [body["t_us"] for body in facts.bodies(events, RecordKind.EVENT)]
    return max([*moments, *(seen.slot.t_us for seen in own)], default=run.ended_us)


def _scopes(run: Run, phase: Phase) -> list[Scope]:
    """The scopes that may reach earlier runs; a rehearsal has none."""
    stated = [*(one.rule for one in phase.criteria), *(one.rule for one in phase.guardrails)]
    scopes = [scope for rule in stated if rule is not None for scope in rule.scopes]
    reaching = [scope for scope in scopes if scope.kind is not ScopeKind.RUN]
    return [] if run.environment == EMBEDDED else reaching


_ALL_TIME = -(2**62)


def _edge(scopes: Sequence[Scope], at_us: int, begun_us: int | None) -> int | None:
    """The instant after which observations matter; None where only the run's own do."""
    edges = [calendar.bounds(scope, at_us, begun_us)[0] for scope in scopes]
    return min((_ALL_TIME if edge is None else edge for edge in edges), default=None)


class _Others:
    """Earlier runs of the same phase, environment and release.

    They are found by when they were recorded, never by the rows of what they saw, so that
    lost rows cannot make a run vanish: nothing is recorded before it happened.
    """

    def __init__(self, ledger: Ledger, kept: Sequence[Record], run: Run, phase: str) -> None:
        self._ledger = ledger
        self._last = kept[-1].sequence
        self._run = run
        self._phase = phase

    def read(self, edge_us: int | None) -> tuple[tuple[Seen, ...], tuple[str, ...]]:
        """What they saw, and what keeps it from being trusted.

        ``edge_us`` is the instant after which observations matter; None: never.
        """
        first = None if edge_us is None else self._ledger.first_after(edge_us)
        if first is None:
            return (), ()
        names, problems = self._names(max(first, self._first_of_release()))
        seen: list[Seen] = []
        for name in names:
            records = [one for one in self._ledger.of_run(name) if one.sequence < self._last]
            wrong = damage(self._ledger, records)
            if wrong:
                problems.append(f"earlier run {name} was damaged: {wrong}")
            else:
                seen += self._seen(evidence_of(records))
        return tuple(seen), tuple(problems)

    def _first_of_release(self) -> int:
        """Where the release was first read, or could not be: what is older is of another."""
        releases = {fact.release for fact in self._run.releases} or {None}
        if releases == {None}:
            return 0
        plan, _, _ = self._phase.partition(".")
        where = (RecordKind.RELEASE, plan, self._phase, self._run.environment)
        texts = [f'"release":{json.dumps(release)}' for release in (None, *releases)]
        found = [next(self._ledger.oldest(*where, having=text), None) for text in texts]
        return min((one.sequence for one in found if one), default=0)

    def _names(self, first: int) -> tuple[list[str], list[str]]:
        """The runs that left something of the phase's plan since a record, and its breaks."""
        plan, _, _ = self._phase.partition(".")
        names: dict[str, None] = {}
        before = max(1, first - 1)  # a run that was cut off just before leaves this one missing
        if next(self._ledger.between(before, before), None) is None:
            return [], [f"records are missing before {first}"]

        def noted() -> Iterator[Record]:
            for record in self._ledger.between(before, self._last):
                mine = (record.plan, record.environment) == (plan, self._run.environment)
                if record.kind is RecordKind.BATCH and mine and record.run != self._run.id:
                    names[record.run] = None
                yield record

        problems = list(islice(chain_problems(noted()), 1))
        return list(names), problems

    def _seen(self, records: Sequence[Record]) -> tuple[Seen, ...]:
        run = facts.run_of(records, self._phase, None)
        ours = {fact.release for fact in self._run.releases}
        theirs = {fact.release for fact in run.releases}
        if run.drill or (theirs.isdisjoint(ours) and None not in theirs and theirs):
            return ()
        why = self._doubt(records, same=theirs == ours)
        seen = facts.observations_of(self._ledger, records, self._phase)
        return tuple(replace(one, value=Hole(why)) for one in seen) if why else seen

    def _doubt(self, records: Sequence[Record], *, same: bool) -> str:
        """Why what a run saw is holes; empty where it is evidence."""
        if seal_of(records) is None:
            return "its run was never sealed"
        if not same:
            return "its run cannot say of which release it is"
        return "; ".join(facts.ending(records))


def _looks(ledger: Ledger, address: Address, run: Run, before: int) -> int:
    """How often this release has been looked at for this gate; partial runs and drills are none.

    The newest earlier look of the release says how many it knew of; those that it did not
    know of, because they were decided at the same time, are counted.
    """
    known = {fact.release for fact in run.releases}
    release = next(iter(known)) if len(known) == 1 else None
    looks, floor = int(not run.partial and run.drill is None), 0
    where = (RecordKind.DECISION, address.plan, str(address), run.environment)
    for record in ledger.newest(*where):
        if record.sequence >= before:
            continue
        if record.sequence < floor:
            break
        look = _look(record, release)
        looks += look is not None
        if look is not None and not floor:
            floor, earlier = look
            looks += earlier
    return looks


def _look(record: Record, release: str | None) -> tuple[int, int] | None:
    """Up to which sequence a look of a release knew of others, and of how many.

    None where it is no look, or of another release; one that cannot be read is a look.
    """
    try:
        body = json.loads(record.body)
        if not body["look"] or body["release"] != release:
            return None if as_written(record) else (0, 0)
        document = json.loads(body["document"])
        known = int(document["ledger"]["sequence"]), int(document["looks"]) - 1
    except UNREADABLE:
        return 0, 0
    return known if as_written(record) else (0, 0)
