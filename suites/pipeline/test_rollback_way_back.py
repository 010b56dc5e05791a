"""A rollback, step by step: what is off really stays off, and what people do about the rest."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from pytest_rollout import Observe
from suites.pipeline.scenarios.way_back import DAY, WayBack
from suites.pipeline.views.agreement import strange_ending
from suites.pipeline.views.journal import ASSIGNED, COPILOT, TRIAGE, Run, demand
from suites.pipeline.views.on_main import text_of
from suites.pipeline.views.runs import Log, moved
from suites.pipeline.views.schedules import ASSIGN, DAILY, FOLDER, LIVE, PROCESS

pytestmark = pytest.mark.pipeline_rollback

NAMES = {"assignment": ASSIGN, "processing": PROCESS, "daily-operations": DAILY}
WEEK_1 = {
    ASSIGN: ("LIMIT", "limit", "pipeline-assign", 10),
    PROCESS: ("BATCH_SIZE", "batch-size", "pipeline-process", 5),
}


# Schedules


@pytest.mark.parametrize(
    "file",
    [pytest.param(f, marks=pytest.mark.criterion(f"disables-{n}")) for n, f in NAMES.items()],
)
def test_no_run_starts_by_schedule_any_more(way_back: WayBack, file: str) -> None:
    earlier = way_back.before.scheduled(file, way_back.triggered - DAY, way_back.triggered)
    demand(earlier, f"run of {file} by schedule in the day before the rollback")
    crons = way_back.files[file].crons
    assert not crons, f"{file} still has the schedule {', '.join(crons)}"
    text = way_back.files[file].text
    kept = re.search(r"^ *# *schedule:\n *# *- cron: ", text, re.MULTILINE)
    assert kept, f"the schedule of {file} is not commented out, but gone"
    settled = way_back.triggered + timedelta(minutes=5)
    later = way_back.final.scheduled(file, settled)
    assert not later, f"{file} started by schedule at {later[0].begun}, after the rollback"


@pytest.mark.parametrize(
    "file",
    [pytest.param(f, marks=pytest.mark.criterion(f"disables-{n}")) for n, f in NAMES.items()],
)
def test_github_and_the_checkout_say_the_same(way_back: WayBack, file: str) -> None:
    there = way_back.first.files[file]
    assert there == way_back.files[file].text, f"{file} of GitHub is not that of the checkout"


@pytest.mark.criterion("limits-reset")
@pytest.mark.parametrize("file", WEEK_1)
def test_limits_are_those_of_week_1(way_back: WayBack, file: str) -> None:
    setting, flag, command, limit = WEEK_1[file]
    stated = way_back.files[file].setting(setting)
    assert stated == limit, f"{file} has {setting} {stated}, not {limit}"
    run = _by_hand(way_back, file)
    told = int(Log.of(way_back.hub, run).flags(command)[flag])
    assert told == limit, f"run {run.id} was told {flag} {told}, not {limit}"
    there = text_of(way_back.hub, f"{FOLDER}/{file}")
    assert there == way_back.first.files[file], f"{file} was changed within three days after it"
    label = ASSIGNED if file == ASSIGN else COPILOT
    took = len(moved(way_back.journal_by_hand, run, label))
    assert took == limit, f"run {run.id} took {took} of twelve issues and more, not {limit}"


# By hand


def _by_hand(way_back: WayBack, file: str) -> Run:
    """The run that was started by hand; fails with the reason where there is none."""
    run = way_back.by_hand[file]
    assert isinstance(run, Run), str(run)
    return run


@pytest.mark.criterion("manual-dispatch-works")
@pytest.mark.parametrize("file", LIVE)
def test_each_workflow_works_by_hand(way_back: WayBack, file: str, observe: Observe) -> None:
    run = way_back.by_hand[file]
    label = {ASSIGN: ASSIGNED, PROCESS: COPILOT, DAILY: TRIAGE}[file]  # the daily run monitors
    if isinstance(run, str):
        observe("dispatch_failed", True, file=file, why=run[:200])
        return
    worked = bool(moved(way_back.journal_by_hand, run, label))
    why = f"run {run.id} ended in {run.conclusion or 'nothing'}, and worked: {worked}"
    observe("dispatch_failed", not (run.good and worked), file=file, why=why)


# Runs, and a second trigger


@pytest.mark.criterion("running-runs-settled")
def test_runs_at_work_are_settled(way_back: WayBack, observe: Observe) -> None:
    after = {run.id: run for run in way_back.after.runs}
    for run in demand(list(way_back.working), "run that was at work when the rollback began"):
        now = after[run.id]
        settled = now.ended is not None and now.ended <= way_back.triggered + timedelta(hours=1)
        observe("run_left_hanging", not settled, at=run.begun, run=run.id, status=now.status)


@pytest.mark.criterion("running-runs-settled")
def test_what_was_cancelled_says_so(way_back: WayBack) -> None:
    for run in demand(list(way_back.working), "run that was at work when the rollback began"):
        wrong = strange_ending(way_back.hub, run.id)
        assert not wrong, f"run {run.id}: {wrong}"


@pytest.mark.criterion("running-runs-settled")
def test_nothing_hangs_a_day_later(way_back: WayBack) -> None:
    soon = way_back.triggered + timedelta(minutes=30)
    runs = [run for run in way_back.after.runs if run.begun < soon]
    hanging = [run.id for run in runs if run.ended is None]
    assert not hanging, f"runs {hanging} are still going on a day after the rollback"


@pytest.mark.criterion("rollback-idempotent")
def test_a_second_rollback_changes_nothing(way_back: WayBack, observe: Observe) -> None:
    first, second = way_back.first, way_back.second
    assert first.announcements, "the first rollback was not announced, so a second cannot be told"
    for what in ("files", "announcements", "mails", "entries", "incidents"):
        before, after = getattr(first, what), getattr(second, what)
        why = "" if what == "files" else f"{before} before, {after} after"
        observe("second_rollback_effect", before != after, what=what, why=why)
