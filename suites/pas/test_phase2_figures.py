"""The figures of telemetry: metrics, chart and comparison, each recomputed from the registry."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage, reported
from suites.pas.scenarios.telemetry import MIGRATION, PROJECT, Worked
from suites.pas.views.asking import Service
from suites.pas.views.lines import whole
from suites.pas.views.registry import PARTS, TELEMETRY, Registry, Row, figure, rows, total
from suites.pas.views.told import Told
from suites.pas.views.without_pas import works_without_pas

pytestmark = pytest.mark.pas_phase2

INTERVALS = tuple(
    f"{what}_{which}"
    for what in ("tokens", "duration")
    for which in ("mean", "ci_lower", "ci_upper")
)
COMPARED = ("duration_minutes", "tokens", "cost_usd", "energy_kwh")
BARS: Mapping[str, Sequence[str]] = {
    "time": ("duration_minutes",),
    "tokens": PARTS,
    "cost": ("cost_usd",),
    "energy": ("energy_kwh",),
}
UNITS = {"time": "min", "tokens": "tokens", "cost": "USD", "energy": "kWh"}
LEVEL_90 = 1.645  # standard deviations to each side
FAR = 1e9  # percent, of a difference that is not said


@pytest.fixture(scope="session")
def plms(phase: Stage, worked: Worked) -> Service:
    """The Ops API, once there is something to tell."""
    assert worked.runs, "the registry has no runs to compare"
    return Service(phase.target("plms").client)


def metrics(plms: Service, project: int = PROJECT, **query: object) -> Reported:
    """The metrics of a project."""
    return plms.get(f"/api/projects/{project}/metrics", **query)


@pytest.mark.criterion("breakdown-fields")
def test_the_breakdown_has_the_four_figures(plms: Service) -> None:
    for query in ({"breakdown": "all"}, {"breakdown": "all", "with_ci": 1}):
        said = metrics(plms, **query)
        for name in TELEMETRY:
            said.number(name)


@pytest.mark.criterion("breakdown-values-plausible", "breakdown-fields")
def test_the_figures_are_those_of_the_registry(
    plms: Service, worked: Worked, observe: Observe
) -> None:
    off = []
    for project in worked.registry.projects():
        said = metrics(plms, project, breakdown="all", with_ci=1)
        runs = worked.registry.measured(project)
        for name in TELEMETRY:
            value, due = said.number(name), total(runs, name)
            wrong = (
                abs(value - due) > 1e-6 * max(1.0, abs(due))
                or value < 0
                or (due > 0) != (value > 0)
            )
            observe("figure_wrong", wrong or value == 0, figure=name)
            off += [f"{name} of project {project} is {value:g}, not {due:g}"] if wrong else []
    assert not off, "; ".join(off[:3])


@pytest.mark.criterion("breakdown-sums-up", "breakdown-fields")
def test_the_parts_add_up(plms: Service, worked: Worked, observe: Observe) -> None:
    tell = Told(observe)
    for project in worked.registry.projects():
        said = metrics(plms, project, breakdown="all")
        runs = [row["run_id"] for row in worked.registry.measured(project)]
        assert said["breakdown_runs"] == runs, f"it is said to be of {said['breakdown_runs']}"
        parts, due = sum(said.number(name) for name in PARTS), said.number("tokens_total")
        tell("tokens_off", abs(parts - due), project=project, against="total")
        kept = sum(total(worked.registry.measured(project), name) for name in PARTS)
        tell("tokens_off", abs(kept - due), project=project, against="registry")
        for row in worked.registry.measured(project):
            off = abs(sum(row[name] for name in PARTS) - row["tokens_actual"])
            tell("tokens_off", off, project=project, against="its tokens", run=row["run_id"])
    tell.none_bad("the parts of the tokens do not add up, or not to the registry's")


@pytest.mark.criterion("breakdown-without-ci", "breakdown-fields")
def test_the_breakdown_needs_no_interval(plms: Service) -> None:
    names = (*TELEMETRY, *PARTS[2:], "tokens_total")
    plain = {name: metrics(plms, breakdown="all").number(name) for name in names}
    both = {name: metrics(plms, breakdown="all", with_ci=1).number(name) for name in names}
    assert plain == both, f"without intervals it is {plain}, with them {both}"


@pytest.mark.criterion("ci-still-present")
def test_the_intervals_stay(plms: Service, worked: Worked, observe: Observe) -> None:
    alone, both = metrics(plms, with_ci=1), metrics(plms, with_ci=1, breakdown="all")
    for name in INTERVALS:
        observe(
            "interval_wrong",
            both.get(name) is None or both[name] != alone.number(name),
            figure=name,
        )
    for what, column in (("tokens", "tokens_actual"), ("duration", "duration_minutes")):
        _recompute(
            both, what, [row[column] for row in worked.registry.baselines(_template(worked))]
        )


def _template(worked: Worked) -> str:
    """The template of the project of the plan."""
    sql = "SELECT template FROM projects WHERE project_id = ?"
    return str(rows(worked.registry.path, sql, PROJECT)[0]["template"])


def _recompute(said: Reported, what: str, values: Sequence[float]) -> None:
    """Raise AssertionError where an interval is not what the baselines come to."""
    low, mean, high = (said.number(f"{what}_{which}") for which in ("ci_lower", "mean", "ci_upper"))
    assert low < mean < high, f"{what}: {mean:g} is not between {low:g} and {high:g}"
    if len(values) < 2:
        raise NoValueError(f"{len(values)} baselines have no interval")
    due = statistics.fmean(values)
    assert abs(mean - due) <= 0.005 * due, f"{what}: the mean is {due:g}, and {mean:g} is said"
    spreads = (statistics.stdev(values), statistics.pstdev(values))
    fits = any(abs((high - low) / 2 - LEVEL_90 * spread) <= 0.01 * due for spread in spreads)
    assert fits, f"{what}: the interval of {mean:g} is {low:g} to {high:g}"


@pytest.mark.criterion("default-response-unchanged", "ci-still-present")
def test_who_asks_as_before_is_answered_as_before(
    phase: Stage, plms: Service, worked: Worked
) -> None:
    before = whole(phase.file("metrics-before"), "answer of before the change")
    applied = worked.registry.migrated_at(MIGRATION)
    assert before.moment("at") <= applied, f"it is of {before['at']}, and applied was {applied}"
    for name, query in {"plain": {}, "with_ci": {"with_ci": 1}}.items():
        was, now = before.inner(name), metrics(plms, **query)
        lost = [field for field in was if field not in now]
        assert not lost, f"{name}: the answer lacks {', '.join(lost)}"
        odd = [field for field in was if not _alike(was[field], now[field])]
        assert not odd, f"{name}: {', '.join(odd)} is of another type"
        new = [field for field in (*TELEMETRY, "tokens_total") if field in now]
        assert not new, f"{name}: nobody asked for {', '.join(new)}"
        last = worked.registry.ended(PROJECT)[-1]
        due = {
            "n_observations": len(worked.registry.baselines(_template(worked))),
            "tokens_actual": last["tokens_actual"],
            "duration_actual": last["duration_minutes"],
        }
        off = [
            f"{field} is {now[field]}, not {value}"
            for field, value in due.items()
            if now[field] != value
        ]
        assert not off, f"{name}: {'; '.join(off)}"


def _alike(before: object, after: object) -> bool:
    """Whether two values are of a type; nothing said is of any, and a number is a number."""
    if before is None or after is None:
        return True
    numbers = isinstance(before, int | float) and isinstance(after, int | float)
    return type(before) is type(after) or (numbers and not isinstance(before, bool))


# Chart and comparison


@pytest.mark.criterion("hmi-stacked-bars")
def test_the_chart_stacks_the_registrys_figures(
    plms: Service, worked: Worked, observe: Observe
) -> None:
    chart = plms.get(f"/hmi/projects/{PROJECT}/chart")
    assert chart.text("kind") == "stacked-bars", f"the chart is of {chart['kind']}"
    runs = worked.registry.measured(PROJECT)
    labels = chart["labels"]
    assert labels == [row["run_id"] for row in runs], f"the chart has bars of {labels}"
    there = {bars.text("name"): bars for bars in chart.each("series")}
    for series, names in BARS.items():
        if series not in there:
            continue  # its samples are missing, and that is said
        unit = there[series].text("unit")
        assert unit == UNITS[series], f"the bars of {series} are in {unit}, not {UNITS[series]}"
        parts = [part["values"] for part in there[series].each("parts")]
        for number, row in enumerate(runs):
            drawn = [values[number] for values in parts]
            whole = None not in drawn and _same(drawn, [row[name] for name in names])
            observe("bar_wrong", not whole, series=series)


def _same(drawn: Sequence[float | None], due: Sequence[float | None]) -> bool:
    pairs = zip(drawn, due, strict=False)
    return len(drawn) == len(due) and all(abs((a or 0) - (b or 0)) < 1e-6 for a, b in pairs)


@pytest.mark.criterion("compare-runs-deltas")
def test_the_differences_are_of_the_baseline(
    plms: Service, worked: Worked, observe: Observe
) -> None:
    differing = 0
    for run_a, run_b in [*pairwise(worked.runs)][-2:]:
        answer = plms.get("/compare", runA=run_a, runB=run_b)
        for row, due, said in _compared(worked.registry, answer, (run_a, run_b)):
            delta = said.number_or_none("delta_pct")
            base = said.number("baseline")
            assert base, "a figure has no baseline"
            again = 100 * (said.number("value") - base) / base
            assert abs(again - due) < 0.1, f"value and baseline differ by {again:g} %, not {due:g}"
            observe("delta_off_pct", FAR if delta is None else abs(delta - due), run=row["run_id"])
            differing += abs(due) > 1
            shown = said.text("shown")
            assert shown == f"{due:+.1f} %", f"{due:+.2f} % is shown as {shown}"
    if not differing:
        raise NoValueError("the runs are as their baseline, so a difference shows nothing")


def _compared(
    registry: Registry, answer: Reported, asked: Sequence[str]
) -> Iterator[tuple[Row, float, Reported]]:
    """Each figure of each run: its row, its difference by the registry, and what is said."""
    runs = answer.each("runs")
    names = [run.text("run_id") for run in runs]
    assert names == list(asked), f"asked for {asked}, it compares {names}"
    for run in runs:
        row = registry.run(run.text("run_id"))
        baseline = registry.baseline(row["template"])
        assert baseline is not None, f"the template of {row['run_id']} has no baseline"
        for said in (answer, run) if row["run_id"] == asked[0] else (run,):
            assert said.text("baseline") == baseline["run_id"], (
                f"{said['baseline']} is said to be the baseline, and {baseline['run_id']} is"
            )
        for metric in COMPARED:
            base, value = figure(baseline, metric), figure(row, metric)
            if base and value is not None:
                yield row, 100 * (value - base) / base, run.inner("metrics").inner(metric)


@pytest.mark.criterion("compare-zero-baseline")
def test_nothing_is_a_percentage_of_zero(plms: Service, worked: Worked) -> None:
    if not worked.without_energy:
        raise NoValueError("each baseline has energy, so none is zero")
    run = worked.without_energy[-1]
    response = plms.client.get("/compare", params={"runA": run, "runB": run})
    assert response.status_code == 200, f"it answers {response.status_code}"
    said = reported(response).each("runs")[0].inner("metrics")
    energy = said.inner("energy_kwh")
    assert energy.number_or_none("delta_pct") is None, f"it says {energy['delta_pct']} % of zero"
    assert energy.text("shown") == "N/A", f"it shows {energy['shown']}"
    assert said.inner("tokens").number_or_none("delta_pct") is not None, (
        "the tokens have none either"
    )


@pytest.mark.criterion("no-pas-dependency")
def test_telemetry_needs_no_pas(phase: Stage, plms: Service, worked: Worked) -> None:
    def ask() -> None:
        metrics(plms, with_ci=1, breakdown="all").number("tokens_total")
        assert plms.get(f"/hmi/projects/{PROJECT}/chart")["labels"], "the chart has no bar"
        run = worked.runs[-1]
        assert plms.get("/compare", runA=run, runB=run).each("runs"), "nothing is compared"

    works_without_pas(phase, ask)
