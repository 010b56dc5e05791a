"""Today: both demos show what they claim to show."""

from __future__ import annotations

import re

import pytest

from pytest_rollout import NoValueError, Observe
from suites.pas.scenarios.demos import E2E, INTEGRATION, Demos
from suites.pas.views.pas import OPERATIONS

pytestmark = pytest.mark.pas_today

LINES = {
    "banner": "✅ Integration Demo Complete!",
    "client": "   - VP CLI: ✓ Operational",
    "stub": "   - PAS Stub: ✓ Executing tasks",
    "flow": "   - End-to-end flow: ✓ Working",
}


@pytest.mark.criterion("e2e-demo-exit-0")
def test_the_end_to_end_demo_ends_well(demos: Demos) -> None:
    demos.e2e.ran.demand()
    alone = demos.alone[E2E]
    assert alone.status not in (0, -1), f"without a stub: {alone.said}"


@pytest.mark.criterion("e2e-demo-exit-0", "vp-demo-exit-0")
def test_a_demo_fails_where_the_service_does_not_work(demos: Demos) -> None:
    for name, odd in demos.odd.items():
        assert odd.ran.status not in (0, -1), f"where {name}: {odd.ran.said}"
        shown = [line for line in odd.ran.out.splitlines() if "✅" in line or "✓" in line]
        assert not shown, f"where {name} it says {shown[0]!r}"
    asked = demos.odd["it refuses"].asked
    assert asked == [("GET", "/health")], f"after a refusal it goes on, and asked for {asked}"


@pytest.mark.criterion("e2e-all-200")
def test_every_call_is_told(demos: Demos) -> None:
    """Method, path and status, a line each, in the order in which they arrived."""
    told = [line for line in demos.e2e.ran.out.splitlines() if re.match(r"(GET|POST) /", line)]
    due = [f"{call.method} {call.path} {call.status}" for call in demos.e2e.calls]
    assert told == due, f"it prints {len(told)} calls, and made {len(due)}, or others"


@pytest.mark.criterion("e2e-all-200")
def test_every_call_is_answered_200(demos: Demos, observe: Observe) -> None:
    for number, call in enumerate(demos.e2e.calls):
        asked = f"{call.method} {call.path}"
        observe("demo_call_not_200", call.status != 200, call=number, asked=asked)
    missing = set(OPERATIONS) - {call.operation for call in demos.e2e.calls}
    assert not missing, f"the demo never calls {sorted(missing)}"
    ended = [
        call.answer for call in demos.e2e.calls
        if call.path == "/pas/v1/runs/status" and call.answer.get("status") == "completed"
    ]  # fmt: skip
    assert ended, "the demo never saw a run completed"
    assert ended[-1].get("tasks_completed") == ended[-1].get("tasks_total") != 0


@pytest.mark.criterion("vp-demo-exit-0")
def test_the_integration_demo_ends_well(demos: Demos) -> None:
    demos.integration.ran.demand()
    alone = demos.alone[INTEGRATION]
    assert alone.status not in (0, -1), f"without a service: {alone.said}"


@pytest.mark.criterion("vp-demo-output")
def test_the_integration_demo_prints_its_summary(demos: Demos, observe: Observe) -> None:
    for name, line in LINES.items():
        observe("line_missing", line not in demos.integration.ran.out.splitlines(), line=name)
        early = line in demos.alone[INTEGRATION].out
        assert not early, f"without a service it says {line!r} all the same"


@pytest.mark.criterion("vp-demo-effects")
def test_what_the_integration_demo_claims_is_so(demos: Demos) -> None:
    shown = demos.integration
    if shown.state is None:
        raise NoValueError("the demo left no state.json in its home")
    assert shown.run is not None, "the service does not know the run of the demo's state"
    done, total = shown.run.whole("tasks_completed"), shown.run.whole("tasks_total")
    assert done > 0, f"{done} of {total} tasks of the demo's run are done"
    executed = [task for task in shown.run.each("tasks") if task["finished_at"] is not None]
    assert len(executed) >= done, "tasks are counted as done that never finished"
    asked = {call.path for call in shown.calls}
    due = {
        "/pas/v1/jobcards",
        *(f"/pas/v1/runs/{verb}" for verb in ("simulate", "start", "status")),
    }
    assert due <= asked, f"the demo never asked {sorted(due - asked)}"
    told = [call.answer for call in shown.calls if call.path == "/pas/v1/runs/status"]
    assert any(answer.get("tasks_completed", 0) > 0 for answer in told), "no status showed a task"


@pytest.mark.criterion("demos-executable")
def test_both_demos_run_from_a_clone(demos: Demos, observe: Observe) -> None:
    for name, ran in demos.cloned.items():
        observe("demo_not_runnable", ran.status != 0, demo=name, said=ran.said[-120:])
