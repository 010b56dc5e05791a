"""The final validation: figures of the last week against the plan's targets."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout import Observe, Reported
from suites.eros.checks.timed import demand_times
from suites.eros.scenarios.timed import Timed
from suites.eros.scenarios.validation import Finished, agents_of, calls_of
from suites.eros.views import figures
from suites.eros.views.conditions import mean
from suites.eros.views.figures import differs
from suites.eros.views.journal import Run, exact
from suites.eros.views.said import not_done

pytestmark = pytest.mark.eros_final

PHASES = ["collect", "compose", "validate"]
MOST_CALLS = 12
MOST_LINES = 2468 // 8


@pytest.mark.criterion("all-on-v5")
def test_the_settings_are_those_of_the_cutover(finished: Finished) -> None:
    flags = finished.service.get("/flags")
    stands = (
        flags.flag("EROS_V5_ENABLED"),
        flags.flag("EROS_V5_SHADOW_MODE"),
        flags.whole("EROS_V5_PERCENTAGE"),
        flags["EROS_V5_CREATORS"],
    )
    assert stands == (True, False, 100, []), f"the flags are {stands}"


@pytest.mark.criterion("execution-time")
@pytest.mark.criterion("execution-range")
def test_run_time(finished: Finished, observe: Observe) -> None:
    for run in finished.runs:
        observe("v5_latency_s", run.seconds, at=run.ended, run=run.run_id)


@pytest.mark.criterion("execution-time")
def test_times_are_told_as_they_were(timed: Timed) -> None:
    demand_times(timed)


@pytest.mark.criterion("mcp-calls")
def test_tool_calls(finished: Finished, observe: Observe) -> None:
    """Counted by the tool server; what a run says of itself must be the same."""
    counted = finished.tool_calls
    for run in finished.runs:
        calls = counted.get(run.run_id, 0)
        said = calls_of(run)
        assert calls == said, f"{run.run_id} says {said} tool calls, the server counts {calls}"
        assert calls <= MOST_CALLS, f"{run.run_id} made {calls} tool calls, more than {MOST_CALLS}"
        observe("mcp_calls", calls, at=run.ended, run=run.run_id)


@pytest.mark.criterion("success-rate")
def test_success(finished: Finished, observe: Observe) -> None:
    for run in finished.runs:
        observe("v5_success", run.ok, at=run.ended, run=run.run_id)


@pytest.mark.criterion("quality-score")
def test_quality(finished: Finished, observe: Observe) -> None:
    for run in finished.runs:
        if run.quality is not None:
            observe("quality_score", run.quality, at=run.ended, pipeline="v5", run=run.run_id)


@pytest.mark.criterion("agents-two")
def test_agents(finished: Finished, observe: Observe) -> None:
    for run in finished.runs:
        observe("llm_agents", len(agents_of(run)), at=run.ended, run=run.run_id)


@pytest.mark.criterion("speedup-4x")
def test_v5_is_quicker_on_the_same_input(finished: Finished, observe: Observe) -> None:
    for old, new in finished.pairs:
        observe("speedup", old.seconds / new.seconds, at=new.ended, request=new.request_id)


@pytest.mark.criterion("mcp-reduction")
def test_v5_calls_fewer_tools_on_the_same_input(finished: Finished, observe: Observe) -> None:
    for old, new in finished.pairs:
        reduction = 1 - calls_of(new) / calls_of(old)
        observe("mcp_reduction", reduction, at=new.ended, request=new.request_id)


@pytest.mark.criterion("ab-metrics")
def test_v4_is_measured_as_well(finished: Finished, observe: Observe) -> None:
    """The baseline of the final report; the table's own is what the document says of v4."""
    for run in finished.v4:
        observe("v4_latency_s", run.seconds, at=run.ended, run=run.run_id)
        observe("v4_mcp_calls", calls_of(run), at=run.ended, run=run.run_id)
        observe("v4_success", run.ok, at=run.ended, run=run.run_id)
        if run.quality is not None:
            observe("v4_quality", run.quality, at=run.ended, run=run.run_id)


# The table


def calls(runs: Sequence[Run]) -> Fraction | None:
    """The mean of tool calls."""
    return mean(Fraction(calls_of(run)) for run in runs)


