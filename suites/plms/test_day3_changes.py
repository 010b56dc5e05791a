"""Day 3: what was changed, and when."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.two_projects import Rehearsal
from suites.plms.views.answers import not_done, recorded
from suites.plms.views.portfolio import observe_slot
from suites.plms.views.promises import observe_runs_in_slot
from suites.plms.views.unsaid import reset
from suites.plms.views.watched import moment

pytestmark = pytest.mark.day3


@pytest.mark.criterion("no-change-during-standup")
def test_no_change_in_the_freeze(two_projects: Rehearsal, phase: Stage, observe: Observe) -> None:
    if not any("cap" in change.says for change in two_projects.changes):
        do = recorded("day3", "change", "lane caps set: Code-API 4, ...")
        not_done("nobody recorded that the lane caps were set", do)
    for change in two_projects.changes:
        observe("change_in_freeze", phase.frozen(change.at), at=change.at, what=change.says)
    for run in two_projects.runs:
        if run["started_at"]:
            at = moment(run["started_at"], "start")
            observe("change_in_freeze", phase.frozen(at), at=at, what=f"{run['run_id']} began")
    looks = [*((now.at, now.look) for now in two_projects.seen), *two_projects.standup]
    for before, after, what in reset(looks):
        frozen = phase.frozen(before) and phase.frozen(after - timedelta(seconds=1))
        observe("change_in_freeze", frozen, at=after, what=what)


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(two_projects: Rehearsal, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, (*two_projects.changes, *two_projects.actions), observe)
    observe_runs_in_slot(phase, two_projects.runs, observe)
