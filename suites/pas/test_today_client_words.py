"""Today: the client's figures, words, state and exit statuses, each against what they are of."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Stage
from suites.pas.scenarios.client_flow import SHORT, Amiss, Flow, current, vp_of
from suites.pas.views.answering import Answers, answering
from suites.pas.views.client import Ran, Vp
from suites.pas.views.estimates import by_priors, unlike

pytestmark = pytest.mark.pas_today

FAILED, INVALID, READ_ONLY, UNREACHABLE = 1, 2, 3, 4  # exit statuses of the contract
TASK = ("name", "lane", "deps", "size")
USUAL = 20  # lines of logs, where nobody says how many


# Figures


@pytest.mark.criterion("vp-estimate")
def test_an_estimate_follows_from_the_plan(flow: Flow) -> None:
    """Without PLMS: from the size of each task and the default priors of its lane."""
    said = flow.ran["estimate"].demand().told
    assert (said.text("source"), said.number("level")) == ("priors", 0.9), f"it is of {said}"
    due = by_priors(flow.ran["plan"].demand().told.each("tasks"))
    due["duration_minutes"] = due.pop("minutes")
    words = flow.ran["estimate in words"].demand().out
    for name, figures in due.items():
        wrong = unlike(said.inner(name), figures)
        assert not wrong, f"{name}: {wrong}"
        line = re.search(rf"^{name}: (\S+) \((\S+) to (\S+)\)$", words, re.MULTILINE)
        assert line, f"for people it does not say {name} and its interval: {words}"
        ordered = (figures[key] for key in ("mean", "lower", "upper"))
        pairs = zip(line.groups(), ordered, strict=True)
        assert all(abs(float(a) / b - 1) < 1e-4 for a, b in pairs), f"{line[0]}: {figures}"


@pytest.mark.criterion("vp-plan", "vp-start")
def test_the_plan_is_of_four_lanes(flow: Flow) -> None:
    said = flow.ran["plan"].demand().told
    tasks = said.each("tasks")
    assert said["project"] == flow.ran["new"].told.inner("project")["id"]
    lanes = sorted(task.text("lane") for task in tasks)
    assert lanes == ["Code-Impl", "Data-Schema", "Narrative", "Vector-Ops"], f"its lanes: {lanes}"
    first = tasks[0].text("name")
    needs = [task["deps"] for task in tasks]
    assert sorted(needs) == [[], [], [first], [first]], f"they need {needs}"
    assert all(task.number("size") > 0 for task in tasks), "a task has no size"
    lines = flow.ran["plan in words"].demand().out.strip().splitlines()
    assert len(lines) == len(tasks), f"for people {len(tasks)} tasks are {len(lines)} lines"
    for line, task in zip(lines, tasks, strict=True):
        lacking = [name for name in TASK if str(task[name]) not in line]
        assert not lacking, f"for people {task['name']} has no {lacking}"


# Cards and state


@pytest.mark.criterion("vp-start", "vp-state-file")
def test_a_card_is_the_task_of_the_plan(flow: Flow) -> None:
    """As it arrived, as the service has it, and as the state keeps it."""
    project = current(flow.state)
    kept = {task.text("task_id"): task for task in project.each("tasks")}
    arrived = {
        str(call.body.get("task_id")): call
        for call in flow.calls
        if call.path.endswith("/jobcards") and call.body.get("run_id") == project["run_id"]
    }
    assert len(arrived) == len(kept) == len(flow.ran["plan"].told.each("tasks"))
    ids = {task.text("name"): name for name, task in kept.items()}
    known = {task.text("task_id"): task for task in flow.started.each("tasks")}
    for name, task in kept.items():
        body, deps = arrived[name].body, [ids[above] for above in task["deps"]]
        sent = (body.get("lane"), body.get("deps"), body.get("project_id"))
        assert sent == (task["lane"], deps, int(project.text("id"))), f"{name} is sent as {sent}"
        payload = {"title": task["name"], "size": task["size"]}
        assert body.get("payload") == payload, f"the payload of {name} is {body.get('payload')}"
        assert arrived[name].key == task["key"], f"the state has another key of {name}"
        assert task["submitted"] is True, f"the state says that {name} was not handed in"
        assert known[name]["deps"] == deps, f"{name} needs {known[name]['deps']} in the service"
    planned = [{field: task[field] for field in TASK} for task in project.each("tasks")]
    assert planned == [dict(task) for task in flow.ran["plan"].told.each("tasks")]
    assert flow.started["project_id"] == int(project.text("id")), "the run is of another project"
    assert flow.started["run_kind"] == "baseline", f"it is a {flow.started['run_kind']}"


@pytest.mark.criterion("vp-state-file", "vp-new")
def test_the_state_is_as_the_contract_says(flow: Flow) -> None:
    assert flow.state["version"] == 1, f"its version is {flow.state['version']}"
    assert flow.folder_mode & 0o077 == 0, f"the mode of its folder is {flow.folder_mode:o}"
    project, fresh = current(flow.state), current(flow.state_after_new)
    assert flow.state.text("current") == project.text("id") == str(int(project.text("id")))
    said = {name: project[name] for name in ("id", "name", "source")}
    assert said == dict(flow.ran["new"].told.inner("project")), f"the state keeps {said}"
    assert said["source"] == "local", f"without PLMS it is of {said['source']}"
    made, started = project.moment("created_at"), project.moment("started_at")
    assert made <= started, f"it was made at {made}, and started at {started}"
    assert (fresh["tasks"], fresh["started_at"]) == ([], None), "a new project has begun"
    for name in ("id", "name", "run_id", "created_at"):
        assert fresh[name] == project[name], f"{name} became another one"
    runs = {flow.state.inner("projects").inner(each)["run_id"] for each in flow.state["projects"]}
    assert len(runs) == len(flow.state["projects"]), "two projects have one run"


# Words


@pytest.mark.criterion("vp-status", "vp-start")
def test_what_is_said_for_people_is_the_same(flow: Flow) -> None:
    project, end = current(flow.state), flow.end
    run, name = project.text("run_id"), project.text("name")
    status = flow.ran["status in words"].demand().out
    counted = f"tasks: {end['tasks_completed']}/{end['tasks_total']} completed"
    for word in (project.text("id"), name, run, end.text("status"), "pas", counted):
        assert word in status, f"for people status does not say {word!r}: {status}"
    last = flow.seen[-1].client.demand().told
    about = (last["project"], last["run_id"], last["source"])
    assert about == (project["id"], run, "pas"), f"it says that it is of {about}"
    assert last["spend_usd"] == flow.seen[-1].service["spend_usd"], "it says another cost"
    simulated = flow.ran["simulate"].demand().told
    assert (simulated["run_id"], simulated["rehearsal"]) == (run, 0.03), f"it is of {simulated}"
    assert flow.ran["start"].told["status"] == "executing"


@pytest.mark.criterion("vp-start", "vp-new", "vp-connection-error")
def test_each_command_speaks_to_people(phase: Stage, tmp_path: Path) -> None:
    """By a service of the suite's own, which answers what no other would."""
    with answering(SERVICE) as service:
        vp = vp_of(phase, tmp_path, service.url)
        new = vp.run("new", "--name", "spoken").demand().out
        project = current(vp.state())
        for word in (project.text("id"), "spoken", "local"):
            assert word in new, f"new does not say {word!r}: {new}"
        before = vp.run("status", "--json").demand().told
        said = (before["status"], before["source"], before["tasks_completed"])
        assert said == ("planned", "local", 0), f"before its start it is {said}"
        simulated = vp.run("simulate").demand().out
        for name in ("strata_coverage", "projected_tokens", "risk_score"):
            line = f"{name}: {SERVICE['POST', SIMULATE][name]}"
            assert line in simulated, f"for people simulate does not say {line!r}"
        started = vp.run("start").demand().out
        for word in (project.text("run_id"), "executing-oddly", "4"):
            assert word in started, f"start does not say {word!r}: {started}"
        asked = [request for request in service.asked if request.path == SIMULATE]
        due = {"run_id": project["run_id"], "rehearsal_pct": 0.01, "stratified": True}
        assert asked[0].body == due, f"by itself it rehearses {asked[0].body}"
        _logged(vp)
    for word in ("status", "logs", "start"):
        ran = vp.run(word)
        assert ran.status == UNREACHABLE, f"without a service vp {word} ends with {ran.status}"
        assert service.url in ran.err, f"vp {word} does not name {service.url}: {ran.err}"
        _one_line(ran)


