"""Figures for a part of the runs, what is refused, and that a change of flags is logged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from suites.eros.scenarios.operations import Operations
from suites.eros.views import figures
from suites.eros.views.contract import demand_answer
from suites.eros.views.journal import Run
from suites.eros.views.records import logged
from suites.eros.views.said import not_done
from suites.eros.views.service import unrefused

pytestmark = pytest.mark.alerting_ops

SOON = timedelta(seconds=5)
PARTS: Mapping[str, Mapping[str, str]] = {
    "v5, which serves": {},
    "v4": {"pipeline": "v4"},
    "the shadow": {"shadow": "true"},
    "one creator": {"creator": "alexia"},
}


def of_part(operations: Operations, part: Mapping[str, str]) -> list[Run]:
    """The runs that a question for figures is about, by their end."""
    due = (part.get("pipeline", "v5"), "shadow" in part)
    return [
        run
        for run in operations.journal
        if (run.pipeline, run.shadow) == due and part.get("creator", run.creator) == run.creator
    ]


@pytest.mark.criterion("metric-available-success")
@pytest.mark.parametrize("part", PARTS)
def test_figures_are_of_the_runs_that_are_asked_for(operations: Operations, part: str) -> None:
    asked = PARTS[part]
    runs = of_part(operations, asked)
    if len(runs) <= figures.WINDOW:
        not_done(f"{len(runs)} runs are of {part}", "let more happen")
    begin = runs[0].ended
    looks: Sequence[tuple[Mapping[str, object], Sequence[Run]]] = (
        ({}, runs[-figures.WINDOW :]),
        ({"since": begin}, runs),
        ({"since": begin, "last": 7}, runs[-7:]),
        ({"span_s": 10**9}, runs),
    )
    for more, due in looks:
        said = operations.service.get("/monitoring", **asked, **more)
        assert said["pipeline"] == due[0].pipeline, f"asked for {part} it says {said['pipeline']}"
        assert said.moment("now") >= operations.now - SOON, f"it says now is {said['now']}"
        assert said.whole("runs") == len(due), (
            f"of {part} with {more} there are {len(due)} runs, it says {said['runs']}"
        )
        told, counted = said.number_or_none("success"), figures.success(due)
        assert not figures.differs(told, counted), f"success of {part} with {more} is {told}"
        names = {run.creator for run in due}
        shown = set(said.inner("creators"))
        assert shown == names, f"the figures of {part} name {shown}"


@pytest.mark.criterion("metric-available-success")
def test_the_dashboard_shows_what_monitoring_says(operations: Operations) -> None:
    board, figures_now = (operations.service.get(path) for path in ("/dashboard", "/monitoring"))
    demand_answer("/dashboard", board)
    for panel in board.each("panels"):
        said, due = panel["value"], figures_now[panel.text("figure")]
        assert said == due, f"the panel {panel['title']!r} shows {said}, monitoring says {due}"
    wrong = unrefused(operations.service.client.get("/monitoring", params={"last": "many"}), 400)
    assert not wrong, f"the last many runs are {wrong}"


@pytest.mark.criterion("metric-available-shadow-diff")
def test_comparisons_are_counted(operations: Operations) -> None:
    if len(operations.pairs) < 2:
        not_done(f"{len(operations.pairs)} comparisons were made", "let shadow mode run")
    middle = operations.pairs[len(operations.pairs) // 2].moment("at")
    for limits in ({}, {"since": middle}, {"until": middle}):
        said = operations.service.get("/comparisons", **limits)
        pairs = said.each("comparisons")
        failed = sum(pair.inner("v5").text("outcome") != "ok" for pair in pairs)
        told = (said.whole("count"), said.whole("failed"))
        assert told == (len(pairs), failed), f"of {len(pairs)}, {failed} failed, it says {told}"


@pytest.mark.criterion("log-monitoring")
def test_a_change_of_flags_is_logged_as_info(operations: Operations) -> None:
    changes = operations.service.get("/flags/changes").each("changes")
    if not changes:
        not_done("no flag was changed", "change one")
    lines = logged(operations.logs, "eros.monitoring", "alert")
    moments = [line.moment("at") for line in lines if line.text("severity") == "INFO"]
    for change in changes:
        at = change.moment("at")
        heard = any(abs(at - other) <= SOON for other in moments)
        assert heard, f"the change of flags at {at} is in no line of INFO"


@pytest.mark.criterion("log-monitoring")
def test_a_message_of_no_severity_is_refused(refusals: Mapping[str, str]) -> None:
    wrong = [f"POST /alerts/test {what} is {said}" for what, said in refusals.items() if said]
    assert not wrong, "; ".join(wrong)
