"""The planner that learns: its pack, its partitions, its test against the old one, its errors."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import date

import pytest

from pytest_rollout import NotReportedError, NoValueError, Observe, Reported, Stage, relative_error
from suites.pas.scenarios.planning import (
    KNOWN,
    LANE,
    ONLY_OTHER,
    OTHER,
    UNKNOWN,
    Crafted,
    Trained,
    crafted_runs,
)
from suites.pas.scenarios.schedule import Weeks
from suites.pas.views.learning import (
    COMPLETED,
    PAIRS,
    RESULTS,
    RUNS,
    Planner,
    asked,
    by_project,
    mae,
    near,
    partition_wrong,
    read,
    teaches,
)
from suites.pas.views.lines import lines
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_phase5

PAIRED = 10
SIZE = 10


@pytest.mark.criterion("runs-to-learn-from")
def test_there_is_something_to_learn_from(phase: Stage) -> None:
    runs = lines(phase.file("packs") / RUNS, "record of runs")
    good = [run for run in runs if teaches(run)]
    projects = len(by_project(good))
    assert len(good) >= PAIRED, f"{len(good)} runs may be learnt from"
    assert projects >= 2, f"they are of {projects} project"
    assert len(runs) > len(good), "each recorded run may be learnt from, so nothing is left out"
    now = phase.now()
    for run in (*runs, *lines(phase.file("packs") / COMPLETED, "record of completed projects")):
        lived = run.moment("started") < run.moment("ended") <= now
        assert lived, f"{run['run_id']} lasted from {run['started']} to {run['ended']}, by {now}"


# What is learnt


@pytest.mark.criterion("training-pack")
def test_the_pack_holds_the_runs_that_teach(trained: Trained, crafted: Crafted) -> None:
    due = {run.text("run_id"): run for run in trained.teaching}
    for which, pack in trained.both.items():
        held = {run.text("run_id"): run for run in pack.each("runs")}
        assert held, f"the pack ({which}) holds no run"
        missed = sorted(set(due) - set(held))
        assert not missed, f"the pack ({which}) lacks {missed[:3]}"
        other = [name for name, run in due.items() if held[name]["tasks"] != run["tasks"]]
        assert not other, f"the pack ({which}) has other figures of {other[:3]}"
    learnt = {run.text("run_id") for run in crafted.pack.each("runs")}
    good = {f"crafted-{number}" for number in range(8)}
    assert learnt >= good, f"of eight good runs it learnt from {len(learnt & good)}"


@pytest.mark.criterion("training-pack-clean", "training-pack")
def test_nothing_else_is_learnt_from(trained: Trained, crafted: Crafted, observe: Observe) -> None:
    tell = Told(observe)
    recorded = {run.text("run_id"): run for run in trained.runs}
    for which, pack in trained.both.items():
        for run in pack.each("runs"):
            known = recorded.get(run.text("run_id"))
            tell("foreign_run", known is None or not teaches(known), pack=which)
    bad = {run["run_id"] for run in crafted_runs()[8:]}
    for run in crafted.pack.each("runs"):
        tell("foreign_run", run.text("run_id") in bad, pack="crafted")
    quarantined = {run.text("run_id") for run in crafted.pack.each("quarantined")}
    assert quarantined == bad, f"left out are {sorted(quarantined)}, not {sorted(bad)}"
    tell.none_bad("the pack holds runs that must not be learnt from")


@pytest.mark.criterion("partitions")
def test_there_are_both_partitions(trained: Trained, observe: Observe) -> None:
    wrongs = []
    for which, pack in trained.both.items():
        partitions = pack.inner("partitions")
        local = partitions.get("LOCAL") or {}
        asked_for = {"GLOBAL": ("GLOBAL", partitions.get("GLOBAL"), trained.teaching)}
        for project, runs in by_project(trained.teaching).items():
            asked_for[project] = ("LOCAL", local.get(project), runs)
        for name, (partition, said, runs) in asked_for.items():
            wrong = partition_wrong(said, runs) if said else "it is missing"
            observe("partition_wrong", bool(wrong), partition=partition)
            wrongs += [f"{name} ({which}): {wrong}"] if wrong else []
    assert not wrongs, "; ".join(wrongs[:3])


@pytest.mark.criterion("partition-isolation", "partitions")
def test_a_project_learns_from_itself(trained: Trained, observe: Observe) -> None:
    tell = Told(observe)
    owners = {run.text("run_id"): str(run["project_id"]) for run in trained.runs}
    for which, pack in trained.both.items():
        local = pack.inner("partitions").inner("LOCAL")
        for project in local:
            for run in local.inner(project)["runs"]:
                tell("foreign_in_local", owners.get(run) != project, pack=which)
    tell.none_bad("a LOCAL partition holds runs of another project")


# How good it is


def _pairs(trained: Trained) -> list[tuple[Reported, Reported]]:
    """The runs of each pair."""
    pairs = [Reported(pair, PAIRS) for pair in read(trained.packs / PAIRS)]
    return [(pair.inner("a"), pair.inner("b")) for pair in pairs]


def _results(trained: Trained) -> Reported:
    return Reported(read(trained.packs / RESULTS), RESULTS)


@pytest.mark.criterion("ab-mae-reduction")
def test_the_new_planner_is_better(trained: Trained, observe: Observe) -> None:
    pairs, results = _pairs(trained), _results(trained)
    said = results.each("pairs")
    assert len(said) == len(pairs) == PAIRED, f"{len(said)} results are of {len(pairs)} pairs"
    reductions = []
    for (run_a, run_b), result in zip(pairs, said, strict=True):
        old = _error(trained, run_a, result.inner("a"), "--planner", "default")
        new = _error(trained, run_b, result.inner("b"))
        if not old:
            raise NoValueError(f"the old planner has no error for {run_a['run_id']}")
        reductions.append((old - new) / old)
        observe("paired_error_reduction", reductions[-1])
        told = result.number("reduction")
        assert near(told, reductions[-1], 1e-4), f"{told:g} is told, and it is {reductions[-1]:g}"
    median = statistics.median(reductions)
    told = results.number("median_reduction")
    assert near(told, median, 1e-4), f"a median of {told:g} is told, and it is {median:g}"


def _error(trained: Trained, run: Reported, arm: Reported, *more: str) -> float:
    """The error of one side, of figures that planner and record give once more."""
    estimates: Sequence[float] = arm["estimates"]
    actual = [task.number("tokens") for task in run.each("tasks")]
    assert arm["actuals"] == actual, f"{run['run_id']} took {actual}, and {arm['actuals']} is told"
    again = trained.planner.estimate(trained.packs, run["project_id"], asked(run), *more)
    now = [task.number("tokens") for task in again.each("tasks")]
    alike = all(near(a, b, 1e-4) for a, b in zip(estimates, now, strict=True))
    assert alike, f"for {run['run_id']} it estimates {now}, and {estimates} is told"
    error = mae(estimates, actual)
    assert near(arm.number("mae"), error, 1e-4), f"an error of {arm['mae']} is told, not {error:g}"
    return error


@pytest.mark.criterion("ab-paired", "ab-mae-reduction")
def test_both_sides_had_the_same_task(trained: Trained, observe: Observe) -> None:
    tell = Told(observe)
    learnt = {run.text("run_id") for pack in trained.both.values() for run in pack.each("runs")}
    seen: set[str] = set()
    for (run_a, run_b), result in zip(
        _pairs(trained), _results(trained).each("pairs"), strict=True
    ):
        same = all(run_a[name] == run_b[name] for name in ("template", "budget_tokens"))
        same = same and asked(run_a) == asked(run_b)
        ids = {run_a.text("run_id"), run_b.text("run_id")}
        told = all(
            result.inner(side)[name] == run[name]
            for side, run in (("a", run_a), ("b", run_b))
            for name in ("run_id", "template", "budget_tokens")
        )
        fresh = len(ids) == 2 and not ids & (learnt | seen)
        tell("unpaired", not (same and told and fresh), pair=" and ".join(sorted(ids)))
        seen |= ids
    tell.none_bad("the sides of a pair are not alike, or not fresh")


@pytest.mark.criterion("mae-20-at-10")
def test_estimates_come_near(trained: Trained, observe: Observe) -> None:
    recorded = {run.text("run_id"): run for run in trained.runs}
    done = lines(trained.packs / COMPLETED, "record of completed projects")
    projects = {str(project["project_id"]) for project in done}
    assert len(projects) == len(done), f"{len(done)} projects are told, of {len(projects)} ids"
    for project in sorted(done, key=lambda row: row.moment("ended")):
        run = recorded.get(project.text("run_id"))
        if run is None:
            raise NotReportedError(f"no run {project['run_id']} is recorded")
        actual = sum(task.number("tokens") for task in run.each("tasks"))
        assert near(project.number("actual_tokens"), actual), (
            f"{project['run_id']} took {actual:g} tokens, and {project['actual_tokens']:g} is told"
        )
        early = project.moment("estimated_at") <= project.moment("started")
        assert early, f"{project['run_id']} was estimated after it had begun"
        error = relative_error(actual, project.number("estimate_tokens"))
        observe("abs_error_share", abs(error), at=project.moment("ended"))


# How it is served


@pytest.mark.criterion("serving-order")
def test_local_is_laid_over_global(trained: Trained, crafted: Crafted, observe: Observe) -> None:
    due = {  # project and lane: whose prior, and tokens for each unit of size
        ("known", KNOWN, LANE): ("LOCAL", 100.0),
        ("known", OTHER, LANE): ("LOCAL", 300.0),
        ("known", KNOWN, ONLY_OTHER): ("GLOBAL", 300.0),
        ("unknown", UNKNOWN, LANE): ("GLOBAL", 200.0),
        ("unknown", UNKNOWN, ONLY_OTHER): ("GLOBAL", 300.0),
    }
    for (kind, project, lane), (source, rate) in due.items():
        said = crafted.estimate(project, lane, SIZE)
        (task,) = said.each("tasks")
        good = task.text("source") == source and near(task.number("tokens"), rate * SIZE, 0.001)
        observe("served_wrong", not good, project=kind)
    applied = crafted.estimate(KNOWN, LANE)["applied"]
    assert applied[-2:] == ["GLOBAL", "LOCAL"], f"laid over each other are {applied}"
    _served_as_kept(trained)


def _served_as_kept(trained: Trained) -> None:
    """Raise AssertionError where a project is not served what the kept pack has for it."""
    local = trained.kept.inner("partitions").inner("LOCAL")
    project = next(iter(local), None)
    if project is None:
        raise NoValueError("the pack has no LOCAL partition")
    lanes = local.inner(project).inner("lanes")
    lane = next(iter(lanes))
    rate = lanes.inner(lane).number("tokens_per_size")
    said = trained.planner.estimate(trained.packs, project, [{"lane": lane, "size": SIZE}])
    (task,) = said.each("tasks")
    assert near(task.number("tokens"), rate * SIZE, 0.001), (
        f"{lane} of {project} is estimated at {task['tokens']:g}, and {rate * SIZE:g} was learnt"
    )


@pytest.mark.criterion("cold-start")
def test_the_first_project_is_estimated(
    phase: Stage, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cold")
    packs = folder / "packs"
    packs.mkdir()
    planner = Planner(phase.file("checkout"), folder)
    said = planner.estimate(packs, UNKNOWN, [{"lane": LANE, "size": SIZE}])
    for name in ("tokens", "minutes"):
        low, mean, high = (said.inner(name).number(which) for which in ("lower", "mean", "upper"))
        assert 0 < low < mean < high, f"the interval of {mean:g} {name} is {low:g} to {high:g}"
    (task,) = said.each("tasks")
    assert task.text("source") == "DEFAULT", f"with nothing learnt it comes from {task['source']}"


@pytest.mark.criterion("on-schedule")
def test_the_phase_was_accepted_in_time(weeks: Weeks) -> None:
    weeks.demand_by(date(2026, 1, 16))
