"""Day 5: what was learnt of two baselines, and the intervals that follow from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.calibration import (
    ASKERS,
    BASELINES,
    MEASURES,
    NEW,
    UNITS,
    Seeded,
    moment,
)
from suites.plms.scenarios.learning import NARROW, WIDE, Learning, SeededInterval
from suites.plms.views.listed import listed

pytestmark = pytest.mark.day5

SOON = timedelta(minutes=10)  # after its run a prior is there
PARTS = ("ci_lower", "mean", "ci_upper")
Z90 = 1.645  # deviations on both sides of the mean that hold nine of ten
SAME = 0.005  # share by which two figures may differ that are the same
FIRST_LANE, SECOND_LANE = BASELINES.values()


# Priors


@pytest.mark.criterion("new-priors")
def test_priors_are_new(seeded: Seeded, observe: Observe) -> None:
    mine = {run.get("run_id") for run in seeded.runs.values()}
    strange = [
        f"{row['id']} (run {row['run_id']})" for row in seeded.priors if row["run_id"] not in mine
    ]
    assert not strange, f"priors come from no baseline: {', '.join(strange)}"
    observe("new_priors", len(seeded.priors))


@pytest.mark.criterion("new-priors")
def test_priors_are_made_as_their_runs_end(seeded: Seeded) -> None:
    ends = {run["run_id"]: moment(run["completed_at"]) for run in seeded.runs.values() if run}
    for row in seeded.priors:
        at, ended = moment(row["created_at"]), ends.get(row["run_id"])
        assert ended is not None, f"prior {row['id']} comes from run {row['run_id']}, no baseline"
        words = f"prior {row['id']} has created_at {at.isoformat()}, its run ended at {ended}"
        assert ended <= at <= ended + SOON, f"{words}: rolling back by that time goes wrong"


@pytest.mark.criterion("new-priors")
def test_older_priors_stay_as_they_were(seeded: Seeded) -> None:
    before, after = seeded.older
    changed = [row["id"] for row in before if row not in after]
    assert not changed, f"the older priors {listed(changed)} were changed or removed"


@pytest.mark.criterion("new-priors")
def test_no_run_teaches_twice(seeded: Seeded) -> None:
    taught = Counter((row["run_id"], row["lane_name"], row["phase_name"]) for row in seeded.priors)
    twice = [
        f"{run} in {lane}, {phase}" for (run, lane, phase), count in taught.items() if count > 1
    ]
    assert not twice, f"more than one prior comes from {'; '.join(twice)}"


@pytest.mark.criterion("prior-per-baseline")
def test_each_baseline_teaches_its_lane(seeded: Seeded, observe: Observe) -> None:
    for project, lane in BASELINES.items():
        observe("priors_of_baseline", len(seeded.priors_of(project)), lane=lane)


@pytest.mark.criterion("prior-per-baseline")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("project", BASELINES)
def test_a_prior_holds_what_its_run_took(seeded: Seeded, project: int, measure: str) -> None:
    """The run's actual, or the lane's mean moved towards it at the stated rate."""
    actual = _figure(seeded.runs[project], f"{measure}_actual")
    before = _figure(seeded.around(project)[0], f"{measure}_mean")
    moved = before + seeded.alpha * (actual - before)
    rows = seeded.priors_of(project)
    assert rows, f"there is no new prior of project {project}"
    for row in rows:
        told = _figure(row, f"mean_{measure}")
        assert _same(told, actual) or _same(told, moved), (
            f"prior {row['id']} says {told:g} {UNITS[measure]} of project {project}, which took"
            f" {actual:g}"
        )


@pytest.mark.criterion("prior-columns-populated")
def test_priors_are_complete(seeded: Seeded, phase: Stage) -> None:
    assert seeded.priors, "there is no new prior"
    for row in seeded.priors:
        named = f"prior {row['id']} ({row['lane_name']})"
        empty = [name for name, value in row.items() if value is None]
        assert not empty, f"{named} has no {', '.join(empty)}"
        assert row["mean_tokens"] > 0, f"{named} has mean_tokens {row['mean_tokens']}"
        assert row["std_tokens"] >= 0, f"{named} has std_tokens {row['std_tokens']}"
        assert 0 <= row["confidence"] <= 1, f"{named} has confidence {row['confidence']}"
        begin, end = phase.window
        assert begin <= moment(row["created_at"]) < end, (
            f"{named} was made {row['created_at']}, outside of the slot"
        )


@pytest.mark.criterion("prior-columns-populated")
@pytest.mark.parametrize("measure", MEASURES)
def test_a_deviation_is_the_one_that_intervals_are_made_of(seeded: Seeded, measure: str) -> None:
    for project in BASELINES:
        lower, mean, upper = _interval(seeded.around(project)[1], measure)
        shown = (upper - lower) / 2 / Z90 / mean
        for row in seeded.priors_of(project):
            stored = _figure(row, f"std_{measure}") / _figure(row, f"mean_{measure}")
            # A first run may show none; what later runs add moves it a little.
            assert not stored or 0.6 * shown <= stored <= 1.7 * shown, (
                f"prior {row['id']} has a deviation of {stored:.1%} of its mean in"
                f" {UNITS[measure]}; the interval that is shown, [{lower:g}, {upper:g}] around"
                f" {mean:g}, stands for {shown:.1%}"
            )


# Estimates


@pytest.mark.criterion("estimates-move")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("project", BASELINES)
def test_a_baseline_moves_the_next_estimate_of_its_lane(
    seeded: Seeded, project: int, measure: str
) -> None:
    before, after = (_figure(row, f"{measure}_mean") for row in seeded.around(project))
    actual, lane = _figure(seeded.runs[project], f"{measure}_actual"), BASELINES[project]
    said = f"{measure} of {lane}: {before:g} was expected, it took {actual:g}, {after:g} is now"
    assert min(before, actual) <= after <= max(before, actual), f"{said}: not between both"
    assert abs(after - actual) < abs(before - actual) or before == actual, f"{said}: not nearer"


@pytest.mark.criterion("estimates-move")
@pytest.mark.parametrize("measure", MEASURES)
def test_a_baseline_moves_no_lane_that_learnt_by_itself(seeded: Seeded, measure: str) -> None:
    name = f"{measure}_mean"
    asked = [_figure(row, name) for row in seeded.after(201, FIRST_LANE)]
    assert asked, f"nobody asked what a run of {FIRST_LANE} is expected to take after its baseline"
    said = (
        f"{name} of {FIRST_LANE} went from {asked[0]:g} to {asked[-1]:g} by a run of {SECOND_LANE}"
    )
    assert asked[0] == asked[-1], said


@pytest.mark.criterion("estimates-move")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("number", [1, 2], ids=["second run", "third run"])
def test_each_run_of_a_lane_moves_its_next_estimate(
    learning: Learning, number: int, measure: str
) -> None:
    assert learning.ended, "a run has not ended, so it shows nothing"
    step, unit = learning.steps[number], UNITS[measure]
    before, after = (_figure(row, f"{measure}_mean") for row in (step.before, step.after))
    actual = _figure(step.run, f"{measure}_actual")
    said = (
        f"run {number + 1} of a lane took {actual:g} {unit}, {before:g} were expected before it"
        f" and {after:g} after it"
    )
    assert before != actual, f"{said}: nothing could be learnt"
    assert abs(after - actual) < abs(before - actual), f"{said}: that is not nearer"


@pytest.mark.criterion("learning-rate")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("number", [1, 2], ids=["second run", "third run"])
def test_an_estimate_moves_by_the_rate_of_learning(
    learning: Learning, number: int, measure: str
) -> None:
    assert learning.ended, "a run has not ended, so it shows nothing"
    step = learning.steps[number]
    before, after = (_figure(row, f"{measure}_mean") for row in (step.before, step.after))
    actual = _figure(step.run, f"{measure}_actual")
    gap = actual - before
    assert gap, f"{measure} came out as expected, so nothing could be learnt"
    due, unit = before + step.rate * gap, UNITS[measure]
    assert abs(after - due) < 0.02 * abs(gap), (
        f"{before:g} {unit} were expected and the run took {actual:g}: with calibration_alpha"
        f" {step.rate:g} the next one is to be expected to take {due:g}, and {after:g} are told"
    )


@pytest.mark.criterion("learning-rate")
@pytest.mark.parametrize("measure", MEASURES)
def test_runs_that_may_not_teach_move_no_estimate(learning: Learning, measure: str) -> None:
    before, after = (_figure(row, f"{measure}_mean") for row in learning.excluded)
    said = f"failed, sandboxed, rehearsed and replayed runs moved {measure} from {before:g}"
    assert before == after, f"{said} to {after:g}"


# Intervals


@pytest.mark.criterion("ci-fields-non-empty")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("field", ["mean", "ci_lower", "ci_upper"])
def test_an_interval_has_its_figures(seeded: Seeded, measure: str, field: str) -> None:
    value = seeded.metrics.get(f"{measure}_{field}")
    assert isinstance(value, int | float), f"{measure}_{field} of project 203 is {value}"


@pytest.mark.criterion("ci-fields-non-empty")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("field", PARTS)
def test_an_interval_is_told_as_it_is_stored(seeded: Seeded, measure: str, field: str) -> None:
    """In the registry's unit: of a baseline by its row, of the new project by a run of its lane."""
    name = f"{measure}_{field}"
    pairs = [(project, seeded.told_of[project], seeded.runs[project]) for project in BASELINES]
    # Those have had several runs by now: what is told is of the newest one.
    pairs += [(asks, seeded.told_of[asks], seeded.expected[-1][of]) for of, asks in ASKERS.items()]
    if seeded.new:
        pairs.append((NEW, seeded.metrics, seeded.new))
    for project, told, stored in pairs:
        figure, due = told.number(name), _figure(stored, name)
        words = f"{name} of project {project} is told as {figure:g}, and {due:g}"
        assert _same(figure, due), f"{words} {UNITS[measure]} are stored of such a run"


