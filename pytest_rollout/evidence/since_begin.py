"""What the ledger holds of a phase since it began, for the judge to compare with what is now."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from itertools import islice

from pytest_rollout import calendar
from pytest_rollout.evidence.bodies import (
    PhaseBegun,
    PhaseEnded,
    RunStart,
    StatementAmended,
    StepTaken,
    StoredEvent,
)
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.run_log import RunLog, Told
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.attestation import Proof
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.life import (
    CHANGE,
    CONFIGURATION,
    DRIFT,
    RELEASE,
    Amendment,
    Begin,
    Life,
    RecordedChange,
    TargetReading,
    target_key,
    what_was_read,
)
from pytest_rollout.model.plan import EMBEDDED, Address

_RESET = "reset"
_LICENCES = (CHANGE, CONFIGURATION, StepTaken.TYPE)


@dataclass(frozen=True, slots=True)
class LifeRead:
    """The life of a phase up to a place in the chain, and what is damaged of its records."""

    life: Life | None = None  # None: the phase had not begun
    problems: tuple[str, ...] = ()
    sequence: int | None = None  # of the begin, where it froze something
    records: tuple[Record, ...] = ()  # that were read for it


def life_of(
    ledger: Ledger, address: Address, environment: str, before: int, log: RunLog | None = None
) -> LifeRead:
    """Return the life of a phase as it was before a place in the chain; for a run its own.

    A change that nobody recorded, or an amendment that was lost, must let nothing pass: the chain
    is read from the begin on. Raises UndecodableError.
    """
    if environment == EMBEDDED:
        return LifeRead()
    where = (address.plan, address.name, environment)
    events = [
        record for record in ledger.find(RecordKind.EVENT, *where) if record.sequence < before
    ]
    begun, expected = _begun(events), log.start.begins.get(address.name) if log else None
    if expected is not None and all(event.first.sequence != expected for event in events):
        return LifeRead(Life(None), (f"the begin of {address.name}, record {expected}, is gone",))
    if begun is None:
        return LifeRead()
    begin, first = begin_in(begun), begun.record.sequence
    if not begin.frozen:
        return LifeRead(Life(begin), records=(begun.record,))
    readings = (
        record for record in ledger.newest(RecordKind.RELEASE, *where) if record.sequence < before
    )
    resets = ledger.find(RecordKind.RESET, address.plan, address.full(DRIFT.id), environment)
    records = [
        *events,
        *_later(readings, first),
        *(reset for reset in resets if reset.sequence < before),
    ]
    records = sorted(
        (record for record in records if record.sequence > first),
        key=lambda record: record.sequence,
    )
    places = cache(partial(_places, ledger, begin, address.plan))
    since = [step for record in records for step in _steps(record, places)]
    if log is not None and address.plan in log.start.targets:
        here = _addresses(begin, log.start.targets[address.plan])
        since.append(TargetReading(log.first.at_us, here))
    pairs = tuple(_amendments(records, address))
    amended, proofs = tuple(amendment for amendment, _ in pairs), tuple(proof for _, proof in pairs)
    broken = tuple(islice(chain_problems(ledger.between(max(1, first - 1), before)), 1))
    problems = tuple(f"what followed the begin was damaged: {what}" for what in broken)
    read = (begun.record, *records)
    return LifeRead(Life(begin, tuple(since), amended, proofs), problems, first, read)


def begin_in(begun: Told[StoredEvent]) -> Begin:
    """Return what a begin froze."""
    body = begun.body
    if not isinstance(body, PhaseBegun) or not body.plan_digest:
        return Begin(body.t_us, getattr(body, "by", ""), frozen=False)
    read = what_was_read(body.release, body.configuration, body.targets)
    return Begin(body.t_us, body.by, dict(body.stated), dict(body.words), read)


def reading_now(
    begin: Begin, at_us: int, fact: ReleaseFact | None, targets: Mapping[str, str]
) -> TargetReading:
    """Return what is read of the targets at this moment, to be compared with a begin."""
    return TargetReading(at_us, {**_facts(fact), **_addresses(begin, targets)})


def _begun(events: list[Record]) -> Told[StoredEvent] | None:
    begun: Told[StoredEvent] | None = None
    for record in events:
        body = said(record, StoredEvent)
        if body.type in (PhaseBegun.TYPE, PhaseEnded.TYPE):
            begun = Told(record, body) if body.type == PhaseBegun.TYPE else None
    return begun


def _later(newest_first: Iterator[Record], first: int) -> Iterator[Record]:
    for record in newest_first:
        if record.sequence < first:
            return
        yield record


def _steps(
    record: Record, places: Callable[[str], Mapping[str, str | None]]
) -> Iterator[TargetReading | RecordedChange]:
    """What a record says of what runs: a reading, or that it was changed on purpose.

    ``places`` says where a run asked the targets. That is part of its readings of the release:
    a recorded change explains both, or is used up by both.
    """
    if record.kind is RecordKind.RELEASE:
        fact = said(record, ReleaseFact)
        if not fact.error and not fact.earlier:  # that one is on record where it was read
            read = {**_facts(fact), **({} if fact.watch else places(record.run))}
            yield TargetReading(record.at_us, read, watch=fact.watch)
    elif record.kind is RecordKind.RESET:
        yield RecordedChange(record.at_us, _RESET, "")
    else:
        event = said(record, StoredEvent)
        if event.type in _LICENCES:
            yield RecordedChange(record.at_us, event.type, event.says)


def _facts(fact: ReleaseFact | None) -> dict[str, str | None]:
    """What a target said of itself; nothing where it could not be read."""
    if fact is None or fact.error:
        return {}
    return {RELEASE: fact.release, CONFIGURATION: fact.configuration}


def _places(ledger: Ledger, begin: Begin, plan: str, run: str) -> Mapping[str, str | None]:
    """Where the targets of a plan were that a run asked."""
    first = next(ledger.store.of_run(run), None) if run else None
    if first is None or first.kind is not RecordKind.RUN:
        return {}
    targets = said(first, RunStart).targets
    return _addresses(begin, targets[plan]) if plan in targets else {}


def _addresses(begin: Begin, targets: Mapping[str, str]) -> dict[str, str | None]:
    """Where the targets are that were known at the begin."""
    places = {target_key(name): address for name, address in targets.items()}
    asked = (key for key in begin.read if key not in (RELEASE, CONFIGURATION))
    return {key: places.get(key) for key in asked}


def _amendments(
    records: list[Record], address: Address
) -> Iterator[tuple[Amendment, Proof | None]]:
    """Each amendment, and the signature of its approver where there is one."""
    for record in records:
        event = said(record, StoredEvent) if record.kind is RecordKind.EVENT else None
        if isinstance(event, StatementAmended):
            signed = Proof(record.environment, event.at, event.armour) if event.armour else None
            amendment = Amendment(
                criterion=address.full(event.criterion),
                by=event.by,
                approved_by=event.approved_by,
                why=event.why,
                at=calendar.stamp(record.at_us),
                was=event.was,
                now=event.now,
                stated=event.stated,
                amended=event.amended,
                runs=event.runs,
                failed=event.failed,
                verdict=event.verdict,
                seen=event.seen,
            )
            yield amendment, signed
