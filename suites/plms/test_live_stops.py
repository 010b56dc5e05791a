"""The hard stops of the whole week: budgets, quarantine, rehearsals."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.hard_stops import (
    APPROVED,
    BUDGETS,
    ENOUGH,
    OVERRUN,
    QUARANTINED,
    TOO_FEW,
    TOO_MANY,
    Budgets,
    Lesson,
    Rehearsed,
)
from suites.plms.scenarios.live_week import Week
from suites.plms.views.answers import not_done
from suites.plms.views.tables import rows

pytestmark = pytest.mark.live

CAP = 0.05
NEAR = 0.005  # between a projection and what a run came to, as shares of its budget
LET_GO = [project for project, role in APPROVED.items() if role == "pm"]
MAY_GO_ON = (950, 951, *LET_GO)
STOPPED = [project for project in BUDGETS if project not in MAY_GO_ON]


# Budgets


@pytest.mark.criterion("budget-overrun-pauses")
def test_a_run_over_its_budget_is_paused(overrunning: Budgets, observe: Observe) -> None:
    going: dict[int, str] = {}
    for reading in overrunning.readings:
        if reading.overrun > OVERRUN and reading.project not in LET_GO:
            goes_on = reading.status != "paused"
            observe("overrun_goes_on", goes_on, at=reading.at, project=reading.project)
            if goes_on:
                said = f"project {reading.project} is {reading.status} at {reading.overrun:.1%}"
                going.setdefault(reading.project, f"{said} over its budget")
    assert not going, f"{'; '.join(going.values())}; paused is due above {OVERRUN:.0%}"


@pytest.mark.criterion("budget-overrun-pauses")
@pytest.mark.parametrize("project", STOPPED)
def test_a_paused_run_stands_still(overrunning: Budgets, project: int) -> None:
    paused = [reading for reading in overrunning.of(project) if reading.status == "paused"]
    assert paused, f"project {project} was never paused"
    first, last = paused[0].work, paused[-1].work
    assert first == last, f"paused, project {project} went on from {first} to {last}"
    assert last[0] < 1, f"project {project} was paused when its work was done"
    run = overrunning.ended[project]
    assert run["completed_at"] is None, f"project {project} ended {run['status']} all the same"


@pytest.mark.criterion("budget-overrun-pauses")
@pytest.mark.parametrize("project", [950, *LET_GO])
def test_projections_come_true(overrunning: Budgets, project: int) -> None:
    run, told = overrunning.ended[project], overrunning.of(project)[-1].overrun
    assert run["status"] == "completed", f"project {project}, which may go on, is {run['status']}"
    real = run.number("tokens_actual") / BUDGETS[project] - 1
    assert abs(told - real) <= NEAR, (
        f"project {project} was projected to go {told:.1%} over its budget, and went {real:.1%}"
    )


@pytest.mark.criterion("budget-overrun-boundary")
@pytest.mark.parametrize(
    ("project", "paused"),
    [(950, False), (951, False), (952, True)],
    ids=["under", "at", "over"],
)
def test_the_limit_itself_is_allowed(overrunning: Budgets, project: int, *, paused: bool) -> None:
    last = overrunning.of(project)[-1]
    said = f"project {project} is {last.status} at {last.overrun:.2%} over its budget"
    due = f"{'paused' if paused else 'not paused'} is due, the limit is {OVERRUN:.0%}"
    assert (last.overrun > OVERRUN) is paused, f"{said}: on the wrong side of {OVERRUN:.0%}"
    assert (last.status == "paused") is paused, f"{said}; {due}"


@pytest.mark.criterion("budget-overrun-pm-override")
def test_only_the_pm_lets_an_overrun_go_on(overrunning: Budgets) -> None:
    over = {reading.project for reading in overrunning.readings if reading.overrun > OVERRUN}
    for project in LET_GO:
        assert project in over, f"{project} is not over its budget, so its approval shows nothing"
        run = overrunning.ended[project]
        assert run["status"] == "completed", f"{project} was approved and is {run['status']}"
    going = {
        reading.project: reading.at
        for reading in reversed(overrunning.readings)  # the first time that each goes on
        if reading.overrun > OVERRUN and reading.status not in ("paused", "cancelled")
    }
    given = [entry for entry in overrunning.approvals if entry.kind == "approval"]
    by_pm = {
        entry.says.get("project"): entry.at
        for entry in given
        if entry.says.get("role") == "pm" and entry.says.get("by") and entry.says.get("reason")
    }
    alone = sorted(set(going) - set(by_pm))
    assert not alone, f"{alone} go on without an approval of the PM"
    late = sorted(project for project, at in going.items() if by_pm[project] > at)
    assert not late, f"{late} went on before the PM approved it"


@pytest.mark.criterion("budget-overrun-pm-override")
def test_each_name_stands_for_one_role(overrunning: Budgets) -> None:
    roles: dict[str, set[str]] = {}
    for entry in overrunning.approvals:
        if entry.kind == "approval":
            roles.setdefault(str(entry.says.get("by")), set()).add(str(entry.says.get("role")))
    both = {name: sorted(held) for name, held in roles.items() if len(held) > 1}
    assert not both, f"one person approved in several roles: {both}"


# Quarantine


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(961, marks=pytest.mark.criterion("quarantine-kpi-fail")),
        pytest.param(964, marks=pytest.mark.criterion("quarantine-kpi-fail")),
        pytest.param(962, marks=pytest.mark.criterion("quarantine-sandbox")),
        pytest.param(965, marks=pytest.mark.criterion("quarantine-sandbox")),
    ],
)
def test_a_run_that_may_not_teach_teaches_nothing(
    lessons: Mapping[int, Lesson] | None, project: int, observe: Observe
) -> None:
    if lessons is None:
        return  # in production the runs of the week show it, below
    lesson, good = lessons[project], lessons[963]
    run, why = lesson.run, QUARANTINED[project]
    assert run["status"] in ("completed", "needs_review"), f"the run is {run['status']}"
    failed, sandbox = not run["validation_pass"], bool(run["write_sandbox"])
    assert (failed, sandbox) == (why == "failed", why == "sandbox"), (
        f"the run is to be quarantined as {why} alone: validation_pass {run['validation_pass']},"
        f" write_sandbox {run['write_sandbox']}"
    )
    observe("reached_priors", lesson.priors, why=why, project=project)
    assert lesson.after == lesson.before, (
        f"after the run the next one is expected to take {lesson.after:g} tokens,"
        f" before it {lesson.before:g}"
    )
    assert good.priors >= 1, "a good run left no prior either: nothing is learnt at all"
    moved = [each for each in lessons.values() if each.after != each.before]
    assert moved, "a good run moved no estimate: nothing is learnt at all"


@pytest.mark.parametrize(
    ("why", "where"),
    [
        pytest.param(
            "failed",
            "COALESCE(r.validation_pass, 0) = 0",
            marks=pytest.mark.criterion("quarantine-kpi-fail"),
        ),
        pytest.param(
            "sandbox",
            "COALESCE(r.write_sandbox, 0) <> 0",
            marks=pytest.mark.criterion("quarantine-sandbox"),
        ),
    ],
)
def test_no_prior_of_the_week_comes_from_one(
    live_week: Week,
    lessons: Mapping[int, Lesson] | None,
    why: str,
    where: str,
    observe: Observe,
) -> None:
    query = (
        "SELECT v.id, v.run_id FROM estimate_versions AS v"
        f" JOIN project_runs AS r USING (run_id) WHERE {where}"
    )
    taught = rows(live_week.registry, query)
    ended = rows(
        live_week.registry,
        "SELECT run_id FROM project_runs AS r WHERE completed_at IS NOT NULL"
        f" AND run_kind IN ('baseline', 'hotfix') AND {where}",
    )
    if lessons is None and not ended:  # a rehearsal tries such runs apart
        not_done(f"no run of the week is one that is {why}", "day 5 tries such runs: see its gate")
    observe("reached_priors", len(taught), why=why, over="week")
    assert not taught, f"priors of the week come from runs that are {why}: {taught}"


# Rehearsals


@pytest.mark.criterion("canary-autobump")
def test_a_rehearsal_that_is_too_small_is_raised(canary: Mapping[int, Rehearsed]) -> None:
    raised = canary[TOO_FEW]
    asked, drawn = raised.told.number("requested_pct"), raised.told.number("actual_pct")
    assert not raised.suffices, f"{asked:.1%} already cover every stratum: it shows nothing"
    assert drawn > asked, f"{asked:.1%} do not cover every stratum, {drawn:.1%} were drawn"
    assert raised.told["auto_bumped"] is True, f"auto_bumped is {raised.told['auto_bumped']}"
    assert raised.coverage == 1, f"{drawn:.1%} cover {raised.coverage:.0%} of the strata"


@pytest.mark.criterion("canary-autobump")
def test_a_rehearsal_that_suffices_is_left_alone(canary: Mapping[int, Rehearsed]) -> None:
    left = canary[ENOUGH]
    asked, drawn = left.told.number("requested_pct"), left.told.number("actual_pct")
    assert left.suffices, f"{asked:.1%} cannot cover every stratum: it shows nothing"
    assert drawn == asked, f"{asked:.1%} suffice, {drawn:.1%} were drawn"
    assert left.told["auto_bumped"] is False, f"auto_bumped is {left.told['auto_bumped']}"


@pytest.mark.criterion("canary-autobump")
@pytest.mark.parametrize("project", [TOO_FEW, ENOUGH, TOO_MANY])
def test_what_is_told_of_a_sample_is_so(canary: Mapping[int, Rehearsed], project: int) -> None:
    drawn = canary[project]
    told = drawn.told.number("actual_pct")
    assert abs(told - drawn.share) < 1e-4, f"{told:.2%} are told, the sample has {drawn.share:.2%}"
    told = drawn.told.number("strata_coverage")
    assert told == drawn.coverage, f"a coverage of {told} is told, the sample has {drawn.coverage}"


@pytest.mark.criterion("canary-bump-cap")
def test_it_is_raised_to_five_percent_at_most(
    canary: Mapping[int, Rehearsed], observe: Observe
) -> None:
    for project, drawn in canary.items():
        observe("rehearsed_share", drawn.share, project=project)
    most, task = canary[TOO_MANY], 1 / canary[TOO_MANY].told.whole("n_total")
    assert most.told.whole("n_strata") * task > CAP, "five percent cover every stratum"
    assert most.share > CAP - task, f"strata are left out, and {most.share:.1%} were drawn"


@pytest.mark.criterion("canary-uncovered-at-cap")
def test_it_covers_every_stratum(canary: Mapping[int, Rehearsed], observe: Observe) -> None:
    drawn = canary[TOO_FEW]
    observe("strata_coverage", drawn.coverage)
    said = f"project {TOO_FEW}: a rehearsal of {drawn.share:.1%} covers {drawn.coverage:.0%}"
    assert drawn.coverage >= 1, f"{said} of its strata, 100% are due"


@pytest.mark.criterion("canary-uncovered-at-cap")
def test_what_five_percent_leave_out_is_told(canary: Mapping[int, Rehearsed]) -> None:
    told = canary[TOO_MANY].told.number("strata_coverage")
    drawn = canary[TOO_MANY]
    said = f"project {TOO_MANY}: a rehearsal of {drawn.share:.1%} covers {drawn.coverage:.0%}"
    assert told < 1, f"{said} of its strata, and {told:.0%} are told"
