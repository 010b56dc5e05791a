"""Answers and logs have the fields that everybody reads them by, and a query its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from suites.eros.scenarios.operations import RESET, Operations
from suites.eros.views.contract import demand_answer, demand_log
from suites.eros.views.records import logged
from suites.eros.views.said import not_done

pytestmark = pytest.mark.alerting_ops

ANSWERS = {
    "log-router": ("/creators", "/version", "/flags", "/flags/changes"),
    "log-orchestrator": ("/runs", "/drafts", "/schedules", "/effects", "/mcp"),
    "log-comparator": ("/comparisons",),
    "log-monitoring": ("/monitoring", "/monitoring/steps"),
    "log-rollback": ("/rollback",),
    "dashboard-present": ("/dashboard",),
}
LOGS = ("orchestrator", "router", "comparator", "monitoring", "rollback")


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=pytest.mark.criterion(criterion))
        for criterion, paths in ANSWERS.items()
        for path in paths
    ],
)
def test_an_answer_has_each_of_its_fields(operations: Operations, path: str) -> None:
    demand_answer(path, operations.service.client.get(path).json())


@pytest.mark.parametrize(
    "logger", [pytest.param(name, marks=pytest.mark.criterion(f"log-{name}")) for name in LOGS]
)
def test_a_line_of_a_log_has_each_of_its_fields(operations: Operations, logger: str) -> None:
    demand_log(operations.logs, f"eros.{logger}")


@pytest.mark.criterion("log-rollback")
def test_a_reset_says_whose_it_is_and_why(operations: Operations) -> None:
    if not operations.service.get("/rollback").each("history"):
        not_done("nothing was rolled back, so nothing was reset", "drill it")
    lines = logged(operations.logs, "eros.rollback", "reset")
    assert lines or not operations.rehearsed, "it was reset, and eros.rollback does not say so"
    for line in lines:
        assert line.text("by").strip(), f"nobody is named for the reset of {line['at']}"
        said = (line.text("by"), line.text("reason"))
        assert not operations.rehearsed or said == RESET, f"the log says {said}"


LISTS: dict[str, tuple[str, str]] = {  # the list in an answer, and the time of an item
    "/runs": ("runs", "started"),
    "/schedules": ("schedules", "stored_at"),
    "/effects": ("effects", "at"),
    "/comparisons": ("comparisons", "at"),
    "/flags/changes": ("changes", "at"),
    "/jobs": ("executions", "due"),
}


@pytest.mark.criterion("metric-available-success")
@pytest.mark.parametrize("path", LISTS)
def test_a_look_takes_its_first_moment_and_not_its_last(operations: Operations, path: str) -> None:
    name, field = LISTS[path]

    def times(**limits: datetime) -> list[datetime]:
        reports = operations.service.get(path, **limits).each(name)
        return sorted(report.moment(field) for report in reports)

    demand_limits(path, times(), times)


@pytest.mark.criterion("metric-available-success")
def test_a_figure_is_of_what_ended_from_one_moment_to_another(operations: Operations) -> None:
    ends = sorted(run.ended for run in operations.served)

    def counted(**limits: datetime) -> int:
        return operations.service.get("/monitoring", **limits).whole("runs")

    demand_limits("/monitoring", ends, counted, len)
    for hours in (1, 12, 24):
        late = [at for at in ends if at >= operations.now - timedelta(hours=hours)]
        said = operations.service.get("/monitoring", span_s=hours * 3600).whole("runs")
        assert said == len(late), f"in the last {hours} h {len(late)} runs ended, it says {said}"


@pytest.mark.criterion("metric-available-success")
def test_tool_calls_are_of_runs_from_one_moment_to_another(operations: Operations) -> None:
    begun = {run.run_id: run.started for run in operations.journal}

    def times(**limits: datetime) -> list[datetime]:
        counted = operations.service.get("/mcp", **limits).inner("runs")
        return sorted(begun[run_id] for run_id in counted if run_id in begun)

    demand_limits("/mcp", sorted(begun.values()), times)


@pytest.mark.criterion("metric-available-success")
@pytest.mark.parametrize("path", ["/runs", "/drafts"])
@pytest.mark.parametrize("field", ["creator", "pipeline", "shadow"])
def test_a_look_takes_what_it_is_asked_for_and_nothing_else(
    operations: Operations, path: str, field: str
) -> None:
    drafted = {draft["run_id"] for draft in operations.service.get("/drafts").each("drafts")}
    kept = {
        run.run_id: str(run.said[field]).lower()
        for run in operations.journal
        if path != "/drafts" or run.run_id in drafted
    }
    values = Counter(kept.values())
    if len(values) < 2:
        not_done(f"{path} holds runs of one {field} alone", "let more happen")
    for value, _ in values.most_common(3):
        answer = operations.service.get(path, **{field: value})
        shown = {run["run_id"] for run in answer.each(path.removeprefix("/"))}
        both = shown & kept.keys()
        due = {run_id for run_id, of in kept.items() if of == value}
        assert both == due, (
            f"{path}?{field}={value} shows {len(both)} runs of the journal; {len(due)} are such"
        )


def demand_limits(
    path: str,
    known: list[datetime],
    ask: Callable[..., Any],
    shown: Callable[[list[datetime]], Any] = list,
) -> None:
    """Raise AssertionError where `since` leaves out its own moment, or `until` takes it in."""
    if len(set(known)) < 3:
        not_done(f"{path} holds less than three moments", "let more happen")
    middle = sorted(set(known))[len(set(known)) // 2]
    late, early = [at for at in known if at >= middle], [at for at in known if at < middle]
    assert ask(since=middle) == shown(late), f"{path}?since= does not begin at its moment"
    assert ask(until=middle) == shown(early), f"{path}?until= does not end before its moment"