def seconds(runs: Sequence[Run]) -> Fraction | None:
    """The mean run time."""
    return mean(exact(run.seconds) for run in runs)


ROWS = {  # what the cells may hold: of execution time the percentile, or the mean
    "execution time": (figures.latency, seconds),
    "MCP calls": (calls,),
    "success rate": (figures.success,),
    "quality score": (figures.quality,),
}


@pytest.mark.criterion("actual-column-filled")
@pytest.mark.parametrize("metric", ROWS)
def test_a_row_of_the_table_is_measured(finished: Finished, metric: str, observe: Observe) -> None:
    row = table(finished.table).get(metric)
    assert row is not None, f"the table has no row {metric!r}"
    value = row.get("actual")
    computed = [take(finished.runs) for take in ROWS[metric]]
    measured = isinstance(value, int | float) and not isinstance(value, bool)
    wrong = not measured or all(differs(value, figure) for figure in computed)
    observe("cell_unmeasured", wrong, metric=metric, said=str(value)[:40])
    empty = [cell for cell in ("baseline", "target") if not str(row.get(cell) or "").strip()]
    assert not empty, f"the row {metric!r} has no {empty[0]}"
    assert row.whole("samples") == len(finished.runs), (
        f"the row says {row.whole('samples')} samples; {len(finished.runs)} runs ended in the week"
    )


def table(path: Path) -> dict[str, Reported]:
    """The rows of the final table, by metric."""
    if not path.is_file():
        not_done("there is no final table", "fill it in once the last week is over")
    said = Reported(json.loads(path.read_text(encoding="utf-8")), path.name)
    return {row.text("metric"): row for row in said.each("rows")}


# The code, and the reports


@pytest.mark.criterion("three-phase-architecture")
def test_the_orchestrator_has_three_phases(finished: Finished) -> None:
    path = finished.repository / "python/v5/orchestrator.py"
    assert path.is_file(), "python/v5/orchestrator.py is not in the repository"
    text = path.read_text(encoding="utf-8")
    named = [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("phase_")
    ]
    assert len(named) == 3, f"it has {len(named)} phases: {', '.join(named)}"
    lines = len(text.splitlines())
    assert lines <= MOST_LINES, f"it has {lines} lines; {MOST_LINES} are an eighth of v4's"


@pytest.mark.criterion("three-phase-architecture")
def test_each_run_goes_through_three_phases(finished: Finished) -> None:
    seen = {tuple(run.said["phases"]) for run in finished.runs}
    assert seen == {tuple(PHASES)}, f"runs of v5 go through {sorted(seen)}"


REPORTED = {
    "success": figures.success,
    "duration_s_p95": figures.latency,
    "quality_mean": figures.quality,
    "mcp_calls_mean": calls,
}


@pytest.mark.criterion("ab-metrics")
@pytest.mark.parametrize("pipeline", ["v4", "v5"])
def test_reports_set_both_side_by_side(finished: Finished, pipeline: str, observe: Observe) -> None:
    days = compared(finished, pipeline)
    for figure, take in REPORTED.items():
        wrong = [
            day.isoformat()
            for day, runs in days.items()
            if _differs(reported_of(finished.reports, day, pipeline), figure, take(runs))
        ]
        labels = {"pipeline": pipeline, "figure": figure, "days": ", ".join(wrong)[:80]}
        observe("ab_figure_missing", bool(wrong), **labels)


def _differs(said: Mapping[str, object], figure: str, counted: Fraction | None) -> bool:
    value = said.get(figure)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return True
    return differs(value, counted)


def compared(finished: Finished, pipeline: str) -> dict[date, list[Run]]:
    """The runs of a pipeline that were compared, by the day of the comparison."""
    by_day: dict[date, list[Run]] = {}
    for at, old, new in finished.compared:
        run = new if pipeline == "v5" else old
        by_day.setdefault(at.astimezone(UTC).date(), []).append(run)
    return by_day


def reported_of(folder: Path, day: date, pipeline: str) -> Mapping[str, object]:
    """What the report of a day says of a pipeline; nothing where there is no report."""
    path = folder / f"{day.isoformat()}.json"
    if not path.is_file():
        return {}
    said = Reported(json.loads(path.read_text(encoding="utf-8")), path.name)
    return said.inner(pipeline)