def _interval(row: Mapping[str, Any], measure: str) -> tuple[float, float, float]:
    lower, mean, upper = (_figure(row, f"{measure}_{part}") for part in PARTS)
    return lower, mean, upper


@pytest.mark.criterion("ci-ordered")
@pytest.mark.parametrize("measure", MEASURES)
def test_an_interval_encloses_its_mean(seeded: Seeded, measure: str) -> None:
    starts = [row for by_lane in seeded.expected for row in by_lane.values()]
    for row in (seeded.metrics, *seeded.runs.values(), *starts):
        lower, mean, upper = _interval(row, measure)
        assert lower < upper, f"{measure}: [{lower}, {upper}] has no width"
        assert lower < mean < upper, f"{measure}: {mean} is not inside of [{lower}, {upper}]"


@pytest.mark.criterion("ci-level-90")
def test_the_level_is_stated(seeded: Seeded) -> None:
    level = seeded.metrics.get("ci_level")
    assert level == 0.9, f"the level of the intervals is {level}, not 0.9"


@pytest.mark.criterion("ci-level-90")
@pytest.mark.parametrize("deviation", [NARROW, WIDE], ids=["runs much alike", "runs that differ"])
@pytest.mark.parametrize("measure", MEASURES)
def test_nine_of_ten_seeded_runs_lie_in_their_intervals(
    seeded_intervals: tuple[SeededInterval, ...], measure: str, deviation: float
) -> None:
    mine = _of(seeded_intervals, measure, deviation)
    inside, drawn = sum(each.inside for each in mine), sum(len(each.drawn) for each in mine)
    assert 0.86 <= inside / drawn <= 0.94, (
        f"{inside / drawn:.1%} of {drawn} runs lie in their intervals of {measure}, not 90 %"
    )


