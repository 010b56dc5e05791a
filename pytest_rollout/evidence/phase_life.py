"""The life of a phase in the ledger: who began it and on what, what holds it, what tripped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_rollout.evidence.bodies import (
    PeopleTold,
    PhaseBegun,
    PhaseEnded,
    StatementAmended,
    StepTaken,
    StoredEvent,
    StoredReset,
    TripEvent,
)
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.known import knew
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import Record, RecordKind, as_written
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.life import DRIFT
from pytest_rollout.model.plan import EMBEDDED, Address, Phase

FREEZE, RESUME = "freeze", "resume"
ONLY_BY_COMMANDS = frozenset(  # checks record them in rehearsals only
    kind.TYPE
    for kind in (PhaseBegun, PhaseEnded, StatementAmended, TripEvent, StepTaken, PeopleTold)
)


@dataclass(frozen=True, slots=True)
class PhaseLife:
    """Where a phase stands in an environment; every method raises LedgerError."""

    ledger: Ledger
    address: Address
    environment: str
    before: int | None = None  # what was recorded from this sequence on is not looked at

    def record(self, event: StoredEvent) -> Told[StoredEvent]:
        """Put an event on record; returns it as it was recorded."""
        where = (self.address.plan, self.address.name, self.environment)
        head = self.ledger.append(Draft(event, "", *where))
        (record,) = self.ledger.between(head.sequence, head.sequence)
        return Told(record, said(record, StoredEvent))

    def begin(self) -> Told[StoredEvent] | None:
        """The begin of the phase as it is on record; None where it has not begun, or has ended."""
        turn = self.turn()
        return turn if turn is not None and turn.body.type == PhaseBegun.TYPE else None

    def turn(self) -> Told[StoredEvent] | None:
        """The newest begin or end of the phase; None where it never began."""
        newest: Told[StoredEvent] | None = None
        for record in self._events():
            body = said(record, StoredEvent)
            if body.type in (PhaseBegun.TYPE, PhaseEnded.TYPE):
                newest = Told(record, body)
        return newest

    def newest_begin(self) -> Told[StoredEvent] | None:
        """The newest begin of the phase, ended or not; None where it never began."""
        newest: Told[StoredEvent] | None = None
        for record in self._events(PhaseBegun.TYPE):
            body = said(record, StoredEvent)
            newest = Told(record, body) if body.type == PhaseBegun.TYPE else newest
        return newest

    def told_since_begin(self) -> tuple[StoredEvent, ...]:
        """What people recorded since the phase began, oldest first; nothing before it began."""
        events: list[StoredEvent] | None = None
        for record in self._events():
            body = said(record, StoredEvent)
            if body.type in (PhaseBegun.TYPE, PhaseEnded.TYPE):
                events = [] if body.type == PhaseBegun.TYPE else None
            elif events is not None and not record.run:
                events.append(body)
        return tuple(events or ())

    def freeze(self) -> Told[StoredEvent] | None:
        """The recorded freeze that holds the phase; None where there is none, or it was lifted."""
        held: list[Told[StoredEvent]] = []
        for record in self._events():
            body = said(record, StoredEvent)
            if body.type == FREEZE:
                held.append(Told(record, body))
            elif body.type == RESUME:  # by somebody who knew of it
                held = [freeze for freeze in held if not knew(self.ledger, record, freeze.record)]
        return held[-1] if held else None

    def trips(self, phase: Phase | None = None) -> Iterator[Told[TripEvent]]:
        """The newest trip of each guardrail that was not reset since: in the plan's order.

        Those follow that the phase does not state any more: renaming a guardrail lifts nothing.
        """
        newest: dict[str, Told[TripEvent]] = {}
        for record in self._events(TripEvent.TYPE):
            body = said(record, StoredEvent)
            if isinstance(body, TripEvent) and not self._is_reset(Told(record, body)):
                newest[body.guardrail] = Told(record, body)
        stated = (self.address.full(slug) for slug in (_stated(phase) if phase else ()))
        for guardrail in dict.fromkeys((*stated, *newest)):
            if guardrail in newest:
                yield newest[guardrail]

    def last_trips(self) -> list[Told[TripEvent]]:
        """All trips on record, reset or not, the newest first."""
        records = list(self._events(TripEvent.TYPE))
        events = [Told(record, said(record, StoredEvent)) for record in records]
        return [
            Told(event.record, event.body)
            for event in reversed(events)
            if isinstance(event.body, TripEvent)
        ]

    def _is_reset(self, trip: Told[TripEvent]) -> bool:
        """Whether somebody who could know of a trip reset its guardrail, for its release."""
        where = (self.address.plan, trip.body.guardrail, self.environment)
        resets = self.ledger.newest(RecordKind.RESET, *where)
        release = trip.body.release
        return any(
            release in (None, said(record, StoredReset).release)
            and knew(self.ledger, record, trip.record)
            for record in resets
        )

    def last_reset(self, guardrail: str) -> int:
        """The sequence of the newest reset of a guardrail (full id); 0 where there is none."""
        where = (self.address.plan, guardrail, self.environment)
        return next((record.sequence for record in self.ledger.newest(RecordKind.RESET, *where)), 0)

    def _events(self, word: str | None = None) -> Iterator[Record]:
        where = (self.address.plan, self.address.name, self.environment)
        for record in self.ledger.oldest(RecordKind.EVENT, *where, word=word):
            if self.before is None or record.sequence < self.before:
                if not as_written(record):
                    raise UndecodableError(f"{record.name} was changed after it was written")
                yield record


def unstated(phase: Phase, guardrail: str) -> bool:
    """Whether a phase does not state a guardrail (full id) any more."""
    return guardrail.rpartition(".")[2] not in _stated(phase)


def _stated(phase: Phase) -> tuple[str, ...]:
    return tuple(guardrail.id for guardrail in (*phase.guardrails, DRIFT))


def begins_of(ledger: Ledger, gates: Iterable[Address], environment: str) -> dict[str, int]:
    """Return the first sequence of the begin of each phase that has begun, by its full name.

    It is its place in the ledger that it was written to: a merge gives it another one.
    """
    if environment == EMBEDDED:
        return {}
    begins = {gate.name: PhaseLife(ledger, gate, environment).begin() for gate in gates}
    return {
        name: begun.record.first.sequence for name, begun in begins.items() if begun is not None
    }
