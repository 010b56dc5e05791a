"""The planner's figures: rates, spreads, intervals and errors, by the suite's own arithmetic."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pytest

from pytest_rollout import NoValueError, Reported
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
from suites.pas.views.estimates import OTHER as NO_PRIOR
from suites.pas.views.estimates import PRIORS, interval, unlike
from suites.pas.views.learning import (
    PAIRS,
    RESULTS,
    RUNS,
    Planner,
    asked,
    near,
    numbered,
    read,
    reductions,
)

pytestmark = pytest.mark.pas_phase5

LEAST_SPREAD = 0.05  # that an interval is made of, however alike the runs were
SIZE = 10
STRANGE = "Graph-Ops"  # a lane without a prior
Rates = Mapping[str, tuple[float, float, float, str]]  # by lane: tokens, minutes, spread, source


def _learnt(runs: Sequence[Mapping[str, Any]], source: str) -> dict[str, Any]:
    """What a unit of each lane took in some runs, and how far single tasks were off."""
    rates = {}
    lanes = {task["lane"] for run in runs for task in run["tasks"]}
    for lane in lanes:
        tasks = [task for run in runs for task in run["tasks"] if task["lane"] == lane]
        size = sum(task["size"] for task in tasks)
        tokens, minutes = (sum(t[n] for t in tasks) / size for n in ("tokens", "minutes"))
        spread = statistics.pstdev([task["tokens"] / task["size"] for task in tasks]) / tokens
        rates[lane] = (tokens, minutes, spread, source)
    return rates


def _rates(runs: Sequence[Mapping[str, Any]], project: str) -> Rates:
    """What is known of each lane in a project: its own figures before those of all."""
    own = [run for run in runs if str(run["project_id"]) == project]
    default = {lane: (*prior, "DEFAULT") for lane, prior in PRIORS.items()}
    learnt = {**_learnt(runs, "GLOBAL"), **_learnt(own, "LOCAL")}
    floored = {k: (a, b, max(spread, LEAST_SPREAD), s) for k, (a, b, spread, s) in learnt.items()}
    return {**default, **floored}


def _estimate_wrong(said: Reported, rates: Rates, tasks: Sequence[Mapping[str, Any]]) -> str:
    """What is wrong with an estimate of tasks by these rates; empty: nothing."""
    if said["level"] != 0.9:
        return f"its level is {said['level']}"
    known = [(rates.get(task["lane"], (*NO_PRIOR, "DEFAULT")), task["size"]) for task in tasks]
    for which, name in enumerate(("tokens", "minutes")):
        due = interval([(rate[which] * size, rate[2]) for rate, size in known])
        if wrong := unlike(said.inner(name), due):
            return f"{name}: {wrong}"
        for piece, (rate, size) in zip(said.each("tasks"), known, strict=True):
            if not near(piece.number(name), rate[which] * size, 1e-5):
                return f"{name} of {piece['lane']} are {piece[name]}, not {rate[which] * size:g}"
    told = [(piece["lane"], piece["size"], piece["source"]) for piece in said.each("tasks")]
    right = [
        (task["lane"], task["size"], rate[3]) for task, (rate, _) in zip(tasks, known, strict=True)
    ]
    return "" if told == right else f"its tasks are {told}, not {right}"


LANES = (*PRIORS, STRANGE)
TASKS = [{"lane": lane, "size": size} for lane, size in zip(LANES, (7, 3, 5, 2, 4), strict=True)]


@pytest.mark.criterion("serving-order")
def test_an_estimate_follows_from_its_rates(crafted: Crafted) -> None:
    """Means, intervals and sources of several tasks, in each project and in none."""
    good = crafted_runs()[:8]
    layers = {KNOWN: ["DEFAULT", "GLOBAL", "LOCAL"], UNKNOWN: ["DEFAULT", "GLOBAL"]}
    for project, applied in layers.items():
        said = crafted.planner.estimate(crafted.packs, project, TASKS)
        wrong = _estimate_wrong(said, _rates(good, project), TASKS)
        assert not wrong, f"in the project {project}: {wrong}"
        assert said["applied"] == applied, f"laid over each other are {said['applied']}"


@pytest.mark.criterion("serving-order", "ab-mae-reduction")
def test_the_old_planner_is_that_of_the_defaults(crafted: Crafted) -> None:
    default = {lane: (*prior, "DEFAULT") for lane, prior in PRIORS.items()}
    nowhere = crafted.packs.with_name("nothing-learnt")
    nowhere.mkdir()
    said = {
        "default": crafted.planner.estimate(crafted.packs, KNOWN, TASKS, "--planner", "default"),
        "no pack": crafted.planner.estimate(nowhere, KNOWN, TASKS),
    }
    for name, estimate in said.items():
        wrong = _estimate_wrong(estimate, default, TASKS)
        assert not wrong, f"{name}: {wrong}"
        assert estimate["applied"] == ["DEFAULT"], (
            f"{name}: laid over each other are {estimate['applied']}"
        )


@pytest.mark.criterion("ab-mae-reduction")
def test_both_arms_estimate_by_what_they_know(trained: Trained) -> None:
    """Estimates of each pair, by the default priors and by the recorded runs."""
    runs = [dict(run) for run in trained.teaching]
    default = {lane: (*prior, "DEFAULT") for lane, prior in PRIORS.items()}
    results = Reported(read(trained.packs / RESULTS), RESULTS).each("pairs")
    for pair, result in zip(read(trained.packs / PAIRS), results, strict=True):
        assert result["pair"] == pair["pair"], (
            f"the result of {pair['pair']} is of {result['pair']}"
        )
        assert result["template"] == pair["a"]["template"], "a result is of another template"
        project = str(pair["b"]["project_id"])
        for side, planner, rates in (
            ("a", "default", default),
            ("b", "pack", _rates(runs, project)),
        ):
            arm = result.inner(side)
            assert arm["planner"] == planner, f"the side {side} is of {arm['planner']}"
            due = [rates[task["lane"]][0] * task["size"] for task in pair[side]["tasks"]]
            alike = all(near(a, b, 1e-5) for a, b in zip(arm["estimates"], due, strict=True))
            assert alike, (
                f"the side {side} of {pair['pair']} estimates {arm['estimates']}, not {due}"
            )


@pytest.mark.criterion("partitions", "training-pack")
def test_a_pack_says_what_it_is_of(crafted: Crafted, trained: Trained) -> None:
    packs = {"crafted": (crafted.pack, crafted_runs()[:8])}
    teaching = [dict(run) for run in trained.teaching]
    packs |= {name: (pack, teaching) for name, pack in trained.both.items()}
    for name, (pack, runs) in packs.items():
        newest = max(datetime.fromisoformat(run["ended"]) for run in runs)
        assert pack.moment("made_at") == newest, f"the pack ({name}) is of {pack['made_at']}"
        parts = pack.inner("partitions")
        owners = sorted({run["project_id"] for run in runs})
        assert parts.inner("GLOBAL")["projects"] == owners, f"GLOBAL ({name}) is of others"
        for project in parts.inner("LOCAL"):
            said = parts.inner("LOCAL").inner(project)["projects"]
            assert said == [int(project)], f"LOCAL of {project} ({name}) is of {said}"
        _spreads(name, parts.inner("GLOBAL"), runs)
        own = [run for run in runs if run["project_id"] == owners[0]]
        _spreads(name, parts.inner("LOCAL").inner(str(owners[0])), own)


def _spreads(name: str, partition: Reported, runs: Sequence[Mapping[str, Any]]) -> None:
    for lane, (*_, spread, _) in _learnt(runs, "").items():
        told = partition.inner("lanes").inner(lane).number("spread")
        assert abs(told - spread) < 1e-5, f"the spread of {lane} ({name}) is {told}, not {spread:g}"


BROKEN: Mapping[str, Mapping[str, Any]] = {  # a task that cannot be learnt from
    "no size": {"size": 0},
    "no tokens": {"tokens": 0},
    "no minutes": {"minutes": 0},
    "tokens in words": {"tokens": "many"},
}


@pytest.mark.criterion("training-pack")
def test_what_is_left_out_says_why(trained: Trained) -> None:
    """Each kind of run that teaches nothing, each with a reason of its own kind."""
    good = crafted_runs()[0]
    bad = [{**run, "run_id": f"bad-{run['run_id']}"} for run in crafted_runs()[8:11]]
    for number, more in enumerate(BROKEN.values()):
        tasks = [good["tasks"][0], {**good["tasks"][1], **more}]
        bad.append({**good, "run_id": f"broken-{number}", "tasks": tasks})
    bad.append({**good, "run_id": "without tasks", "tasks": []})
    hotfix = {**good, "run_id": "a hotfix", "run_kind": "hotfix"}
    folder = trained.planner.folder / "left-out"
    folder.mkdir()
    file = folder / RUNS
    file.write_text("\n".join(numbered([*bad, good, hotfix])), encoding="utf-8")  # blank lines, too
    said = trained.planner.run("train", "--runs", file, "--out", folder / "packs").said()
    left = [run["run_id"] for run in bad]
    told = {"runs": 2, "quarantined": left, "partitions": ["GLOBAL", "LOCAL"]}
    assert dict(said) == told, f"it says {dict(said)}"
    pack = Reported(read(folder / "packs/planner_training_pack.json"), "the pack")
    assert [run["run_id"] for run in pack.each("runs")] == [good["run_id"], "a hotfix"]
    why = {run.text("run_id"): run.text("why") for run in pack.each("quarantined")}
    assert set(why) == set(left), f"left out are {sorted(why)}"
    kinds = [why[name] for name in left[:4]]
    assert all(len(reason.split()) >= 3 for reason in why.values()), (
        f"why is {sorted(why.values())}"
    )
    assert len(set(kinds)) == len(kinds), f"four kinds are left out because of {kinds}"


@pytest.mark.criterion("ab-mae-reduction")
def test_the_test_can_be_made_again(trained: Trained) -> None:
    """From the recorded pairs and the kept pack it comes to what is kept."""
    out = trained.planner.folder / "again" / RESULTS
    words = ("ab", "--packs", trained.packs, "--pairs", trained.packs / PAIRS, "--out", out)
    said = trained.planner.run(*words).said()
    kept = read(trained.packs / RESULTS)
    assert dict(said) == kept == read(out), "made again, the results are others"
    for pair in read(trained.packs / PAIRS):
        assert asked(Reported(pair["a"], PAIRS)) == asked(Reported(pair["b"], PAIRS))


@pytest.mark.criterion("ab-mae-reduction")
def test_pairs_that_got_worse_count(trained: Trained) -> None:
    """Most of the recorded pairs, as if the second run had taken four times what it took."""
    pairs, folder = read(trained.packs / PAIRS), trained.planner.folder / "worse"
    folder.mkdir(exist_ok=True)
    for pair in pairs[: len(pairs) // 2 + 1]:
        for task in pair["b"]["tasks"]:
            task["tokens"] *= 4
    (folder / PAIRS).write_text(json.dumps(pairs), encoding="utf-8")
    words = ("ab", "--packs", trained.packs, "--pairs", folder / PAIRS, "--out", folder / RESULTS)
    trained.planner.run(*words).demand()
    results = Reported(read(folder / RESULTS), RESULTS)
    due = list(reductions(results.each("pairs"), [Reported(pair, PAIRS) for pair in pairs]))
    if statistics.median(due) >= 0:
        raise NoValueError(f"the pairs were to get worse, and their reductions are {sorted(due)}")
    told, median = results.number("median_reduction"), statistics.median(due)
    assert near(told, median, 1e-4), f"a median of {told:g} is told, and it is {median:g}"


@pytest.mark.criterion("serving-order")
def test_what_cannot_be_estimated_is_said(trained: Trained, crafted: Crafted) -> None:
    words = ("--packs", crafted.packs, "--project", OTHER)
    none, tasks = crafted.packs / "none", json.dumps([{"lane": LANE, "size": SIZE}])
    pairs = ("--pairs", trained.packs / PAIRS, "--out", none / "x")
    cases = {
        "no runs": ("train", "--runs", none, "--out", none),
        "no pack": ("ab", "--packs", none, *pairs),
        "no JSON": ("estimate", *words, "--tasks", "lanes"),
        "no size": ("estimate", *words, "--tasks", json.dumps([{"lane": ONLY_OTHER}])),
        "no project": ("estimate", "--packs", crafted.packs, "--tasks", tasks),
        "another planner": ("estimate", *words, "--tasks", tasks, "--planner", "best"),
    }
    planner: Planner = crafted.planner
    for name, typed in cases.items():
        done = planner.run(*typed)
        assert done.status == 2, f"{name}: {done.in_words()}"
        assert "Traceback" not in done.errors, f"{name}: it prints a traceback"
        assert done.errors.strip(), f"{name}: it says nothing"
