"""Each alert is provoked, waited for, and waited for again until it is cleared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pytest_rollout import Message, Reported, Stage, reported
from suites.bridge.views import papers
from suites.bridge.views.alerting import ALERTS, of_alert, received
from suites.bridge.views.service import Agent, Bridge

_LOOK_S, _ROUNDS = 60, 2
_QUIET_S = 960  # by then no rule of a quarter of an hour looks at what was measured before
_CLEARS_WITHIN_S = 3_900  # an hour of a rolling window, and some minutes
_NEAR_S = 2  # from when an alert begins to its message
_RECENT = timedelta(days=90)


@dataclass
class Alerted:
    """An alert: its rule, when its cause was there, and what arrived."""

    name: str
    rule: Reported | None
    began: datetime | None = None  # the cause was brought in
    caused: datetime | None = None  # the cause was complete
    ended: datetime | None = None  # the cause was taken away
    early: bool = False  # it fired while all was well
    fired: Message | None = None
    cleared: Message | None = None
    listed: tuple[Reported | None, ...] = ()  # how it stood before, and while it fired

    def problem(self) -> str:
        """What is wrong; empty where people were told in time, of the cause and of its end."""
        if self.rule is None:
            return "it has no rule"
        if self.early:
            return "it fired before its cause was there"
        if self.fired is None:
            return "nothing arrived"
        if self.caused is not None:
            late = (self.fired.at - self.caused).total_seconds()
            if late > self.rule.number("within_s"):
                return f"it arrived {late:.0f} s after its cause"
        said = self.fired.body
        for key in ("channel", "severity", "runbook"):
            if said.get(key) != self.rule.get(key):
                return f"its message says {key} {said.get(key)}, not {self.rule.get(key)}"
        if self.cleared is None:
            return "it was never cleared"
        if wrong := self._untrue(self.fired, self.cleared):
            return wrong
        if self.cleared.at <= self.fired.at:
            return "it was cleared before it arrived"
        if self.ended is not None and self.cleared.at < self.ended:
            return "it was cleared while its cause was there"
        return ""

    def _untrue(self, fired: Message, cleared: Message) -> str:
        """What of its messages, or of the list of alerts, was not so; empty where all was."""
        assert self.rule is not None
        sign, limit = self.rule.text("fires").split()
        for message, fires in ((fired, True), (cleared, False)):
            body = Reported(message.body, "a message")
            text = body.text("text")
            for word in (self.name, self.rule.text("fires"), body.text("status").upper()):
                if word not in text:
                    return f"its message does not say {word}: {text!r}"
            value = body.get("value")
            if fires != (value is not None and _beyond(float(value), sign, float(limit))):
                return f"it is {body['status']} with the value {value}"
            if value is not None and f"{float(value):g}" not in text:
                return f"its message does not say {value:g}: {text!r}"
            if abs((body.moment("since") - message.at).total_seconds()) > _NEAR_S:
                return f"its message of {message.at} says since {body['since']}"
        for state, row in zip((("ok", "no data"), ("firing",)), self.listed, strict=False):
            if row is not None and row.get("state") not in state:
                return f"the list says {row.get('state')}, not {' or '.join(state)}"
            if row is not None and not {"since", "value"} <= row.keys():
                return f"the list says only {sorted(row)}"
        last = self.listed[-1] if self.listed else None
        if last is not None and last.get("since") != fired.body.get("since"):
            return f"the list says that it fires since {last.get('since')}"
        return ""


def _beyond(value: float, sign: str, limit: float) -> bool:
    return value > limit or (sign == ">=" and value == limit)


def alerted(phase: Stage) -> Mapping[str, Alerted]:
    """Each alert, one after the other; elsewhere those that came in the last 90 days."""
    rules = {
        rule.text("name"): rule
        for rule in papers.structured(phase.file("repository"), papers.RULES).each("rules")
    }
    if not phase.embedded:
        return {name: _on_record(phase, name, rules.get(name)) for name in ALERTS}
    phase.target("bridge").clock.advance(_QUIET_S)
    alerts: dict[str, Alerted] = {}
    for _ in range(_ROUNDS):  # what another's cause raised has a round of its own
        for name in ALERTS:
            if name not in alerts and not _firing(phase, name):
                alerts[name] = _provoked(phase, name, rules.get(name))
        _clear(phase, alerts)
    return alerts


def _on_record(phase: Stage, name: str, rule: Reported | None) -> Alerted:
    inbox, since = received(phase.file("inbox")), phase.target("bridge").clock.now() - _RECENT
    fired = [message for message in of_alert(inbox, name, "firing") if message.at >= since]
    cleared = of_alert(inbox, name, "resolved")
    alert = Alerted(name, rule, fired=fired[-1] if fired else None)
    for first in reversed(fired):
        later = [message for message in cleared if message.at > first.at]
        if later:
            alert.fired, alert.cleared = first, later[0]
            break
    return alert


def _firing(phase: Stage, name: str) -> bool:
    """Whether an alert was told of, and not yet of its end."""
    told = received(phase.file("inbox"))
    return len(of_alert(told, name, "firing")) > len(of_alert(told, name, "resolved"))


def _provoked(phase: Stage, name: str, rule: Reported | None) -> Alerted:
    """Bring a cause in, wait for the alert, and take the cause away."""
    alert = Alerted(name, rule)
    if rule is None:
        return alert
    clock, inbox = phase.target("bridge").clock, phase.file("inbox")
    known = len(received(inbox))
    clock.advance(_LOOK_S)
    alert.early = bool(of_alert(received(inbox)[known:], name, "firing"))
    known, alert.began = len(received(inbox)), clock.now()
    operator = Bridge.of(phase).operator
    before = _listed(operator, name)
    phase.operate("bridge", "provoke", alert=name, on=True)
    alert.caused = clock.now()
    limit = alert.caused + timedelta(seconds=rule.number("within_s"))
    fired = of_alert(received(inbox)[known:], name, "firing")
    while not fired and clock.now() < limit:
        clock.advance(15)
        fired = of_alert(received(inbox)[known:], name, "firing")
    alert.listed = (before, _listed(operator, name))
    phase.operate("bridge", "provoke", alert=name, on=False)
    alert.fired, alert.ended = (fired[0] if fired else None), clock.now()
    return alert


def _listed(operator: Agent, name: str) -> Reported | None:
    """How an alert stands, as the bridge lists it; None while nothing can be asked."""
    answer = operator.ask("GET", "/v1/alerts")
    if answer.status_code >= 500:
        return None  # which is its cause
    rows = reported(answer).each("alerts")
    return next((row for row in rows if row.text("name") == name), Reported({}, "no such alert"))


def _clear(phase: Stage, alerts: Mapping[str, Alerted]) -> None:
    """Wait until each that fired is cleared, or for so long."""
    clock, inbox = phase.target("bridge").clock, phase.file("inbox")
    until = clock.now() + timedelta(seconds=_CLEARS_WITHIN_S)
    waiting = [
        alert for alert in alerts.values() if alert.fired is not None and alert.cleared is None
    ]
    while waiting and clock.now() < until:
        clock.advance(_LOOK_S)
        told = received(inbox)
        for alert in waiting:
            ends = of_alert(told, alert.name, "resolved")
            later = [end for end in ends if alert.fired is not None and end.at > alert.fired.at]
            alert.cleared = later[0] if later else None
        waiting = [alert for alert in waiting if alert.cleared is None]
