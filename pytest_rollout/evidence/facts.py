"""What the records of one run say: the run itself, what should run, what each check did."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from pytest_rollout.evidence.integrity import UNREADABLE, seal_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import (
    Attempt,
    Head,
    Manifest,
    ReleaseFact,
    Run,
    Seen,
    Slot,
    decode,
    labels_of,
)
from pytest_rollout.model.verdict import Verdict

_LAST_US = 253_402_300_799_000_000  # the year 9999, the last that a datetime holds


def bodies(records: Iterable[Record], kind: RecordKind) -> list[dict[str, Any]]:
    """The bodies of the records of one kind."""
    return [json.loads(record.body) for record in records if record.kind is kind]


def head_of(records: Sequence[Record]) -> Head:
    """The place of the last record."""
    return Head(records[-1].sequence, records[-1].hash)


def run_of(records: Sequence[Record], phase: str, wrong: str | None) -> Run:
    """The run as a phase's evidence sees it; ``wrong`` is its damage, if any."""
    start = json.loads(records[0].body)
    manifest = manifest_of(records, phase)
    problems = [_damaged(wrong)] if wrong else []
    problems += ending(records)
    problems += [f"could not be collected: {module}" for module in manifest.broken]
    if not bodies(records, RecordKind.MANIFEST) and watched_of(records) is None:
        problems.append("no worker said what should run")
    return Run(
        id=records[0].run,
        environment=records[0].environment,
        started_us=records[0].at_us,
        ended_us=records[-1].at_us,
        sealed=seal_of(records) is not None and not wrong,
        problems=tuple(problems),
        partial=(*start["partial"], *_left_out(manifest)),
        drill=start["drill"],
        releases=tuple(_releases(records, phase)),
        configured=start["configured"],
        zone_data=start["zone_data"],
        versions=start["versions"],
    )


def damaged_run(records: Sequence[Record], phase: str, wrong: str) -> tuple[Run, Manifest]:
    """As much as can be said of a damaged run: nothing of it is evidence."""
    environment = str(records[0].environment)
    with suppress(*UNREADABLE):
        run = run_of(records, phase, wrong)
        if all(_instant(one) == one for one in (run.started_us, run.ended_us)):
            return replace(run, environment=environment), manifest_of(records, phase)
    last = _instant(records[-1].at_us)
    run = Run(records[0].run, environment, last, last, False, (_damaged(wrong),))
    return run, Manifest()


def _damaged(wrong: str) -> str:
    return f"the evidence was damaged: {wrong}"