SIMULATE, STATUS = "/pas/v1/runs/simulate", "/pas/v1/runs/status"
KPI = {"kpi": "BLEU", "value": 0.125, "threshold": 0.4, "comparison": ">=", "pass": False}
GOOD = {"kpi": "schema_diff", "value": 0, "threshold": 0, "comparison": "<=", "pass": True}
TASKS: list[dict[str, Any]] = [
    {
        "task_id": f"odd-{number}",
        "lane": lane,
        "status": status,
        "started_at": f"2025-11-07T15:00:{number:02}.000+00:00",
        "finished_at": ended,
        "kpis": kpis,
    }
    for number, (lane, status, ended, kpis) in enumerate(
        (
            ("Narrative", "failed", "2025-11-07T15:00:40.000+00:00", [KPI]),
            ("Data-Schema", "succeeded", "2025-11-07T15:00:30.000+00:00", [GOOD]),
            ("Code-Impl", "running", None, []),
        )
    )
] + [
    {
        "task_id": "odd-3",
        "lane": "Vector-Ops",
        "status": "queued",
        "started_at": None,
        "finished_at": None,
        "kpis": [],
    }
]
LOGGED = (  # by time: which task, its lane, and what it did
    ("15:00:00", "odd-0", "Narrative", "started"),
    ("15:00:01", "odd-1", "Data-Schema", "started"),
    ("15:00:02", "odd-2", "Code-Impl", "started"),
    ("15:00:30", "odd-1", "Data-Schema", "schema_diff 0 <= 0 pass"),
    ("15:00:30", "odd-1", "Data-Schema", "finished"),
    ("15:00:40", "odd-0", "Narrative", "BLEU 0.125 >= 0.4 fail"),
    ("15:00:40", "odd-0", "Narrative", "finished"),
)
SERVICE: Answers = {
    ("POST", "/pas/v1/jobcards"): {"task_id": "t", "idempotent_replay": False},
    ("POST", SIMULATE): {
        "strata_coverage": 0.75,
        "rehearsal_tokens": 11,
        "projected_tokens": 1234.5,
        "ci_lower": 1200.0,
        "ci_upper": 1300.0,
        "risk_score": 0.25,
    },
    ("POST", "/pas/v1/runs/start"): {"status": "executing-oddly"},
    ("GET", STATUS): {"status": "executing", "tasks_total": 4, "tasks": TASKS},
}


