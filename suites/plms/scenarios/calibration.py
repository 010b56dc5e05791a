"""Day 5: two baselines that teach, what is expected before and after them, and the roll-back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pytest_rollout import Event, Reported, Stage, every, scenario
from suites.plms.views.answers import read
from suites.plms.views.dialect import spoken
from suites.plms.views.portfolio import ENDED, Start, rows, sample, start

BASELINES = {201: "Code-API", 202: "Data-Schema"}
BUDGETS = {
    201: {"budget_tokens": 10_000, "budget_duration_minutes": 30},
    202: {"budget_tokens": 8_000, "budget_duration_minutes": 20},
}
MEASURES = ("tokens", "duration")
UNITS = {"tokens": "tokens", "duration": "minutes"}
MARK = "calibration_newest_prior"  # noted as calibration is enabled; the roll-back goes by it
_POLL_S = 60
NEW = 203  # the project of which nothing is known but what the others took
# A small run that may not teach; what it was expected to take is stored as it starts.
_ASKING = {"run_kind": "rehearsal", "write_sandbox": True, "tags": "demo"}
_SMALL = {"tasks": 1, "task_seconds": 60}
ASKERS = {"Code-API": 961, "Data-Schema": 962}
_LIKE_NEW = 963  # a project that starts as the new one would
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spent:
    """The tokens that a project told it had spent, at one moment."""

    at: datetime
    tokens: float


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was seen of the two baselines."""

    asked: Mapping[int, datetime]  # when each was asked to start
    starts: Mapping[int, Start]
    runs: Mapping[int, Row]  # the row of each, {} without one
    told: Mapping[int, Sequence[Row]]  # all runs of each in the registry
    receipts: Mapping[int, Sequence[Row]]  # of each one's run
    spent: Mapping[int, Sequence[Spent]]  # what each told it had spent, look by look
    expected: tuple[Mapping[str, Row], ...]  # by lane: before 201, after it, after 202
    priors: Sequence[Row]  # those that are new since the policy was enabled
    older: tuple[Sequence[Row], Sequence[Row]]  # the other ones, before and after the baselines
    mark: str | None  # the newest prior before the day, as it was noted for the roll-back
    alpha: float  # the rate of learning that the registry states
    metrics: Reported  # of the new project, with intervals
    new: Row  # of a run in its lane that starts at the same time; {} where no lane is told
    told_of: Mapping[int, Reported]  # the metrics of each baseline, and of those that asked
    events: tuple[Event, ...]

    def priors_of(self, project: int) -> Sequence[Row]:
        """The new priors that come from a baseline and are of its lane."""
        run, lane = self.runs[project].get("run_id"), BASELINES[project]
        return [row for row in self.priors if (row["run_id"], row["lane_name"]) == (run, lane)]

    def around(self, project: int) -> tuple[Row, Row]:
        """What a run in a baseline's lane was expected to take before and after it."""
        number, lane = list(BASELINES).index(project), BASELINES[project]
        later = self.after(project, lane)
        return self.expected[number][lane], next(iter(later), self.expected[-1][lane])

    def after(self, project: int, lane: str) -> list[Row]:
        """What a run in a lane was expected to take, each time it was asked since a baseline."""
        ended, first = self.runs[project].get("completed_at"), list(BASELINES).index(project) + 1
        asked = [by_lane[lane] for by_lane in self.expected[first:]]
        began = [(row, row.get("started_at")) for row in asked]
        return [row for row, at in began if ended and at and moment(at) >= moment(ended)]


