"""Trips on record: which of them is known already, and what was done about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from pytest_rollout.evidence import bodies
from pytest_rollout.evidence.decoding import UndecodableError, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.judge.case import instant
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Reason
from pytest_rollout.report import sentences
from pytest_rollout.watching.record import Recording, Watched, now_us
from pytest_rollout.watching.state import GuardrailStanding

_Event = TypeVar("_Event", bodies.TripEvent, bodies.StepTaken)


@dataclass(frozen=True, slots=True)
class Trip:
    """A trip as it was recorded."""

    sequence: int
    at: str  # ISO 8601, with the offset of the plan's zone
    known: bool  # recorded before this watch saw it


def record_trip(
    recording: Recording, standing: GuardrailStanding, release: str | None, zone: str
) -> Trip:
    """Put a trip on record, unless it is: one stays until the guardrail is reset."""
    watched = recording.watched
    id_ = standing.finding.id
    life = PhaseLife(recording.ledger, watched.address, watched.environment)
    since = life.last_reset(id_)
    for told in events(recording.ledger, watched, bodies.TripEvent, since):
        if (told.body.guardrail, told.body.release) == (id_, release):
            return Trip(told.record.sequence, instant(told.body.t_us, zone), known=True)
    head = recording.event(
        bodies.TripEvent(
            type=bodies.TripEvent.TYPE,
            t_us=now_us(),
            says=sentences.text(_without_state(standing.finding.reason), zone),
            guardrail=id_,
            then=tuple(then.value for then in standing.guardrail.then),
            answer=standing.answer,
            release=release,
        )
    )
    at_us = next(recording.ledger.between(head.sequence, head.sequence)).at_us
    return Trip(head.sequence, instant(at_us, zone), known=False)


def _without_state(reason: Reason) -> Reason:
    """The reason without the word that the guardrail tripped: the event itself says so."""
    facts = dict(reason.facts)
    if reason.code == "told":
        facts["state"] = ""
    parts = facts.get("reasons")
    if isinstance(parts, tuple):
        facts["reasons"] = tuple(
            _without_state(part) if isinstance(part, Reason) else part for part in parts
        )
    return replace(reason, facts=facts)


def events(
    ledger: Ledger, watched: Watched, kind: type[_Event], since: int
) -> Iterator[Told[_Event]]:
    """The events of one type after a place in the chain, in order."""
    where = (RecordKind.EVENT, watched.address.plan, watched.phase, watched.environment)
    for record in ledger.oldest(*where, word=kind.TYPE):
        if record.sequence <= since:
            continue
        try:
            body = said(record, bodies.StoredEvent)
        except UndecodableError:  # of what is damaged the chain tells
            continue
        if isinstance(body, kind):
            yield Told(record, body)
