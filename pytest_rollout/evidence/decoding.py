"""The one encoder and the one decoder of bodies, and the words that records are searched for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from functools import cache, lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, TypeVar

from pytest_rollout.evidence.bodies import (
    EVENTS,
    KINDS,
    LAST_US,
    Body,
    ItemReport,
    RunStart,
    StoredDecision,
    StoredEvent,
    TripEvent,
)
from pytest_rollout.evidence.records import Record, RecordKind, spelled
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model import coding
from pytest_rollout.model.decision import Decision, canonical, from_json, stored_values
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head, ReleaseFact
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.verdict import Answer

_ITEM = '"item":'
_MOST_ALIKE = 400  # characters around the item of a report: one of a failure is like no other
_Kind = TypeVar("_Kind")
_Value = TypeVar("_Value")


class UndecodableError(LedgerError):
    """A record, or what it holds, is not what any version writes: it was damaged."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What of a stored decision is read without the rest."""

    decision: Answer
    drill: str | None
    looks: int
    ledger: Head


def encoded(body: Body) -> str:
    """Return the JSON of a body, with one spelling; what is as by default is left out."""
    kind: Any = type(body)
    if isinstance(body, ItemReport) and not body.attachments:
        return _encoded_report(body)
    defaults = _defaults(kind)
    plain = {name for name, value in defaults.items() if getattr(body, name) == value}
    data = coding.encode(body)
    for key in plain:
        del data[key]
    return canonical(data)


def _encoded_report(body: ItemReport) -> str:
    """The same of an item's report, which a run writes most, without looking up its fields."""
    attempts = ",".join(
        f"[{_quoted(verdict.value)},{_quoted(why)}]" for verdict, why in body.attempts
    )
    return (
        f'{{"attempts":[{attempts}],"digest":{_quoted(body.digest)},"item":{_quoted(body.item)},'
        f'"observations":{body.observations},"phase":{_quoted(body.phase)},'
        f'"worker":{_quoted(body.worker)}}}'
    )


@cache
def _defaults(kind: Any) -> Mapping[str, Any]:
    """What a body of a type says by default."""
    made = {f.name: f.default_factory() for f in fields(kind) if f.default_factory is not MISSING}
    return made | {f.name: f.default for f in fields(kind) if f.default is not MISSING}


def decoded(record: Record) -> Body:
    """Return what a record says; raises UndecodableError."""
    body: Body | None = record.decoded
    if body is None:
        body = _decoded(record)
        object.__setattr__(record, "decoded", body)
    return body


def _decoded(record: Record) -> Body:
    kind = KINDS.get(record.kind)
    if kind is None:
        raise UndecodableError(f"{record.name} is of a kind that nobody knows")
    try:
        if type(record.at_us) is not int or not 0 <= record.at_us <= LAST_US:
            raise ValueError(f"{record.at_us!r:.40} is no instant")
        if kind is ItemReport:
            return _report(record)
        data = _parsed(record.body)
        return coding.decode(_event(data) if kind is StoredEvent else kind, data)  # type: ignore[no-any-return]
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"{record.name} cannot be read: {error}") from error


def _report(record: Record) -> ItemReport:
    """Return what an item left.

    Most reports of a run differ only in the name of their item, which is the subject of the record,
    too: what stands before and after it is read once.
    """
    body, item = record.body, record.subject
    if isinstance(body, str) and isinstance(item, str):
        before, name, after = body.partition(f'{_ITEM}{_quoted(item)},"')
        if name and len(before) + len(after) < _MOST_ALIKE:
            alike = _alike(before, after)
            what = (alike.attempts, alike.observations, alike.digest, alike.attachments)
            return ItemReport(item, alike.phase, alike.worker, *what)
    return coding.decode(ItemReport, _parsed(body))  # type: ignore[no-any-return]


@lru_cache(maxsize=16)
def _alike(before: str, after: str) -> ItemReport:
    """Return a report without its item, of the text around it."""
    report: ItemReport = coding.decode(ItemReport, _parsed(f'{before}{_ITEM}"","{after}'))
    return report


def said(record: Record, kind: type[_Kind]) -> _Kind:
    """Return what a record of some kind says; raises UndecodableError, also where it is another."""
    body = decoded(record)
    if not isinstance(body, kind):
        raise UndecodableError(f"{record.name} is no {kind.__name__}")
    return body


def value_in(record: Record, key: str, kind: type[_Value]) -> _Value | None:
    """Return one value of a body without decoding the rest; raises UndecodableError."""
    try:
        data = _parsed(record.body)
        value = data.get(key) if isinstance(data, Mapping) else None
        return None if value is None else coding.decode(kind, value)
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"{record.name} cannot be read: {error}") from error


def may_say(record: Record, key: str) -> bool:
    """Return whether the body of a record may have a key: a look that spares decoding most."""
    return not isinstance(record.body, str) or f'"{key}":' in record.body


def _parsed(text: object) -> Any:
    if not isinstance(text, str):
        raise ValueError(f"{text!r:.40} is no text")
    return json.loads(text)


def _event(data: Any) -> type[StoredEvent]:
    """The type of an event: ours by their type and fields, of any other the plain one."""
    if not isinstance(data, Mapping):
        return StoredEvent
    for kind in EVENTS:
        needed = (f for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
        own = {field.name for field in needed}
        if data.get("type") == kind.TYPE and own <= data.keys():  # type: ignore[attr-defined]
            return kind
    return StoredEvent


def words_of(body: Body) -> str:
    """Return what a record with such a body is searched for, in the spelling of its column."""
    return _NO_WORDS if type(body) is ItemReport else spelled(_words(body))


def _words(body: Body) -> Iterator[str]:
    match body:
        case RunStart():
            yield from body.gates
        case ReleaseFact():
            yield release_word(body.release)
        case StoredDecision():
            yield judged(body).decision.value
        case TripEvent():
            yield from (body.type, body.answer.value)
        case StoredEvent():
            yield body.type


def release_word(release: str | None) -> str:
    """What a reading of a release is searched for."""
    return "no release" if release is None else f"release {release}"


def agrees(record: Record) -> bool:
    """Whether the words of a record are those of its body; raises UndecodableError.

    Records of versions that stored no words have none to agree.
    """
    if record.words is None:
        return True
    if record.kind in _SEARCHED:
        return words_of(decoded(record)) == record.words
    return record.words == _NO_WORDS


_NO_WORDS = spelled(())
_SEARCHED = (RecordKind.RUN, RecordKind.RELEASE, RecordKind.DECISION, RecordKind.EVENT)


def judged(body: StoredDecision) -> Judged:
    """Return the answer in a stored decision; raises UndecodableError."""
    try:
        keys = (field.name for field in fields(Judged))
        judged_: Judged = coding.decode(Judged, stored_values(body.document, *keys))
        return judged_
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"a stored decision cannot be read: {error}") from error


def decision_in(document: str) -> Decision:
    """Return a stored decision whole; raises UndecodableError."""
    try:
        decision = from_json(document)
        datetime.fromisoformat(decision.decided_at)
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"a stored decision cannot be read: {error}") from error
    return decision


def labels_in(text: object) -> Labels:
    """Return the labels of an observation's row; raises UndecodableError."""
    try:
        labels = coding.decode(dict[str, str], _parsed(text))
    except (ValueError, RecursionError) as error:
        raise UndecodableError(f"the labels of an observation cannot be read: {error}") from error
    return tuple(sorted(labels.items()))
