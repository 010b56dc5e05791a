"""Reading the world that a decision may look at, from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_rollout.evidence import attestations, inputs, overrides, resets, run_facts, settlements
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.gate_findings import rolled_up
from pytest_rollout.evidence.integrity import damage, damage_since
from pytest_rollout.evidence.known import known_to
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.looks import looks_of
from pytest_rollout.evidence.other_runs import Others
from pytest_rollout.evidence.reach import reach_of
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.release_readings import releases_of
from pytest_rollout.evidence.results import brought_elsewhere
from pytest_rollout.evidence.run_log import RunLog, log_of, told
from pytest_rollout.evidence.since_begin import life_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Brought, Run, Seen, World
from pytest_rollout.model.life import Life
from pytest_rollout.model.override import Override
from pytest_rollout.model.plan import EMBEDDED, Address, Phase
from pytest_rollout.model.provenance import Input
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.rule import Versus


@dataclass(frozen=True, slots=True)
class DatedWorld:
    """A world, and the event time at which it is to be judged."""

    world: World
    at_us: int


def read_world(
    ledger: Ledger, run: str, address: Address, phase: Phase, *, merged: bool = False
) -> DatedWorld:
    """The world of a gate's deciding run.

    What was written after the run's evidence is no part of it, so that the same run reads
    the same at any later time; damage since then is. Only the run's own decisions of the gates
    before this one are, where a criterion rolls them up. Of a merged ledger it is read what the
    run's own ledger held; with ``merged`` what others held by then, too. Raises LedgerError where
    the ledger cannot be read or the run is not in it.
    """
    log = log_of(ledger, run)
    if not log.evidence:
        raise LedgerError(f"run {run} is not in the ledger {ledger.name}")
    wrong = None
    if not merged:
        try:
            ledger = known_to(ledger, run)
            log = log_of(ledger, run)
        except LedgerError as error:
            wrong = str(error)
    wrong = wrong or damage(ledger, log) or damage_since(ledger, log.last.sequence)
    if wrong is None:
        try:
            return _reading(ledger, log, address, phase)
        except UndecodableError as error:
            wrong = str(error)
    damaged, manifest = run_facts.damaged_run(log, address.name, wrong)
    looks = int(damaged.environment != EMBEDDED)
    world = World(damaged, manifest, {}, (), log.head, looks=looks)
    return DatedWorld(world, damaged.ended_us)


def _reading(ledger: Ledger, log: RunLog, address: Address, phase: Phase) -> DatedWorld:
    name, last = address.name, log.last.sequence
    run = run_facts.run_of(log, name)
    begun = _begun(ledger, log, address)
    own = run_facts.observations_of(ledger, log, name)
    at_us = _judged_at(log, run, own, name)
    life = life_of(ledger, address, run.environment, last, log)
    others = Others(ledger, last, run, name, life.life)
    others.read(reach_of(run, phase, at_us, begun), own, nights=_counts_nights(phase))
    past = others.past(compared(phase), begun, address, life.sequence)
    attested, broken = _attested(ledger, last, address, phase, run)
    reset, torn = _reset(ledger, last, address, phase, run, life.life)
    looks = looks_of(ledger, address, run, last)
    rolled, decisions = rolled_up(ledger, log, address, phase)
    others.problems += (*broken, *torn, *looks.problems, *life.problems)
    problems = (*run.problems, *others.problems)
    world = World(
        run=replace(run, sealed=run.sealed and not others.problems, problems=problems),
        manifest=run_facts.manifest_of(log, name),
        checks=log.checks,
        seen=(*own, *others.seen),
        past=past,
        head=log.head,
        looks=looks.n,
        begun_us=begun,
        lost=tuple(others.lost),
        attestations=attested,
        rolled=rolled,
        resets=reset,
        previous=others.previous,
        settled=tuple(others.settled),
        brought=_brought(ledger, last, run, others),
        tried=tuple(others.tried),
        failed_before=looks.failed,
        inputs=inputs.in_order(
            (
                *_own_inputs(ledger, log, address, phase, run, life.life),
                *inputs.of_records(record for record in life.records if record.run != run.id),
                *others.inputs,
                *looks.inputs,
                *decisions,
            )
        ),
        overrides=_overridden(ledger, last, address, run),
        life=life.life,
    )
    return DatedWorld(world, at_us)


def _brought(ledger: Ledger, last: int, run: Run, others: Others) -> tuple[Brought, ...]:
    """The files of other tools; what is known of them elsewhere is among what was read, too."""
    files, read = brought_elsewhere(ledger, last, run.environment, others.brought)
    others.inputs += read
    return files


def _own_inputs(
    ledger: Ledger, log: RunLog, address: Address, phase: Phase, run: Run, life: Life | None
) -> Iterator[Input]:
    """The run, the texts that it was asked by, and what people put on record of its release."""
    yield inputs.of_run(log)
    yield from inputs.of_files(log, address.plan)
    yield from inputs.of_records(_records(ledger, log.last.sequence, address, phase, run, life))


def _records(
    ledger: Ledger, last: int, address: Address, phase: Phase, run: Run, life: Life | None
) -> Iterator[Record]:
    """What people put on record of the release by the end of a run, the begin included."""
    if run.environment == EMBEDDED:
        return
    releases = {fact.release for fact in run.releases} or {None}
    for record in attestations.all_of(ledger, address, phase, run.environment):
        if record.sequence < last and attestations.attestation_of(record).release in releases:
            yield record
    judged = releases_of(run, life) or {None}
    for record in resets.all_of(ledger, address, phase, run.environment):
        if record.sequence < last and resets.reset_of(record).release in judged:
            yield record
    yield from settlements.records_of(ledger, address.name, run.environment, last)


def _attested(
    ledger: Ledger, last: int, address: Address, phase: Phase, run: Run
) -> tuple[tuple[Attestation, ...], tuple[str, ...]]:
    """What people had attested by the end of a run, and what is damaged of it."""
    if run.environment == EMBEDDED:
        return (), ()
    records = attestations.all_of(ledger, address, phase, run.environment)
    releases = {fact.release for fact in run.releases} or {None}
    attested, broken = attestations.known_at(ledger, records, last, releases)
    return attested, tuple(f"an attestation was damaged: {what}" for what in broken)


def _reset(
    ledger: Ledger, last: int, address: Address, phase: Phase, run: Run, life: Life | None
) -> tuple[tuple[Reset, ...], tuple[str, ...]]:
    """The resets of guardrails by the end of a run, and what is damaged of them."""
    if run.environment == EMBEDDED:
        return (), ()
    records = resets.all_of(ledger, address, phase, run.environment)
    releases = releases_of(run, life) or {None}
    given, broken = resets.known_at(ledger, records, last, releases)
    return given, tuple(f"a reset was damaged: {what}" for what in broken)


def _overridden(ledger: Ledger, last: int, address: Address, run: Run) -> tuple[Override, ...]:
    """What people had accepted against a clearance by the end of a run."""
    if run.environment == EMBEDDED:
        return ()
    releases = {fact.release for fact in run.releases} or {None}
    return overrides.standing(ledger, address, run.environment, releases, last)


def _begun(ledger: Ledger, log: RunLog, address: Address) -> int | None:
    """When the phase was begun: by this rehearsal, or by `rollout begin` on a real target."""
    environment, last = log.first.environment, log.last.sequence
    if environment == EMBEDDED:
        own = [event for event in log.events if event.record.subject == address.name]
        own = [event for event in own if event.record.sequence < last]
        return run_facts.begun_us(own, embedded=True)
    events = ledger.find(RecordKind.EVENT, address.plan, address.name, environment)
    before = told((event for event in events if event.sequence < last), StoredEvent)
    return run_facts.begun_us(before, embedded=False)


def _judged_at(log: RunLog, run: Run, own: Sequence[Seen], phase: str) -> int:
    """Target time at the end of a rehearsal; elsewhere when the run ended.

    The clock of a real target may be ahead by up to a minute.
    """
    if run.environment != EMBEDDED:
        times = (seen.slot.t_us for seen in own)
        return max([run.ended_us, *(time for time in times if time <= run.ended_us + _AHEAD_US)])
    moments = [event.body.t_us for event in log.events if event.record.subject == phase]
    return max([*moments, *(seen.slot.t_us for seen in own)], default=run.ended_us)


_AHEAD_US = 60_000_000


def compared(phase: Phase) -> list[Versus]:
    """The comparisons with what was seen before, or of another release."""
    rules = [criterion.rule for criterion in phase.criteria if criterion.rule is not None]
    rules += [rule for guardrail in phase.guardrails for rule in guardrail.rules]
    return [
        rule.versus for rule in rules if rule.versus and (rule.versus.frozen or rule.versus.release)
    ]


def _counts_nights(phase: Phase) -> bool:
    return any(versus.nightly is not None for versus in compared(phase))
