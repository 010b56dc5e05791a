"""Day 0: a test message takes each channel, and arrives."""

from __future__ import annotations

import os
import smtplib
from email.message import EmailMessage

import httpx
import pytest

from pytest_rollout import Message, Stage, read_inbox
from suites.plms.views.answers import not_done
from suites.plms.views.host import ALERTS, Host, channels, configured, run

pytestmark = pytest.mark.day0


def _arrived(host: Host, phase: Stage, service: str, seen: int) -> list[Message]:
    """What a service took since its inbox held ``seen`` messages.

    In production people send the plan's messages by hand and keep what arrived: all of the slot.
    """
    if not phase.embedded and not host.inbox.is_file():
        not_done(f"there is no inbox at {host.inbox}", "keep there what arrived in the channels")
    messages = read_inbox(host.inbox)
    new = messages[seen:] if phase.embedded else messages
    return [
        message for message in new if message.service == service and message.at >= phase.window[0]
    ]


@pytest.mark.criterion("slack-webhook-200")
def test_slack_takes_a_message(opened_channels: Host, phase: Stage) -> None:
    webhook = configured(opened_channels, "SLACK_WEBHOOK_URL")
    text, seen = "[PLMS] Day 0 prep test from prod", len(read_inbox(opened_channels.inbox))
    answer = httpx.post(webhook, json={"text": text})
    assert answer.status_code == httpx.codes.OK, (
        f"the webhook answers {answer.status_code} {answer.text!r}, not 200"
    )
    arrived = _arrived(opened_channels, phase, "slack", seen)
    got = [(message.channel, message.body.get("text")) for message in arrived]
    assert (ALERTS, text) in got, f"{ALERTS} did not get the message; what arrived is {got[-5:]}"


@pytest.mark.criterion("smtp-relay-test")
def test_mail_is_taken_and_delivered(opened_channels: Host, phase: Stage) -> None:
    mail, seen = EmailMessage(), len(read_inbox(opened_channels.inbox))
    mail["From"], mail["To"] = "plms@localhost", configured(opened_channels, "ALERT_EMAIL")
    mail["Subject"] = "[PLMS] Email test"
    mail.set_content("Test\n")
    host, _, port = configured(opened_channels, "SMTP_RELAY").rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=10) as relay:
            relay.send_message(mail)
    except (OSError, smtplib.SMTPException) as refused:
        pytest.fail(f"the relay did not take a mail to {mail['To']}: {refused}")
    arrived = _arrived(opened_channels, phase, "mail", seen)
    got = [(message.channel, message.body.get("subject")) for message in arrived]
    wanted = (mail["To"], mail["Subject"])
    assert wanted in got, f"{mail['To']} did not get the mail; what arrived is {got[-5:]}"


@pytest.mark.criterion("pagerduty-test")
def test_pagerduty_takes_an_event(opened_channels: Host, phase: Stage) -> None:
    configured(opened_channels, "PD_ROUTING_KEY")
    text, seen = "[PLMS][test] PagerDuty integration check", len(read_inbox(opened_channels.inbox))
    helper = opened_channels.release / "scripts/alert_pd.py"
    done = run(helper, text, env={**os.environ, **channels(opened_channels)})
    assert done.returncode == 0, f"the helper exits {done.returncode}: {done.stderr.strip()}"
    arrived = _arrived(opened_channels, phase, "pagerduty", seen)
    got = [message.body.get("payload", {}).get("summary") for message in arrived]
    assert text in got, f"no such event was enqueued; what arrived is {got[-5:]}"
    action = arrived[got.index(text)].body.get("event_action")
    assert action == "trigger", f"the event is {action!r}, it raises nothing"


# What the helper may be given instead of a key and a text.
_NOT_TAKEN = {
    "the plan's your_routing_key in the place of a key": ("your_routing_key", ("a test",)),
    "no key": ("", ("a test",)),
    "a key that PagerDuty does not take": ("no-key", ("a test",)),
    "no text": (None, ()),
}


@pytest.mark.rehearsal_only  # who is paged in production is left alone
@pytest.mark.criterion("pagerduty-test")
@pytest.mark.parametrize("what", _NOT_TAKEN)
def test_helper_exits_otherwise_where_nobody_is_paged(
    opened_channels: Host, phase: Stage, what: str
) -> None:
    """Its 0 is worth something: a roll-back relies on it to have told the team."""
    key, words = _NOT_TAKEN[what]
    env = {**os.environ, **channels(opened_channels)}
    env |= {} if key is None else {"PD_ROUTING_KEY": key}
    seen = len(read_inbox(opened_channels.inbox))
    done = run(opened_channels.release / "scripts/alert_pd.py", *words, env=env)
    new = [message.text for message in _arrived(opened_channels, phase, "pagerduty", seen)]
    assert not new, f"given {what}, the helper raises {new}"
    assert done.returncode != 0, f"given {what}, the helper exits 0 and nobody is paged"
    assert done.stderr.strip(), f"given {what}, the helper does not say why it paged nobody"