def _logged(vp: Vp) -> None:
    """Raise AssertionError where the lines of the log are not of those tasks, in their order."""
    lines = vp.run("logs", "--tail", "100", "--json").demand().told["lines"]
    assert len(lines) == len(LOGGED), f"{len(LOGGED)} things happened, logged are {lines}"
    for line, (at, *words) in zip(lines, LOGGED, strict=True):
        assert datetime.fromisoformat(line.split()[0]).strftime("%H:%M:%S") == at, line
        lacking = [word for word in words if word not in line]
        assert not lacking, f"{line!r} does not say {lacking}"
    printed = vp.run("logs", "--tail", str(SHORT)).demand().out.strip().splitlines()
    assert printed == lines[-SHORT:], f"for people the last lines are {printed}"
    assert vp.run("logs").demand().out.strip().splitlines() == lines, "by itself it prints others"


@pytest.mark.criterion("vp-logs", "vp-status")
def test_logs_are_of_twenty_lines_by_themselves(phase: Stage, tmp_path: Path) -> None:
    many = [
        {**TASKS[2], "task_id": f"many-{n}", "started_at": f"2025-11-07T15:00:{n:02}+00:00"}
        for n in range(USUAL + 5)
    ]
    answers = {**SERVICE, ("GET", STATUS): {"status": "executing", "tasks": many}}
    with answering(answers) as service:
        vp = vp_of(phase, tmp_path, service.url)
        vp.run("new", "--name", "many").demand()
        lines = vp.json("logs")["lines"]
    named = [line.split()[1] for line in lines]
    assert named == [f"many-{n}" for n in range(5, USUAL + 5)], f"by itself it prints {named}"


