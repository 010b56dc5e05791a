"""Channels: where people are told what happened."""

from __future__ import annotations

from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass


class ChannelMeans(StrEnum):
    """How a channel reaches people."""

    SLACK = "slack"  # any webhook that takes {"text": …}
    WEBHOOK = "webhook"  # a JSON document with all facts
    PAGERDUTY = "pagerduty"  # Events API v2
    EMAIL = "email"
    APPRISE = "apprise"  # an address of Apprise, which speaks to a hundred services


class Topic(StrEnum):
    """What a channel is told of."""

    TRIPS = "trips"  # of guardrails, and nights that are no GO
    DECISIONS = "decisions"  # that differ from the gate's last, in a real environment
    SIGNOFF = "signoff"  # requests for signatures


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel; its address is a secret that a variable of the environment holds."""

    means: str  # one of ChannelMeans, or the name of one that another package installs
    address: str  # ${VARIABLE}: the webhook, the routing key, or the mail server
    to: tuple[str, ...] = ()  # of e-mail
    sender: str = ""
    url: str = ""  # of a PagerDuty that stands elsewhere
    about: tuple[Topic, ...] = (Topic.TRIPS,)
    line: int = 0
