"""Earlier looks at a gate: how many there were of a release, and what failed in them.

Each look's record says what failed up to it, so that the next one need not read all that came
before: deciding does not grow with the ledger's age.
"""

from __future__ import annotations

from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.evidence import inputs
from pytest_rollout.evidence.bodies import StoredDecision
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, judged, said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind, as_written
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import FailedBefore, Run, World
from pytest_rollout.model.plan import EMBEDDED, Address, Severity
from pytest_rollout.model.provenance import Input
from pytest_rollout.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Looks:
    """What is known of the looks of a release at a gate."""

    n: int = 0  # this one included; a rehearsal, a partial run and a drill are none
    failed: tuple[FailedBefore, ...] = ()  # in the order in which the runs ended
    problems: tuple[str, ...] = ()  # records of which nobody knows what they were
    inputs: tuple[Input, ...] = ()  # the decisions that were read for it


@dataclass(frozen=True, slots=True)
class _Look:
    """What the record of a look says."""

    failed: tuple[FailedBefore, ...]  # in this look, and in those that it knew of
    input: Input
    known: int = 0  # the sequence up to which it knew of others; 0: it does not say
    earlier: int = 0  # how many it knew of


def looks_of(ledger: Ledger, address: Address, run: Run, before: int) -> Looks:
    """Return the looks of a run's release at a gate that were recorded before a sequence.

    The newest earlier look says what it knew of others; those that it did not know of, because
    they were decided at the same time, are read one by one. One that cannot be read is a look,
    and a problem.
    """
    if run.environment == EMBEDDED:
        return Looks()
    releases = {fact.release for fact in run.releases}
    release = next(iter(releases)) if len(releases) == 1 else None
    nameless = not run.releases and not run.sealed  # it began just now: no look of anything
    n, known, problems = int(not run.partial and run.drill is None), 0, []
    failed: dict[str, FailedBefore] = {}
    read: list[Input] = []
    for record in ledger.newest(RecordKind.DECISION, address.plan, str(address), run.environment):
        if record.sequence >= before:
            continue
        if record.sequence < known:
            break
        try:
            look = _look(record, release)
        except UndecodableError as error:
            n += 1
            what = f"record {record.sequence}, an earlier decision of {address}, cannot be read"
            problems.append(f"{what} ({error})")
            continue
        if look is None:
            if nameless and said(record, StoredDecision).release is not None:
                break
            continue
        n += 1
        read.append(look.input)
        newest = look.known and not known
        if newest:
            n, known = n + look.earlier, look.known
        failed |= {
            failed_before.run: failed_before
            for failed_before in look.failed
            if newest or failed_before.run == record.run
        }
    ordered = sorted(failed.values(), key=lambda failure: (failure.ended_us, failure.run))
    return Looks(n, tuple(ordered), tuple(problems), tuple(read))


def _look(record: Record, release: str | None) -> _Look | None:
    """What a record says of a look of a release; None where it is none, or of another release.

    Raises UndecodableError, also where the record was changed.
    """
    if not as_written(record):
        raise UndecodableError("it was changed after it was written")
    body = said(record, StoredDecision)
    if not body.look or body.release != release:
        return None
    read = inputs.of_decision(record.subject, record.run, body.document)
    if body.failed is None:  # of a run that could not tell, or of an older version
        return _Look(_failed_in(decision_in(body.document)), read)
    if record.first_hash is not None:  # it knew others of its own ledger, not of this one
        return _Look(body.failed, read)
    decided = judged(body)
    return _Look(body.failed, read, decided.ledger.sequence, decided.looks - 1)


def stored(decision: Decision, document: str, world: World) -> StoredDecision:
    """Return the body of a decision's record; ``document`` is its stored form."""
    run = world.run
    look = not (run.partial or run.drill or run.environment == EMBEDDED)
    known = look and run.sealed
    failed = (*world.failed_before, *_failed_in(decision)) if known else None
    return StoredDecision(document, look, decision.release, failed)


def _failed_in(decision: Decision) -> tuple[FailedBefore, ...]:
    """The hard criteria that failed in one look, if any did."""
    criteria = tuple(
        finding.id
        for finding in decision.criteria
        if finding.severity == Severity.HARD and finding.verdict is Verdict.FAIL
    )
    ended_us = calendar.to_us(datetime.fromisoformat(decision.decided_at))
    return (FailedBefore(decision.run, ended_us, criteria),) if criteria else ()