def _instant(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= _LAST_US else 0


def ending(records: Sequence[Record]) -> list[str]:
    """Why the run's end does not let its evidence be trusted whole; empty where it does."""
    seal = seal_of(records)
    problems = [str(body["why"]) for body in bodies(records, RecordKind.STOP)]
    if seal is not None:
        return [*problems, *map(str, json.loads(seal.body)["problems"])]
    return problems[-1:] or ["the run never finished, or its seal is gone"]


def watched_of(records: Sequence[Record]) -> tuple[str, frozenset[str]] | None:
    """The phase that a run watched and the series that it asked for; None where it is no watch."""
    watch = json.loads(records[0].body).get("watch")
    return (str(watch["phase"]), frozenset(map(str, watch["series"]))) if watch else None


def lost_of(records: Sequence[Record], phase: str) -> str:
    """Why a run that set out to look at a phase may have seen what it did not record; or empty."""
    watched = watched_of(records)
    if watched is not None:
        mine = watched[0] == phase and (seal_of(records) is None or ending(records))
        return "; ".join(ending(records)) if mine else ""
    gates = json.loads(records[0].body)["gates"]
    asked = any(gate.partition("/")[0] == phase for gate in gates)
    if not asked or not bodies(records, RecordKind.MANIFEST):
        return ""
    if seal_of(records) is None or ending(records):
        return "; ".join(ending(records))
    silent = manifest_of(records, phase).unreported(checks_of(records))
    return f"{len(silent)} of its checks never reported" if silent else ""


def partial_of(records: Sequence[Record], phase: str) -> tuple[str, ...]:
    """What a run left out of a phase on purpose."""
    start = json.loads(records[0].body)
    return (*start["partial"], *_left_out(manifest_of(records, phase)))


def _left_out(manifest: Manifest) -> tuple[str, ...]:
    if not manifest.dropped:
        return ()
    names = sorted(manifest.dropped)
    shown = ", ".join(name.rpartition("::")[2] for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    why = sorted(set(manifest.dropped.values()))
    checks = "1 bound check" if len(names) == 1 else f"{len(names)} bound checks"
    return (f"{checks} did not run ({'; '.join(why)}): {shown}{more}",)


def _releases(records: Sequence[Record], phase: str) -> Iterable[ReleaseFact]:
    for record in records:
        if record.kind is RecordKind.RELEASE and record.subject in ("", phase):
            yield ReleaseFact(**json.loads(record.body))


def manifest_of(records: Sequence[Record], phase: str) -> Manifest:
    """What the workers say should run for a phase; where they differ, all of it.

    Which worker spoke first is of no weight.
    """
    items: dict[str, tuple[str, ...]] = {}
    dropped: dict[str, str] = {}
    broken: set[str] = set()
    absent: set[str] = set()
    unnamed: set[str] = set()
    said = [{**body, "worker": ""} for body in bodies(records, RecordKind.MANIFEST)]
    for body in sorted(said, key=canonical):
        for criterion, names in body["items"].items():
            if criterion.rpartition(".")[0] == phase:
                items[criterion] = tuple(dict.fromkeys((*items.get(criterion, ()), *names)))
        plan, _, _ = phase.partition(".")
        broken.update(what for where, what in body["broken"] if where == plan)
        dropped.update(body["dropped"])
        absent.update(body.get("absent", ()))
        unnamed.update(body.get("unnamed", {}).get(phase, ()))
    bound = {name for names in items.values() for name in names} | unnamed
    left = {name: why for name, why in dropped.items() if name in bound}
    lost, gone = tuple(sorted(broken)), frozenset(absent & bound)
    return Manifest(items, left, lost, gone, tuple(sorted(unnamed)))


def checks_of(records: Sequence[Record]) -> dict[str, tuple[Attempt, ...]]:
    """The attempts of each item, in order.

    An item that reported more than once, because it ran twice or in two workers, is as good as
    its worst report: that one comes last, whichever came last. The same report twice is one.
    """
    reports: dict[str, set[tuple[Attempt, ...]]] = {}
    for body in bodies(records, RecordKind.BATCH):
        attempts = tuple(Attempt(Verdict(verdict), why) for verdict, why in body["attempts"])
        reports.setdefault(body["item"], set()).add(attempts)
    return {
        item: tuple(attempt for one in sorted(said, key=_worst_last) for attempt in one)
        for item, said in reports.items()
    }


def _worst_last(attempts: tuple[Attempt, ...]) -> tuple[int, list[tuple[str, str]]]:
    last = attempts[-1].verdict.rank if attempts else len(Verdict)
    return -last, [(one.verdict.value, one.reason) for one in attempts]


def observations_of(ledger: Ledger, records: Sequence[Record], phase: str) -> tuple[Seen, ...]:
    """What was observed in a phase, in order."""
    found: list[Seen] = []
    for record in records:
        if record.kind is RecordKind.BATCH and json.loads(record.body)["phase"] == phase:
            found += (_seen(row, record.run) for row in ledger.rows_of(record.sequence))
    return tuple(found)


def _seen(row: tuple[Any, ...], run: str) -> Seen:
    _, _, metric, labels, t_us, seen_us, seq, value = row
    slot = Slot(metric, labels_of(json.loads(labels)), t_us, seq)
    return Seen(slot, decode(value), seen_us, run)


def begun_us(events: Iterable[Record], *, embedded: bool) -> int | None:
    """The event time at which a phase was begun, from its events in order; None once it ended.

    A rehearsal ends its phase before it is judged, and is judged as begun all the same.
    """
    begun: int | None = None
    for body in bodies(events, RecordKind.EVENT):
        if body["type"] == "begin":
            begun = int(body["t_us"])
        elif body["type"] == "end" and not embedded:
            begun = None
    return begun
