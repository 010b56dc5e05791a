"""What is told of a request and of the flags: to its caller, later on, and in totals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

from pytest_rollout import Reported, reported
from suites.eros.scenarios.flag_trials import PARTS, Request, Trials
from suites.eros.views import figures
from suites.eros.views.journal import Run, served
from suites.eros.views.routing import Flags
from suites.eros.views.service import unrefused

pytestmark = pytest.mark.flags

STEPS = {25: "percent25", 50: "percent50", 75: "percent75", 100: "cutover"}
TOTALS = {
    "success": figures.success,
    "duration_s_p95": figures.latency,
    "quality": figures.quality,
}


# Requests


@pytest.mark.criterion("routing-decision-logged")
def test_a_caller_is_told_what_ran(flag_trials: Trials) -> None:
    ran, before = {run.run_id: run for run in flag_trials.runs}, set[str]()
    for request in flag_trials.of(*PARTS):
        run = ran.get(request.answer.text("run_id"))
        assert run is not None, f"{request.request_id} names a run that the journal does not know"
        wrong = "; ".join(_unlike(request, run, again=request.request_id in before))
        before.add(request.request_id)
        assert not wrong, f"{request.request_id} was answered otherwise than it ran: {wrong}"


def _unlike(request: Request, run: Run, *, again: bool) -> Iterator[str]:
    """Where an answer differs from its run, or from its own schedule; ``again``: asked anew."""
    said = request.answer
    due: dict[str, object] = {"request_id": run.request_id}
    if request.status == 200:
        about = {"pipeline": run.pipeline, "fallback": run.fallback, "replay": again}
        due |= {"creator": request.creator, **about}
        days = {str(item.moment("at").date()) for item in said.each("schedule")}
        if days != {said["day"]}:
            yield f"its items are of {sorted(days)}, its day is {said['day']}"
        if not run.delivered:
            yield f"run {run.run_id} was not delivered"
    yield from (
        f"{name} is {said.get(name)}, not {value}"
        for name, value in due.items()
        if said.get(name) != value
    )
    if run.creator != request.creator:
        yield f"it is of {run.creator}, not {request.creator}"


@pytest.mark.criterion("routing-decision-logged")
def test_what_was_answered_can_be_looked_up(flag_trials: Trials) -> None:
    get = flag_trials.service.client.get
    for request in (flag_trials.of(part)[-1] for part in PARTS):
        answer = request.answer
        kept = get(f"/schedules/{request.request_id}")
        said, due = ({**body, "replay": None} for body in (reported(kept, any_status=True), answer))
        assert (kept.status_code, said) == (request.status, due), (
            f"GET /schedules/{request.request_id} says {kept.text:.200}"
        )
        run_id = answer.text("run_id")
        (run,) = [ran for ran in flag_trials.runs if ran.run_id == run_id]
        shown = reported(get(f"/runs/{run_id}"))
        assert shown == run.said, f"GET /runs/{run_id} is not what the list has"
    for path in ("/schedules/suite-never-asked", "/runs/never-ran"):
        wrong = unrefused(get(path), 404)
        assert not wrong, f"{path} is {wrong}"
    odd = unrefused(get("/runs", params={"since": "yesterday"}), 400)
    assert not odd, f"since=yesterday is {odd}"


@pytest.mark.criterion("routing-decision-logged")
def test_schedules_of_a_creator_are_hers_alone(flag_trials: Trials) -> None:
    stored = flag_trials.service.get("/schedules").each("schedules")
    names = {schedule.text("creator") for schedule in stored}
    assert len(names) > 1, "all schedules are of one creator, so this shows nothing"
    for name in sorted(names)[:3]:
        due = [schedule for schedule in stored if schedule["creator"] == name]
        shown = flag_trials.service.get("/schedules", creator=name).each("schedules")
        assert [*shown] == due, f"of {name} {len(shown)} schedules are shown, not {len(due)}"


@pytest.mark.criterion("fallback-counts-as-failure")
def test_a_job_that_nobody_saved_has_failed(flag_trials: Trials) -> None:
    flag_trials.of(*PARTS)
    assert len(flag_trials.jobs) > 1, f"{len(flag_trials.jobs)} jobs ran where one failed"
    for number, job in enumerate(flag_trials.jobs):
        runs = flag_trials.by_request[job.text("request_id")]
        due = "ok" if number else "failed"
        assert {run.said["outcome"] for run in runs} == {due}, f"{job['job']} ran otherwise"
        assert job.text("outcome") == due, f"job {job['job']} is {job['outcome']}, its run {due}"
        over = max(run.ended for run in runs)
        assert job.moment("ended") == over, f"job {job['job']} ended {job['ended']}, not {over}"


@pytest.mark.criterion("routing-decision-logged")
def test_what_is_odd_is_refused(flag_trials: Trials) -> None:
    wrong = [f"{what} is {said}" for what, said in flag_trials.odd.items() if said]
    assert not wrong, "; ".join(wrong)


# Flags


@pytest.mark.criterion("routing-decision-logged")
def test_flags_are_told_as_they_were_set(flag_trials: Trials) -> None:
    changes = _changes(flag_trials)
    for change in changes:
        by, why = change.text("by"), change["reason"]
        said = why == ("a trial" if by == "the suite" else "")
        assert said, f"the change of {change['at']} is said to be by {by}, because of {why!r}"
        phase = _phase(_flags(change))
        assert change["phase"] == phase, (
            f"{dict(change.inner('after'))} is called {change['phase']}"
        )
    unsaid = [change for change in changes if change["by"] != "the suite"]
    assert len(unsaid) == 1, f"{len(unsaid)} changes are of somebody else; by PUT one was made"
    phases = {change["phase"] for change in changes}
    lacking = {"off", "shadow", "canary", "early_adopters", *STEPS.values()} - phases
    assert not lacking, f"nobody set the flags of {', '.join(sorted(lacking))}"
    for earlier, later in pairwise(changes):
        assert later["before"] == earlier["after"], f"before {later['at']} flags are told as others"
    now, last = flag_trials.service.get("/flags"), changes[-1]
    assert now["raw"] == last["after"], f"raw is {now['raw']}, set was {last['after']}"
    assert now.moment("since") == last.moment("at"), f"since is {now['since']}, not {last['at']}"
    typed = {**now, "EROS_V5_CREATORS": sorted(now["EROS_V5_CREATORS"])}
    due = {**_flags(last).typed(), "phase": last["phase"], "warnings": []}
    odd = {name: typed.get(name) for name, value in due.items() if typed.get(name) != value}
    assert not odd, f"of {last['after']} it says {odd}"


def _changes(trials: Trials) -> Sequence[Reported]:
    trials.of(*PARTS)
    return trials.service.get("/flags/changes").each("changes")


def _flags(change: Reported) -> Flags:
    return Flags.of({name: str(text) for name, text in change.inner("after").items()})


def _phase(flags: Flags) -> str:
    """The phase whose configuration some flags are."""
    if not flags.enabled:
        return "off"
    if flags.shadow:
        return "shadow"
    if flags.percentage:
        return STEPS[flags.percentage]
    return ("off", "canary", "early_adopters")[min(len(flags.creators), 2)]


# Totals


@pytest.mark.criterion("fallback-counts-as-failure")
def test_totals_between_two_changes_are_of_served_runs(flag_trials: Trials) -> None:
    changes = _changes(flag_trials)
    totals = flag_trials.service.get("/monitoring/steps").each("steps")
    by_begin = {(total.moment("since"), total.text("phase")): total for total in totals}
    counted = 0
    ends = [*(later.moment("at") for later in changes[1:]), None]
    for change, until in zip(changes, ends, strict=True):
        flags, since = _flags(change), change.moment("at")
        if not (flags.enabled and flags.percentage):
            continue
        step = by_begin.get((since, change.text("phase")))
        assert step is not None, f"there are no totals since {since}, of {change['phase']}"
        shown = step["until"] and step.moment("until")
        assert shown == until, f"the totals since {since} are until {shown}, not {until}"
        ran = served(flag_trials.runs)
        runs = [run for run in ran if since <= run.ended and (not until or run.ended < until)]
        counted += bool(runs)
        wrong = "; ".join(_miscounted(step, runs, flags))
        assert not wrong, f"since {since}, {change['phase']}: {wrong}"
    assert counted > 2, "v5 served nobody in these steps, so their totals show nothing"
    empty = [total for total in totals if not total.whole("percentage")]
    assert not empty, f"{len(empty)} totals are of no percentage"


def _miscounted(step: Reported, runs: Sequence[Run], flags: Flags) -> Iterator[str]:
    counts = {
        "percentage": flags.percentage,
        "runs": len(runs),
        "creators": len({run.creator for run in runs}),
        "violations": sum(bool(run.violations) for run in runs),
    }
    yield from (f"{name} {step[name]}" for name, due in counts.items() if step[name] != due)
    yield from (
        f"{name} {step[name]}"
        for name, take in TOTALS.items()
        if figures.differs(step.number_or_none(name), take(runs))
    )
