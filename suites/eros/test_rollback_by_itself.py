"""Rollback by itself: when it fires, what it does, and that it stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from pytest_rollout import Message, Observe, Reported, Stage
from suites.eros.scenarios.rollback_drills import DRILL, Pulled
from suites.eros.scenarios.triggers import LIMITS, Triggered
from suites.eros.scenarios.unheard import Unheard, demand_heard
from suites.eros.views.journal import Run
from suites.eros.views.rule_figures import QUIET, figures_of, mistold
from suites.eros.views.said import not_done
from suites.eros.views.service import Service
from suites.eros.views.trigger_cases import RULES, Row, fires, outcomes, rows, said

pytestmark = pytest.mark.eros_rollback

BOUND = [
    pytest.param("success", marks=pytest.mark.criterion("fires-success-rate")),
    pytest.param("latency", marks=pytest.mark.criterion("fires-latency")),
    pytest.param("gates", marks=pytest.mark.criterion("fires-gate-violations")),
    pytest.param("quality", marks=pytest.mark.criterion("fires-quality")),
]


@pytest.mark.parametrize("rule", BOUND)
def test_the_rule_fires_beyond_its_limit_only(
    phase: Stage, rule: str, observe: Observe, moment: datetime
) -> None:
    """The controller is asked about rows of runs; what must come of them is computed here."""
    asked = list(rows(rule))
    service = Service(phase.target("eros").client)
    cases = [{"runs": said(rule, row)} for row in asked]
    judged = service.post("/rollback/judge", {"phase": "automatic", "cases": cases}).each("cases")
    assert len(judged) == len(asked), f"{len(asked)} rows were asked about, {len(judged)} answered"
    due = [fires(rule, row) for row in asked]
    assert None in due, f"no row stays within the limit of {rule}"
    assert any(index is not None for index in due), f"no row goes beyond the limit of {rule}"
    for row, told, expected in zip(asked, judged, due, strict=True):
        wrong = _told(told, rule) != expected
        observe("trigger_boundary_error", wrong, at=moment, rule=rule, row=row.why)
        runs = outcomes(rule, row)
        problem = mistold(told.inner("rules"), runs if expected is None else runs[: expected + 1])
        assert wrong or not problem, f"{row.why}: {problem}"
        judged_all = all(figure.value is not None for figure in figures_of(runs).values())
        if expected is None:
            assert told.flag("evaluable") == judged_all, f"{row.why}: evaluable is not {judged_all}"


def _told(judged: Reported, rule: str) -> int | None:
    """The run at which the rule fired, as the controller says; -1 where another rule did."""
    if judged["reason"] is None:
        return None
    return judged.whole("at_run") if judged.text("reason").startswith(rule) else -1


@pytest.mark.parametrize("rule", BOUND)
def test_the_rule_fires_on_runs_that_happen(triggered: Triggered, rule: str) -> None:
    fired = triggered.fired[rule]
    assert not fired.stood.flag("active"), f"a rollback was in force at the limit of {rule} itself"
    at_limit = [run.outcome() for run in fired.runs[: len(LIMITS[rule][0])]]
    problem = mistold(fired.stood.inner("rules"), at_limit)
    assert not problem, f"at the limit of {rule} {problem}"
    assert fired.due is not None, f"the runs never went beyond the limit of {rule}"
    assert fired.history, f"{rule} held at {fired.due}, and nothing was rolled back"
    at, reason = fired.history[0].moment("at"), fired.history[0].text("reason")
    assert at == fired.due, f"{rule} held at {fired.due}; it was rolled back at {at}"
    assert reason.startswith(rule), f"the reason is {reason!r}, and {rule} held"
    assert fired.history[0].text("by") == "automatic"


@pytest.mark.criterion("no-trigger-without-data")
def test_too_few_runs_fire_nothing(triggered: Triggered, observe: Observe) -> None:
    for look in triggered.lacking:
        observe("fired_without_data", look.active or look.judged, runs=look.runs)
        said = f"after {look.runs} runs the controller counts {look.counted}"
        assert look.counted == look.runs, said
    for runs in (triggered.first, *(fired.runs for fired in triggered.fired.values())):
        _demand_said(triggered.unjudged, runs)


def _demand_said(log: Sequence[Reported], runs: Sequence[Run]) -> None:
    """Raise AssertionError where the log says otherwise which rules have too few of some runs."""
    begun, unsaid = runs[0].started, set(RULES)
    for line in log:
        if begun <= line.moment("at") <= runs[-1].ended:
            so_far = [run.outcome() for run in runs if run.ended <= line.moment("at")]
            rule, counted = line.text("rule"), line.whole("runs")
            due = figures_of(so_far)[rule]
            assert due.value is None, f"{line.source}: {rule} has enough runs, {len(so_far)}"
            assert counted == due.runs, f"{line.source}: {counted} runs, there were {due.runs}"
            unsaid.discard(rule)
    assert not unsaid, f"from {begun} on eros.rollback never says that {sorted(unsaid)} lack runs"


@pytest.mark.criterion("no-trigger-without-data")
def test_before_a_rollback_and_after_a_reset_nothing_is_in_force(triggered: Triggered) -> None:
    for state in triggered.quiet:
        told = {name: state[name] for name in QUIET}
        assert told == QUIET, f"nothing is rolled back, and the controller says {told}"
    problem = mistold(triggered.quiet[0].inner("rules"), ())
    assert not problem, f"before any run {problem}"
    assert not triggered.quiet[0].each("history"), "rollbacks are on record before there was one"


@pytest.mark.criterion("no-trigger-without-data")
def test_a_step_has_no_triggers_of_its_own(triggered: Triggered) -> None:
    """From 25 percent on the table is all; so nothing is logged that a phase would look at."""
    told = [f"{line['rule']} of {line['phase']}" for line in triggered.conditions]
    assert not told, f"eros.rollback says that conditions hold: {', '.join(told[:3])}"


@pytest.mark.criterion("no-trigger-without-data")
def test_what_is_left_out_of_a_run_is_healthy(service: Service) -> None:
    begun = datetime(2026, 1, 5, tzinfo=UTC)
    ended = [(begun + timedelta(minutes=10 * number)).isoformat() for number in range(11)]
    runs = [{"ended": ended[0], "outcome": "failed"}, *({"ended": at} for at in ended[1:])]
    for phase in ({}, {"phase": "automatic"}, {"phase": "percent50"}):
        body = {**phase, "cases": [{"runs": runs[:10]}, {"runs": runs}]}
        ten, eleven = service.post("/rollback/judge", body).each("cases")
        for case, success in ((ten, 0.9), (eleven, 1)):
            rules = case.inner("rules")
            due = {"success": success, "latency": 75, "gates": 0, "quality": 85}
            told = {rule: rules.inner(rule).number("value") for rule in due}
            assert told == due, f"what is left out is told as {told}, not {due}"
            assert case.flag("evaluable"), "ten runs are enough, and some rule is not evaluable"


@pytest.mark.criterion("no-trigger-without-data")
def test_rows_that_are_too_short_fire_nothing(phase: Stage) -> None:
    service = Service(phase.target("eros").client)
    for rule, value, most in (("success", 0, 9), ("gates", 1, 9), ("quality", 0, 9)):
        for count in range(1, most + 1):
            runs = said(rule, Row("too few", [value] * count, 600))
            told = service.post("/rollback/judge", {"cases": [{"runs": runs}]}).each("cases")
            assert told[0]["reason"] is None, f"{len(runs)} runs fire {told[0]['reason']}"


@pytest.mark.criterion("latched")
def test_v5_stays_off(triggered: Triggered, observe: Observe) -> None:
    for tried, on in triggered.stayed.items():
        observe("came_back", on, after=tried)
    assert triggered.back, "once it was reset and switched on, v5 serves nobody: it is broken"


@pytest.mark.criterion("latched")
def test_a_reset_forgets_nothing(triggered: Triggered) -> None:
    kept = {(rollback.text("at"), rollback.text("reason")) for rollback in triggered.kept}
    for rule, fired in triggered.fired.items():
        lost = {(rollback.text("at"), rollback.text("reason")) for rollback in fired.history} - kept
        assert not lost, f"the rollback for {rule} was reset, and is on record no more"


@pytest.mark.criterion("step1-disabled-automatically")
@pytest.mark.parametrize("rule", RULES)
def test_nobody_is_on_v5_once_it_fired(triggered: Triggered, rule: str, observe: Observe) -> None:
    fired = triggered.fired[rule]
    assert fired.due is not None, f"the runs never went beyond the limit of {rule}"
    for creator, on in fired.after.items():
        observe("on_v5_after_trigger", on, rule=rule, creator=creator)
    assert fired.served == "v4", f"after {rule} fired, {fired.served} made the next schedule"
    assert fired.flags.flag("EROS_V5_ENABLED") is False, "EROS_V5_ENABLED is still true"


@pytest.mark.criterion("step2-on-call-alerted")
@pytest.mark.parametrize("rule", RULES)
def test_the_on_call_engineer_is_told(triggered: Triggered, rule: str, observe: Observe) -> None:
    fired = triggered.fired[rule]
    observe("on_call_alerts", _told_on_call(fired.messages, rule), rule=rule)


@pytest.mark.criterion("step2-on-call-alerted")
def test_the_on_call_engineer_is_told_of_a_rollback_by_hand(
    pulled: Pulled, observe: Observe
) -> None:
    observe("on_call_alerts", _told_on_call(pulled.told, DRILL), rule="the program")


@pytest.mark.criterion("step2-on-call-alerted")
def test_an_alert_that_no_channel_took_is_none(unheard: Sequence[Unheard]) -> None:
    if not unheard:
        not_done("no channel was taken from people on call here", "rehearse it, or drill it apart")
    demand_heard(unheard)


def _told_on_call(messages: Sequence[Message], why: str) -> int:
    """How often both Slack and the pager told the on-call engineer of a rollback, and why."""
    return min(_told_of(messages, why, service) for service in ("slack", "pagerduty"))


def _told_of(messages: Sequence[Message], reason: str, service: str) -> int:
    count = 0
    for message in messages:
        says = message.text
        why = reason in says or "rollback" in says.casefold()
        on_call = service != "slack" or ("@on-call" in says and message.channel == "#eros-alerts")
        count += message.service == service and why and on_call and "CRITICAL" in says.upper()
    return count
