"""Telemetry: JSON lines, a file a run, as each run left them."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_rollout import NoValueError, RolloutError
from suites.pipeline.views.journal import Run

EVENTS = (
    *("run_started", "item", "operation", "statistics"),
    *("rate_limited", "rate_warning", "error", "run_ended"),
)
RESULTS = ("ok", "failed", "dry-run", "skipped")
SEVERITIES = ("info", "warning", "error", "critical")
REFUSED: Mapping[str, Container[int | None]] = {  # what GitHub said, by event
    **dict.fromkeys(EVENTS, (None,)),
    "rate_limited": (403, 429),
    "error": (None, *range(400, 600)),
}
SEVERITY_OF = {
    "rate_warning": ("warning",),
    "rate_limited": ("warning",),
    "error": ("error", "critical"),
}
SECOND = timedelta(seconds=1)
LOW = 0.25  # of the rate limit: with less a run warns


@dataclass(frozen=True, slots=True)
class Record:
    """One line."""

    at: datetime
    run: int
    workflow: str  # without .yml
    event: str
    stage: str
    issue: int | None
    result: str
    seconds: float | None
    api_calls: int
    rate_remaining: int | None
    rate_limit: int | None
    ai_units: float
    severity: str
    detail: Mapping[str, Any]
    actor: str = ""
    http_status: int | None = None  # of a call that was refused

    @property
    def rate_used(self) -> float | None:
        """The share of the rate limit that was used, where the record says so."""
        if self.rate_remaining is None or not self.rate_limit:
            return None
        return 1 - self.rate_remaining / self.rate_limit


def read_run(folder: Path, run: int) -> list[Record]:
    """The records of one run; raises NoValueError where it left none."""
    path = folder / f"{run}.jsonl"
    if not path.is_file():
        raise NoValueError(f"run {run} left no telemetry at {path}")
    return _records(path)


def read_all(
    folder: Path, known: Iterable[Record] = (), runs: Container[int] | None = None
) -> list[Record]:
    """All records of all runs, in the order of their times; raises NoValueError without any.

    Files of runs that are ``known`` to have ended are not read again; with ``runs`` only theirs.
    """
    old = list(known)
    ended = {record.run for record in old if record.event == "run_ended"}
    paths = [
        path
        for path in sorted(folder.glob("*.jsonl"))
        if int(path.stem) not in ended and (runs is None or int(path.stem) in runs)
    ]
    records = [record for record in old if record.run in ended]
    records += [record for path in paths for record in _records(path)]
    if not records:
        raise NoValueError(f"there is no telemetry in {folder}")
    return sorted(records, key=lambda record: record.at)


def lines_of(folder: Path) -> dict[int, int]:
    """How many lines each run's file has, whatever stands in them."""
    texts = {int(path.stem): path.read_bytes() for path in folder.glob("*.jsonl")}
    return {
        run: sum(bool(line.strip()) for line in text.split(b"\n")) for run, text in texts.items()
    }


def _records(path: Path) -> list[Record]:
    with path.open(encoding="utf-8") as lines:
        return [_record(path, n, line) for n, line in enumerate(lines, 1) if line.strip()]


def _record(path: Path, number: int, line: str) -> Record:
    try:
        row = json.loads(line)
        return Record(
            at=datetime.fromisoformat(row["ts"]),
            run=row["run_id"],
            workflow=row["workflow"],
            event=row["event"],
            stage=row["stage"],
            issue=row["issue"],
            result=row["result"] or "",
            seconds=row["duration_s"],
            api_calls=row["api_calls"] or 0,
            rate_remaining=row["rate_remaining"],
            rate_limit=row["rate_limit"],
            ai_units=row["ai_units"] or 0,
            severity=row["severity"] or "",
            detail=row["detail"] or {},
            actor=row["actor"] or "",
            http_status=row["http_status"],
        )
    except KeyError as error:
        raise RolloutError(f"{path.name}:{number}: the record has no field {error}") from None
    except (ValueError, TypeError) as error:
        raise RolloutError(f"{path.name}:{number}: the record cannot be read: {error}") from None


def items(records: Iterable[Record], stage: str) -> list[Record]:
    """The records of issues that a stage worked on for real, good or failed."""
    return [
        record
        for record in records
        if record.event == "item" and record.stage == stage and record.result in ("ok", "failed")
    ]


def demand_falling(runs: Iterable[Iterable[Record]]) -> None:
    """Demand that what remains of the rate limit goes down by the calls of each run.

    A figure of what remains that never moves would let every run look modest.
    """
    compared = 0
    for records in runs:
        for prior, other in pairwise(records):
            if (
                None in (prior.rate_remaining, other.rate_remaining)
                or prior.at.hour != other.at.hour
            ):
                continue
            fell = (prior.rate_remaining or 0) - (other.rate_remaining or 0)
            compared += other.api_calls
            assert fell >= other.api_calls, (
                f"run {other.run} made {other.api_calls} calls up to {other.at}, and what remains "
                f"of the rate limit went from {prior.rate_remaining} to {other.rate_remaining}"
            )
    if not compared:
        raise NoValueError("no record has calls, so nothing shows what they use")


def odd(record: Record, run: Run, actor: str) -> list[str]:
    """The fields of a record that cannot be true of its run, or of any record."""
    of_result = ("item", "operation", "run_ended")
    right = {
        "ts": run.begun <= record.at and (run.ended is None or record.at <= run.ended + SECOND),
        "workflow": f"{record.workflow}.yml" == run.file,
        "event": record.event in EVENTS,
        "actor": record.actor == actor,
        "severity": record.severity in SEVERITIES,
        "result": (record.result in RESULTS) is (record.event in of_result),
        "duration_s": (record.seconds is not None) is (record.event in ("item", "run_ended")),
        "http_status": record.http_status in REFUSED[record.event],
        "rate_limit": record.rate_used is not None and 0 <= record.rate_used <= 1,
    }
    if record.event in SEVERITY_OF:
        right["severity"] = record.severity in SEVERITY_OF[record.event]
    if record.event in ("item", "operation"):
        bad = record.result == "failed"
        right["severity"] = record.severity == ("error" if bad else "info")
    if record.event == "item":
        begun = record.at - timedelta(seconds=record.seconds or 0)
        right["duration_s"] = record.seconds is not None and begun >= run.begun
    return [name for name, good in right.items() if not good]


def miscounted(told: Record, records: Iterable[Record]) -> str:
    """How the statistics of a command are other ones than its items, in words; empty: they are not.

    How many of a dry run are `ok` is not said anywhere.
    """
    mine = [r for r in records if r.event == "item" and r.run == told.run and r.stage == told.stage]
    results = [record.result for record in mine if record.result != "skipped"]
    counted = {"taken": len(results), "failed": results.count("failed")}
    if "dry-run" not in results:
        counted["ok"] = results.count("ok")
    said = {name: told.detail.get(name) for name in counted}
    return "" if said == counted else f"{said}, and its items come to {counted}"


def labels_told(record: Record) -> set[str]:
    """Labels that its issue must have, by what a record says of an item."""
    if record.event != "item" or record.result != "ok":
        return set()
    if record.stage == "assignment":
        return {str(record.detail.get("workflow"))}
    if record.stage == "processing":
        return {f"specialist::{record.detail.get('specialist')}"}
    return set()