@scenario(effect="change")
def seeded(phase: Stage) -> Seeded:
    """The policy is enabled, and two baselines run one after the other."""
    plms, registry = phase.target("plms"), phase.file("registry")
    phase.operate("plms", "enable-calibration")
    mark = newest_prior(registry)
    older = "SELECT * FROM estimate_versions WHERE id <= ? ORDER BY id"
    before = rows(registry, older, mark)
    plms.clock.to(phase.window[0] + timedelta(minutes=5))
    expected, asked, starts, spent = [expectations(phase, 0)], {}, {}, {}
    for number, project in enumerate(BASELINES, 1):
        looks, asked[project] = Spending(project), plms.clock.now()
        starts[project] = baseline(phase, project, looks)
        spent[project] = looks.looks
        expected.append(expectations(phase, number))
    phase.operate("plms", "close-shift")
    metrics = metrics_of(phase, NEW)
    runs = {project: _run(registry, starts[project]) for project in BASELINES}
    mine = "SELECT * FROM kpi_receipts WHERE run_id = ?"
    every_run = "SELECT * FROM project_runs WHERE project_id = ?"
    return Seeded(
        asked=asked,
        starts=starts,
        runs=runs,
        told={project: rows(registry, every_run, project) for project in BASELINES},
        receipts={p: rows(registry, mine, runs[p].get("run_id")) for p in BASELINES},
        spent=spent,
        expected=tuple(expected),
        priors=rows(registry, "SELECT * FROM estimate_versions WHERE id > ?", mark),
        older=(before, rows(registry, older, mark)),
        mark=setting(registry, MARK),
        alpha=learning_rate(registry),
        metrics=metrics,
        new=_like(phase, metrics),
        told_of={p: metrics_of(phase, p) for p in (*BASELINES, *ASKERS.values())},
        events=phase.events("change", "action"),
    )


def metrics_of(phase: Stage, project: int) -> Reported:
    """What the service says that a project takes, with intervals."""
    path = f"/api/projects/{project}/metrics"
    return read(phase.target("plms").client.get(path, params={"with_ci": 1}), "metrics")


def _like(phase: Stage, metrics: Reported) -> Row:
    """The row of a run that starts now in the lane of a project's metrics."""
    lane = metrics.get("lane_name")
    if not lane:
        return {}
    run = start_small(phase, _LIKE_NEW, "asks", {**_ASKING, "lane_name": lane})
    return _rows_of(phase, {"new": run})["new"]


def newest_prior(registry: Path) -> int:
    """The id of the newest prior, 0 without any."""
    (newest,) = rows(registry, "SELECT COALESCE(MAX(id), 0) AS id FROM estimate_versions")
    return int(newest["id"])


def setting(registry: Path, key: str) -> str | None:
    """A value of the system's configuration, None where it has none."""
    matching = rows(registry, "SELECT value FROM system_config WHERE key = ?", key)
    return next((str(row["value"]) for row in matching), None)


def learning_rate(registry: Path) -> float:
    """The rate of learning; nan where the registry states none."""
    return float(setting(registry, "calibration_alpha") or "nan")