@pytest.mark.criterion("ci-level-90")
@pytest.mark.parametrize("measure", MEASURES)
def test_runs_that_differ_more_have_wider_intervals(
    seeded_intervals: tuple[SeededInterval, ...], measure: str
) -> None:
    narrow, wide = (_of(seeded_intervals, measure, deviation) for deviation in (NARROW, WIDE))
    widths = [sum(each.width for each in some) / len(some) for some in (narrow, wide)]
    grown, due = widths[1] / widths[0], WIDE / NARROW
    assert 0.7 * due < grown < 1.4 * due, (
        f"runs differ {due:g} times as much, intervals of {measure} are {grown:.2f} times as wide"
    )


def _of(seen: tuple[SeededInterval, ...], measure: str, deviation: float) -> list[SeededInterval]:
    return [each for each in seen if (each.measure, each.deviation) == (measure, deviation)]


@pytest.mark.criterion("ci-example-values")
@pytest.mark.parametrize(
    ("measure", "wanted"),
    [("tokens", (7200, 9000, 10800)), ("duration", (20, 25, 30))],
    ids=["tokens", "duration"],
)
def test_the_example_of_the_plan_comes_out(
    seeded: Seeded, measure: str, wanted: tuple[float, ...]
) -> None:
    interval = _interval(seeded.metrics, measure)
    assert interval == pytest.approx(wanted, rel=0.01), (
        f"{measure} is expected as {listed(interval)} (lower bound, mean, upper bound), not"
        f" {listed(wanted)}"
    )


def _figure(row: Mapping[str, Any], name: str) -> float:
    value = row.get(name)
    assert isinstance(value, int | float), f"{name} is {value}, not a number"
    return float(value)


def _same(told: float, due: float) -> bool:
    return abs(told - due) <= SAME * abs(due)