# Exit statuses


@pytest.mark.criterion("vp-connection-error", "vp-validation-error")
def test_each_failure_has_its_status(amiss: Amiss) -> None:
    due = {**dict.fromkeys(amiss.refused, INVALID), **dict.fromkeys(amiss.unreachable, UNREACHABLE)}
    for typed, ran in {**amiss.refused, **amiss.unreachable}.items():
        assert ran.status == due[typed], f"vp {typed} ends with {ran.status}, not {due[typed]}"
        _one_line(ran)


def _one_line(ran: Ran) -> None:
    lines = ran.err.strip().splitlines()
    good = len(lines) == 1 and lines[0].startswith("vp: ") and len(lines[0].split()) > 3
    assert good, f"{ran.words} prints {ran.err.strip()[-200:]!r}"
    assert not ran.out, f"{ran.words} failed, and prints {ran.out[:80]!r}"


@pytest.mark.criterion("vp-connection-error")
def test_what_a_service_refuses_is_said(phase: Stage, tmp_path: Path) -> None:
    """Its status and its word; an answer that is none, and a state that is damaged."""
    refuses = {key: said for key, said in SERVICE.items() if key[1] != "/pas/v1/runs/start"}
    odd: Mapping[tuple[str, str], Any] = {**refuses, ("GET", STATUS): ["no", "object"]}
    with answering(odd) as service:
        vp = vp_of(phase, tmp_path, service.url)
        vp.run("new", "--name", "refused").demand()
        refused, nothing = vp.run("start"), vp.run("logs")
    for ran in (refused, nothing):
        assert ran.status == FAILED, f"{ran.words} ends with {ran.status}, not {FAILED}"
        _one_line(ran)
    for word in ("404", "unknown", "/pas/v1/runs/start"):
        assert word in refused.err, f"of a refusal it does not say {word!r}: {refused.err}"
    started = current(vp.state())["started_at"]
    assert started is None, "a start that was refused is kept as one"
    vp.state_file.write_text("{", encoding="utf-8")
    damaged = vp.run("status")
    assert damaged.status == INVALID, f"with a damaged state it ends with {damaged.status}"
    _one_line(damaged)


@pytest.mark.criterion("vp-auto-idempotency-key")
def test_a_task_that_is_sent_again_keeps_its_key(phase: Stage, tmp_path: Path) -> None:
    """Where the service fails in between, the rest is sent, each under its own key."""
    with answering({}) as service:
        vp = vp_of(phase, tmp_path, service.url)
        vp.run("new", "--name", "again").demand()
        failed = vp.run("simulate")
        first = [request for request in service.asked if request.path.endswith("/jobcards")]
    assert failed.status == FAILED, f"without cards taken it ends with {failed.status}"
    assert len(first) == 1, f"after a refusal it sent {len(first)} cards"
    kept = {task.text("task_id"): task.text("key") for task in current(vp.state()).each("tasks")}
    with answering(SERVICE) as service:
        vp.run("simulate", PAS_API_BASE_URL=service.url).demand()
        vp.run("start", PAS_API_BASE_URL=service.url).demand()
        cards = [request for request in service.asked if request.path.endswith("/jobcards")]
        vp.run("new", "--name", "again").demand()  # another one of the same name
        vp.run("plan").demand()
    state = vp.state().inner("projects")
    every = [task for name in state for task in state.inner(name).each("tasks")]
    for field in ("key", "task_id"):
        known = {task.text(field) for task in every}
        assert len(known) == len(every) == 2 * len(kept), f"{len(every)} tasks have {len(known)}"
    sent = [(str(card.body.get("task_id")), card.key) for card in cards]
    assert dict(sent) == kept, f"sent are {json.dumps(sent)}, kept {json.dumps(kept)}"
    assert len(sent) == len(kept), f"{len(kept)} tasks were sent {len(sent)} times"
