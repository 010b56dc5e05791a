"""Today: each command of the client does what it says, as service, state and recorder see it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.pas.scenarios.client_flow import (
    PORT,
    REHEARSED,
    SHORT,
    TAIL,
    Amiss,
    Flow,
    Manual,
    current,
)
from suites.pas.views.lanes import LANES
from suites.pas.views.pas import ENDED
from suites.pas.views.recorder import Call
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_today

COUNTED = re.compile(r"tasks:\s*(\d+)/(\d+) completed")


@pytest.mark.criterion("vp-new")
def test_new_makes_a_project_current(flow: Flow) -> None:
    first, second = (flow.ran[name].demand().told.inner("project") for name in ("new first", "new"))
    assert second.text("name") == "demo-project"
    assert first["id"] != second["id"], "two projects have one id"
    assert str(flow.state_after_new["current"]) == str(second["id"]), (
        f"after new the current project is {flow.state_after_new['current']}"
    )


@pytest.mark.criterion("vp-plan", "vp-manual-flow")
def test_plan_prints_tasks(flow: Flow) -> None:
    tasks = flow.ran["plan"].demand().told.each("tasks")
    names = [task.text("name") for task in tasks]
    assert tasks, "the plan has no task"
    assert len(set(names)) == len(names), "two tasks of the plan have one name"
    known: set[str] = set()
    for task in tasks:
        assert task.text("lane") in LANES, f"{task['name']} is for {task['lane']}, no lane"
        strange = set(task["deps"]) - set(names)
        assert not strange, f"{task['name']} needs {sorted(strange)}, which are no tasks"
        known.add(task.text("name"))
    assert _ordered({task.text("name"): set(task["deps"]) for task in tasks}), "it is a circle"
    in_words = flow.ran["plan in words"].demand().out
    missing = [name for name in names if name not in in_words]
    assert not missing, f"for people the plan leaves out {missing}"


def _ordered(needs: Mapping[str, set[str]]) -> bool:
    """Whether all of a graph can be done, one after the other."""
    done: set[str] = set()
    while len(done) < len(needs):
        ready = {name for name, above in needs.items() if name not in done and above <= done}
        if not ready:
            return False
        done |= ready
    return True


@pytest.mark.criterion("vp-estimate")
def test_estimate_prints_bounds(flow: Flow) -> None:
    said = flow.ran["estimate"].demand().told
    in_words = flow.ran["estimate in words"].demand().out
    for name in ("tokens", "duration_minutes", "cost_usd"):
        interval = said.inner(name)
        lower, mean, upper = (interval.number(key) for key in ("lower", "mean", "upper"))
        assert 0 < lower < mean < upper, f"{name} is {mean} within {lower} to {upper}"
    spent = flow.end.number("spend_usd") / flow.end.number("spend_tokens")
    for bound in ("lower", "mean", "upper"):
        price = said.inner("cost_usd").number(bound) / said.inner("tokens").number(bound)
        assert abs(price / spent - 1) < 0.01, (
            f"a token is estimated at {price:g}, it took {spent:g}"
        )
    tokens = f"{said.inner('tokens').number('mean'):.0f}"
    assert tokens in in_words.replace(",", ""), f"for people the estimate lacks {tokens} tokens"


@pytest.mark.criterion("vp-simulate", "vp-calls-stub")
def test_simulate_prints_what_was_answered(flow: Flow) -> None:
    said = flow.ran["simulate"].demand().told
    answered = _last(flow, "/pas/v1/runs/simulate")
    assert answered.body.get("rehearsal_pct") == REHEARSED, f"it asked for {answered.body}"
    for name in ("strata_coverage", "projected_tokens", "ci_lower", "ci_upper", "risk_score"):
        assert said.number(name) == answered.answer.get(name), (
            f"the client says {name} {said[name]}, the service {answered.answer.get(name)}"
        )


def _last(flow: Flow, path: str) -> Call:
    calls = [call for call in flow.calls if call.path == path and call.status == 200]
    if not calls:
        raise NoValueError(f"no {path} was answered 200 during the flow")
    return calls[-1]


@pytest.mark.criterion("vp-start")
def test_start_hands_in_the_plan(flow: Flow) -> None:
    said = flow.ran["start"].demand().told
    assert flow.started.text("run_id") == said.text("run_id")
    assert flow.started.text("status") == "executing"
    tasks, planned = flow.started.each("tasks"), flow.ran["plan"].demand().told.each("tasks")
    assert said.whole("tasks_submitted") == len(tasks) == len(planned) > 0, (
        f"{len(planned)} tasks are planned, {len(tasks)} are in the run"
    )
    assert sorted(t.text("lane") for t in tasks) == sorted(t.text("lane") for t in planned)
    needs = sum(len(task["deps"]) for task in tasks), sum(len(task["deps"]) for task in planned)
    assert needs[0] == needs[1], f"the plan has {needs[1]} dependencies, the run {needs[0]}"


@pytest.mark.criterion("vp-status")
def test_status_is_what_the_service_says(flow: Flow) -> None:
    if not flow.seen:
        raise NoValueError("status was never asked")
    for seen in flow.seen:
        said = seen.client.demand().told
        for name in ("status", "tasks_total", "tasks_completed", "tasks_failed"):
            assert said[name] == seen.service[name], (
                f"the client says {name} {said[name]}, the service {seen.service[name]}"
            )
    progress = {seen.service.whole("tasks_completed") for seen in flow.seen}
    assert len(progress) > 1, f"the run never got on while it was watched: {progress}"
    counted = COUNTED.search(flow.ran["status in words"].demand().out)
    assert counted, "for people status says no `tasks: N/M completed`"
    due = flow.end.whole("tasks_completed"), flow.end.whole("tasks_total")
    assert (int(counted[1]), int(counted[2])) == due


@pytest.mark.criterion("vp-logs", "vp-status")
def test_logs_tell_of_the_run(flow: Flow) -> None:
    lines = flow.ran["logs"].demand().told["lines"]
    short = flow.ran["logs short"].demand().told["lines"]
    whole = flow.ran["logs whole"].demand().told["lines"]
    assert 0 < len(lines) <= TAIL, f"--tail {TAIL} prints {len(lines)} lines"
    assert short == whole[-SHORT:], f"--tail {SHORT} does not print the last {SHORT} lines"
    assert lines == whole[-TAIL:], f"--tail {TAIL} does not print the last lines"
    printed = flow.ran["logs in words"].demand().out.strip().splitlines()
    assert len(printed) <= TAIL, f"for people --tail {TAIL} prints {len(printed)} lines"
    for task in flow.end.each("tasks"):
        mine = [line for line in whole if task.text("task_id") in line]
        assert any("started" in line for line in mine), f"nothing says that {task['task_id']} began"
        over = task["finished_at"] is None or any("finished" in line for line in mine)
        assert over, f"nothing says that {task['task_id']} finished"


@pytest.mark.criterion("vp-calls-stub")
def test_execution_calls_reach_the_service(flow: Flow, observe: Observe) -> None:
    for verb in ("simulate", "start", "status"):
        answered = [
            call for call in flow.calls
            if call.path == f"/pas/v1/runs/{verb}" and call.status == 200
        ]  # fmt: skip
        assert answered, f"{verb} never reached the service"
        observe("execution_calls", len(answered), call=verb)


@pytest.mark.criterion("vp-calls-stub")
def test_the_default_address_is_the_documented_one(amiss: Amiss) -> None:
    if amiss.default is None:
        return  # somebody listens there, so that nobody can say where the client knocked
    assert f"localhost:{PORT}" in amiss.default.err, f"without an address told {amiss.default.said}"


@pytest.mark.criterion("vp-state-file")
def test_the_state_is_kept(flow: Flow) -> None:
    assert flow.files == [".vp/state.json"], f"below its home the client leaves {flow.files}"
    assert flow.mode & 0o077 == 0, f"others may use the state: its mode is {flow.mode:o}"
    project = current(flow.state)
    assert project.text("name") == "demo-project"
    assert project.text("run_id") == flow.ran["start"].demand().told.text("run_id")
    names = [stored.text("name") for stored in _projects(flow.state)]
    assert "first-project" in names, "the state forgot the first project"


def _projects(state: Reported) -> list[Reported]:
    projects = state.inner("projects")
    return [projects.inner(name) for name in projects]


@pytest.mark.criterion("vp-auto-idempotency-key")
def test_each_card_has_a_key_of_its_own(flow: Flow, observe: Observe) -> None:
    cards = [call for call in flow.calls if call.path == "/pas/v1/jobcards"]
    first_sent: dict[str, object] = {}
    for number, call in enumerate(cards):
        again = call.key is not None and first_sent.get(call.key, call.body) != call.body
        observe("key_missing_or_reused", not call.key or again, card=number)
        first_sent[call.key or ""] = call.body
    starts = [call.key for call in flow.calls if call.path == "/pas/v1/runs/start"]
    assert starts, "no start reached the service"
    assert all(starts), "a start was sent without a key"
    assert len(set(starts)) == len(starts), "two starts have one key"
    replays = [call for call in cards if call.answer.get("idempotent_replay") is True]
    assert not replays, f"{len(replays)} of {len(cards)} cards were swallowed as replays"


@pytest.mark.criterion("vp-connection-error")
def test_no_service_is_said(amiss: Amiss) -> None:
    for word, ran in amiss.unreachable.items():
        assert ran.status not in (0, -1), f"vp {word} without a service: {ran.said}"
        assert amiss.closed in ran.err, f"vp {word} does not name {amiss.closed}: {ran.said}"
        assert "Traceback" not in ran.err + ran.out, f"vp {word} prints a traceback"
        assert len(ran.err.strip().splitlines()) <= 3, f"vp {word} says too much: {ran.said}"


@pytest.mark.criterion("vp-validation-error", "vp-connection-error")
def test_bad_input_is_refused(amiss: Amiss, observe: Observe) -> None:
    tell = Told(observe)
    for word, ran in amiss.refused.items():
        silent = not ran.err.strip() or "Traceback" in ran.err
        taken = ran.status in (0, -1) or silent or amiss.reached[word] > 0
        tell("bad_input_taken", taken, typed=word)
    for ran in amiss.sound.values():
        ran.demand()
    tell.none_bad("bad input was taken, or refused without a sentence")


@pytest.mark.criterion("vp-manual-flow")
def test_the_four_commands_work(manual: Manual) -> None:
    for ran in manual.steps.values():
        ran.demand()
    counts = []
    for after, ran, service in manual.statuses:
        counted = COUNTED.search(ran.demand().out)
        assert counted, f"{after.seconds} s after the start status says no `tasks: N/M completed`"
        counts.append((int(counted[1]), int(counted[2])))
        due = service.whole("tasks_completed"), service.whole("tasks_total")
        assert counts[-1] == due, f"after {after.seconds} s status says {counts[-1]}, it is {due}"
    done, total = counts[-1]
    assert done > 0, f"60 s after the start status shows {done} of {total} tasks"
    assert counts[0][0] < done, "status shows the same progress all the time"
    ended = manual.statuses[-1][2].text("status") in ENDED
    assert ended or done < total, "every task is done and the run goes on"
