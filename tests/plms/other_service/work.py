"""Runs, lanes and the thread that schedules tasks; priors, KPI gates and budgets with them."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from xml.etree import ElementTree

from tests.plms.other_service.book import LANES, Book, now, stored

OPEN = ("accepted", "active")
_UNIT_TASKS = {"Code-API": 8, "Data-Schema": 4, "Narrative": 12, "Viz-Charts": 6}
_KPIS = {
    "Code-API": {"test_pass_rate": 0.95, "build_success": 1.0},
    "Data-Schema": {"schema_diff_count": 0.0, "migration_success": 1.0},
}
_Z90 = 1.6449


@dataclass
class Run:
    """A run of a project; ``left`` is how many seconds each task that waits will take."""

    project: int
    lane: str
    asked: Mapping[str, Any]
    key: str
    left: list[float]
    estimate: tuple[float, float, float, float]
    ref: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    status: str = "accepted"
    begun: datetime = field(default_factory=now)
    ended: datetime | None = None
    running: list[tuple[float, float]] = field(default_factory=list)  # since when, how long
    done: int = 0

    @property
    def token_price(self) -> float:
        """What a task takes."""
        return 2000 / _UNIT_TASKS[self.lane]

    @property
    def size(self) -> int:
        """How many tasks it has."""
        return self.done + len(self.running) + len(self.left)

    @property
    def progress(self) -> float:
        """The share that is done, parts of tasks included."""
        at = time.monotonic()
        parts = sum(min(1.0, (at - since) / long) for since, long in self.running)
        return (self.done + parts) / self.size if self.size else 1.0

    @property
    def tokens(self) -> float:
        """What it has spent."""
        return self.progress * self.size * self.token_price

    @property
    def seconds(self) -> float:
        """How long it has run."""
        return ((self.ended or now()) - self.begun).total_seconds()


def interval(mean: float, deviation: float) -> tuple[float, float]:
    """The 90 % interval of an estimate."""
    return max(0.0, mean - _Z90 * deviation), mean + _Z90 * deviation


def may_teach(run: Mapping[str, Any]) -> bool:
    """Whether the policy lets priors change by a run."""
    known = run.get("run_kind") in ("baseline", "hotfix")
    return known and bool(run.get("validation_pass")) and not run.get("write_sandbox")


class Works:
    """All runs; ``twists`` names what a variant of the service does differently."""

    def __init__(self, book: Book, task_s: float, speed: float, twists: frozenset[str]) -> None:
        self.book, self.twists = book, twists
        self.runs: list[Run] = []
        self.lock = threading.RLock()
        self._task_s, self._speed = task_s, speed
        self._keys: dict[tuple[int, str], tuple[str, Run]] = {}
        threading.Thread(target=self._schedule, daemon=True).start()

    # Starting and cancelling

    def start(self, project: int, key: str, asked: Mapping[str, Any]) -> tuple[int, Run | None]:
        """Begin a run, or find the one that its key began: 200, 208 for a replay, or a refusal."""
        body = json.dumps(asked, sort_keys=True)
        with self.lock:
            known = self._keys.get((project, key))
            if known and "keys-forgotten" not in self.twists:
                return (208, known[1]) if known[0] == body else (409, None)
            if asked.get("run_kind") not in ("baseline", "hotfix", "rehearsal", "replay"):
                return 400, None
            if self.book.setting("accept_new_projects") != "true":
                return 423, None
            run = self._new(project, key, asked)
            self._keys[project, key] = (body, run)
            self.runs.append(run)
            return (208 if known else 200), run

    def _new(self, project: int, key: str, asked: Mapping[str, Any]) -> Run:
        lane = str(asked.get("lane") or lane_of(project))
        count, seconds = asked.get("steps"), asked.get("step_seconds")
        tasks = int(count or _UNIT_TASKS[lane])
        each = (float(seconds) / self._speed) if seconds else self._task_s
        left = [each * random.uniform(0.97, 1.03) for _ in range(tasks)]
        run = Run(project, lane, asked, key, left, self.book.prior(lane))
        tokens, tokens_std, expected, expected_std = run.estimate
        minutes = asked.get("budget_duration_minutes")
        row = {
            **{"ref": run.ref, "project_id": project, "run_kind": asked["run_kind"]},
            **{"lane_name": lane, "status": run.status, "begun": stored(run.begun)},
            **dict(
                zip(
                    ("tokens_ci_lower", "tokens_ci_upper"),
                    interval(tokens, tokens_std),
                    strict=True,
                )
            ),
            **dict(zip(("low_s", "high_s"), interval(expected, expected_std), strict=True)),
            **{"tokens_mean": tokens, "expected_s": expected, "retry_key": key, "env": "prod"},
            **{"sandboxed": int(bool(asked.get("sandboxed"))), "label": asked.get("label")},
            "limit_tokens": asked.get("budget_tokens"),
            "limit_s": minutes and float(minutes) * 60,
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        self.book.write(f"insert into project_runs ({names}) values ({marks})", *row.values())
        return run

    def cancel(self, project: int) -> list[str] | None:
        """Stop what runs of a project; None where it never ran."""
        with self.lock:
            mine = [run for run in self.runs if run.project == project]
            stopped = [run for run in mine if run.status in OPEN]
            for run in stopped:
                self._end(run, "stopped", None)
            return [run.ref for run in stopped] if mine else None

    def newest(self, project: int) -> Run | None:
        """The newest run of a project."""
        return next((run for run in reversed(self.runs) if run.project == project), None)

    # The thread that schedules

    def _schedule(self) -> None:
        while True:
            with self.lock:
                for lane, cap in self.book.caps().items():
                    cap += 3 if "caps-ignored" in self.twists else 0
                    starved = lane == "Data-Schema" and "lane-starved" in self.twists
                    self._tick(lane, 0 if starved and self._is_busy("Code-API") else cap)
            time.sleep(0.1)

    def _tick(self, lane: str, cap: int) -> None:
        at, runs = time.monotonic(), self.under_way(lane)
        for run in runs:
            over = [task for task in run.running if at - task[0] >= task[1]]
            run.running = [task for task in run.running if task not in over]
            run.done += len(over)
            if not run.left and not run.running:
                self._finish(run)
        while sum(len(run.running) for run in runs) < cap:
            waiting = [run for run in runs if run.left]
            if not waiting:
                return
            poorest = min(waiting, key=lambda run: len(run.running))
            poorest.running.append((at, poorest.left.pop(0)))
            if poorest.status == "accepted":
                poorest.status, poorest.begun = "active", now()
                self._note(poorest)

    def _is_busy(self, lane: str) -> bool:
        return any(run.running for run in self.under_way(lane))

    def under_way(self, lane: str) -> list[Run]:
        """The runs of a lane that have not ended."""
        return [run for run in self.runs if run.lane == lane and run.status in OPEN]

    def _finish(self, run: Run) -> None:
        measured = _measured(run)
        wanted = _KPIS.get(run.lane, {})
        fine = {kpi: _is_fine(kpi, value, wanted[kpi]) for kpi, value in measured.items()}
        for kpi, value in measured.items():
            self.book.write(
                "insert into verdicts values (?, ?, ?, ?, ?, ?, ?)",
                *(run.ref, run.lane, kpi, value, wanted[kpi], int(fine[kpi]), stored(now())),
            )
        valid = set(fine) == set(wanted) and all(fine.values())
        if "gate-open" in self.twists:
            self._end(run, "completed", valid)
        else:
            self._end(run, "completed" if valid else "held", valid)
        if self._teaches(run, valid):
            self._learn(run)

    def _teaches(self, run: Run, valid: bool) -> bool:
        kind, sandboxed = run.asked["run_kind"], run.asked.get("sandboxed")
        asked = {"run_kind": kind, "validation_pass": valid, "write_sandbox": sandboxed}
        learning = self.book.setting("calibration_enabled") == "true"
        return may_teach(asked) and (learning or bool(run.asked.get("learn")))

    def _learn(self, run: Run) -> None:
        rate = float(self.book.setting("calibration_alpha") or 0.2)
        tokens, tokens_std, seconds, seconds_std = self.book.prior(run.lane)
        tokens += rate * (run.tokens - tokens)
        seconds += rate * (run.seconds - seconds)
        self.book.learn(run.ref, run.lane, (tokens, tokens_std, seconds, seconds_std), 0.5)

    def _end(self, run: Run, status: str, valid: bool | None) -> None:
        run.status, run.ended = status, now()
        self._note(run, valid)

    def _note(self, run: Run, valid: bool | None = None) -> None:
        ended = run.ended and stored(run.ended)
        self.book.write(
            "update project_runs set status = ?, begun = ?, completed_at = ?, tokens_actual = ?,"
            " took_s = ?, validation_pass = ? where ref = ?",
            *(run.status, stored(run.begun), ended, ended and run.tokens, ended and run.seconds),
            *(None if valid is None else int(valid), run.ref),
        )


def lane_of(project: int) -> str:
    """The lane of a project that names none."""
    return "Data-Schema" if project % 10 == 2 else next(iter(LANES))


def _measured(run: Run) -> dict[str, float]:
    """What the validators of its lane found; without a value there is no receipt."""
    values: dict[str, Any] = dict.fromkeys(_KPIS.get(run.lane, {}), 1.0)
    if "schema_diff_count" in values:
        values["schema_diff_count"] = 0.0
    if "test_pass_rate" in values:
        values["test_pass_rate"] = _pass_rate(run.asked)
    values |= {kpi: v for kpi, v in (run.asked.get("found") or {}).items() if kpi in values}
    return {kpi: float(value) for kpi, value in values.items() if value is not None}


def _pass_rate(asked: Mapping[str, Any]) -> float:
    if not asked.get("junit"):
        return 0.5 if asked.get("green") is False else 1.0
    cases = list(ElementTree.fromstring(asked["junit"]).iter("testcase"))
    bad = [case for case in cases if {part.tag for part in case} & {"failure", "error"}]
    return 1 - len(bad) / len(cases) if cases else 0.0


def _is_fine(kpi: str, value: float, wanted: float) -> bool:
    return value <= wanted if kpi == "schema_diff_count" else value >= wanted
