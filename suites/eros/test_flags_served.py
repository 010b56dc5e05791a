"""What requests come to under the flags: shadow, fallback, logs, and the order of phases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from pytest_rollout import NoValueError, Observe, Reported, reported
from suites.eros.scenarios.flag_trials import PARTS, Order, Request, Trials
from suites.eros.views import journal, oracle
from suites.eros.views.journal import Run
from suites.eros.views.routing import Flags
from suites.eros.views.service import unrefused

pytestmark = pytest.mark.flags

BEFORE = {  # each phase, and the one whose gate it waits for
    "canary": "shadow",
    "early_adopters": "canary",
    "percent25": "early_adopters",
    "percent50": "percent25",
    "percent75": "percent50",
    "cutover": "percent75",
}


@pytest.mark.criterion("shadow-runs-both")
def test_both_run_and_v4_is_delivered(
    flag_trials: Trials, observe: Observe, moment: datetime
) -> None:
    roster = {creator.text("name"): creator for creator in flag_trials.service.roster}
    by_run = {run_id: draft.each("draft") for run_id, draft in flag_trials.drafts.items()}
    for request in flag_trials.of("shadow"):
        runs = flag_trials.by_request.get(request.request_id, [])
        both = sorted((run.pipeline, run.shadow, run.delivered) for run in runs)
        right = both == [("v4", False, True), ("v5", True, False)]
        answer = request.answer
        of_v4 = right and answer.text("pipeline") == "v4" and not answer.flag("fallback")
        if of_v4:
            (v4,) = [run for run in runs if run.pipeline == "v4"]
            creator, schedule = roster[request.creator], answer.each("schedule")
            of_v4 = answer.text("run_id") == v4.run_id
            of_v4 = of_v4 and oracle.within(schedule, by_run.get(v4.run_id, ()), creator)
        observe("shadow_broken", not of_v4, creator=request.creator, at=moment)
    _demand_once(flag_trials)


def _demand_once(trials: Trials) -> None:
    """Raise AssertionError where a request that was asked again is another one."""
    first, (again, of_another) = trials.requests[0], trials.again
    said = reported(again)
    assert said.flag("replay"), "a request that was answered is not known any more"
    for field in ("run_id", "creator", "day", "schedule"):
        assert said[field] == first.answer[field], f"asked again, {field} is {said[field]}"
    wrong = unrefused(of_another, 409)
    assert not wrong, f"another creator's request with the same id is {wrong}"


@pytest.mark.criterion("shadow-runs-both")
def test_a_shadow_run_plans_what_v5_delivers(flag_trials: Trials) -> None:
    shadows = [run.run_id for run in journal.shadows(flag_trials.runs)]
    _demand_alike(flag_trials, shadows, "v5", "in the shadow")


@pytest.mark.criterion("fallback-serves-v4")
def test_a_fallback_plans_what_v4_delivers(flag_trials: Trials) -> None:
    saved = [run.run_id for run in flag_trials.runs if run.fallback]
    _demand_alike(flag_trials, saved, "v4", "as a fallback")


def _demand_alike(trials: Trials, run_ids: list[str], pipeline: str, how: str) -> None:
    """Raise AssertionError where runs plan a creator's day otherwise than their pipeline does."""
    of_them = [trials.drafts[run_id] for run_id in run_ids if run_id in trials.drafts]
    others = [
        draft
        for run_id, draft in trials.drafts.items()
        if run_id not in run_ids and draft.text("pipeline") == pipeline
    ]
    days = {(draft.text("creator"), draft.text("day")) for draft in others}
    compared = [draft for draft in of_them if (draft.text("creator"), draft.text("day")) in days]
    if not compared:
        raise NoValueError(f"{pipeline} planned no day twice, once {how}")
    unlike = oracle.unlike([*others, *compared])
    assert not unlike, f"{how} {unlike[0]}"


@pytest.mark.criterion("fallback-serves-v4")
def test_a_failure_is_saved_by_v4(flag_trials: Trials, observe: Observe, moment: datetime) -> None:
    for request in flag_trials.of("fallback on"):
        saved = _is_saved(flag_trials, request)
        observe("left_without_schedule", not saved, creator=request.creator, at=moment)


@pytest.mark.criterion("default-fallback-on")
def test_a_failure_is_saved_where_nobody_set_the_flag(flag_trials: Trials) -> None:
    for request in flag_trials.of("fallback unset"):
        said = f"v5 failed for {request.creator}, and the caller got {request.status}"
        assert _is_saved(flag_trials, request), said


def _is_saved(trials: Trials, request: Request) -> bool:
    """Whether v5 failed and v4 delivered in its place; raises AssertionError where it did not."""
    failed = [run for run in _of(trials, request) if run.pipeline == "v5"]
    assert failed, f"v5 was not asked for {request.creator}"
    assert not any(run.ok for run in failed), f"v5 did not fail for {request.creator}"
    answer = request.answer
    saved = request.status == 200 and answer.text("pipeline") == "v4"
    saved = saved and answer.flag("fallback") and bool(answer.each("schedule"))
    return saved and any(
        run.pipeline == "v4" and run.fallback and run.delivered and run.ok
        for run in _of(trials, request)
        if run.run_id == answer.text("run_id")
    )


