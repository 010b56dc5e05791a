"""What the suite makes of what it saw: more done than runs, what was set and set back, lists."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from suites.plms.views.listed import listed
from suites.plms.views.portfolio import Sample
from suites.plms.views.unsaid import done_while_waiting, reset
from suites.plms.views.watched import Look, Seen

NINE = datetime(2025, 11, 10, 14, tzinfo=UTC)


def look(minute: int, *runs: str, cap: int = 4, **settings: str) -> tuple[datetime, Look]:
    """The registry some minutes after nine, with runs of these statuses in one lane."""
    rows = [{"lane_name": "Code-API", "project_id": 101, "status": status} for status in runs]
    return NINE + timedelta(minutes=minute), Look({"Code-API": cap}, rows, settings)


def seen(minute: int, running: int, queued: int, progress: float, *others: str) -> Seen:
    """A portfolio with project 101 alone in its lane, or beside others."""
    at, stored = look(minute, "executing", *others)
    lane = {"lane_name": "Code-API", "running": running, "queued": queued}
    run: dict[str, Any] = {"project_id": 101, "run_id": "r", "status": "executing"}
    told = {"lanes": [lane], "projects": [{**run, "progress": progress}]}
    return Seen(at, Sample.of(told), stored)


HONEST = [seen(0, 4, 2, 0.0), seen(5, 4, 2, 0.33), seen(11, 2, 0, 0.7), seen(19, 2, 0, 0.99)]


def test_a_run_does_no_more_than_its_tasks_can() -> None:
    assert not list(done_while_waiting(HONEST, {101: "Code-API"}))


def test_tasks_that_are_told_to_wait_and_run_are_noticed() -> None:
    hidden = [seen(0, 4, 2, 0.0), seen(5, 4, 2, 0.5), seen(9, 4, 2, 0.9)]
    (said,) = done_while_waiting(hidden, {101: "Code-API"})
    assert said.endswith("project 101 is at 90%, and 2 of its 6 tasks are told to wait in Code-API")


def test_where_other_runs_wait_in_the_lane_nothing_is_told() -> None:
    shared = [seen(0, 4, 2, 0.0, "submitted"), seen(9, 4, 2, 0.9, "submitted")]
    assert not list(done_while_waiting(shared, {101: "Code-API"}))


def test_what_is_set_otherwise_from_look_to_look_is_told() -> None:
    looks = [look(0, mode="a"), look(1, mode="a", cap=9), look(2, cap=9), look(3, cap=9)]
    assert [(after, said) for _, after, said in reset(looks)] == [
        (NINE + timedelta(minutes=1), "the cap of Code-API was 4 and became 9"),
        (NINE + timedelta(minutes=2), "mode was a and became not set"),
    ]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"Code-API": 4, "Narrative": None}, "Code-API 4, Narrative nothing"),
        ({202, 201}, "201, 202"),
        ([0.123456, "x"], "0.1235, x"),
        ([("a", 1)], "(a, 1)"),
        ((), "none"),
    ],
)
def test_values_are_listed_without_brackets_and_quotes(values: Any, said: str) -> None:
    assert listed(values) == said
