"""The drill of day 4 as it is judged, and how it is read from what people did and recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from pytest_rollout import Message, Stage, read_inbox
from suites.plms.scenarios.monitoring import FAILURE, Shown, rule_inbox, shown_at
from suites.plms.views.host import Host, JobRun, job_runs
from suites.plms.views.tables import rows

Rows = Mapping[int, tuple[object, ...]]
SAYS = "drill: rows planted, project 999, run_kind INVALID_KIND"
_PLANTED = re.compile(r"\brows?\b.*\bplanted\b")
_JUST_BEFORE = timedelta(milliseconds=1)  # records may be in whole seconds
_NAMED = ("999", "INVALID_KIND")


@dataclass(frozen=True, slots=True)
class Drilled:
    """The drill: rows as a drill; a rehearsal then has one that is a real failure."""

    ruled: str  # the state of the rule before a row was planted
    broken: Shown  # while the rows are there
    repaired: Shown  # after they were removed
    failed: Shown | None  # while one row is there, and the job's run is no drill
    ended: Shown | None  # after all of it; None, as above: people drilled
    failed_at: datetime  # when the check that found the rows was started, by the wall
    failed_by_plms: datetime  # the same, by the target's clock
    runner_s: float  # seconds by the wall until Slack had the job's word; 0: nobody measured it
    told: tuple[Message, ...]  # by Alertmanager, from before the rows until they were gone
    told_by_runner: tuple[Message, ...]  # by the job, the same
    planted: int  # rows
    seen: int  # violations that the check found
    left: int  # planted rows that are still there
    lost: int | None  # other rows that are gone; None: nothing tells what was there before


def drilled_by_people(phase: Stage, clean: Shown) -> Drilled | None:
    """The newest drill of the phase; None where nobody recorded one, or no run of the job found it.

    ``clean`` is how it is now: after the drill.
    """
    events = phase.events("change", "action")
    host, says = Host(phase.file), [e for e in events if _PLANTED.search(e.says)]
    runs = [job for job in job_runs(host) if _began(job) >= phase.window[0]]
    drills = [job for job in runs if job.drill and job.status != "OK"]
    if not says or not drills:
        return None
    failed = drills[-1]
    earlier = runs[: runs.index(failed)]
    later = runs[runs.index(failed) + 1 :]
    cleaned = next((job for job in later if job.status == "OK"), None)
    after = later[later.index(cleaned) + 1 :] if cleaned else []
    since = max((job.ended_at for job in earlier), default=phase.window[0])
    until = next((_began(job) for job in after if job.status != "OK"), None)

    def meanwhile(messages: Sequence[Message]) -> tuple[Message, ...]:
        return tuple(m for m in messages if since <= m.at and (until is None or m.at < until))

    began = _began(failed)
    violations = json.loads(failed.details or "[]")
    return Drilled(
        ruled=shown_at(phase, began).rule_state(FAILURE),
        broken=shown_at(phase, _began(cleaned) - _JUST_BEFORE if cleaned else phase.now()),
        repaired=clean,
        failed=None,
        ended=None,
        failed_at=began,
        failed_by_plms=began,
        runner_s=0,
        told=meanwhile(rule_inbox(phase)),
        told_by_runner=meanwhile(read_inbox(phase.file("inbox"))),
        planted=sum(all(word in str(text) for word in _NAMED) for text in violations),
        seen=failed.violations,
        left=sum("INVALID_KIND" in row for row in project_runs(phase.file("registry")).values()),
        lost=_lost(phase.file("backups"), phase.file("registry")),
    )


def _began(job: JobRun) -> datetime:
    return job.started_at or job.ended_at


def _lost(backups: Path, registry: Path) -> int | None:
    """How many runs of the newest backup are gone; None without a backup."""
    there = sorted(backups.glob("registry_*.db"))
    if not there:
        return None
    before, now = ({run for run, *_ in project_runs(db).values()} for db in (there[-1], registry))
    return len(before - now - {None})


def project_runs(registry: Path) -> Rows:
    """Every row of project_runs: rowid to its id, project, kind and status."""
    query = "SELECT rowid AS row, run_id, project_id, run_kind, status FROM project_runs"
    return {row.pop("row"): tuple(row.values()) for row in rows(registry, query)}
