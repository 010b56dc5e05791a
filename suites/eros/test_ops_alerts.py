"""Alerts at their limits, and the figures that they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import pytest

from pytest_rollout import Observe, Reported
from suites.eros.checks.timed import demand_times
from suites.eros.scenarios.operations import Operations
from suites.eros.scenarios.timed import Timed
from suites.eros.views import figures
from suites.eros.views.alarms import ALERTS, LIMITS, alerts, difference_of, looks, told
from suites.eros.views.conditions import mean
from suites.eros.views.journal import Run, exact
from suites.eros.views.records import logged
from suites.eros.views.said import not_done

pytestmark = pytest.mark.alerting_ops

FIELDS = {
    "success": "success",
    "latency": "duration_s_p95",
    "gates": "violation_rate",
    "quality": "quality",
}
PANELS = {**FIELDS, "shadow-diff": "quality_diff"}


@pytest.mark.parametrize(
    "figure",
    [pytest.param(name, marks=pytest.mark.criterion(f"alert-{name}")) for name in LIMITS],
)
def test_alerts_come_beyond_the_limit_only(
    operations: Operations, figure: str, observe: Observe
) -> None:
    operations.demand_runs()
    seen = list(looks(figure, operations.served, operations.pairs))
    messages = alerts(operations.inbox, figure)
    begun = [look for look in seen if look.begins]
    edge = [look for look in seen if look.value == LIMITS[figure].at]
    if not begun or not edge:
        not_done(f"{figure} was never at its limit and beyond it", "rehearse it, where it may be")
    sent = told(messages, seen)
    if operations.rehearsed:
        assert len(begun) > 1, f"{figure} was beyond its limit once: does it alert a second time?"
    for look in edge:
        observe("alert_boundary_error", look.at in sent, figure=figure)
    for look in begun:
        observe("alert_boundary_error", look.at not in sent, figure=figure)
    odd = sorted(sent.keys() - {look.at for look in begun})
    assert not odd, f"an alert of {figure} came at {odd[0]}, where it did not begin to be beyond it"


@pytest.mark.parametrize(
    "figure",
    [pytest.param(name, marks=pytest.mark.criterion(f"alert-{name}")) for name in LIMITS],
)
def test_an_alert_says_what_is_wrong(operations: Operations, figure: str) -> None:
    operations.demand_runs()
    seen = list(looks(figure, operations.served, operations.pairs))
    known = told(alerts(operations.inbox, figure), seen)
    sent = [(look, known[look.at]) for look in seen if look.at in known]
    if not any(look.begins for look in seen):
        not_done(f"{figure} was never beyond its limit", "rehearse it, where it may be")
    assert sent, f"no alert of {figure} arrived, and it was beyond its limit"
    for look, message in sent:
        says = Reported(message.body, "an alert in Slack")
        assert message.channel == ALERTS, f"the alert of {figure} went to {message.channel}"
        assert says.text("severity") == "WARNING", f"it is {says.text('severity')}, not WARNING"
        assert figure in says.text("text"), f"its text names no {figure}: {says.text('text')}"
        assert exact(says.number("threshold")) == LIMITS[figure].at, (
            f"it names the limit {says.number('threshold')}, not {float(LIMITS[figure].at)}"
        )
        assert not figures.differs(says.number("value"), look.value), (
            f"it says {figure} is {says.number('value')}; {float(look.value):.4f} by the runs"
        )


@pytest.mark.parametrize(
    "figure",
    [
        pytest.param(name, marks=pytest.mark.criterion(f"metric-available-{name}"))
        for name in FIELDS
    ],
)
def test_a_figure_is_the_one_of_the_journal(
    operations: Operations, figure: str, observe: Observe
) -> None:
    operations.demand_runs()
    served = operations.served
    counted = []
    for last in range(1, figures.WINDOW + 1):
        if last > len(served):
            break
        value = figures.FIGURES[figure](served[-last:])
        said = operations.service.get("/monitoring", last=last)
        wrong = figures.differs(said.number_or_none(FIELDS[figure]), value)
        wrong = wrong or said.whole("runs") != last
        also, due = _beside(operations, served[-last:])[figure]
        wrong = wrong or figures.differs(said.number_or_none(also), due)
        observe("metric_mismatch", wrong, at=operations.now, figure=figure, last=last)
        counted.append(value)
    if len(set(counted)) < 2:
        not_done(f"{figure} was the same in each stretch of runs", "let runs differ")


def _beside(operations: Operations, runs: Sequence[Run]) -> dict[str, tuple[str, Fraction | None]]:
    """The figure that stands beside each one: its field, and what it is of some runs."""
    asked = {run.request_id for run in runs}
    got = operations.delivered & asked
    return {
        "success": ("delivered", Fraction(len(got), len(asked))),
        "latency": ("duration_s_mean", mean(exact(run.seconds) for run in runs)),
        "gates": ("violations", Fraction(sum(bool(run.violations) for run in runs))),
        "quality": ("runs", Fraction(len(runs))),
    }


@pytest.mark.criterion("metric-available-latency")
def test_times_are_told_as_they_were(timed: Timed) -> None:
    demand_times(timed)


@pytest.mark.criterion("metric-available-shadow-diff")
def test_the_difference_is_the_one_of_the_pairs(operations: Operations, observe: Observe) -> None:
    pairs = sorted(operations.pairs, key=lambda pair: pair.moment("at"))
    differences = [(pair.moment("at"), difference_of(pair)) for pair in pairs]
    scored = [(at, value) for at, value in differences if value is not None]
    if len(pairs) < 2 * figures.WINDOW:
        not_done(f"{len(pairs)} comparisons were made", "let shadow mode run")
    looked = [
        (sample.moment("at"), sample.number_or_none("quality_diff"))
        for sample in logged(operations.logs, "eros.monitoring", "sample")
    ]
    said = operations.service.get("/comparisons").number_or_none("quality_diff_mean")
    for at, shown in [*looked, (operations.now, said)]:
        before = [pair for pair in scored if pair[0] < at]
        upto = [pair for pair in scored if pair[0] <= at]  # one of that moment may count or not
        if before:
            wrong = all(figures.differs(shown, _mean_of(pairs)) for pairs in (before, upto))
            labels = {"figure": "shadow-diff", "sampled": at.isoformat()}
            observe("metric_mismatch", wrong, at=operations.now, **labels)


def _mean_of(pairs: Sequence[tuple[datetime, Fraction]]) -> Fraction | None:
    """The mean of the last twenty."""
    return mean(value for _, value in pairs[-figures.WINDOW :])


@pytest.mark.criterion("metric-available-shadow-diff")
def test_a_comparison_tells_what_its_runs_scored(operations: Operations) -> None:
    if not operations.pairs:
        not_done("nothing was compared", "let shadow mode run")
    runs = {run.run_id: run for run in operations.journal}
    for pair in operations.pairs:
        for pipeline in ("v4", "v5"):
            told = pair.inner(pipeline)
            run = runs.get(told.text("run_id"))
            assert run is not None, f"the journal has no run {told.text('run_id')}"
            assert told.number_or_none("quality") == run.quality, (
                f"the comparator says {pipeline} scored {told['quality']}; the run {run.quality}"
            )
        assert not figures.differs(pair.number_or_none("quality_diff"), difference_of(pair)), (
            f"quality_diff is {pair['quality_diff']}, not v5 less v4"
        )


@pytest.mark.criterion("dashboard-present")
def test_the_dashboard_shows_the_five_figures(operations: Operations, observe: Observe) -> None:
    panels = operations.service.get("/dashboard").each("panels")
    shown = {panel.text("figure"): panel.number_or_none("value") for panel in panels}
    recent = operations.served[-figures.WINDOW :]
    differences = [
        difference for difference in map(difference_of, operations.pairs) if difference is not None
    ]
    for figure, field in PANELS.items():
        if figure == "shadow-diff":
            value = mean(differences[-figures.WINDOW :])
        else:
            value = figures.FIGURES[figure](recent)
        wrong = field not in shown or figures.differs(shown[field], value)
        observe("dashboard_figure_missing", wrong, figure=figure)
