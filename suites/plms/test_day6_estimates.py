"""Day 6: estimates against actuals, and both against what was seen of the runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Observe, relative_error
from suites.plms.scenarios.stress_test import BUDGETS, FIGURES, PAIR, Stress
from suites.plms.views.answers import not_done
from suites.plms.views.formats import read_file

pytestmark = pytest.mark.day6

MEASURES = ("tokens", "duration")
LEAST = 0.0005  # by which an error that was written down may differ from the computed one
LEAST_MINUTES = 0.02


def _row(stress: Stress, project: int) -> Mapping[str, Any]:
    row = stress.rows[project]
    assert row, f"project {project} has no run in the registry"
    return row


def _read(path: Path, kind: str, command: str) -> Any:
    """A file that people left; where it is absent that is missing."""
    if not path.is_file():
        not_done(f"there is no {path.name}", command)
    return read_file(path, kind)


def _figures(stress: Stress, project: int) -> Mapping[str, Any]:
    path = stress.files[project]
    command = f"curl $PLMS_URL/api/projects/{project}/metrics?with_ci=1 > {path.name}"
    figures = _read(path, "metrics", command)
    assert isinstance(figures, dict), f"{path.name} holds no object"
    return figures


def _errors(stress: Stress) -> list[Any]:
    errors = _read(stress.errors, "errors", "compute them from the two files of final metrics")
    assert isinstance(errors, list), f"{stress.errors.name} holds no list"
    return errors


def _error(stress: Stress, project: int) -> Mapping[str, Any]:
    mine = [each for each in _errors(stress) if each.get("project") == project]
    assert len(mine) == 1, f"{stress.errors.name} has {len(mine)} entries of project {project}"
    error: Mapping[str, Any] = mine[0]
    return error


def _number(figures: Mapping[str, Any], name: str, where: str) -> float:
    value = figures.get(name)
    assert isinstance(value, int | float), f"{where} has {name} {value!r}, not a number"
    assert not isinstance(value, bool), f"{where} has {name} {value!r}, not a number"
    return float(value)


# What was collected


@pytest.mark.criterion("final-metrics-collected")
@pytest.mark.parametrize("project", PAIR)
def test_final_metrics_are_stored(stress_run: Stress, project: int, observe: Observe) -> None:
    figures = _figures(stress_run, project)
    text = stress_run.files[project].read_text(encoding="utf-8")
    observe.attach(f"final_metrics_{project}.json", text, "application/json")
    absent = [name for name in FIGURES if figures.get(name) is None]
    assert not absent, f"the final metrics of project {project} lack {', '.join(absent)}"


@pytest.mark.criterion("final-metrics-collected")
@pytest.mark.parametrize("project", PAIR)
def test_final_metrics_are_those_of_the_registry(stress_run: Stress, project: int) -> None:
    figures, row = _figures(stress_run, project), _row(stress_run, project)
    wrong = [
        f"{name} {figures.get(name)}, the registry has {row[name]}"
        for name in FIGURES
        if figures.get(name) != pytest.approx(row[name])
    ]
    assert not wrong, f"{stress_run.files[project].name} has {'; '.join(wrong)}"
    lane = figures.get("lane_name", PAIR[project])
    assert lane == PAIR[project], f"the final metrics of project {project} are of lane {lane}"


@pytest.mark.criterion("mae-reads-collected-files")
@pytest.mark.parametrize("project", PAIR)
def test_errors_come_from_the_collected_files(
    stress_run: Stress, project: int, observe: Observe
) -> None:
    error, collected = _error(stress_run, project), stress_run.files[project]
    text = stress_run.errors.read_text(encoding="utf-8")
    observe.attach(f"estimation_errors_{project}.json", text, "application/json")
    read = error.get("read")
    assert read == collected.name, f"errors of {project} were computed from {read}"
    digest = hashlib.sha256(collected.read_bytes()).hexdigest()
    assert error.get("sha256") == digest, f"{collected.name} changed after errors were computed"


@pytest.mark.criterion("mae-reads-collected-files")
@pytest.mark.parametrize("project", PAIR)
@pytest.mark.parametrize("of", MEASURES)
def test_errors_are_those_of_the_collected_figures(
    stress_run: Stress, project: int, of: str
) -> None:
    figures, file = _figures(stress_run, project), stress_run.files[project].name
    actual, mean = (_number(figures, f"{of}_{part}", file) for part in ("actual", "mean"))
    told = _number(_error(stress_run, project), f"{of}_error", stress_run.errors.name)
    due = relative_error(actual, mean)
    said = f"the error of {of} of project {project} is told as {told:g}, {file} gives {due:.4f}"
    assert abs(told - due) <= LEAST, said


# Estimates, and what runs took


@pytest.mark.criterion("estimates-frozen-at-start")
@pytest.mark.parametrize("project", PAIR)
@pytest.mark.parametrize("part", ["mean", "ci_lower", "ci_upper"])
@pytest.mark.parametrize("of", MEASURES)
def test_the_estimate_is_not_moved_by_the_run(
    stress_run: Stress, project: int, of: str, part: str
) -> None:
    name = f"{of}_{part}"
    before = _number(stress_run.estimates[project], name, f"the start of project {project}")
    after = {
        "the service says": stress_run.final[project].get(name),
        "the registry has": _row(stress_run, project)[name],
        f"{stress_run.files[project].name} has": _figures(stress_run, project).get(name),
    }
    for who, value in after.items():
        said = f"{name} of project {project} was {before:g} at start, {who} {value} now"
        assert value == pytest.approx(before), said


@pytest.mark.criterion("error-duration")
@pytest.mark.parametrize("project", PAIR)
def test_the_duration_is_the_time_that_the_run_took(stress_run: Stress, project: int) -> None:
    row = _row(stress_run, project)
    began, ended = (datetime.fromisoformat(row[name]) for name in ("started_at", "completed_at"))
    minutes, stored = (ended - began).total_seconds() / 60, row["duration_actual"]
    said = f"duration_actual of project {project} is {stored}, its times are {minutes:g} min apart"
    assert stored is not None, said
    assert abs(stored - minutes) <= LEAST_MINUTES, said
    seen = [each.time for each in stress_run.samples if project in each.told_executing(PAIR)]
    assert seen, f"project {project} was never seen to execute"
    watched = (seen[-1] - seen[0]).total_seconds() / 60
    said = f"project {project} was seen to execute for {watched:g} min, and {stored} are stored"
    assert abs(stored - watched) <= 1, said


@pytest.mark.criterion("error-tokens")
@pytest.mark.parametrize("project", PAIR)
def test_the_tokens_are_those_that_the_run_was_seen_to_spend(
    stress_run: Stress, project: int
) -> None:
    row, budget = _row(stress_run, project), BUDGETS[project]["budget_tokens"]
    began = datetime.fromisoformat(row["started_at"])
    looks = stress_run.runways[project].answers
    told = [_spent(answer, (at - began).total_seconds() / 60, budget) for at, answer in looks]
    spent = [tokens for tokens in told if tokens is not None]
    if not spent:
        what = f"the runway of project {project} told neither tokens_spent nor its minutes"
        not_done(what, "without it nothing shows that tokens_actual is what the run took")
    stored, last = row["tokens_actual"], max(spent)
    said = f"tokens_actual of project {project} is {stored}, {last:g} were spent shortly before"
    assert stored is not None, said
    assert 0.97 * stored <= last <= 1.001 * stored, said


def _spent(answer: Mapping[str, Any], minutes: float, budget: float) -> float | None:
    """Tokens spent after some minutes: as they are told, else what the runway says of them.

    A runway of m minutes at the pace so far: the rest of the budget is m times that pace.
    """
    tokens, runway = answer.get("tokens_spent"), answer.get("budget_runway_minutes")
    if tokens is not None:
        return float(tokens)
    return None if runway is None else budget * minutes / (float(runway) + minutes)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tokens", marks=pytest.mark.criterion("error-tokens")),
        pytest.param("duration", marks=pytest.mark.criterion("error-duration")),
    ],
)
def test_estimates_are_near_the_actuals(stress_run: Stress, name: str, observe: Observe) -> None:
    for project in PAIR:
        actual = _row(stress_run, project)[f"{name}_actual"]
        if actual is not None:
            mean = stress_run.estimates[project][f"{name}_mean"]
            observe("abs_pct_error", relative_error(actual, mean), of=name, project=project)


@pytest.mark.parametrize(
    ("name", "project"),
    [
        pytest.param(name, project, marks=pytest.mark.criterion(f"ci-contains-{name}"))
        for name in MEASURES
        for project in PAIR
    ],
)
def test_interval_contains_the_actual(stress_run: Stress, name: str, project: int) -> None:
    told = stress_run.final[project].get(f"{name}_actual")
    actual = _row(stress_run, project)[f"{name}_actual"]
    assert actual is not None, f"project {project} has no {name}_actual"
    said = f"{name}_actual of project {project} is {actual}, and the service says {told}"
    assert told is None or told == pytest.approx(actual), said
    low, high = (stress_run.estimates[project][f"{name}_ci_{end}"] for end in ("lower", "upper"))
    said = f"{name} of {project} was {actual}, and {low} to {high} was expected at start"
    assert low <= actual <= high, said