def _of(trials: Trials, request: Request) -> list[Run]:
    return trials.by_request.get(request.request_id, [])


@pytest.mark.criterion("fallback-off-surfaces")
def test_a_failure_reaches_the_caller(
    flag_trials: Trials, observe: Observe, moment: datetime
) -> None:
    for request in flag_trials.of("fallback off"):
        runs = _of(flag_trials, request)
        assert [run.pipeline for run in runs if not run.ok] == ["v5"]
        told = request.status == 502 and bool(request.answer.text("error").strip())
        hidden = not told or any(run.pipeline == "v4" for run in runs)
        observe("failure_hidden", hidden, creator=request.creator, at=moment)


@pytest.mark.criterion("fallback-counts-as-failure")
def test_a_saved_run_is_a_failure(flag_trials: Trials, observe: Observe, moment: datetime) -> None:
    requests = flag_trials.of("fallback on", "saved")
    runs = [run for request in requests for run in _of(flag_trials, request)]
    counted = [run for run in runs if run.pipeline == "v5"]
    assert len(counted) == 20, f"{len(counted)} runs of v5, not 20"
    failed = sum(not run.ok for run in counted)
    assert failed == 5, f"the trial made 5 runs fail, the journal knows {failed}"
    said = flag_trials.monitoring["saved"]
    assert said.whole("runs") == 20
    observe("failure_unsaid", abs((1 - said.number("success")) * 20 - failed), at=moment)
    delivered = [request for request in requests if request.status == 200]
    assert said.number("delivered") == len(delivered) / len(requests)
    lost = flag_trials.monitoring["fallback off"]
    shown = (lost.whole("runs"), lost.number("success"), lost.number("delivered"))
    assert shown == (5, 0, 0), f"of five requests that nobody made good monitoring says {shown}"


@pytest.mark.criterion("routing-decision-logged")
def test_each_decision_is_logged(flag_trials: Trials, observe: Observe, moment: datetime) -> None:
    logged = {line.text("request_id"): line for line in flag_trials.decisions}
    for request in flag_trials.of(*PARTS):
        named = request.answer.text("request_id")
        assert named == request.request_id, f"{request.request_id} was answered as {named}"
        line = logged.get(request.request_id)
        wrong = "no line of its own" if line is None else ", ".join(_unlike(line, request))
        about = {"creator": request.creator, "part": request.why}
        observe("decision_unlogged", bool(wrong), at=moment, differs=wrong[:100] or "none", **about)
    reasons = {line.text("reason") for line in logged.values()}
    wanted = {"kill_switch", "shadow", "list", "percentage", "default"}
    assert reasons == wanted, f"reasons in the log: {sorted(reasons)}"


def _unlike(line: Reported, request: Request) -> Iterator[str]:
    """Where a line of the log differs from what the flags were, and what they make of a request."""
    target, reason = request.flags.decide(request.creator)
    flags = dict(line.inner("flags"))
    flags["EROS_V5_CREATORS"] = sorted(flags.get("EROS_V5_CREATORS", ()))
    decided = {"creator": request.creator, "target": target, "reason": reason}
    due = {**request.flags.typed(), **decided, "shadow": reason == "shadow"}
    told = {**flags, **{name: line[name] for name in (*decided, "shadow")}}
    for name in [*due, *sorted(told.keys() - due.keys())]:
        if told.get(name) != due.get(name):
            yield f"{name} is {told.get(name)}, not {due.get(name)}"


@pytest.mark.criterion("no-live-before-shadow-go")
def test_phases_wait_for_the_gate_before_them(
    phases_in_order: Order, observe: Observe, moment: datetime
) -> None:
    opened = _decided(phases_in_order, "shadow", None)
    early = {
        schedule.text("creator")
        for schedule in phases_in_order.delivered
        if schedule.text("pipeline") == "v5"
        and (opened is None or schedule.moment("stored_at") < opened)
    }
    for name in phases_in_order.names:
        observe("phase_begun_without_go", name in early, creator=name, at=moment)
    for change in phases_in_order.changes:
        waits_for = BEFORE.get(_phase_of(change))
        if waits_for is not None:
            at = change.moment("at")
            known = _decided(phases_in_order, waits_for, at) is not None
            observe("phase_begun_without_go", not known, phase=_phase_of(change), at=moment)


def _phase_of(change: Reported) -> str:
    """The phase that flags belong to, as the suite reads their texts."""
    flags = Flags.of({name: str(text) for name, text in change.inner("after").items() if text})
    if not flags.enabled or flags.shadow:
        return "off"
    steps = {25: "percent25", 50: "percent50", 75: "percent75", 100: "cutover"}
    if flags.percentage:
        return steps.get(flags.percentage, "cutover")
    return {0: "off", 1: "canary"}.get(len(flags.creators), "early_adopters")


def _decided(order: Order, phase: str, by: datetime | None) -> datetime | None:
    """When a phase's gate was GO, where that was its newest decision by a moment."""
    gates = [gate for gate in order.gates if gate.text("phase") == phase]
    if by is not None:
        gates = [gate for gate in gates if gate.moment("at") <= by]
    return gates[-1].moment("at") if gates and gates[-1].text("verdict") == "GO" else None
