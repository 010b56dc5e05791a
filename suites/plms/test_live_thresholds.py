"""The thresholds of the whole week, lane by lane, and what was done where one was passed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.live_week import Week
from suites.plms.views import breaches, run_figures
from suites.plms.views.answers import not_done
from suites.plms.views.breaches import Breach

pytestmark = pytest.mark.live

REAL = ("301", "302")  # projects whose runway is never one of a drill
WEEK = timedelta(days=7)


@pytest.mark.criterion("mae-not-critical", "mae-not-warning")
def test_estimation_error(live_week: Week, observe: Observe) -> None:
    for run in run_figures.completed(live_week.registry):
        error = run_figures.error(run)  # one that is not known is a hole, never left out
        value = math.nan if error is None else error
        observe("abs_error_share", value, at=ended(run), lane=run["lane_name"])


@pytest.mark.criterion("ci-width-not-critical", "ci-width-not-warning")
def test_interval_width(live_week: Week, observe: Observe) -> None:
    for run in run_figures.completed(live_week.registry):
        width = run_figures.width(run)
        value = math.nan if width is None else width
        observe("ci_width", value, at=ended(run), lane=run["lane_name"])


@pytest.mark.criterion("kpi-pass-rate-not-critical", "kpi-pass-rate-not-warning")
def test_kpi_pass_rate(live_week: Week, observe: Observe) -> None:
    for run in run_figures.finished(live_week.registry):
        passed = breaches.kept(live_week.registry, run)
        observe("kpi_passed", passed, at=ended(run), lane=run["lane_name"])


@pytest.mark.criterion("invariants-failures-not-critical", "invariants-failures-not-warning")
def test_invariants_failures(live_week: Week, observe: Observe) -> None:
    for check in last_week(live_week):
        at = datetime.fromisoformat(check["ended_at"])
        observe(
            "invariants_failures", breaches.failed(check), at=at, drill=breaches.is_drill(check)
        )


def last_week(week: Week) -> list[Mapping[str, Any]]:
    """The runs of the invariants job in the seven days up to the last of them."""
    if not week.checks:
        not_done("the history has no run of the invariants job", "run scripts/run_invariants.sh")
    ends = [datetime.fromisoformat(check["ended_at"]) for check in week.checks]
    recent = zip(ends, week.checks, strict=True)
    return [check for end, check in recent if end > max(ends) - WEEK]


@pytest.mark.criterion("runway-not-critical", "runway-not-warning")
def test_budget_runway(live_week: Week, observe: Observe) -> None:
    for entry in live_week.of("runway"):
        project = str(entry.says["project"])
        drill = bool(entry.says["drill"]) and project not in REAL
        observe("runway", entry.says["minutes"], at=entry.at, project=project, drill=drill)


@pytest.mark.criterion("threshold-breach-has-action")
def test_a_breach_is_answered(live_week: Week, observe: Observe) -> None:
    answers = [(answer.at, answer.says) for answer in live_week.of("answer")]
    for breach in passed(live_week):
        answered = any(breach.answered_by(at, says) for at, says in answers)
        when = {} if breach.at is None else {"at": breach.at}
        observe("breach_unanswered", not answered, of=breach.of, by=breach.by, **when)


def passed(week: Week) -> Iterator[Breach]:
    """The limits that were passed: by the week's figures, and by what people put on record."""
    yield from breaches.of_runs(week.registry)
    yield from breaches.of_checks(last_week(week))
    for entry in week.of("runway"):
        if entry.says["minutes"] < breaches.RUNWAY:
            yield Breach("runway", str(entry.says["project"]), entry.at)
    for entry in week.of("breach"):
        by = str(entry.says.get("project") or entry.says.get("lane") or "")
        yield Breach(str(entry.says["of"]), by, entry.at)


def ended(run: Mapping[str, Any]) -> datetime:
    """When a run ended."""
    return datetime.fromisoformat(run["completed_at"])
