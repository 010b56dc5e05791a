"""Rollback by itself: when it fires, what it does, and that it stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pytest

from pytest_rollout import Message, Observe, Reported, Stage
from suites.eros.scenarios.rollback_drills import DRILL, Pulled
from suites.eros.scenarios.triggers import Triggered
from suites.eros.scenarios.unheard import Unheard, demand_heard
from suites.eros.views.said import not_done
from suites.eros.views.service import Service
from suites.eros.views.trigger_cases import RULES, Row, fires, rows, said

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
    assert any(one is not None for one in due), f"no row goes beyond the limit of {rule}"
    for row, told, expected in zip(asked, judged, due, strict=True):
        wrong = _told(told, rule) != expected
        observe("trigger_boundary_error", wrong, at=moment, rule=rule, row=row.why)


def _told(judged: Reported, rule: str) -> int | None:
    """The run at which the rule fired, as the controller says; -1 where another rule did."""
    if judged["reason"] is None:
        return None
    return judged.whole("at_run") if judged.text("reason").startswith(rule) else -1


@pytest.mark.parametrize("rule", BOUND)
def test_the_rule_fires_on_runs_that_happen(triggered: Triggered, rule: str) -> None:
    fired = triggered.fired[rule]
    assert not fired.at_limit, f"a rollback was in force at the limit of {rule} itself"
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
    assert triggered.lacking_log, "eros.rollback never says that a rule cannot be judged"


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
    kept = {(one.text("at"), one.text("reason")) for one in triggered.kept}
    for rule, fired in triggered.fired.items():
        lost = {(one.text("at"), one.text("reason")) for one in fired.history} - kept
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
    found = 0
    for message in messages:
        says = message.text
        why = reason in says or "rollback" in says.casefold()
        on_call = service != "slack" or ("@on-call" in says and message.channel == "#eros-alerts")
        found += message.service == service and why and on_call and "CRITICAL" in says.upper()
    return found
