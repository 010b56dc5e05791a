"""The client with PLMS alone, all its commands against PAS, and that it edits nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage, reported
from suites.pas.scenarios.reading import (
    COMMANDS,
    OTHER_FIGURES,
    OTHER_STATUS,
    REHEARSED,
    Alone,
    Commanded,
    client,
)
from suites.pas.scenarios.schedule import Weeks
from suites.pas.views.asking import Service
from suites.pas.views.client import Ran
from suites.pas.views.lines import arrived
from suites.pas.views.pas import Pas
from suites.pas.views.running import closed_address

pytestmark = pytest.mark.pas_phase3

REFUSED = 3  # the exit status of what would change a file


@pytest.fixture(scope="session")
def plms(phase: Stage) -> Service:
    """The Ops API."""
    return Service(phase.target("plms").client)


# Without PAS


@pytest.mark.criterion("vp-new-without-pas")
def test_new_needs_no_pas(alone: Alone, plms: Service) -> None:
    made = alone.done["new"].demand().told.inner("project")
    assert made.text("source") == "plms", f"the project was made in {made['source']}, not in PLMS"
    kept = plms.get(f"/api/projects/{made['id']}")
    assert kept.text("name") == alone.name, f"PLMS calls the project {kept['name']}"


@pytest.mark.criterion("vp-estimate-without-pas")
def test_estimate_needs_no_pas(alone: Alone, plms: Service) -> None:
    said = alone.done["estimate"].demand().told
    project = alone.done["new"].demand().told.inner("project")["id"]
    due = plms.get(f"/api/projects/{project}/metrics", with_ci=1)
    _compare(said, {name: due.number(name) for name in OTHER_FIGURES})


def _compare(said: Reported, due: Mapping[str, float]) -> None:
    """Raise AssertionError where an estimate is not that of these metrics."""
    for ours, theirs in (("tokens", "tokens"), ("duration_minutes", "duration")):
        for field, name in (("mean", "mean"), ("lower", "ci_lower"), ("upper", "ci_upper")):
            shown, real = said.inner(ours).number(field), due[f"{theirs}_{name}"]
            near = abs(shown - real) <= max(1.0, abs(real)) * 0.005
            assert near, f"the {field} of {ours} is {shown:g}, and PLMS says {real:g}"


@pytest.mark.criterion("vp-status-without-pas")
def test_status_needs_no_pas(alone: Alone, plms: Service) -> None:
    said = alone.done["status"].demand().told
    kept = plms.get(f"/api/projects/{said['project']}")
    assert said.text("status") == kept.text("status"), (
        f"it says {said['status']}, and PLMS {kept['status']}"
    )
    begun = alone.started.demand().told
    assert begun.text("source") == "plms", (
        f"without PAS a run's status comes from {begun['source']}"
    )
    known = plms.get(f"/api/projects/{begun['project']}").text("status")
    assert begun.text("status") == known, f"it says {begun['status']}, and PLMS {known}"
    other = alone.known_elsewhere.demand().told["status"]
    assert other == OTHER_STATUS, f"of a PLMS that says {OTHER_STATUS} it says {other}"


@pytest.mark.criterion("vp-uses-plms")
def test_the_figures_are_those_of_plms(phase: Stage, alone: Alone, observe: Observe) -> None:
    asked = {"new": ("POST", "/api/projects"), "estimate": ("GET", "/metrics")}
    for command, (method, path) in asked.items():
        calls = [call for call in alone.calls[command] if call.method == method]
        answered = [call for call in calls if call.path.endswith(path) and call.status == 200]
        observe("plms_requests", len(answered), command=command)
    sent = {
        (call.method, call.path, call.status, call.key)
        for calls in alone.calls.values()
        for call in calls
    }
    log = phase.file("requests") / "plms.jsonl"
    logged = arrived(log, "access log of PLMS", lambda entries: not sent - _calls(entries))
    lost = sent - _calls(logged)
    assert not lost, f"the access log of PLMS lacks {sorted(map(str, lost))[:2]}"
    made = [call.key for call in alone.calls["new"] if call.method == "POST"]
    assert all(made), "a project was made without a key, so that sending it again makes another one"
    _compare(alone.elsewhere.demand().told, OTHER_FIGURES)


def _calls(entries: Iterable[Reported]) -> set[tuple[object, ...]]:
    return {tuple(entry[name] for name in ("method", "path", "status", "key")) for entry in entries}


# Against PAS


@pytest.mark.criterion("all-commands-against-stub")
def test_each_command_works(phase: Stage, commanded: Commanded, observe: Observe) -> None:
    pas = Pas(phase.target("pas").client)
    checks: Mapping[str, Callable[[Commanded, Pas], str]] = {
        "new": _new, "plan": _plan, "estimate": _estimate, "simulate": _simulate,
        "start": _start, "status": _status, "logs": _logs,
    }  # fmt: skip
    wrongs = []
    for command, check in checks.items():
        done = commanded.done[command]
        wrong = done.said if done.status else check(commanded, pas)
        observe("command_failed", bool(wrong), command=command)
        wrongs += [f"{command}: {wrong}"] if wrong else []
    assert not wrongs, "; ".join(wrongs)


def _new(lived: Commanded, _: Pas) -> str:
    name = lived.done["new"].told.inner("project").text("name")
    return "" if name == COMMANDS["new"][1] else f"the project is called {name}"


def _plan(lived: Commanded, _: Pas) -> str:
    tasks = lived.done["plan"].told.each("tasks")
    names = [task.text("name") for task in tasks]
    unknown = {dep for task in tasks for dep in task["deps"]} - set(names)
    return "" if names and not unknown else f"it plans {names}, which need {unknown}"


def _estimate(lived: Commanded, _: Pas) -> str:
    tokens = lived.done["estimate"].told.inner("tokens")
    low, mean, high = (tokens.number(name) for name in ("lower", "mean", "upper"))
    return "" if 0 < low < mean < high else f"the interval of {mean:g} is {low:g} to {high:g}"


def _simulate(lived: Commanded, pas: Pas) -> str:
    said = lived.done["simulate"].told
    again = reported(pas.control("simulate", said.text("run_id"), rehearsal_pct=REHEARSED))
    for name, share in (("projected_tokens", 0.5), ("rehearsal_tokens", 0.25)):
        due = again.number(name)
        if abs(said.number(name) - due) > due * share:
            return f"of {REHEARSED:.0%} it says {name} {said[name]:g}, and PAS {due:g}"
    return "" if said.number("strata_coverage") == 1 else "it leaves lanes out"


def _start(lived: Commanded, pas: Pas) -> str:
    said = lived.done["start"].told
    planned = len(lived.done["plan"].told.each("tasks"))
    run = pas.status(said.text("run_id"))
    totals = (said.whole("tasks_submitted"), run.whole("tasks_total"), planned)
    keys = {call.key for call in lived.submitted}
    if len(set(totals)) != 1:
        return f"handed in, known and planned tasks are {totals}"
    return (
        ""
        if len(keys) == planned and None not in keys
        else f"{planned} cards have {len(keys)} keys"
    )


def _status(lived: Commanded, pas: Pas) -> str:
    told = lived.ended.demand().told
    run = pas.status(told.text("run_id"))
    for field in ("status", "tasks_total", "tasks_completed", "tasks_failed"):
        if told[field] != run[field]:
            return f"{field} is {told[field]}, and PAS says {run[field]}"
    done = told.whole("tasks_completed") + told.whole("tasks_failed")
    return "" if 0 < done == told.whole("tasks_total") else f"{done} tasks ended after two minutes"


def _logs(lived: Commanded, pas: Pas) -> str:
    said: list[str] = lived.logs.demand().told["lines"]
    run = pas.status(lived.logs.told.text("run_id"))
    for task in run.each("tasks"):
        mine = [line for line in said if task.text("task_id") in line]
        for word in ("started", "finished"):
            if task["status"] == "succeeded" and not any(word in line for line in mine):
                return f"no line says that {task['task_id']} {word}"
    times = [datetime.fromisoformat(line.split()[0]) for line in said]
    if times != sorted(times):
        return "the newest line is not the last"
    tail: list[str] = lived.done["logs"].told["lines"]
    return "" if len(tail) <= 20 else f"of 20 lines it gives {len(tail)}"


# Nothing is edited


@pytest.mark.criterion("no-file-edits")
def test_no_command_edits_a_file(commanded: Commanded, observe: Observe) -> None:
    for command, edited in commanded.edited.items():
        observe("workspace_changes", len(edited), command=command, state_dir="no")
    for command, kept in commanded.kept.items():
        below = [name for name in kept if name == ".vp" or name.startswith(".vp/")]
        observe(
            "workspace_changes", len(kept) - len(below), command=f"{command}, home", state_dir="no"
        )
        observe("workspace_changes", len(below), command=command, state_dir="yes")
    assert any(commanded.kept.values()), "no command kept any state, so nothing was tried"


@pytest.mark.criterion("no-file-edits")
@pytest.mark.effect("change")
def test_a_plan_is_written_only_where_that_is_allowed(
    phase: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("out")
    vp = client(phase, home, PAS_API_BASE_URL=closed_address())
    vp.run("new", "--name", "out").demand()
    path = home / "PLAN.md"
    refused = vp.run("plan", "--out", str(path))
    assert refused.status == REFUSED, f"vp plan --out ends with {refused.status}, not {REFUSED}"
    assert not path.exists(), "vp plan --out wrote the file, and only reads"
    written: Ran = vp.run("plan", "--out", str(path), VP_READ_ONLY="0")
    if written.status or not path.is_file():
        raise NoValueError(f"the file cannot be written either way: {written.said}")


@pytest.mark.criterion("on-schedule")
def test_the_phase_was_accepted_in_time(weeks: Weeks) -> None:
    weeks.demand_by(date(2025, 12, 5))
