"""Both sides of the limits of alerts: one short of them nobody is told, at them people are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from pytest_rollout import Stage
from suites.bridge.views.alerting import of_alert, received
from suites.bridge.views.exchange import Exchange
from suites.bridge.views.exposition import Between, scrape
from suites.bridge.views.service import Bridge

_QUIET_S = 960  # by then no rule of a quarter of an hour looks at what was measured before
_LOOK_S = 15
_FAILS_OFTEN = {"resume_fails": "always"}


@dataclass
class _Edge:
    phase: Stage
    bridge: Bridge
    problems: dict[str, str] = field(default_factory=dict)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.phase.target("bridge").clock.advance(seconds)

    def expect(self, name: str, what: str, *, fires: bool, looks: int = 1) -> None:
        """Note whether people are told of an alert after so many looks, as they should be."""
        self.wait(looks * _LOOK_S)
        told = received(self.phase.file("inbox"))
        now = len(of_alert(told, name, "firing")) > len(of_alert(told, name, "resolved"))
        said = "people are told of it" if now else "nobody is told of it"
        self.problems[f"{name}, {what}"] = "" if now == fires else said

    def stands(self, name: str, what: str, state: str, low: float = 0, high: float = 0) -> None:
        """Note whether an alert is listed with a state, and with a value within bounds."""
        rows = self.bridge.operator.get("/v1/alerts").each("alerts")
        row = next(alert for alert in rows if alert.text("name") == name)
        value = row.number_or_none("value")
        right = row.text("state") == state and (value is None) == (state == "no data")
        right = right and (value is None or low - 1e-9 <= value <= high + 1e-9)
        wrong = f"it is {row['state']} with {value}, not {state} from {low:g} to {high:g}"
        self.problems[f"{name}, {what}"] = "" if right else wrong

    def scrape(self, since: Between | None = None) -> Between:
        """What rose since an earlier look; without one since now."""
        now = scrape(self.phase.target("bridge").client)
        return Between(now if since is None else since.before, now)


def edged(phase: Stage) -> Mapping[str, str]:
    """What is wrong at each side of each limit; empty: nothing."""
    edge = _Edge(phase, Bridge.of(phase))
    edge.wait(_QUIET_S)
    exchange = Exchange.begun(edge.bridge, "edge", 2)
    _posts(edge, exchange)
    _reads(edge, exchange)
    for part in (_visible, _wakes, _denials, _escalations, _ticks, _probes, _tokens):
        part(edge)
    return edge.problems


def _posts(edge: _Edge, exchange: Exchange) -> None:
    """One post fails: of fewer than 20 that says nothing, of 100 it is allowed."""
    edge.phase.operate("bridge", "fail-writes", times=1)
    made = 0
    for count, fires in ((19, False), (20, True), (99, True), (100, False)):
        while made < count:
            exchange.post(0, f"edge {made}")
            made += 1
        edge.expect("post-success", f"1 of {count} failed", fires=fires)


def _reads(edge: _Edge, exchange: Exchange) -> None:
    edge.phase.operate("bridge", "store", off=True)
    exchange.read(0, limit=1)
    edge.phase.operate("bridge", "store", off=False)
    for count, fires in ((18, False), (1, True)):
        for _ in range(count):
            exchange.read(0, limit=1)
        edge.expect("read-success", f"{count} more succeeded", fires=fires)


def _visible(edge: _Edge) -> None:
    exchange, begun = Exchange.begun(edge.bridge, "edge-seen", 2), edge.scrape()
    for count, state in ((9, "no data"), (1, "ok")):
        for number in range(count):
            exchange.post(0, f"to be seen {number}")
        exchange.sequence(1)
        edge.wait(_LOOK_S)
        bounds = _p95(edge.scrape(begun), "post_to_visible_seconds")
        edge.stands("post-to-visible", f"{count} more were seen", state, *bounds)


def _wakes(edge: _Edge) -> None:
    """Of ten wakes one needs a new session, which is allowed; of eleven two, which is not."""
    sender, begun = edge.bridge.agent("edge-waker"), edge.scrape()
    asleep = {"managed": True, "state": "dormant", "heartbeat_age_s": 60, "ack_after_s": 1}
    names = [f"edge-sleeper-{number:02}" for number in range(11)]
    for number, name in enumerate(names):
        fails = _FAILS_OFTEN if number in (0, 10) else {}
        edge.phase.operate("bridge", "session", agent=name, **asleep, **fails)
    thread = sender.opened("edge", names)
    for these, state in ((names[:9], "no data"), (names[9:10], "ok")):
        sender.posted(thread, "wake up", to=these)
        edge.wait(2 * _LOOK_S)
        edge.stands("wake-failures", f"{len(these)} more woken", state, 0.1, 0.1)
        bounds = _p95(edge.scrape(begun), "message_to_wake_seconds")
        edge.stands("message-to-wake", f"{len(these)} more woken", state, *bounds)
    sender.posted(thread, "wake up", to=names[10:])
    edge.expect("wake-failures", "2 of 11 needed a new session", fires=True, looks=2)


def _p95(between: Between, name: str) -> tuple[float, float]:
    """The bucket in which 95 of 100 have come in, by what rose."""
    total = between.rose(f"{name}_count")
    rising = between.after.by(f"{name}_bucket", "le")
    earlier = between.before.by(f"{name}_bucket", "le")
    low = 0.0
    for bound in sorted(map(float, rising)):
        label = next(text for text in rising if float(text) == bound)
        if rising[label] - earlier[label] >= 0.95 * total:
            return low, bound
        low = bound
    return low, low


def _denials(edge: _Edge) -> None:
    reader = edge.bridge.agent("edge-reader", "reader")
    thread = edge.bridge.operator.opened("edge", [reader.name])
    for count, fires in ((9, False), (1, True)):
        for _ in range(count):
            reader.send(thread, "may I?")
        edge.expect("authorization-denials", f"{count} more denied", fires=fires)


def _escalations(edge: _Edge) -> None:
    operator, clock = edge.bridge.operator, edge.phase.target("bridge").clock
    hour_ago = clock.now() - timedelta(hours=1)
    known = operator.get("/v1/escalations", since=hour_ago).each("escalations")
    thread = operator.opened("edge")
    for count, fires in ((10 - len(known), False), (1, True)):
        for _ in range(count):
            operator.change(thread, "blocked")
            operator.change(thread, "active")
        edge.expect("escalation-flood", f"{count} more escalations", fires=fires)


def _ticks(edge: _Edge) -> None:
    """Two ticks in a row fail, at three distances from when alerts are looked at."""
    for number in range(3):
        edge.phase.operate("bridge", "fail-ticks", count=2)
        edge.wait(20)
        edge.expect("tick-failed", f"two in a row, {number}", fires=False, looks=0)


def _probes(edge: _Edge) -> None:
    edge.phase.operate("bridge", "store", off=True)
    edge.expect("not-ready", "at two looks", fires=False, looks=2)
    edge.expect("not-ready", "at three looks", fires=True)
    edge.phase.operate("bridge", "store", off=False)
    edge.expect("not-ready", "ready again", fires=False)


def _tokens(edge: _Edge) -> None:
    """A token of a key that the bridge has not seen comes while the issuer is away."""
    edge.phase.operate("bridge", "issuer", rotate=True)
    fresh = edge.bridge.with_token(edge.bridge.token("edge-fresh"))
    edge.phase.operate("bridge", "issuer", off=True)
    for count, fires in ((4, False), (1, True)):
        for _ in range(count):
            fresh.ask("GET", "/v1/threads")
        edge.expect("token-validation", f"{count} more unchecked", fires=fires)
    edge.phase.operate("bridge", "issuer", off=False)
