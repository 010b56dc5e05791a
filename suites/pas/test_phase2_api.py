"""The Ops API beside its figures: what it refuses, and each field of what it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean, stdev

import pytest

from pytest_rollout import NoValueError, Reported, Stage, reported
from suites.pas.scenarios.telemetry import MIGRATION, PROJECT, Migrated, MigratedTwice, Worked
from suites.pas.views.asking import Service
from suites.pas.views.lines import lines
from suites.pas.views.registry import PARTS, Row, columns, figure, rows

pytestmark = pytest.mark.pas_phase2

LEVEL_90 = 1.645
NOBODY = 10**6
COMPARED = ("duration_minutes", "tokens", "cost_usd", "energy_kwh")
ADDED = (*PARTS, "energy_kwh", "carbon_kg")


@pytest.fixture(scope="session")
def plms(phase: Stage, worked: Worked) -> Service:
    """The Ops API, once there is something to tell."""
    assert worked.runs, "the registry has no runs to compare"
    return Service(phase.target("plms").client)


@pytest.mark.criterion("migration-applied")
def test_the_migration_is_recorded(phase: Stage, migrated: Migrated) -> None:
    """With all of its columns, and once, as it was applied."""
    there = columns(migrated.registry.path, "project_runs")
    missing = [name for name in ADDED if name not in there]
    assert not missing, f"project_runs has no column {', '.join(missing)}"
    told = lines(migrated.migrations, "record of migrations")
    mine = [migration for migration in told if MIGRATION in migration.text("migration")]
    assert len(mine) == 1, f"the migration is recorded {len(mine)} times"
    said = mine[0]
    applied = migrated.registry.migrated_at(MIGRATION)
    off = abs((said.moment("at") - applied).total_seconds())
    assert off < 1, f"it was applied at {applied}, and recorded {said['at']}"
    assert said["applied"] is True, f"it is recorded as applied: {said['applied']}"
    file = phase.file("checkout") / f"migrations/{MIGRATION}.sql"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert said["sha256"] == digest, f"its digest is {said['sha256']}, and the file's {digest}"
    names = [row["name"] for row in rows(migrated.registry.path, "SELECT * FROM schema_migrations")]
    assert len(names) == len(set(names)), f"the registry knows of {names}"


@pytest.mark.criterion("migration-applied")
def test_the_migration_fails_as_a_whole(migrated_twice: MigratedTwice) -> None:
    """Where a column is there already nothing is changed; a second run is none."""
    half = migrated_twice.half
    assert half.done.status == 1, f"on a half-migrated registry: {half.done.in_words()}"
    assert not half.changed, f"it failed, and changed {half.changed[:3]}"
    assert not half.recorded, "it failed, and is recorded as applied"
    assert half.done.errors.strip(), "it failed without a word"
    (told,) = migrated_twice.recorded
    assert MIGRATION in told.text("migration"), f"of a copy it records {told}"
    assert (told["applied"], Path(told.text("backup")).suffix) == (True, ".db"), f"{told}"
    done = migrated_twice.second
    assert done.status == 0, f"the second time: {done.in_words()}"
    nowhere = migrated_twice.nowhere
    assert nowhere.status not in (0, None), f"without a registry: {nowhere.in_words()}"


@pytest.mark.criterion("ci-still-present", "default-response-unchanged")
def test_metrics_say_what_they_are_of(plms: Service, worked: Worked) -> None:
    registry = worked.registry
    sql = "SELECT * FROM project_runs WHERE project_id = ? ORDER BY ended_at, run_id"
    for project in (PROJECT, *registry.projects()):
        last = rows(registry.path, sql, project)[-1]
        for query in ({}, {"with_ci": 1}, {"with_ci": 1, "breakdown": "all"}):
            said = plms.get(f"/api/projects/{project}/metrics", **query)
            about = (said["project_id"], said["run_id"], said.get("ci_level"))
            due = (project, last["run_id"], 0.9 if "with_ci" in query else None)
            assert about == due, f"metrics of {due} say that they are of {about}"
            _estimates(said, _baselines(worked), bounds="with_ci" in query)


def _baselines(worked: Worked) -> list[Row]:
    sql = "SELECT template FROM projects WHERE project_id = ?"
    template = str(rows(worked.registry.path, sql, PROJECT)[0]["template"])
    return worked.registry.baselines(template)


def _estimates(said: Reported, baselines: list[Row], *, bounds: bool) -> None:
    """Raise AssertionError where an estimate is not that of the baselines, to a thousandth."""
    if len(baselines) < 2:
        raise NoValueError(f"{len(baselines)} baselines have no interval")
    for what, column in (("tokens", "tokens_actual"), ("duration", "duration_minutes")):
        values = [row[column] for row in baselines]
        mean, half = fmean(values), LEVEL_90 * stdev(values)
        due = {"mean": mean}
        if bounds:
            due |= {"ci_lower": max(0.0, mean - half), "ci_upper": mean + half}
        for name, value in due.items():
            off = abs(said.number(f"{what}_{name}") - value)
            assert off <= 2e-4 * mean, f"{what}_{name} is {said[f'{what}_{name}']}, not {value:g}"
        there = [name for name in ("ci_lower", "ci_upper") if f"{what}_{name}" in said]
        assert bool(there) == bounds, f"asked for intervals: {bounds}, it says {there}"


@pytest.mark.criterion("compare-runs-deltas", "hmi-stacked-bars", "breakdown-fields")
def test_what_is_not_there_is_refused(plms: Service, worked: Worked) -> None:
    run = worked.runs[-1]
    cases: Mapping[str, tuple[str, Mapping[str, object], int]] = {
        "metrics of nobody": (f"/api/projects/{NOBODY}/metrics", {}, 404),
        "another breakdown": (f"/api/projects/{PROJECT}/metrics", {"breakdown": "some"}, 422),
        "another interval": (f"/api/projects/{PROJECT}/metrics", {"with_ci": "maybe"}, 422),
        "a chart of nobody": (f"/hmi/projects/{NOBODY}/chart", {}, 404),
        "a project that is nobody's": (f"/api/projects/{NOBODY}", {}, 404),
        "a project that is none": ("/api/projects/0", {}, 422),
        "a comparison with nobody": ("/compare", {"runA": run, "runB": "no-such-run"}, 404),
        "a comparison of nobody": ("/compare", {"runA": "no-such-run", "runB": run}, 404),
        "a comparison of one": ("/compare", {"runA": run}, 422),
    }
    for name, (path, query, due) in cases.items():
        answer = plms.client.get(path, params={key: str(said) for key, said in query.items()})
        assert answer.status_code == due, f"{name} is answered {answer.status_code}, not {due}"
        why = reported(answer, any_status=True).text("detail")
        assert len(why.split()) >= 3, f"{name} is refused with {why!r}"


@pytest.mark.criterion("compare-runs-deltas")
def test_a_comparison_shows_both_figures(plms: Service, worked: Worked) -> None:
    """Of runs of two templates, each beside the baseline of its own."""
    pair = (worked.runs[-1], (worked.without_energy or worked.runs)[-1])
    answer = plms.get("/compare", runA=pair[0], runB=pair[1])
    for run, said in zip(pair, answer.each("runs"), strict=True):
        row = worked.registry.run(run)
        base = worked.registry.baseline(row["template"])
        assert base is not None, f"the template of {run} has no baseline"
        assert said["run_id"] == run, f"asked for {run}, it compares {said['run_id']}"
        assert said["baseline"] == base["run_id"], f"{run} is held against {said['baseline']}"
        metrics = said.inner("metrics")
        assert set(metrics) == set(COMPARED), f"compared are {sorted(metrics)}"
        for name in COMPARED:
            told = (metrics.inner(name)["value"], metrics.inner(name)["baseline"])
            due = (figure(row, name), figure(base, name))
            near = all(abs((a or 0) - (b or 0)) < 1e-6 for a, b in zip(told, due, strict=True))
            assert near, f"{name} of {run} and its baseline are {told}, and {due} is right"
    first = worked.registry.baseline(worked.registry.run(pair[0])["template"])
    assert first is not None
    assert answer["baseline"] == first["run_id"], f"the baseline is {answer['baseline']}"


@pytest.mark.rehearsal_only  # elsewhere each template has its baseline
@pytest.mark.criterion("compare-runs-deltas")
def test_without_a_baseline_nothing_is_said(worked: Worked) -> None:
    said = worked.first
    assert said is not None, "each template has its baseline"
    assert said["baseline"] is None, f"it is held against {said['baseline']}"
    for run in said["runs"]:
        assert run["baseline"] is None, f"it is held against {run['baseline']}"
        told = {
            name: (metric["baseline"], metric["delta_pct"], metric["shown"])
            for name, metric in run["metrics"].items()
        }
        assert told == dict.fromkeys(COMPARED, (None, None, "N/A")), f"without one it says {told}"


@pytest.mark.criterion("breakdown-fields", "hmi-stacked-bars", "ci-still-present")
@pytest.mark.effect("change")
def test_of_a_project_without_runs_nothing_is_made_up(plms: Service, worked: Worked) -> None:
    made = plms.post("/api/projects", {"name": "without-runs", "template": "of-nobody"})
    about = f"/api/projects/{made['project_id']}"
    said = plms.get(f"{about}/metrics", with_ci=1, breakdown="all")
    nothing = ("run_id", "tokens_actual", "duration_actual")
    due: dict[str, object] = {**dict.fromkeys(nothing), "n_observations": 0, "breakdown_runs": []}
    due |= dict.fromkeys((*ADDED, "tokens_total"), 0)
    unlike = [name for name, value in due.items() if said[name] != value]
    assert not unlike, f"of a project without runs {unlike[0]} is {said[unlike[0]]}"
    chart = plms.get(f"/hmi/projects/{made['project_id']}/chart")
    bars = [part["values"] for series in chart.each("series") for part in series.each("parts")]
    assert chart["labels"] == [] == [value for each in bars for value in each], f"it has {chart}"
    project = plms.get(about)
    told = (project["name"], project["template"], project["status"], project["runs"])
    assert told == ("without-runs", "of-nobody", "planned", []), f"it is {told}"


@pytest.mark.criterion("hmi-stacked-bars")
def test_the_parts_of_the_chart_have_their_names(plms: Service) -> None:
    chart = plms.get(f"/hmi/projects/{PROJECT}/chart")
    due = {name: [name] for name in ("time", "cost", "energy")}
    due["tokens"] = [part.removeprefix("tokens_") for part in PARTS]
    said = {
        series.text("name"): [part.text("name") for part in series.each("parts")]
        for series in chart.each("series")
    }
    assert said == due, f"the chart has the parts {said}"


@pytest.mark.criterion("default-response-unchanged", "ci-still-present")
def test_a_project_tells_its_runs(plms: Service, worked: Worked) -> None:
    sql = "SELECT * FROM project_runs WHERE project_id = ? ORDER BY ended_at, run_id"
    for project in worked.registry.projects():
        recorded = rows(worked.registry.path, sql, project)
        said = plms.get(f"/api/projects/{project}")
        runs = [{name: row[name] for name in ("run_id", "run_kind", "status")} for row in recorded]
        assert [dict(run) for run in said.each("runs")] == runs, f"{project} has other runs"
        assert said["status"] == recorded[-1]["status"], f"{project} is said to be {said['status']}"
        row = rows(worked.registry.path, "SELECT * FROM projects WHERE project_id = ?", project)[0]
        about = {name: said[name] for name in ("project_id", "name", "template")}
        assert about == {name: row[name] for name in about}, f"{project} is said to be {about}"
