"""Day 6 in a real environment: what the row of a drill says of its runway."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from fixtures.kit.database import changing
from pytest_rollout import Stage
from suites.plms.scenarios.spent_budgets import spent_by_people
from suites.plms.views.runway_alerts import crossings_of

BEGAN = datetime(2025, 11, 13, 18, tzinfo=UTC)
_TABLE = (
    "CREATE TABLE project_runs (project_id INTEGER, run_id TEXT, started_at TEXT,"
    " completed_at TEXT, budget_tokens INTEGER, tokens_actual INTEGER)"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """The slot of day 6 and its files, as a phase gives them."""

    folder: Path
    window: tuple[datetime, datetime] = (BEGAN, BEGAN + timedelta(hours=3))

    def file(self, name: str) -> Path:
        """A file of the folder."""
        return self.folder / name


def crossings(folder: Path, minutes: int, budget: int, since: datetime) -> dict[str, datetime]:
    """When a drill of 6000 tokens crossed each limit."""
    with changing(folder / "registry") as db:
        db.execute(_TABLE)
        ends = since + timedelta(minutes=minutes)
        row = (391, "a", since.isoformat(), ends.isoformat(), budget, 6000)
        db.execute("INSERT INTO project_runs VALUES (?, ?, ?, ?, ?, ?)", row)
    seen = spent_by_people(cast(Stage, Slot(folder)))
    assert 392 not in seen.runways
    if 391 not in seen.runways:
        return {}
    told = [(at, said.number("budget_runway_minutes")) for at, said in seen.runways[391].answers]
    return {crossing.level: crossing.at for crossing in crossings_of(told)}


@pytest.mark.parametrize(
    ("budget", "minutes"), [(6000, {"warning": 25, "critical": 35}), (9000, {})]
)
def test_a_budget_that_ends_crosses_each_limit(
    tmp_path: Path, budget: int, minutes: dict[str, int]
) -> None:
    due = {level: BEGAN + timedelta(minutes=after) for level, after in minutes.items()}
    assert crossings(tmp_path, 40, budget, BEGAN) == due


def test_a_drill_of_another_day_is_none(tmp_path: Path) -> None:
    assert crossings(tmp_path, 40, 6000, BEGAN - timedelta(days=1)) == {}
