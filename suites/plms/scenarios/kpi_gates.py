"""Day 6: the KPI gates, tried with small runs on both sides of each threshold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pytest_rollout import Kpi, Reported, Side, Stage, boundary_pair, every, scenario
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.kpi_promises import PROMISES, RATE
from suites.plms.views.portfolio import rows, sample

KINDS = ("baseline", "hotfix")
_STEPS = {RATE: 0.01}  # of the others a whole one
# What is rounded to hundredths before it is compared lets this through.
_NEARLY = Side(RATE, 0.946, may_pass=False)
_SMALL = {"tasks": 1, "task_seconds": 60, "tags": "demo"}
_OPEN = ("submitted", "executing", "paused")


def sides(kpi: Kpi) -> tuple[Side, ...]:
    """The values that a gate is tried with, on both sides of its threshold."""
    pair = boundary_pair(kpi, _STEPS.get(kpi, 1))
    return (*pair, _NEARLY) if kpi == RATE else pair


def threshold_sides(rate: float) -> tuple[Side, Side]:
    """Both sides of another threshold of the tests' pass rate."""
    return boundary_pair(Kpi(RATE.name, rate), _STEPS[RATE])


@dataclass(frozen=True, slots=True)
class Attempt:
    """A small run, and what its validators are to find; None: nothing, so it has no receipt."""

    project: int
    kind: str
    lane: str
    kpi: Kpi
    value: float | None

    @property
    def found(self) -> dict[str, float | None]:
        """What each validator of the lane finds: good, but for the one that is tried."""
        return {kpi.name: kpi.threshold for kpi in PROMISES[self.lane]} | {
            self.kpi.name: self.value
        }

    @property
    def may_complete(self) -> bool:
        """Whether it may be completed."""
        return self.kpi.holds(self.value)

    def __str__(self) -> str:
        told = "without a receipt of" if self.value is None else f"at {self.value:g} in"
        return f"a {self.kind} of {self.lane} {told} {self.kpi.name}"


def attempts(kpis: Iterable[tuple[str, Kpi, float | None]], first: int) -> Iterator[Attempt]:
    """An attempt of each kind for each lane, KPI and value; projects count on from ``first``."""
    for number, (lane, kpi, value) in enumerate(kpis):
        for offset, kind in enumerate(KINDS):
            yield Attempt(first + 2 * number + offset, kind, lane, kpi, value)


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt, and what became of it."""

    attempt: Attempt
    answer: int  # HTTP status of its start
    run: Mapping[str, Any]  # its row at the end, {} without one
    receipts: tuple[Mapping[str, Any], ...]
    told: str  # its status as the portfolio tells it, "" where it does not
    priors: int  # that came from it

    @property
    def passed(self) -> bool | None:
        """Whether it was let through: its status in the registry; None while that is open."""
        status = self.run.get("status")
        return None if status is None or status in _OPEN else status == "completed"


@dataclass(frozen=True, slots=True)
class Gated:
    """What became of all attempts, and what is said of the lanes' risks then."""

    tried: tuple[Tried, ...]
    risks: Reported
    ended: Sequence[Mapping[str, Any]]  # all runs that were completed or blocked by their KPIs


@scenario(effect="change", own_target=True)
def gated(phase: Stage) -> Gated:
    """Small runs hand in what their validators are to find, on both sides of each threshold.

    One more of each kind and KPI has no receipt of it.
    """
    tried = [
        (lane, kpi, value)
        for lane, promised in PROMISES.items()
        for kpi in promised
        for value in (*(side.value for side in sides(kpi)), None)
    ]
    wanted = [*attempts(tried, 840)]
    became = attempt_all(phase, wanted)
    risks = phase.target("plms").client.get(f"/api/projects/{wanted[0].project}/risk-heatmap")
    ended = "SELECT * FROM project_runs WHERE status IN ('completed', 'needs_review')"
    return Gated(became, read(risks, "risk-heatmap"), rows(phase.file("registry"), ended))


def attempt_all(phase: Stage, wanted: list[Attempt]) -> tuple[Tried, ...]:
    """Start the runs, wait until all have ended, and see what became of them."""
    plms, registry = phase.target("plms"), phase.file("registry")
    answers = {attempt: _start(phase, attempt) for attempt in wanted}
    ids = {run for _, run in answers.values() if run}
    statuses: dict[str, str] = {}
    for _ in every(plms.clock, 60, until=plms.clock.now() + timedelta(minutes=30)):
        statuses |= {
            run.run_id: run.status for run in sample(plms.client).projects if run.run_id in ids
        }
        if all(statuses.get(run, "submitted") not in _OPEN for run in ids):
            break
    queries = {
        "run": "SELECT * FROM project_runs WHERE run_id = ?",
        "receipts": "SELECT * FROM kpi_receipts WHERE run_id = ?",
        "priors": "SELECT id FROM estimate_versions WHERE run_id = ?",
    }
    tried = []
    for attempt, (status, run) in answers.items():
        stored = {name: rows(registry, query, run) for name, query in queries.items()}
        row, receipts = next(iter(stored["run"]), {}), tuple(stored["receipts"])
        tried.append(
            Tried(attempt, status, row, receipts, statuses.get(run, ""), len(stored["priors"]))
        )
    return tuple(tried)


def _start(phase: Stage, attempt: Attempt) -> tuple[int, str]:
    """The HTTP status of a start, and the id of the run; "" where it did not begin."""
    answer = phase.target("plms").client.post(
        f"/api/projects/{attempt.project}/start",
        headers={"Idempotency-Key": f"{phase.id}/{attempt.project}/gate"},
        json=spoken().body(
            "start",
            {
                **_SMALL,
                "run_kind": attempt.kind,
                "lane_name": attempt.lane,
                "kpis": attempt.found,
            },
        ),
    )
    return answer.status_code, read(answer, "start").text("run_id") if answer.is_success else ""
