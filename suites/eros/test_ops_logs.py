"""Loggers: each event of a kind left a record; and channels and severities."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from pytest_rollout import Message, Observe, Reported
from suites.eros.scenarios.operations import Operations, Sent
from suites.eros.scenarios.unheard import Unheard, demand_heard
from suites.eros.views.alarms import ALERTS, ENGINEERING, LEADERSHIP
from suites.eros.views.figures import longest_gap
from suites.eros.views.records import logged
from suites.eros.views.said import not_done
from suites.eros.views.samples import demand_true_samples

pytestmark = pytest.mark.alerting_ops

PAGE = ("eros", "team-lead")  # what a page is about, and whom it calls
CHANNELS = {"WARNING": ("slack",), "CRITICAL": ("slack", "pagerduty")}


def observe_records(
    observe: Observe,
    logger: str,
    events: Iterable[object],
    records: Iterable[object],
    at: datetime,
) -> None:
    """Observe of each event whether a record is there; raises NoValueError without events."""
    kept, due = set(records), list(events)
    if not due:
        not_done(f"nothing happened that {logger} must record", "let it happen")
    for event in due:
        missing = event not in kept
        observe("event_without_record", missing, at=at, logger=logger, event=str(event)[:80])


@pytest.mark.criterion("log-orchestrator")
def test_each_run_is_logged(operations: Operations, observe: Observe) -> None:
    operations.demand_runs()
    lines = logged(operations.logs, "eros.orchestrator", "run")
    fields = ("run_id", "request_id", "creator", "pipeline", "shadow", "outcome", "duration_s")
    ended = [run for run in operations.journal if run.said["ended"] is not None]
    events = [tuple(str(run.said[name]) for name in fields) for run in ended]
    records = [tuple(str(line[name]) for name in fields) for line in lines]
    observe_records(observe, "eros.orchestrator", events, records, operations.now)


@pytest.mark.criterion("log-router")
def test_each_decision_is_logged(operations: Operations, observe: Observe) -> None:
    lines = logged(operations.logs, "eros.router", "decision")
    first = [run for run in operations.journal if not run.shadow and not run.fallback]
    events = {(run.request_id, run.creator, run.pipeline) for run in first}
    records = [
        (line.text("request_id"), line.text("creator"), line.text("target")) for line in lines
    ]
    observe_records(observe, "eros.router", sorted(events), records, operations.now)


@pytest.mark.criterion("log-comparator")
def test_each_comparison_is_logged(operations: Operations, observe: Observe) -> None:
    lines = logged(operations.logs, "eros.comparator", "comparison")
    fields = ("request_id", "creator", "quality_diff", "regression")
    events = []
    for pair in operations.pairs:
        ran = [pair.inner(pipeline).text("run_id") for pipeline in ("v4", "v5")]
        events.append((*(pair[name] for name in fields), *ran))
    records = [tuple(line[name] for name in (*fields, "v4_run", "v5_run")) for line in lines]
    observe_records(observe, "eros.comparator", events, records, operations.now)


@pytest.mark.criterion("log-monitoring")
def test_each_alert_is_logged(operations: Operations, observe: Observe) -> None:
    lines = logged(operations.logs, "eros.monitoring", "alert")
    fields = ("metric", "text", "severity", "value", "threshold")
    alerts = [message.body for message in in_slack(operations.inbox) if "metric" in message.body]
    sent = [(body["severity"], *(body[name] for name in fields)) for body in alerts]
    records = [(line.text("level"), *(line[name] for name in fields)) for line in lines]
    observe_records(observe, "eros.monitoring", sent, records, operations.now)


@pytest.mark.criterion("log-monitoring")
def test_a_sample_is_logged_each_five_minutes(operations: Operations) -> None:
    sampled = [line.moment("at") for line in logged(operations.logs, "eros.monitoring", "sample")]
    assert sampled, "eros.monitoring holds no sample"
    gap = longest_gap([*sampled, operations.now])
    assert gap <= 5, f"for {gap:.0f} minutes no sample was logged"


@pytest.mark.criterion("log-monitoring")
def test_samples_hold_the_figures_of_their_time(operations: Operations) -> None:
    demand_true_samples(operations.logs, operations.served)


@pytest.mark.criterion("log-rollback")
def test_each_rollback_is_logged(operations: Operations, observe: Observe) -> None:
    lines = logged(operations.logs, "eros.rollback", "trigger")
    history = operations.service.get("/rollback").each("history")
    events = [
        ("CRITICAL", rollback.text("at"), rollback.text("reason"), rollback.text("by"))
        for rollback in history
    ]
    fields = ("level", "at", "reason", "by")
    records = [tuple(line.text(name) for name in fields) for line in lines]
    observe_records(observe, "eros.rollback", events, records, operations.now)


# Channels and severities


def arrived(sent: Sequence[Sent], to: str) -> Sent:
    """What arrived of one of the messages that were sent."""
    return next(message for message in sent if message.to == to)


def in_slack(messages: Sequence[Message]) -> list[Message]:
    """The messages in Slack."""
    return [message for message in messages if message.service == "slack"]


@pytest.mark.criterion("channel-engineering")
def test_engineering_is_told_in_its_channel(
    operations: Operations, messages_sent: Sequence[Sent], observe: Observe
) -> None:
    trial = arrived(messages_sent, "engineering").arrived
    wrong = [message.channel for message in trial] != [ENGINEERING]
    observe("misrouted", wrong, channel=ENGINEERING, of="trial")
    reports = [message for message in in_slack(operations.inbox) if "day" in message.body]
    for message in reports:
        wrong = message.channel != ENGINEERING
        observe("misrouted", wrong, channel=ENGINEERING, of="daily report")
    told = {str(message.body["day"]) for message in reports}
    due = {pair.moment("at").date() for pair in operations.pairs}
    untold = sorted(str(day) for day in due if day < operations.now.date() and str(day) not in told)
    assert not untold, f"engineering was not told of the comparisons of {', '.join(untold)}"


@pytest.mark.criterion("channel-alerts")
def test_alerts_are_told_in_their_channel(
    operations: Operations, messages_sent: Sequence[Sent], observe: Observe
) -> None:
    trial = in_slack(arrived(messages_sent, "WARNING").arrived)
    wrong = [message.channel for message in trial] != [ALERTS]
    observe("misrouted", wrong, channel=ALERTS, of="trial")
    for message in in_slack(operations.inbox):
        if "severity" in message.body:
            observe("misrouted", message.channel != ALERTS, channel=ALERTS, of="alert")
    strays = {message.channel for message in in_slack(operations.inbox)}
    assert strays <= {ALERTS, ENGINEERING, LEADERSHIP}, f"messages went to {sorted(strays)}"


@pytest.mark.criterion("severity-critical")
def test_who_was_not_reached_counts_as_told_by_nobody(
    operations: Operations, messages_sent: Sequence[Sent], unheard: Sequence[Unheard]
) -> None:
    demand_heard(unheard)  # none outside of a rehearsal
    inbox = [*operations.inbox, *(message for sent in messages_sent for message in sent.arrived)]
    lost: Counter[str] = Counter()
    for alert in _alerted(operations, messages_sent):
        for channel in CHANNELS[alert.text("severity")]:
            text = alert.text("text")
            lost[channel] += not any(
                text in message.text for message in inbox if message.service == channel
            )
    log = logged(operations.logs, "eros.monitoring", "undelivered")
    known = Counter(line.text("channel") for line in log)
    untold = {channel: many for channel, many in lost.items() if many > known[channel]}
    assert not untold, f"{untold} alerts never came, and no log says that they failed"


def _alerted(operations: Operations, sent: Sequence[Sent]) -> Iterator[Reported]:
    """The alerts that somebody had to hear of, by the log: what happened, and the trial."""
    for line in logged(operations.logs, "eros.monitoring", "alert"):
        if line.moment("at") <= operations.now and line.text("severity") in CHANNELS:
            yield line
    trial = [line for message in sent if message.to in CHANNELS for line in message.logged]
    assert trial, "no log knows of the trial of a warning and of what is critical"
    yield from trial


@pytest.mark.criterion("severity-info")
def test_info_is_only_logged(
    operations: Operations, messages_sent: Sequence[Sent], observe: Observe
) -> None:
    trial = arrived(messages_sent, "INFO")
    wrong = bool(trial.arrived) or not trial.logged
    observe("severity_misrouted", wrong, severity="INFO", of="trial")
    sent = [message for message in operations.inbox if message.body.get("severity") == "INFO"]
    assert not sent, f"{len(sent)} messages of INFO were sent: {sent[0].text[:80]}"


@pytest.mark.criterion("severity-warning")
def test_warnings_reach_slack_and_nobody_pages(
    operations: Operations, messages_sent: Sequence[Sent], observe: Observe
) -> None:
    trial = arrived(messages_sent, "WARNING").arrived
    right = [message.service for message in trial] == ["slack"] and "@on-call" in trial[0].text
    observe("severity_misrouted", not right, severity="WARNING", of="trial")
    for message in in_slack(operations.inbox):
        if message.body.get("severity") == "WARNING":
            paged = any(
                other.service == "pagerduty" and abs(other.at - message.at) < timedelta(seconds=5)
                for other in operations.inbox
            )
            wrong = paged or "@on-call" not in message.text
            observe("severity_misrouted", wrong, severity="WARNING", of="alert")


@pytest.mark.criterion("severity-critical")
def test_critical_reaches_slack_pager_and_team_lead(
    operations: Operations, messages_sent: Sequence[Sent], observe: Observe
) -> None:
    trial = arrived(messages_sent, "CRITICAL").arrived
    wrong = not reaches_everybody(trial)
    observe("severity_misrouted", wrong, severity="CRITICAL", of="trial")
    for fired in operations.service.get("/rollback").each("history"):
        at = fired.moment("at")
        then = [
            message for message in operations.inbox if abs(message.at - at) < timedelta(seconds=5)
        ]
        wrong = not reaches_everybody(then)
        observe("severity_misrouted", wrong, severity="CRITICAL", of="rollback")


def reaches_everybody(messages: Sequence[Message]) -> bool:
    """Whether Slack and the pager were told, the on-call engineer and the team lead by name."""
    slack = [message for message in in_slack(messages) if message.channel == ALERTS]
    pages = [page for page in messages if page.service == "pagerduty"]
    named = any("@on-call" in message.text and "@team-lead" in message.text for message in slack)
    return named and any(_to_the_team_lead(Reported(page.body, "a page")) for page in pages)


def _to_the_team_lead(page: Reported) -> bool:
    event = page.inner("payload")
    contact = event.inner("custom_details").text("contact")
    return (event.text("severity"), event.text("source"), contact) == ("critical", *PAGE)
