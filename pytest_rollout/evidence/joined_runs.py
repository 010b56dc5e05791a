"""What a run holds that joins others: all that they hold of a phase, in one order. Pure.

An item counts where one of them ran it, and as its worst report where several did; the manifest is
that of all of them, and leaves nothing out, so that what none of them ran is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_rollout.evidence.bodies import Body, RunStart, WorkerManifest, kind_of_body
from pytest_rollout.evidence.body_texts import PlanId
from pytest_rollout.evidence.decoding import encoded, words_of
from pytest_rollout.evidence.records import Entry, Record, RecordKind
from pytest_rollout.evidence.run_facts import ending, manifest_of
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import EMBEDDED, Address

WORKER = "joined"


@dataclass(frozen=True, slots=True)
class Piece:
    """A record of a joined run, before it has a run; ``source`` holds its observations."""

    entry: Entry
    source: Record | None = None


def in_order(logs: Sequence[RunLog]) -> list[RunLog]:
    """Runs as they began, whichever ledgers they come from."""
    return sorted(logs, key=lambda log: (log.first.at_us, log.first.run))


def pieces(address: Address, logs: Sequence[RunLog]) -> list[Piece]:
    """What a joined run holds between its start and its seal; raises UndecodableError."""
    ordered = in_order(logs)
    phase, environment = address.name, ordered[0].first.environment
    parts = [_piece(_manifest(address, ordered), "", WORKER, environment)]
    for log in ordered:
        for record in log.evidence:
            held = record.subject in ("", phase)
            if (record.kind is RecordKind.RELEASE and held) or (
                # In a real environment events are found by their phase, whosever they are.
                record.kind is RecordKind.EVENT and held and environment == EMBEDDED
            ):
                parts.append(Piece(replace(record.entry, run="")))
        for batch in log.batches:
            if batch.body.phase == phase:
                body = replace(batch.body, worker=f"{log.first.run}/{batch.body.worker}")
                entry = replace(batch.record.entry, run="", body=encoded(body))
                parts.append(Piece(entry, batch.record))
    return parts


def start_of(address: Address, gates: Sequence[str], logs: Sequence[RunLog]) -> RunStart:
    """Return the start of a joined run, made of the starts of the runs that it joins."""
    ordered = in_order(logs)
    start, plan = ordered[-1].start, address.plan
    return RunStart(
        plans={plan: start.plans[plan]},
        gates=tuple(gates),
        partial=(),
        drill=None,
        configured=start.configured,
        zone_data=_both(log.start.zone_data for log in ordered),
        versions={
            name: _both(log.start.versions.get(name, "") for log in ordered)
            for name in sorted({name for log in ordered for name in log.start.versions})
        },
        calendars={key: calendar for key, calendar in start.calendars.items() if key == plan},
        beside={key: files for key, files in start.beside.items() if key == plan},
        targets={key: target for key, target in start.targets.items() if key == plan},
        authors=_authors(plan, ordered),
        joins=tuple(log.first.run for log in ordered),
        begins={key: begin for key, begin in start.begins.items() if key == address.name},
    )


def _authors(plan: str, logs: Sequence[RunLog]) -> dict[str, Authors]:
    """Who made what the runs judged: all that one of them names, unless one does not know."""
    by_run = {log.first.run: log.start.authors.get(plan) for log in logs}
    if not any(by_run.values()):
        return {}
    for run, authors in by_run.items():
        if authors is None or not authors.names:
            why = authors.error if authors is not None else "it did not read it"
            return {plan: Authors(error=f"run {run}: {why}")}
    names = (name for authors in by_run.values() if authors for name in authors.names)
    return {plan: Authors(tuple(dict.fromkeys(names)))}


def _both(texts: Iterator[str]) -> str:
    return ", ".join(sorted({text for text in texts if text}))


def troubles(logs: Sequence[RunLog]) -> tuple[str, ...]:
    """What the runs themselves say went wrong with them."""
    return tuple(f"run {log.first.run}: {why}" for log in in_order(logs) for why in ending(log))


def collected_whole(log: RunLog) -> bool:
    """Whether a run collected everything, so that its manifest says all that should run."""
    return not log.start.partial


def ran(logs: Sequence[RunLog]) -> set[str]:
    """The items that at least one of some runs has a report of."""
    return {item for log in logs for item, attempts in log.checks.items() if attempts}


def _manifest(address: Address, logs: Sequence[RunLog]) -> WorkerManifest:
    phase = address.name
    manifests = [manifest_of(log, phase) for log in logs]
    items: dict[str, tuple[str, ...]] = {}
    for manifest in manifests:
        for criterion, names in manifest.items.items():
            items[criterion] = tuple(dict.fromkeys((*items.get(criterion, ()), *names)))
    rehearsed: dict[str, set[str]] = {}
    for criterion, names in (item for manifest in manifests for item in manifest.rehearsed.items()):
        rehearsed.setdefault(criterion, set()).update(names)
    unnamed = tuple(sorted({name for manifest in manifests for name in manifest.unnamed}))
    absent = frozenset.intersection(*(manifest.absent for manifest in manifests))
    bound = dict.fromkeys((*(name for names in items.values() for name in names), *unnamed))
    return WorkerManifest(
        worker=WORKER,
        items={key: items[key] for key in sorted(items)},
        phases=dict.fromkeys(bound, phase),
        dropped={},  # what none of them ran is missing, not left out on purpose
        broken=tuple(
            (PlanId(address.plan), what)
            for what in sorted({what for manifest in manifests for what in manifest.broken})
        ),
        absent=tuple(sorted(absent - ran(logs))),
        unnamed={phase: unnamed} if unnamed else {},
        rehearsed={key: tuple(sorted(rehearsed[key])) for key in sorted(rehearsed)},
    )


def _piece(body: Body, plan: str, subject: str, environment: str) -> Piece:
    entry = Entry(kind_of_body(body), "", plan, subject, environment, encoded(body), words_of(body))
    return Piece(entry)
