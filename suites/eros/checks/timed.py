"""Checks of what is told of a run's time: the journal, its caller, monitoring and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from pytest_rollout import Reported
from suites.eros.scenarios.timed import HANGS, Timed, slowest
from suites.eros.views import figures
from suites.eros.views.alarms import alerts, looks, told
from suites.eros.views.journal import Run, exact
from suites.eros.views.said import not_done
from suites.eros.views.samples import demand_true_samples

_FAR = 300  # seconds, far above each limit


@pytest.mark.criterion("latency-p95")
def test_times_are_told_as_they_were(timed: Timed) -> None:
    demand_times(timed)


def demand_times(timed: Timed) -> None:
    """Raise AssertionError where a run's time is told otherwise than it began and ended."""
    hung = {wait.how for wait in timed.waits if wait.runs} == {*HANGS}
    if timed.rehearsed and (slowest(timed) < _FAR or not hung):
        not_done("no run was slow, or no agent hung, so their times show nothing", "rehearse it")
    problems = [*_of_runs(timed), *_of_callers(timed), *_of_figures(timed), *_of_alerts(timed)]
    assert not problems, f"{len(problems)} times are told wrong: {problems[0]}"
    demand_true_samples(timed.logs, timed.served, since=timed.since)


def _of_runs(timed: Timed) -> Iterator[str]:
    for run in timed.journal:
        log = timed.logged.get(run.run_id)
        said = {
            "the journal": run.told_seconds,
            "eros.orchestrator": None if log is None else log.number_or_none("duration_s"),
        }
        for who, seconds in said.items():
            if figures.differs(seconds, exact(run.seconds)):
                yield f"run {run.run_id} took {run.seconds:g} s, {who} says {seconds}"


def _of_callers(timed: Timed) -> Iterator[str]:
    for wait in timed.waits:
        took = (wait.runs[-1].ended - wait.runs[0].started).total_seconds()
        if abs(took - wait.seconds) > 1:
            yield f"{wait.how}: its caller waited {wait.seconds:g} s, its runs took {took:g} s"


def _of_figures(timed: Timed) -> Iterator[str]:
    served, get = timed.served, timed.service.get
    for last in range(1, min(len(served), 2 * figures.WINDOW) + 1):
        said = get("/monitoring", last=last)
        yield from _unlike(said, served[-last:], f"of the last {last} runs")
    every = get("/monitoring", since=timed.since)
    yield from _unlike(every, served, "since the flags were set")
    for creator in sorted({run.creator for run in served}):
        own = [run for run in served if run.creator == creator]
        yield from _unlike(every.inner("creators").inner(creator), own, f"of {creator}")
    recent = figures.latency(served[-figures.WINDOW :])
    panels = get("/dashboard").each("panels")
    shown = [
        panel.number_or_none("value") for panel in panels if panel["figure"] == "duration_s_p95"
    ]
    says = {"the dashboard": shown[0] if shown else None}
    if timed.rehearsed:  # the controller counts anew with each change of flags
        rules = get("/rollback").inner("rules")
        says["the controller"] = rules.inner("latency").number_or_none("value")
    for who, value in says.items():
        if figures.differs(value, recent):
            yield f"{who} says {value} s; by the runs it is {float(recent or 0):g}"


def _unlike(said: Reported, runs: Sequence[Run], which: str) -> Iterator[str]:
    """What differs from the 95th percentile of runs."""
    due, value = figures.latency(runs), said.number_or_none("duration_s_p95")
    if figures.differs(value, due):
        yield f"monitoring says {value} s {which}; by the runs it is {float(due or 0):g}"


def _of_alerts(timed: Timed) -> Iterator[str]:
    seen = list(looks("latency", timed.served, ()))
    sent = told(alerts(timed.inbox, "latency"), seen)
    for look in seen:
        message = sent.get(look.at)
        if look.begins != (message is not None):
            came = "came" if message is not None else "did not come"
            yield f"at {look.at} the percentile is {float(look.value):g}, and its alert {came}"
        elif message is not None:
            value = Reported(message.body, "an alert in Slack").number_or_none("value")
            if figures.differs(value, look.value):
                yield f"the alert of {look.at} says {value} s; it was {float(look.value):g}"
