"""What PLMS believes of what it is told, and what it tells of the project afterwards."""

from __future__ import annotations

import uuid
from statistics import fmean

import pytest

from pytest_rollout import NoValueError, Stage
from suites.pas.scenarios.notifying import Told
from suites.pas.views.asking import Service
from suites.pas.views.registry import rows

pytestmark = pytest.mark.pas_phase4

RUNS = "SELECT * FROM project_runs WHERE project_id = ? ORDER BY ended_at, run_id"
MEANS = {"tokens_mean": "tokens_actual", "duration_mean": "duration_minutes"}


@pytest.mark.criterion("webhook-to-plms")
@pytest.mark.effect("change")
@pytest.mark.parametrize("signed", ["", f"sha256={'0' * 64}", None])
def test_plms_believes_nobody_else(phase: Stage, told: Told, signed: str | None) -> None:
    run = f"forged-{uuid.uuid4().hex[:8]}"
    taken = [message for message in told.arrived if message.get("status") == 200]
    if not taken:
        raise NoValueError("PLMS took no message, so there is none to forge")
    body = {**taken[0].inner("body"), "run_id": run, "delivery_id": run}
    headers = {} if signed is None else {"X-PAS-Signature": signed}
    answer = phase.target("plms").client.post("/api/pas/webhooks", json=body, headers=headers)
    assert answer.status_code == 401, f"a forged message is answered {answer.status_code}"
    assert not told.registry.priors(run), "PLMS learnt from a forged message"
    kept = rows(told.registry.path, "SELECT run_id FROM project_runs WHERE run_id = ?", run)
    assert not kept, "PLMS keeps a run that nobody vouched for"


@pytest.mark.criterion("webhook-to-plms")
def test_each_run_has_a_message_of_its_own(told: Told) -> None:
    runs = {run.text("run_id") for run in told.runs.values()}
    ids = [{message["delivery_id"] for message in told.of(run)} for run in runs]
    shared = len(runs) - len(set().union(*ids))
    assert {len(each) for each in ids} == {1}, f"a run has messages of several ids: {ids}"
    assert not shared, f"the messages of {len(runs)} runs have {len(runs) - shared} ids"


@pytest.mark.criterion("webhook-to-plms")
def test_plms_tells_of_the_project_what_it_was_told(phase: Stage, told: Told) -> None:
    """Each figure of the runs that it is of, and of no others: some failed, some were tried."""
    plms, registry = Service(phase.target("plms").client), told.registry
    project = told.runs["first"].whole("project_id")
    about = f"/api/projects/{project}"
    every, completed = rows(registry.path, RUNS, project), registry.ended(project)
    if {"failed", "terminated"} - {row["status"] for row in every}:
        raise NoValueError("no run failed, so nothing shows that it is left out")
    baselines = registry.baselines(str(plms.get(about)["template"]))
    measured = [row["run_id"] for row in registry.measured(project)]
    said = plms.get(f"{about}/metrics", with_ci=1, breakdown="all")
    due = {"run_id": every[-1]["run_id"], "n_observations": len(baselines)}
    due |= {"tokens_actual": completed[-1]["tokens_actual"], "breakdown_runs": measured}
    due |= {"duration_actual": completed[-1]["duration_minutes"]}
    unlike = [name for name, value in due.items() if said[name] != value]
    assert not unlike, f"{unlike[0]} is {said[unlike[0]]}, and {due[unlike[0]]} is due"
    for name, column in MEANS.items():
        mean = fmean(row[column] for row in baselines)
        assert abs(said.number(name) - mean) <= 1e-3, f"{name} is {said[name]}, not {mean:g}"
    assert plms.get(f"/hmi/projects/{project}/chart")["labels"] == measured, "it charts others"
    runs = [{name: row[name] for name in ("run_id", "run_kind", "status")} for row in every]
    assert plms.get(about)["runs"] == runs, "it lists other runs"
    pair = {"runA": told.runs["first"]["run_id"], "runB": told.runs["failed"]["run_id"]}
    base = baselines[-1]["run_id"]
    against = plms.get("/compare", **pair)["baseline"]
    assert against == base, f"runs are held against {against}, and {base} is the last baseline"