def moment(text: str) -> datetime:
    """A time as the registry has it; SQLite's own clock writes UTC and no zone."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@dataclass(slots=True)
class Spending:
    """The tokens that a project told it had spent, look by look."""

    project: int
    looks: list[Spent] = field(default_factory=list)

    def look(self, phase: Stage) -> None:
        """Ask once; a target that does not tell of spending tells of none."""
        plms = phase.target("plms")
        answer = plms.client.get(f"/api/projects/{self.project}/budget-runway")
        spent = read(answer, "budget-runway").get("tokens_spent") if answer.is_success else None
        if isinstance(spent, int | float):
            self.looks.append(Spent(plms.clock.now(), float(spent)))


def baseline(phase: Stage, project: int, looks: Spending | None = None) -> Start:
    """Start a baseline and wait until it is told to have ended, no longer than its budget."""
    plms = phase.target("plms")
    answer = start(plms.client, project, f"{phase.id}/{project}/1", **BUDGETS[project])
    if answer.status == 200:
        phase.record("change", f"project {project} started")
    budget = timedelta(minutes=BUDGETS[project]["budget_duration_minutes"], seconds=_POLL_S)
    for _ in every(plms.clock, _POLL_S, until=plms.clock.now() + budget):
        if looks:
            looks.look(phase)
        statuses = {run.status for run in sample(plms.client).projects if run.id == project}
        if statuses <= set(ENDED) | {"needs_review"}:
            break
    return answer


def _run(registry: Path, answer: Start) -> dict[str, Any]:
    query = "SELECT * FROM project_runs WHERE run_id = ?"
    return next(iter(rows(registry, query, answer.body.get("run_id"))), {})


def expectations(phase: Stage, number: int) -> dict[str, Row]:
    """What a run of each lane is expected to take now: the row of a small one that starts.

    It may not teach, and has ended when this returns.
    """
    asked = {
        lane: start_small(phase, project, f"asks/{number}", {**_ASKING, "lane_name": lane})
        for lane, project in ASKERS.items()
    }
    return _rows_of(phase, asked)


def _rows_of(phase: Stage, asked: Mapping[str, str]) -> dict[str, Row]:
    """The rows of some runs once they have ended, by the same names."""
    still_open(phase, set(asked.values()))
    query = "SELECT * FROM project_runs WHERE run_id = ?"
    by_name = {name: rows(phase.file("registry"), query, run) for name, run in asked.items()}
    return {name: next(iter(of_run), {}) for name, of_run in by_name.items()}


def start_small(phase: Stage, project: int, key: str, body: Row) -> str:
    """Start a run of a minute, unless the body says otherwise: its id."""
    answer = phase.target("plms").client.post(
        f"/api/projects/{project}/start",
        headers={"Idempotency-Key": f"{phase.id}/{project}/{key}"},
        json=spoken().body("start", {**_SMALL, **body}),
    )
    return read(answer, "start").text("run_id")


def still_open(phase: Stage, runs: set[str], minutes: int = 20) -> set[str]:
    """Those of some runs that have not ended after a while."""
    clock, registry = phase.target("plms").clock, phase.file("registry")
    for _ in every(clock, _POLL_S, until=clock.now() + timedelta(minutes=minutes)):
        ended = rows(registry, "SELECT run_id FROM project_runs WHERE completed_at IS NOT NULL")
        runs = runs - {row["run_id"] for row in ended}
        if not runs:
            break
    return runs


# The roll-back


@dataclass(frozen=True, slots=True)
class RolledBackCalibration:
    """All priors at four moments, and what was expected of a run at three of them."""

    before: Sequence[Row]  # the policy was enabled
    learnt: Sequence[Row]  # after a baseline, which takes what no lane expects by default
    reverted: Sequence[Row]  # after the roll-back, and after a run that was under way then
    later: Sequence[Row]  # after one more baseline and a hotfix
    expected: tuple[Row, Row, Row]  # of Code-API: before, after the baseline, at the end
    switch: str | None  # calibration_enabled, after the roll-back
    told: Reported  # what the service says of itself after it
    ended: bool  # the runs


@scenario(effect="disrupt", own_target=True)
def calibration_rolled_back(phase: Stage) -> RolledBackCalibration:
    """Calibration is rolled back after one small baseline and while another runs."""
    registry = phase.file("registry")
    before, expected = _priors(registry), [expectations(phase, 0)["Code-API"]]
    phase.operate("plms", "enable-calibration")
    still_open(phase, {_teaching(phase, 201)}, minutes=180)
    learnt = _priors(registry)
    expected.append(expectations(phase, 1)["Code-API"])
    under_way = _teaching(phase, 972)
    phase.operate("plms", "roll-back-calibration")
    left = still_open(phase, {under_way})
    reverted = _priors(registry)
    more = {_teaching(phase, 301), _teaching(phase, 974, run_kind="hotfix")}
    left |= still_open(phase, more, minutes=180)
    expected.append(expectations(phase, 2)["Code-API"])
    return RolledBackCalibration(
        before=before,
        learnt=learnt,
        reverted=reverted,
        later=_priors(registry),
        expected=(expected[0], expected[1], expected[2]),
        switch=setting(registry, "calibration_enabled"),
        told=read(phase.target("plms").client.get(spoken().path("calibration")), "calibration"),
        ended=not left,
    )


def _teaching(phase: Stage, project: int, run_kind: str = "baseline") -> str:
    """Start a run of Code-API that may teach; its target is its own, so it needs no tag."""
    body = {"run_kind": run_kind, "lane_name": "Code-API", "task_seconds": 120}
    return start_small(phase, project, run_kind, body)


def _priors(registry: Path) -> Sequence[Row]:
    return [*rows(registry, "SELECT * FROM estimate_versions ORDER BY id")]
